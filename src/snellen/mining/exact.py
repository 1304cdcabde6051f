"""Cosines that are exact: float64 dot products of float16 rows.

A float16 is a multiple of 2^-24, so the product of two is a multiple of 2^-48. The stored rows are unit vectors up to
2 % (`Vectors.check`), so by Cauchy and Schwarz no partial sum of such products, in any order and with or without
fused multiply-add, exceeds 1.05 in size: each fits float64's 53 bits without rounding. Hence a dot product, a matrix
product of any BLAS with any number of threads, and a sum over a gathered pair all give the same float64, which is the
true value.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
from numpy.typing import NDArray

from snellen.mining.tiles import Positions, Tile
from snellen.vectors import HalfArray, Vectors

Float64Array = NDArray[np.float64]

GATHER_BYTES = 8 << 20
"""Rows of one side that are gathered at once."""

CONVERT_ROWS = 256
"""Rows that are widened to float64 at once: they stay in the cache."""


class Side:
    """One encoder's vectors of the images that are mined, by position.

    Args:
        vectors: of all images of the study.
        rows: int64 [n], increasing: the row of each position.
    """

    def __init__(self, vectors: Vectors, rows: Positions) -> None:
        self.vectors = vectors
        self.rows = rows
        self.dim = vectors.dim

    def __len__(self) -> int:
        return len(self.rows)

    def half(self, start: int, stop: int) -> HalfArray:
        """Return the vectors of positions `start` to `stop - 1`: float16 [stop - start, dim]."""
        rows = self.rows[start:stop]
        if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
            return self.vectors.block(int(rows[0]), int(rows[-1]) + 1)
        return self.vectors.gather(rows)

    def block(self, start: int, stop: int) -> Float64Array:
        """Return the vectors of positions `start` to `stop - 1`: float64 [stop - start, dim]."""
        return self.half(start, stop).astype(np.float64)

    def product(self, tile: Tile) -> Float64Array:
        """Return the cosines of a whole tile, also where i >= j: float64 [rows, columns]."""
        columns = self.block(tile.column_start, tile.column_stop)
        cosines: Float64Array = self.block(tile.row_start, tile.row_stop) @ columns.T
        return cosines

    def dots(self, a: Positions, b: Positions) -> Float64Array:
        """Return the cosines of single pairs.

        Args:
            a: int64 [m], positions.
            b: int64 [m], positions.

        Returns:
            float64 [m].
        """
        result = np.empty(len(a))
        step = max(GATHER_BYTES // (2 * self.dim), 1)
        starts = range(0, len(a), step if len(a) > 2 * step else max(len(a) // 2, CONVERT_ROWS))
        size = starts.step

        def fill(start: int) -> None:
            left = self.vectors.gather(self.rows[a[start : start + size]])
            right = self.vectors.gather(self.rows[b[start : start + size]])
            for first in range(0, len(left), CONVERT_ROWS):
                part = slice(first, first + CONVERT_ROWS)
                cosines = np.vecdot(left[part].astype(np.float64), right[part].astype(np.float64))
                result[start + first : start + first + len(cosines)] = cosines

        if len(starts) > 1:
            list(_pool().map(fill, starts))
        elif len(a):
            fill(0)
        return result


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="snellen-dots")
