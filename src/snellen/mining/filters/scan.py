"""The compiled filter: every pair's coarse sketches are compared, and those of the few that are kept, the fine ones."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snellen.mining import kernels
from snellen.mining.exact import Float64Array, Side
from snellen.mining.filters import sketch
from snellen.mining.filters.sketch import Basis, Quantiser, Reduced
from snellen.mining.kernels import GROUP, Kernel
from snellen.mining.tiles import Positions, Tile

FINE_LENGTH = 128

LENGTHS = (16, 32, 48, 64, 96, 128)
"""Lengths of coarse sketches to choose from: multiples of 16, as the kernels need."""

CHUNK_ROWS = 4096

TILE_COLUMNS = 1 << 16
"""Columns of one call: long enough that Python's part of it does not count."""

ROOM_SHARE = 0.01
"""A tile with more candidates is split, and in the end multiplied out."""

UNREACHABLE = 1 << 30
"""A bar that no pair of fine sketches reaches: of rows that are left out, and decided without a filter."""

LARGEST_SUM = 32_000
"""Sums of int16 stay below this for every pair that passes."""

LONGER = 0.002
"""Rows whose squared length exceeds that of all sampled rows by more are left out."""

IN_MEMORY_BYTES = 1 << 30
"""Larger arrays are kept in a file, and mapped."""


@dataclass(frozen=True)
class Plan:
    """All that makes sketches: fitted on a sample, the same for all rows."""

    kernel: Kernel
    basis: Basis
    coarse: Quantiser
    fine: Quantiser
    blind_min: float
    longest: float
    largest_error: float

    def assert_range(self) -> None:
        """Check that no pair that passes can wrap an int16 sum.

        Its value is at most S^2 (A + A') / 2 + 2, with A at the largest |x|^2 and e that are not left out.

        Raises:
            ArithmeticError: it could.
        """
        if not self.kernel.wraps:
            return
        within = self.longest - self.blind_min + 2 * self.coarse.reach * self.largest_error + 2 * self.largest_error**2
        most = self.coarse.scale**2 * within + 2
        if not most < 2**15:
            raise ArithmeticError(f"a sum of int16 could reach {most:.0f}")


def fit_plans(
    kernel: Kernel, sample: NDArray[np.float16], blind_min: float, seed: int, lengths: tuple[int, ...] = LENGTHS
) -> tuple[dict[int, Plan], Reduced]:
    """Fit a plan for each length of the coarse sketch that the vectors are long enough for.

    Args:
        kernel: which one will scan.
        sample: float16 [rows, d].
        blind_min: T.
        seed: of the rotations.
        lengths: to choose from.

    Returns:
        Plans by length, and the sample, reduced.
    """
    basis = sketch.fit_basis(sample, min(FINE_LENGTH - 1, sample.shape[1]), seed)
    reduced = sketch.reduce_rows(sample, basis)
    longest = float(reduced.squared.max()) + LONGER
    fine = sketch.fit_quantiser(reduced, FINE_LENGTH, sketch.FINE_LEVELS, blind_min, longest, seed, wraps=False)
    plans = {}
    for length in lengths:
        if length > lengths[0] and length >= basis.k + 1 + 16:
            break  # more integers than coordinates
        coarse = sketch.fit_quantiser(reduced, length, kernel.levels, blind_min, longest, seed, wraps=kernel.wraps)
        largest = _largest_error(coarse, longest - blind_min) if kernel.wraps else math.inf
        plans[length] = Plan(kernel, basis, coarse, fine, blind_min, longest, largest)
    return plans, reduced


def _largest_error(coarse: Quantiser, within: float) -> float:
    """Return the largest e with S^2 (within + 2 R e + 2 e^2) <= LARGEST_SUM; negative where there is none."""
    left = LARGEST_SUM / coarse.scale**2 - within
    if left < 0:
        return -1.0
    return (-coarse.reach + float(np.sqrt(coarse.reach**2 + 2 * left))) / 2


