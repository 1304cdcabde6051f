"""The compiled filter: every pair's coarse sketches are compared, and those of the few that are kept, the fine ones."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snellen import storage
from snellen.mining import kernels
from snellen.mining.filters import sketch
from snellen.mining.filters.plan import Plan
from snellen.mining.join.exact import Float64Array, Side
from snellen.mining.join.tiles import STRIPE_ROWS, Positions, Tile
from snellen.mining.kernels import GROUP, MOST_ROWS, Kernel

CHUNK_ROWS = 2048

TILE_COLUMNS = 1 << 16
"""Columns of one call: long enough that Python's part of it does not count."""

ROOM_SHARE = 0.05
"""A tile with more candidates is split, and in the end multiplied out."""

LOWEST_BAR, HIGHEST_BAR = -(1 << 29), 1 << 28
"""Bars are cut off here, so that sums of two fit into int32. A lower bar only names more pairs; one that is raised to
the lowest lies, with any other, still below all dot products, which are less than 2^22 in size."""

UNREACHABLE = 1 << 30
"""A bar that no pair of fine sketches reaches: of rows that are left out, and decided without a filter."""

IN_MEMORY_BYTES = 1 << 30
"""Larger arrays are kept in a file, and mapped."""

ZEROS = bytes(1 << 20)


class SketchFilter:
    """Names the pairs whose sketches do not rule out that they pass.

    Args:
        side: the blind encoder's vectors.
        plan: from `fit_plans`.
        scratch: folder for arrays that are too large for memory.
        threads: how many rows of chunks are reduced at once.
    """

    rows = STRIPE_ROWS
    columns = TILE_COLUMNS

    def __init__(self, side: Side, plan: Plan, scratch: Path | None = None, threads: int = 1) -> None:
        plan.assert_range()
        self._kernel, self._n = plan.kernel, len(side)
        padded = -(-self._n // GROUP) * GROUP
        self._k, self._fine_k = plan.coarse.length, plan.fine.length
        self._rows: NDArray[np.int8] = _array("coarse", (self._n, self._k), np.int8, scratch)
        self._columns: NDArray[np.uint8] = _array("columns", (padded * self._k,), np.uint8, scratch)
        self._fine: NDArray[np.int8] = _array("fine", (self._n, self._fine_k), np.int8, scratch)
        self._bars = np.empty(self._n, dtype=np.int32)
        self._column_bars = np.zeros(padded, dtype=np.int32)
        self._fine_bars = np.empty(self._n, dtype=np.int32)
        starts = range(0, self._n, CHUNK_ROWS)
        with ThreadPoolExecutor(threads, thread_name_prefix="snellen-sketch") as pool:
            out = list(pool.map(lambda start: self._fill(side, plan, start), starts))
        self.left_out: Positions = np.concatenate(out) if out else np.empty(0, dtype=np.int64)

    def _fill(self, side: Side, plan: Plan, start: int) -> Positions:
        stop = min(start + CHUNK_ROWS, self._n)
        reduced = sketch.reduce_rows(side.half(start, stop), plan.basis)
        coarse = sketch.sketch_rows(reduced, plan.coarse, plan.blind_min)
        fine = sketch.sketch_rows(reduced, plan.fine, plan.blind_min)
        out = (coarse.error > plan.largest_error) | (reduced.squared > plan.longest)
        coarse.q[out] = 0
        bars = np.where(out, 0, _whole(coarse.bars))
        self._rows[start:stop] = coarse.q
        self._column_bars[start:stop] = bars
        self._bars[start:stop] = bars + plan.kernel.offset * coarse.q.sum(axis=1, dtype=np.int32)
        self._fine[start:stop] = fine.q
        self._fine_bars[start:stop] = np.where(out, UNREACHABLE, _whole(fine.bars))
        padded = -(-(stop - start) // GROUP) * GROUP
        q = np.zeros((padded, self._k), dtype=np.int16)
        q[: stop - start] = coarse.q
        self._columns[start * self._k : (start + padded) * self._k] = pack(q, plan.kernel).ravel()
        return start + np.flatnonzero(out)

    def candidates(self, tile: Tile) -> tuple[Positions, Positions] | None:
        """Return the pairs of the tile that may pass, or None where they are more than ROOM_SHARE of it."""
        if tile.row_stop - tile.row_start > MOST_ROWS:
            return self._in_two(tile)
        size = (tile.row_stop - tile.row_start) * (tile.column_stop - tile.column_start)
        found = np.empty((max(int(ROOM_SHARE * size), 64), 2), dtype=np.int32)
        count = kernels.functions().scan(
            self._kernel.number,
            self._n,
            self._k,
            self._fine_k,
            self._rows,
            self._bars,
            self._columns,
            self._column_bars,
            self._fine,
            self._fine_bars,
            tuple(tile),
            found,
        )
        if count < 0:
            return None
        return found[:count, 0].astype(np.int64), found[:count, 1].astype(np.int64)

    def _in_two(self, tile: Tile) -> tuple[Positions, Positions] | None:
        middle = (tile.row_start + tile.row_stop) // 2
        halves = [self.candidates(half) for half in (tile._replace(row_stop=middle), tile._replace(row_start=middle))]
        found = [half for half in halves if half is not None]
        if len(found) < 2:
            return None
        return np.concatenate([found[0][0], found[1][0]]), np.concatenate([found[0][1], found[1][1]])


def _whole(bars: Float64Array) -> NDArray[np.int32]:
    return np.floor(np.clip(bars, LOWEST_BAR, HIGHEST_BAR)).astype(np.int32)


def pack(q: NDArray[np.int16], kernel: Kernel) -> NDArray[np.uint8]:
    """Arrange sketches of columns as a kernel reads them: uint8 [n * k].

    Args:
        q: int16 [n, k], n a multiple of GROUP.
        kernel: says how.
    """
    n, k = q.shape
    shifted = (q + kernel.offset).astype(np.uint8)
    side_by_side = kernel.interleave
    wide = GROUP if side_by_side == 1 else GROUP // 2
    return shifted.reshape(n // wide, wide, k // side_by_side, side_by_side).transpose(0, 2, 1, 3).reshape(-1)


def _array(name: str, shape: tuple[int, ...], dtype: type, scratch: Path | None) -> NDArray[Any]:
    """Return an array of single bytes, in memory where it is small, else mapped from a file.

    Raises:
        StorageError: the disk is full or not writable. A mapped file must be whole before it is written to: where a
            page of it finds no room, the system kills the process.
    """
    size = int(np.prod(shape))
    if scratch is None or size <= IN_MEMORY_BYTES:
        return np.empty(shape, dtype=dtype)
    path = scratch / f"{name}.sketch"
    with storage.writing(path) as file:
        for start in range(0, size, len(ZEROS)):
            file.write(ZEROS[: size - start])
    return np.memmap(path, dtype=dtype, mode="r+", shape=shape)
