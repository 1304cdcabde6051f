"""The join finds what float64 matrices find, with every filter: no pair more, no pair less, and the same cosines."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen.mining.filters import prefix, product, scan
from snellen.mining.join import two_sided as join_module
from snellen.mining.join.cells import BINS, FINE, LIMIT, CellCounts
from snellen.mining.join.tiles import Filter, NoFilter, Tiling, pairs_of_rows, stripes
from snellen.mining.join.two_sided import Condition, Join
from tests.mining.conftest import FILTERS, TINY, Half, Pairs, Planted, cosines, each_filter, oracle, planted, side
from tests.mining.hard_rows import Hard, hard
from tests.studies import spectrum_rows, unit_rows, with_copies


class Ran(NamedTuple):
    """All that the row blocks of a join found."""

    pairs: Pairs
    above: int
    below: int
    cells: CellCounts
    sizes: list[tuple[int, int]]


def run(join: Join) -> Ran:
    """Run a join stripe by stripe; checks that blocks cover its rows once, in order, and that pairs are sorted."""
    found: Pairs = {}
    above = below = 0
    cells, sizes = CellCounts.empty(), []
    cut = list(stripes(len(join.blind), join.tiling, join.rows))
    last, next_row, ends = (-1, -1), 0, {stripe.stop for stripe in cut}
    for rows, part in join.blocks(cut):
        assert rows.start == next_row and rows.stop > rows.start
        next_row = rows.stop
        ends.discard(rows.stop)
        pairs = list(zip(part.a.tolist(), part.b.tolist(), strict=True))
        assert len(set(pairs)) == len(pairs) and set(part.a.tolist()) <= set(rows)
        assert [last, *pairs] == sorted([last, *pairs])
        last = pairs[-1] if pairs else last
        found.update(zip(pairs, zip(part.blind.tolist(), part.reference.tolist(), strict=True), strict=True))
        above += part.above_blind_min
        below += part.below_reference_max
        cells = cells.joined(part.cells)
        sizes.append((len(rows), len(pairs)))
    assert next_row == join.stop and not ends
    return Ran(found, above, below, cells, sizes)


def cells_above(blind: Half, reference: Half, blind_min: float, rows: int | None = None) -> CellCounts:
    """How the pairs above the blind minimum spread, by numpy's histogram."""
    a, b = cosines(blind), cosines(reference)
    passes = np.triu(a > blind_min, 1)
    passes[len(blind) if rows is None else rows :] = False
    edges = np.arange(BINS + 1) / FINE - LIMIT
    counts = np.histogram2d(a[passes], b[passes], bins=[edges, edges])[0].ravel()
    cells = np.flatnonzero(counts)
    return CellCounts(cells, counts[cells].astype(np.int64))


def joined(data: Planted, filter_: Filter, tiling: Tiling, threads: int = 1) -> Pairs:
    """What a join finds; checks its counts and cells."""
    blind, reference, blind_min, reference_max = data
    join = Join(side(blind), side(reference), filter_, Condition(blind_min, reference_max), tiling, threads)
    ran = run(join)
    assert ran.above == int(np.triu(cosines(blind) > blind_min, 1).sum())
    assert ran.below == len(ran.pairs)
    expected = cells_above(blind, reference, blind_min)
    assert ran.cells.cells.tolist() == expected.cells.tolist()
    assert ran.cells.counts.tolist() == expected.counts.tolist()
    return ran.pairs


@cache
def hundreds_near(dim: int, blind_min: float, reference_max: float) -> Planted:
    """Hundreds of pairs within 1e-6 of both thresholds, and some exactly on them."""
    return planted(dim, 331 if dim < 1000 else 131, dim, blind_min, reference_max)


@each_filter
@pytest.mark.parametrize("dim", [16, 200, 768, 2048])
def test_pairs_on_and_beside_the_thresholds(name: str, dim: int) -> None:
    data = hundreds_near(dim, 0.95, 0.6)
    n = len(data.blind)
    for values, threshold in ((data.blind, 0.95), (data.reference, 0.6)):
        assert np.triu(np.abs(cosines(values) - threshold) < 1e-6, 1).sum() >= n // 4
    tiling = Tiling(rows=64, columns=50, stripe_pairs=5_000, buffer_pairs=10_000)
    assert joined(data, FILTERS[name](side(data.blind), 0.95), tiling) == oracle(*data)


@each_filter
@pytest.mark.parametrize(
    ("blind_min", "reference_max"), [(0.5, 0.2), (0.7, 0.5), (0.9, 0.7), (0.99, 0.6), (0.999, 0.9)]
)
def test_thresholds_with_pairs_on_them(name: str, blind_min: float, reference_max: float) -> None:
    data = hundreds_near(96, blind_min, reference_max)
    # Besides those within 1e-6: thresholds that are cosines themselves.
    on = np.nonzero(np.triu(np.abs(cosines(data.blind) - blind_min) < 1e-6, 1))
    exactly = float(cosines(data.blind)[on][0])
    for threshold in (blind_min, exactly, float(np.nextafter(exactly, 0)), float(np.nextafter(exactly, 1))):
        at = data._replace(blind_min=threshold)
        for threads in (1, 2, 3):
            tiling = Tiling(rows=40, columns=None if threads == 2 else 100, stripe_pairs=9_000, buffer_pairs=1_000)
            found = joined(at, FILTERS[name](side(data.blind), threshold), tiling, threads)
            assert found == oracle(*at)


