"""Every pair is in its bin, exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snellen.mining.histogram import MAX_BINS, Histogram
from snellen.mining.stream import Block, Stream
from tests.mining.conftest import cosines, side
from tests.studies import spectrum_rows, unit_rows


def block(blind: list[float], reference: list[float]) -> Block:
    none = np.zeros(len(blind), dtype=np.int64)
    return Block(none, none, np.array(blind), np.array(reference))


@pytest.mark.parametrize("rows", [2, 40, 700])
def test_equals_numpy(rows: int) -> None:
    rng = np.random.default_rng(rows)
    blind = unit_rows(spectrum_rows(rng, rows, 32))
    reference = unit_rows(spectrum_rows(rng, rows, 8, mean=0.0))
    histogram = Histogram()
    for part in Stream(side(blind), side(reference), None, 0).blocks():
        histogram.add(part)
    shown = histogram.as_json(sampled=False)
    upper = np.triu_indices(rows, 1)
    x, y = cosines(blind)[upper], cosines(reference)[upper]
    edges = shown["blind_edges"], shown["reference_edges"]
    assert np.array_equal(shown["counts"], np.histogram2d(x, y, bins=edges)[0])
    assert shown["n_pairs"] == len(x) == np.sum(shown["counts"])
    assert shown["sampled"] is False


@given(st.lists(st.tuples(st.floats(-1.04, 1.04), st.floats(-1.04, 1.04)), min_size=1, max_size=30))
def test_nothing_is_lost_and_it_fits_the_page(pairs: list[tuple[float, float]]) -> None:
    values = [(round(x * 2**40) / 2**40, round(y * 2**40) / 2**40) for x, y in pairs]
    histogram = Histogram()
    histogram.add(block([x for x, _ in values], [y for _, y in values]))
    shown = histogram.as_json(sampled=True)
    counts = np.array(shown["counts"])
    assert counts.sum() == len(values)
    for axis, name in enumerate(("blind_edges", "reference_edges")):
        edges = np.array(shown[name])
        assert counts.shape[axis] == len(edges) - 1 <= MAX_BINS
        assert len(set(np.diff(edges))) == 1  # of one width
        found = np.bincount(np.searchsorted(edges, [pair[axis] for pair in values], side="right") - 1)
        assert np.array_equal(counts.sum(axis=1 - axis)[: len(found)], found)


def test_an_edge_belongs_to_the_bin_above() -> None:
    histogram = Histogram()
    histogram.add(block([0.5, np.nextafter(0.5, 0) - 2**-48], [0.0, 0.0]))
    shown = histogram.as_json(sampled=False)
    assert shown["blind_edges"] == [0.5 - 1 / 256, 0.5, 0.5 + 1 / 256]
    assert shown["counts"] == [[1], [1]]


def test_no_pairs() -> None:
    shown = Histogram().as_json(sampled=False)
    assert shown["n_pairs"] == 0
    assert np.sum(shown["counts"]) == 0