class SketchFilter:
    """Names the pairs whose sketches do not rule out that they pass.

    Args:
        side: the blind encoder's vectors.
        plan: from `fit_plans`.
        scratch: folder for arrays that are too large for memory.
        threads: how many rows of chunks are reduced at once.
    """

    columns = TILE_COLUMNS

    def __init__(self, side: Side, plan: Plan, scratch: Path | None = None, threads: int = 1) -> None:
        plan.assert_range()
        self._kernel, self._n = plan.kernel, len(side)
        padded = -(-self._n // GROUP) * GROUP
        self._k = plan.coarse.length
        self._rows: NDArray[np.int8] = _array("coarse", (self._n, self._k), np.int8, scratch)
        self._columns: NDArray[np.uint8] = _array("columns", (padded * self._k,), np.uint8, scratch)
        self._fine: NDArray[np.int8] = _array("fine", (self._n, FINE_LENGTH), np.int8, scratch)
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
        bars = np.floor(np.where(out, 0, coarse.bars)).astype(np.int32)
        self._rows[start:stop] = coarse.q
        self._column_bars[start:stop] = bars
        self._bars[start:stop] = bars + plan.kernel.offset * coarse.q.sum(axis=1, dtype=np.int32)
        self._fine[start:stop] = fine.q
        self._fine_bars[start:stop] = np.where(
            out, UNREACHABLE, np.floor(np.clip(fine.bars, -UNREACHABLE, UNREACHABLE))
        )
        padded = -(-(stop - start) // GROUP) * GROUP
        q = np.zeros((padded, self._k), dtype=np.int16)
        q[: stop - start] = coarse.q
        self._columns[start * self._k : (start + padded) * self._k] = pack(q, plan.kernel).ravel()
        return start + np.flatnonzero(out)

    def candidates(self, tile: Tile) -> tuple[Positions, Positions] | None:
        """Return the pairs of the tile that may pass, or None where they are more than ROOM_SHARE of it."""
        size = (tile.row_stop - tile.row_start) * (tile.column_stop - tile.column_start)
        found = np.empty((max(int(ROOM_SHARE * size), 64), 2), dtype=np.int32)
        count = kernels.functions().scan(
            self._kernel.number,
            self._n,
            self._k,
            FINE_LENGTH,
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


def survivors(plan: Plan, reduced: Reduced) -> tuple[float, float]:
    """Return which share of the pairs of some rows the coarse sketch keeps, and the fine one after it.

    Args:
        plan: fitted.
        reduced: a few thousand rows, at least two.
    """
    coarse = sketch.sketch_rows(reduced, plan.coarse, plan.blind_min)
    fine = sketch.sketch_rows(reduced, plan.fine, plan.blind_min)
    first, second = (_passing(each.q, np.floor(each.bars)) for each in (coarse, fine))
    usual = (coarse.error <= plan.largest_error) & (reduced.squared <= plan.longest)
    upper = np.triu(usual[:, None] & usual[None, :], 1)
    pairs = len(usual) * (len(usual) - 1) / 2
    return float(np.count_nonzero(first & upper) / pairs), float(np.count_nonzero(first & second & upper) / pairs)


def _passing(q: NDArray[np.int8], bars: Float64Array) -> NDArray[np.bool_]:
    wide = q.astype(np.float32)  # sums of integers below 2^24: exact
    limits = bars[:, None].astype(np.float32) + bars[None, :].astype(np.float32)
    passing: NDArray[np.bool_] = wide @ wide.T >= limits
    return passing


def _array(name: str, shape: tuple[int, ...], dtype: type, scratch: Path | None) -> NDArray[Any]:
    if scratch is None or int(np.prod(shape)) <= IN_MEMORY_BYTES:
        return np.empty(shape, dtype=dtype)
    return np.memmap(scratch / f"{name}.sketch", dtype=dtype, mode="w+", shape=shape)
