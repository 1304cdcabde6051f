"""Cosines that are exact: float64 dot products of float16 rows.

A float16 is a multiple of 2^-24, so the product of two is a multiple of 2^-48. The stored rows are unit vectors up to
2 % (`Vectors.check`), so by Cauchy and Schwarz no partial sum of such products, in any order and with or without
fused multiply-add, exceeds 1.05 in size: each fits float64's 53 bits without rounding. Hence a dot product, a matrix
product of any BLAS with any number of threads, and a sum over a gathered pair all give the same float64, which is the
true value.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from snellen.mining import kernels
from snellen.mining.join.tiles import Positions, Tile
from snellen.vectors import UNIT_TOLERANCE, HalfArray, Vectors

Float64Array = NDArray[np.float64]

CONVERT_ROWS = 256
"""Rows that are widened to float64 at once: they stay in the cache."""


class Side:
    """One encoder's vectors of the images that are mined, by position.

    Args:
        vectors: of all images of the study.
        rows: int64 [n], all different: the row of each position.
        compiled: whether to use the compiled kernels where there are any; the cosines are the same.
    """

    def __init__(self, vectors: Vectors, rows: Positions, *, compiled: bool = True) -> None:
        self.vectors = vectors
        self.rows = np.ascontiguousarray(rows, dtype=np.int64)
        self.dim = vectors.dim
        self._kernel = kernels.best() if compiled else None
        self._addresses = vectors.addresses() if self._kernel else None

    def __len__(self) -> int:
        return len(self.rows)

    def check(self) -> None:
        """Check that every vector is of length 1, as `Vectors.check` does, in a tenth of the time where it is compiled.

        Raises:
            StudyError: a vector is zero, not finite, or not of length 1.
        """
        if self._kernel is not None and self._addresses is not None:
            own = np.arange(len(self))
            squared = self.dots(own, own)
            if bool(np.all((squared > (1 - UNIT_TOLERANCE) ** 2) & (squared < (1 + UNIT_TOLERANCE) ** 2))):
                return
        eligible = np.zeros(self.vectors.rows, dtype=np.bool_)
        eligible[self.rows] = True
        self.vectors.check(eligible)

    def half(self, start: int, stop: int) -> HalfArray:
        """Return the vectors of positions `start` to `stop - 1`: float16 [stop - start, dim]."""
        rows = self.rows[start:stop]
        if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and bool(np.all(rows[1:] > rows[:-1])):
            return self.vectors.block(int(rows[0]), int(rows[-1]) + 1)
        return self.vectors.gather(rows)

    def block(self, start: int, stop: int) -> Float64Array:
        """Return the vectors of positions `start` to `stop - 1`: float64 [stop - start, dim]."""
        return self.half(start, stop).astype(np.float64)

    def some(self, positions: Positions) -> Float64Array:
        """Return the vectors of some positions: float64 [len(positions), dim]."""
        return self.vectors.gather(self.rows[positions]).astype(np.float64)

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

        Raises:
            IndexError: a position is not there.
        """
        result = np.empty(len(a))
        if self._kernel is not None and self._addresses is not None:
            places, starts = self._addresses
            sizes = (self._kernel.number, self.dim, len(places), len(self), len(a))
            pairs = (np.ascontiguousarray(positions, dtype=np.int64) for positions in (a, b))
            kernels.functions().dots(*sizes, places, starts, self.rows, *pairs, result)
            return result
        if min(a.min(initial=0), b.min(initial=0)) < 0:  # numpy would count from the end
            raise IndexError("a pair names a position below 0")
        for start in range(0, len(a), CONVERT_ROWS):
            part = slice(start, start + CONVERT_ROWS)
            result[part] = np.vecdot(self.some(a[part]), self.some(b[part]))
        return result
