"""Too much of anything: tiles that overflow are multiplied out, row blocks that overflow are cut, nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from snellen.mining.filters import prefix, product, scan
from snellen.mining.filters.plan import fit_plans
from snellen.mining.filters.scan import SketchFilter
from snellen.mining.join import two_sided as join_module
from snellen.mining.join.exact import Side
from snellen.mining.join.tiles import DENSE_COLUMNS, Filter, NoFilter, Positions, Tile, Tiling
from snellen.mining.join.two_sided import Condition, Join, Labels
from snellen.mining.kernels import Kernel
from tests.mining.conftest import FILTERS, TINY, Half, Planted, cosines, each_filter, each_kernel, oracle, side
from tests.mining.test_join import joined, run
from tests.studies import spectrum_rows, unit_rows, with_copies


class Spy:
    """Anything with these four members is a filter; this one remembers what it was asked, and what it gave back."""

    def __init__(self, inner: Filter) -> None:
        self.inner = inner
        self.rows, self.columns, self.left_out = inner.rows, inner.columns, inner.left_out
        self.named: list[Tile] = []
        self.given_back: list[Tile] = []

    def candidates(self, tile: Tile) -> tuple[Positions, Positions] | None:
        found = self.inner.candidates(tile)
        (self.given_back if found is None else self.named).append(tile)
        return found


def burst(seed: int, rows: int, near: int) -> tuple[Half, Half]:
    """Rows of which `near` are near-duplicates of one another."""
    rng = np.random.default_rng(seed)
    values = spectrum_rows(rng, rows, 64)
    close = values[:1] + 0.01 * rng.standard_normal((near, 64)) / 8
    values[rows // 8 : rows // 8 + near] = close / np.linalg.norm(close, axis=1, keepdims=True)
    return unit_rows(values), unit_rows(spectrum_rows(rng, rows, 32, mean=0.1))


@each_filter
def test_a_burst_of_near_duplicates(name: str) -> None:
    blind, reference = burst(0, 1500, 900)
    budget = Tiling(rows=256, columns=512, stripe_pairs=300_000, buffer_pairs=5_000)
    found = joined(Planted(blind, reference, 0.95, 0.3), FILTERS[name](side(blind), 0.95), budget, 2)
    expected = oracle(blind, reference, 0.95, 0.3)
    assert len(expected) > 100_000
    assert found == expected


@each_filter
@pytest.mark.parametrize("threads", [1, 3])
def test_tiles_without_room_are_split_and_multiplied_out(
    name: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, share in ((prefix, "DENSE_SHARE"), (product, "ROOM_SHARE"), (scan, "ROOM_SHARE")):
        monkeypatch.setattr(module, share, 0.0)
    monkeypatch.setattr(join_module, "DENSE_COLUMNS", 30)
    blind, reference = burst(1, 500, 300)
    spy = Spy(FILTERS[name](side(blind), 0.95))
    data = Planted(blind, reference, 0.95, 0.3)
    found = joined(data, spy, Tiling(rows=50, columns=200, buffer_pairs=10**6), threads)
    assert found == oracle(*data)
    widths = {tile.column_stop - tile.column_start for tile in spy.given_back}
    assert max(widths) == 200 and min(widths) <= 30  # wide tiles were halved, down to those that are multiplied out
    asked = [*spy.given_back, *spy.named]
    assert len(asked) == len(set(asked))


def test_rows_are_cut_rather_than_held() -> None:
    blind = np.repeat(unit_rows(np.ones((1, 8))), 60, axis=0)
    reference = unit_rows(np.eye(60))
    condition = Condition(0.9, 0.5)
    for budget in (1, 7, 100, 400):
        for threads in (1, 2, 3):
            join = Join(side(blind), side(reference), NoFilter(), condition, Tiling(32, 16, 10**6, budget), threads)
            ran = run(join)
            assert set(ran.pairs) == {(a, b) for a in range(60) for b in range(a + 1, 60)}
            assert all(pairs <= budget for rows, pairs in ran.sizes if rows > 1)
            assert max(pairs for _, pairs in ran.sizes) <= max(budget, 59)  # one row's pairs are held in any case
    # Taller blocks come back where there is little to hold.
    reference[30:] = reference[:1]
    join = Join(side(blind), side(reference), NoFilter(), condition, Tiling(32, 16, 10**6, 100), 1)
    heights = [rows for rows, _ in run(join).sizes]
    assert min(heights) < 5 and max(heights[heights.index(min(heights)) :]) >= 4 * min(heights)


@each_filter
def test_blocks_do_not_depend_on_threads(name: str) -> None:
    blind, reference = burst(2, 400, 200)
    filter_ = FILTERS[name](side(blind), 0.95)
    ran = [
        run(Join(side(blind), side(reference), filter_, Condition(0.95, 0.3), Tiling(64, 64, 9_000, 700), threads))
        for threads in (1, 1, 2, 3)
    ]
    assert ran[0].pairs == ran[1].pairs == ran[2].pairs == ran[3].pairs
    assert [*ran[0].pairs] == [*ran[3].pairs]
    assert ran[0].sizes == ran[1].sizes  # and so is what resumes


@each_kernel
@pytest.mark.parametrize("share", [0.02, 0.4, 1.0])
@pytest.mark.parametrize("room", [0.0, 1.0])
def test_rows_that_the_filter_leaves_out_are_multiplied_out(
    kernel: Kernel, share: float, room: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "ROOM_SHARE", room)
    monkeypatch.setattr(join_module, "DENSE_COLUMNS", 40)
    rng = np.random.default_rng(0)
    blind = unit_rows(spectrum_rows(rng, 250, 64, mean=0.9))
    reference = unit_rows(spectrum_rows(rng, 250, 16, mean=0.1))
    plan = fit_plans(kernel, blind, 0.9, 0, (16,))[0][16]
    # Rows beyond the longest are left out, whatever the kernel.
    squared = np.sort(np.vecdot(blind.astype(np.float64), blind.astype(np.float64)))
    plan = replace(plan, longest=float(squared[round(249 * (1 - share))]))
    one = SketchFilter(side(blind), plan)
    assert abs(len(one.left_out) - share * 250) <= 5
    data = Planted(blind, reference, 0.9, 0.5)
    for threads in (1, 2):
        assert joined(data, one, Tiling(rows=33, columns=70, buffer_pairs=300), threads) == oracle(*data)


def test_reference_is_looked_at_only_for_survivors(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    blind = unit_rows(with_copies(rng, spectrum_rows(rng, 400, 64, mean=0.2), 0.1, 0.96, 1.0))
    reference_side = side(unit_rows(spectrum_rows(rng, 400, 64)))
    asked = 0
    dots = reference_side.dots

    def counting(a: Positions, b: Positions) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        nonlocal asked
        asked += len(a)
        return dots(a, b)

    monkeypatch.setattr(reference_side, "dots", counting)
    for name in ("block", "half", "some"):
        monkeypatch.setattr(reference_side, name, None)
    join = Join(side(blind), reference_side, FILTERS["prefix 31"](side(blind), 0.95), Condition(0.95, 0.6), Tiling())
    ran = run(join)
    assert asked == ran.above == int(np.triu(cosines(blind) > 0.95, 1).sum()) > 0


def test_dense_tiles_have_few_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """However wide a tile is, at most DENSE_COLUMNS rows are held in float64 at once."""
    blind, reference = burst(3, 700, 100)
    monkeypatch.setattr(join_module, "DENSE_COLUMNS", 50)
    monkeypatch.setattr(join_module, "CHUNK_ROWS", 20)
    most = 0
    some = Side.some

    def watched(self: Side, positions: Positions) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        nonlocal most
        most = max(most, len(positions))
        return some(self, positions)

    monkeypatch.setattr(Side, "some", watched)
    data = Planted(blind, reference, 0.95, 0.3)
    assert joined(data, NoFilter(), Tiling(rows=200, columns=600), 1) == oracle(*data)
    assert most == 50 <= DENSE_COLUMNS


class TestLabels:
    def test_rules(self) -> None:
        codes = np.array([0, 0, 1, -1, -1], dtype=np.int32)
        a, b = np.triu_indices(5, 1)
        pairs = list(zip(a.tolist(), b.tolist(), strict=True))
        matching = {
            rule: {pair for pair, ok in zip(pairs, Labels(rule, codes).match(a, b), strict=True) if ok}
            for rule in ("any", "within", "across")
        }
        assert matching == {"any": set(pairs), "within": {(0, 1)}, "across": {(0, 2), (1, 2)}}

    @pytest.mark.parametrize("rule", ["within", "across"])
    def test_join_counts_before_labels(self, rule: Literal["within", "across"]) -> None:
        rng = np.random.default_rng(8)
        blind = unit_rows(spectrum_rows(rng, 120, 16, mean=0.9))
        reference = unit_rows(spectrum_rows(rng, 120, 16, mean=0.0))
        codes = rng.integers(-1, 4, 120).astype(np.int32)
        join = Join(side(blind), side(reference), NoFilter(), Condition(0.9, 0.3, Labels(rule, codes)), TINY)
        ran = run(join)
        everything = oracle(blind, reference, 0.9, 0.3)
        assert ran.below == len(everything) > len(ran.pairs)
        assert set(ran.pairs) == {
            (a, b)
            for a, b in everything
            if codes[a] >= 0 and codes[b] >= 0 and (codes[a] == codes[b]) == (rule == "within")
        }
        assert ran.pairs
