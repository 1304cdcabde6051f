"""How the upper triangle of all pairs is cut into stripes, row blocks and tiles.

The images that are mined are numbered 0 to n - 1, in row order: these numbers are *positions*. A pair is i < j. A
*stripe* is a range of rows i with all its columns j > i: the unit that is written to disk and survives a kill. A *row
block* is as much of a stripe as is sorted at once. A *tile* is a row block against a range of columns: the unit of one
matrix product.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tiling:
    """Sizes of the pieces; the pairs found are the same for any sizes.

    `rows`, `columns` None: as many as suit the filter. `stripe_pairs` pairs are about one file; `buffer_pairs` found
    pairs are held in memory by each thread before rows are split.
    """

    rows: int | None = None
    columns: int | None = None
    stripe_pairs: int = 1 << 33
    buffer_pairs: int = 1 << 19


class Tile(NamedTuple):
    """Rows `row_start` to `row_stop - 1` against columns `column_start` to `column_stop - 1`; only i < j counts."""

    row_start: int
    row_stop: int
    column_start: int
    column_stop: int

    @property
    def on_diagonal(self) -> bool:
        """Whether some of the tile has i >= j."""
        return self.column_start < self.row_stop

    def halves(self) -> tuple[Tile, Tile]:
        """Return its left and its right columns; it has at least two."""
        middle = (self.column_start + self.column_stop) // 2
        return self._replace(column_stop=middle), self._replace(column_start=middle)

    def locate(self, flat: Positions) -> tuple[Positions, Positions]:
        """Turn indices into the raveled tile into positions i < j; those with i >= j are left out."""
        rows, columns = np.divmod(flat, self.column_stop - self.column_start)
        rows += self.row_start
        columns += self.column_start
        if self.on_diagonal:
            upper = rows < columns
            return rows[upper], columns[upper]
        return rows, columns


class Filter(Protocol):
    """Says cheaply which pairs of a tile may pass the blind condition; a faster one may take its place.

    A filter may name too many pairs, never too few: every pair that it names is decided in float64 afterwards. Pairs of
    positions that are `left_out` it does not name at all: they are multiplied out.
    """

    rows: int
    columns: int
    """How many rows and columns a tile for this filter has."""
    left_out: Positions
    """Positions that it cannot judge, increasing."""

    def candidates(self, tile: Tile) -> tuple[Positions, Positions] | None:
        """Return positions i < j that include every pair of the tile above the blind minimum.

        Returns:
            Two int64 arrays of equal length; or None where they are so many that the tile should be split, or
            multiplied out.
        """


STRIPE_ROWS = 512
"""A stripe has a whole number of so many rows, whatever filter cuts it into row blocks."""

DENSE_COLUMNS = 4096
"""A tile that is multiplied out has at most so many columns."""

NOBODY: Positions = np.empty(0, dtype=np.int64)


class NoFilter:
    """Multiplies every tile out: right for short vectors, few images, and low thresholds."""

    rows = STRIPE_ROWS
    columns = DENSE_COLUMNS
    left_out = NOBODY

    def candidates(self, tile: Tile) -> tuple[Positions, Positions] | None:
        """Return None: every pair is decided by the matrix product."""
        return None


def pairs_of_rows(start: int, stop: int, n: int) -> int:
    """Count the pairs i < j < n with start <= i < stop.

    Example:
        >>> pairs_of_rows(0, 4, 4), pairs_of_rows(1, 2, 4)
        (6, 2)
    """
    rows = stop - start
    return rows * (n - 1) - (start + stop - 1) * rows // 2


def pairs_of(n: int) -> int:
    """Count the pairs of n images.

    Example:
        >>> pairs_of(4)
        6
    """
    return n * (n - 1) // 2


def stripes(n: int, tiling: Tiling, rows: int | None = None) -> Iterator[range]:
    """Cut rows 0 to `rows` - 1 (None: all n) into ranges of about `stripe_pairs` pairs, always the same."""
    start, end = 0, n if rows is None else rows
    step = tiling.rows or STRIPE_ROWS
    while start < end:
        wanted = tiling.stripe_pairs // max(n - 1 - start, 1)
        stop = min(end, start + max(wanted // step, 1) * step)
        yield range(start, stop)
        start = stop


def tiles(rows: range, n: int, columns: int) -> Iterator[Tile]:
    """Cut a row block's part of the upper triangle into tiles, left to right; the first one lies on the diagonal."""
    yield Tile(rows.start, rows.stop, rows.start, rows.stop)
    for start in range(rows.stop, n, columns):
        yield Tile(rows.start, rows.stop, start, min(start + columns, n))
