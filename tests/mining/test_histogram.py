"""Every pair is in its bin, exactly; above the blind minimum all pairs, below it a sample where there are many."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from snellen.mining.join.cells import BINS, FINE, LIMIT, CellCounts, Cells, fine_bin
from snellen.mining.survey.histogram import MAX_BINS, Histogram
from snellen.mining.survey.stream import Block, Stream
from tests.mining.conftest import cosines, side
from tests.studies import spectrum_rows, unit_rows

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


def block(blind: Floats | list[float], reference: Floats | list[float]) -> Block:
    none = np.zeros(len(blind), dtype=np.int64)
    return Block(none, none, np.array(blind), np.array(reference))


def on_grid(values: Floats) -> Floats:
    """Multiples of 2^-48, as all cosines are."""
    result: Floats = np.round(values * 2**40) / 2**40
    return result


class TestAllPairs:
    @pytest.mark.parametrize("rows", [2, 40, 700])
    def test_equals_numpy(self, rows: int) -> None:
        rng = np.random.default_rng(rows)
        blind = unit_rows(spectrum_rows(rng, rows, 32))
        reference = unit_rows(spectrum_rows(rng, rows, 8, mean=0.0))
        histogram = Histogram()
        for part in Stream(side(blind), side(reference), None, 0).blocks():
            histogram.add(part)
        shown = histogram.as_json()
        upper = np.triu_indices(rows, 1)
        x, y = cosines(blind)[upper], cosines(reference)[upper]
        edges = shown["blind_edges"], shown["reference_edges"]
        assert np.array_equal(shown["counts"], np.histogram2d(x, y, bins=edges)[0])
        assert shown["n_pairs"] == len(x) == np.sum(shown["counts"])
        assert (shown["sampled"], shown["scale"], shown["exact_from"]) == (False, 1.0, 0)

    @given(st.lists(st.tuples(st.floats(-1.04, 1.04), st.floats(-1.04, 1.04)), min_size=1, max_size=30))
    def test_nothing_is_lost_and_it_fits_the_page(self, pairs: list[tuple[float, float]]) -> None:
        values = on_grid(np.array(pairs))
        histogram = Histogram()
        histogram.add(block(values[:, 0], values[:, 1]))
        shown = histogram.as_json()
        counts = np.array(shown["counts"])
        assert counts.sum() == len(values)
        for axis, name in enumerate(("blind_edges", "reference_edges")):
            edges = np.array(shown[name])
            assert counts.shape[axis] == len(edges) - 1 <= MAX_BINS
            assert len(set(np.diff(edges))) == 1  # of one width
            found = np.bincount(np.searchsorted(edges, values[:, axis], side="right") - 1)
            assert np.array_equal(counts.sum(axis=1 - axis)[: len(found)], found)

    def test_an_edge_belongs_to_the_bin_above(self) -> None:
        histogram = Histogram()
        histogram.add(block([0.5, np.nextafter(0.5, 0) - 2**-48], [0.0, 0.0]))
        shown = histogram.as_json()
        assert shown["blind_edges"] == [0.5 - 1 / 256, 0.5, 0.5 + 1 / 256]
        assert shown["counts"] == [[1], [1]]

    def test_no_pairs(self) -> None:
        shown = Histogram().as_json()
        assert shown["n_pairs"] == 0
        assert np.sum(shown["counts"]) == 0


def split(x: Floats, y: Floats, drawn: Places, blind_min: float) -> dict[str, Any]:
    """All pairs above the minimum, and of the others those with a place in `drawn`."""
    histogram = Histogram(blind_min)
    above = Cells()
    above.add(x[x > blind_min], y[x > blind_min])
    histogram.add_above(above.counts())
    histogram.add(block(x[drawn], y[drawn]))
    return histogram.as_json(3.5)


def expected(x: Floats, y: Floats, drawn: Places, blind_min: float, shown: dict[str, Any]) -> NDArray[np.int64]:
    """The definition, bin by bin: [low, high), but no pair on the minimum is above it."""
    blind, reference = shown["blind_edges"], shown["reference_edges"]
    counts = np.zeros((len(blind) - 1, len(reference) - 1), dtype=np.int64)
    for i, (low, high) in enumerate(pairwise(blind)):
        if i < shown["exact_from"]:
            sample: Places = drawn
            inside = (x >= low) & ((x <= high) if high == blind_min else (x < high))
        else:
            sample = np.arange(len(x))
            inside = ((x > low) if low == blind_min else (x >= low)) & (x < high)
        chosen = np.zeros(len(x), dtype=np.bool_)
        chosen[sample] = True
        for j, (bottom, top) in enumerate(pairwise(reference)):
            counts[i, j] = np.count_nonzero(chosen & inside & (y >= bottom) & (y < top))
    return counts


class TestSampled:
    @given(
        st.integers(0, 2**32 - 1),
        st.one_of(st.sampled_from([-1.0, 1.0, 0.0, 0.5, 0.95, 0.953125, -0.9375]), st.floats(-1, 1)),
        st.sampled_from([(0.2, 0.1), (0.9, 0.05), (0.0, 0.5), (0.99, 0.001), (-0.5, 0.01)]),
    )
    @example(0, 1.0, (0.99, 0.02))  # nothing above, or a length a little over 1
    @example(1, -1.0, (0.0, 0.5))  # nothing below
    @example(2, 0.5, (0.5, 0.001))  # on an edge, and pairs exactly on it
    @example(3, 0.50001, (0.5, 0.5))
    @example(4, -1e-51, (0.0, 0.1))  # between two numbers that a cosine can be
    def test_equals_the_definition(self, seed: int, blind_min: float, spread: tuple[float, float]) -> None:
        rng = np.random.default_rng(seed)
        x = on_grid(np.clip(rng.normal(*spread, 300), -1.02, 1.02))
        x[rng.integers(0, 300, 40)] = np.floor(blind_min * 2**48) / 2**48  # on the minimum, or as near as cosines get
        y = on_grid(np.clip(rng.normal(0, rng.choice([0.01, 0.4]), 300), -1, 1))
        drawn = np.unique(rng.integers(0, 300, 100))
        shown = split(x, y, drawn, blind_min)
        assert np.array_equal(shown["counts"], expected(x, y, drawn, blind_min, shown))
        edges, counts, first = np.array(shown["blind_edges"]), np.array(shown["counts"]), shown["exact_from"]
        assert np.all(np.diff(edges) > 0) and edges[first] == blind_min
        others = np.delete(edges, first)
        assert np.all((others + LIMIT) * FINE % 1 == 0)
        assert counts.shape[0] <= MAX_BINS + 1 and counts.shape[1] <= MAX_BINS
        assert counts[first:].sum() == np.count_nonzero(x > blind_min)
        assert counts[:first].sum() == np.count_nonzero(x[drawn] <= blind_min)
        assert shown["n_pairs"] == counts.sum()
        assert (shown["sampled"], shown["scale"]) == (True, 3.5)

    def test_a_pair_on_the_minimum_is_below_it(self) -> None:
        shown = split(np.array([0.5, 0.5 + 2**-48]), np.zeros(2), np.arange(2), 0.5)
        at = shown["exact_from"]
        assert [sum(row) for row in shown["counts"][at - 1 : at + 1]] == [1, 1]
        assert shown["blind_edges"][at - 1 : at + 2] == [0.5 - 1 / 256, 0.5, 0.5 + 1 / 256]


class TestCells:
    def test_count_what_numpy_counts(self) -> None:
        rng = np.random.default_rng(0)
        x, y = on_grid(rng.uniform(-1.05, 1.05, (2, 5000)))
        cells = Cells()
        for start in range(0, 5000, 777):
            cells.add(x[start : start + 777], y[start : start + 777])
        counted = cells.counts()
        edges = np.arange(BINS + 1) / FINE - LIMIT
        dense = np.histogram2d(x, y, bins=(edges, edges))[0].ravel()
        assert np.array_equal(counted.cells, np.flatnonzero(dense))
        assert np.array_equal(counted.counts, dense[dense > 0])
        assert CellCounts.from_json(counted.as_json()).cells.tolist() == counted.cells.tolist()

    def test_sums(self) -> None:
        one = CellCounts(np.array([3, 9]), np.array([1, 5]))
        two = CellCounts(np.array([0, 9]), np.array([2, 7]))
        total = one.joined(two)
        assert (total.cells.tolist(), total.counts.tolist()) == ([0, 3, 9], [2, 1, 12])
        assert (
            CellCounts.empty().joined(one).counts.tolist() == one.joined(CellCounts.empty()).counts.tolist() == [1, 5]
        )

    def test_bins_begin_at_their_edges(self) -> None:
        assert fine_bin(np.array([-LIMIT, 0.0, -(2**-48), 1 / FINE])).tolist() == [0, 272, 271, 273]