@each_filter
def test_a_cosine_equal_to_the_threshold_does_not_pass(name: str) -> None:
    # 0.9501953125 and 0.60009765625 are float16 values, so these dot products are exactly the thresholds.
    high, low = 0.9501953125, 0.60009765625
    blind = np.zeros((40, 8), dtype=np.float16)
    reference = np.zeros((40, 8), dtype=np.float16)
    blind[:, 0] = reference[:, 0] = 1
    for row in range(1, 40):
        blind[row, :2] = [high, np.sqrt(1 - high**2)] if row % 2 else [1, 0]
        reference[row, :2] = [low, np.sqrt(1 - low**2)] if row % 3 else [0.1, 0.995]
    data = Planted(blind, reference, high, low)

    def found(at: Planted) -> Pairs:
        return joined(at, FILTERS[name](side(blind), at.blind_min), TINY)

    assert found(data) == oracle(*data)
    assert (0, 1) not in found(data)  # blind exactly on the threshold
    assert (0, 2) not in found(data)  # reference exactly on it
    assert (0, 6) in found(data)
    assert (0, 3) in found(data._replace(blind_min=float(np.nextafter(high, 0))))
    assert (0, 2) in found(data._replace(reference_max=float(np.nextafter(low, 1))))


@each_filter
@settings(max_examples=40, deadline=None)
@given(
    data=hard(100),
    reference_max=st.floats(-0.2, 1),
    tile=st.tuples(st.integers(1, 30), st.integers(1, 40), st.integers(1, 3000), st.integers(1, 400)),
    threads=st.sampled_from([1, 2, 3]),
    room=st.sampled_from([0.0, 0.01, 1.0]),
    gathered=st.sampled_from([0.0, 0.01, 1.0]),
    dense=st.sampled_from([3, 16, 4096]),
)
def test_any_data_any_tiling(
    name: str,
    data: Hard,
    reference_max: float,
    tile: tuple[int, int, int, int],
    threads: int,
    room: float,
    gathered: float,
    dense: int,
) -> None:
    rng = np.random.default_rng(data.seed)
    reference = unit_rows(spectrum_rows(rng, len(data.rows), 24, mean=0.1, classes=5))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prefix, "DENSE_SHARE", room)
        patch.setattr(product, "ROOM_SHARE", room)
        patch.setattr(scan, "ROOM_SHARE", room)
        patch.setattr(join_module, "GATHER_SHARE", gathered)
        patch.setattr(join_module, "DENSE_COLUMNS", dense)
        patch.setattr(join_module, "CHUNK_ROWS", 5)
        given_ = Planted(data.rows, reference, data.blind_min, reference_max)
        found = joined(given_, FILTERS[name](side(data.rows), data.blind_min), Tiling(*tile), threads)
    assert found == oracle(*given_)


@each_filter
@pytest.mark.parametrize("blind_min", [-1.0, 0.0, 0.5, 0.95, 1.0])
def test_thresholds_from_end_to_end(name: str, blind_min: float) -> None:
    rng = np.random.default_rng(6)
    values = with_copies(rng, spectrum_rows(rng, 150, 40, mean=0.2), 0.3, 0.8, 1.0)
    blind, reference = unit_rows(values), unit_rows(spectrum_rows(rng, 150, 24, mean=0.0))
    filter_ = FILTERS[name](side(blind), blind_min)
    for reference_max in (-1.0, 0.2, 1.0):
        data = Planted(blind, reference, blind_min, reference_max)
        assert joined(data, filter_, TINY) == oracle(*data)


@each_filter
@pytest.mark.parametrize("rows", [0, 1, 7, 40, 120])
def test_only_pairs_with_one_of_the_first_rows(name: str, rows: int) -> None:
    """What a grown collection needs; positions need not be in row order."""
    rng = np.random.default_rng(rows)
    order = rng.permutation(200)[:120]
    blind = unit_rows(spectrum_rows(rng, 200, 32, mean=0.9))
    reference = unit_rows(spectrum_rows(rng, 200, 16, mean=0.0))
    one = side(blind, order)
    condition = Condition(0.9, 0.3)
    tiling = Tiling(rows=13, columns=31, stripe_pairs=1000, buffer_pairs=200)
    join = Join(one, side(reference, order), FILTERS[name](one, 0.9), condition, tiling, 2, rows)
    ran = run(join)
    everything = oracle(blind[order], reference[order], 0.9, 0.3)
    assert ran.pairs == {pair: both for pair, both in everything.items() if min(pair) < rows}
    assert bool(ran.pairs) == (rows > 0)
    expected = cells_above(blind[order], reference[order], 0.9, rows)
    assert ran.cells.cells.tolist() == expected.cells.tolist()
    assert ran.above == expected.counts.sum()
    assert join.pairs == pairs_of_rows(0, rows, 120)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_images(n: int) -> None:
    values = np.ones((n, 1), dtype=np.float16)
    join = Join(side(values), side(values), NoFilter(), Condition(0.5, 2.0), Tiling(), 2)
    assert run(join).pairs == ({(0, 1): (1.0, 1.0)} if n == 2 else {})


def test_reference_above_instead_of_below() -> None:
    rng = np.random.default_rng(3)
    blind, reference = unit_rows(spectrum_rows(rng, 90, 16, mean=0.9)), unit_rows(spectrum_rows(rng, 90, 16))
    on = float(cosines(reference)[3, 50])
    join = Join(side(blind), side(reference), NoFilter(), Condition(0.9, on, reference_above=True), TINY)
    expected = np.triu((cosines(blind) > 0.9) & (cosines(reference) > on), 1)
    assert set(run(join).pairs) == set(zip(*(index.tolist() for index in np.nonzero(expected)), strict=True))
