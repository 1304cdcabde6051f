"""The tiles cover the upper triangle once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snellen.mining.join.tiles import STRIPE_ROWS, NoFilter, Tile, Tiling, pairs_of, pairs_of_rows, stripes, tiles


@given(st.integers(0, 90), st.integers(1, 20), st.integers(1, 20), st.integers(1, 2000))
def test_every_pair_lies_in_one_tile(n: int, rows: int, columns: int, stripe_pairs: int) -> None:
    tiling = Tiling(rows, columns, stripe_pairs, 10)
    seen = np.zeros((n, n), dtype=int)
    for stripe in stripes(n, tiling):
        for start in range(stripe.start, stripe.stop, rows):
            for tile in tiles(range(start, min(start + rows, stripe.stop)), n, columns):
                size = (tile.row_stop - tile.row_start) * (tile.column_stop - tile.column_start)
                a, b = tile.locate(np.arange(size))
                seen[a, b] += 1
    assert np.array_equal(seen, np.triu(np.ones((n, n), dtype=int), 1))


@given(st.integers(0, 40), st.data())
def test_pairs_of_rows_counts(n: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, n))
    stop = data.draw(st.integers(start, n))
    assert pairs_of_rows(start, stop, n) == sum(n - 1 - i for i in range(start, stop))


def test_stripes_hold_about_as_many_pairs_each() -> None:
    tiling = Tiling(rows=64, columns=256, stripe_pairs=200_000)
    sizes = [pairs_of_rows(rows.start, rows.stop, 5000) for rows in stripes(5000, tiling)]
    assert sum(sizes) == 5000 * 4999 // 2
    assert max(sizes) <= 320_000  # a stripe is at least one row block
    assert list(stripes(5000, tiling)) == list(stripes(5000, tiling))


@pytest.mark.parametrize("n", [0, 1])
def test_no_pairs(n: int) -> None:
    assert pairs_of_rows(0, n, n) == 0
    assert [rows for rows in stripes(n, Tiling())] == ([range(0, 1)] if n else [])


def test_locate_is_sorted() -> None:
    a, b = Tile(2, 5, 2, 5).locate(np.arange(9))
    assert list(zip(a.tolist(), b.tolist(), strict=True)) == [(2, 3), (2, 4), (3, 4)]


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 20), st.integers(1, 2000))
def test_stripes_of_the_first_rows(n: int, rows: int, height: int, stripe_pairs: int) -> None:
    rows = min(rows, n)
    cut = list(stripes(n, Tiling(rows=height, stripe_pairs=stripe_pairs), rows))
    assert [row for stripe in cut for row in stripe] == list(range(rows))
    assert all(len(stripe) % height == 0 for stripe in cut[:-1])


def test_stripes_do_not_depend_on_the_filter() -> None:
    cut = list(stripes(10_000, Tiling(stripe_pairs=10**6)))
    assert all(len(stripe) % STRIPE_ROWS == 0 for stripe in cut[:-1]) and len(cut) > 5
    assert sum(pairs_of_rows(stripe.start, stripe.stop, 10_000) for stripe in cut) == pairs_of(10_000)


@given(st.integers(0, 50), st.integers(1, 20), st.integers(0, 50), st.integers(2, 20))
def test_halves_are_the_whole(top: int, height: int, left: int, width: int) -> None:
    tile = Tile(top, top + height, left, left + width)
    first, second = tile.halves()
    assert first.column_start == left and second.column_stop == left + width
    assert first.column_start < first.column_stop == second.column_start < second.column_stop
    assert first[:2] == second[:2] == tile[:2]


def test_no_filter_judges_nothing() -> None:
    none = NoFilter()
    assert none.candidates(Tile(0, 10, 10, 20)) is None and not len(none.left_out)
