"""The exact two-sided join: every pair above one threshold for one encoder and below another for the other.

The blind condition is tested first, with a filter before it; the reference condition only on what passes, before
anything is kept. Memory is bounded whatever the output: if a row block finds more than it may hold, it is cut
smaller and done again. Row blocks are done by several threads, and come in order.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snellen.mining.join.cells import CellCounts, Cells
from snellen.mining.join.exact import Float64Array, Side
from snellen.mining.join.pool import TooLarge, in_order, one_blas_thread
from snellen.mining.join.tiles import DENSE_COLUMNS, NOBODY, Filter, Positions, Tile, Tiling, pairs_of_rows, tiles
from snellen.progress import SILENT, Progress

CHUNK_ROWS = 256
"""Rows of a dense tile that are multiplied out at once."""

DENSE_NUMBERS = 1 << 22
"""Numbers of one side's columns that are widened to float64 at once: 32 MiB."""

GATHER_SHARE = 0.01
"""Up to this share of a dense chunk, reference cosines are gathered pair by pair; beyond, multiplied out."""

NO_CELLS = CellCounts.empty()

LabelRule = Literal["any", "within", "across"]


class Labels(NamedTuple):
    """Which pairs a label rule lets through: `codes` int32 [n] by position, -1 where there is no label."""

    rule: LabelRule
    codes: NDArray[np.int32]

    def match(self, a: Positions, b: Positions) -> NDArray[np.bool_]:
        """Return which of the pairs (a, b) pass the rule; an image without a label never does, unless any may."""
        if self.rule == "any":
            return np.ones(a.shape, dtype=np.bool_)
        left, right = self.codes[a], self.codes[b]
        labelled = (left >= 0) & (right >= 0)
        match: NDArray[np.bool_] = labelled & ((left == right) == (self.rule == "within"))
        return match


@dataclass(frozen=True, slots=True)
class Condition:
    """What a pair must meet: strictly above `blind_min`, strictly below (or above) `reference`, and the label rule."""

    blind_min: float
    reference: float
    labels: Labels | None = None
    reference_above: bool = False

    def reference_passes(self, cosines: Float64Array) -> NDArray[np.bool_]:
        """Test reference cosines."""
        return cosines > self.reference if self.reference_above else cosines < self.reference


class Found(NamedTuple):
    """Pairs of one row block that pass, sorted by (a, b), and how many passed each test before.

    a, b: int64 [m], positions; blind, reference: float64 [m], cosines; cells: how all pairs above the blind minimum
    spread over both cosines.
    """

    a: Positions
    b: Positions
    blind: Float64Array
    reference: Float64Array
    above_blind_min: int
    below_reference_max: int
    cells: CellCounts


NOTHING = Found(NOBODY, NOBODY, np.empty(0), np.empty(0), 0, 0, NO_CELLS)


class _TooMany(TooLarge):
    """A row block found more than it may hold; `rows` is how many rows are likely to be held."""

    def __init__(self, rows: int) -> None:
        super().__init__(rows)
        self.rows = rows


@dataclass(frozen=True)
class Join:
    """One join over pairs of positions; `blind` and `reference` have the same rows.

    `rows` None: all pairs. Else only pairs of which at least one position is below `rows`: what is new, if the new
    images come first.
    """

    blind: Side
    reference: Side
    filter: Filter
    condition: Condition
    tiling: Tiling
    threads: int = 1
    rows: int | None = None

    @property
    def pairs(self) -> int:
        """How many pairs are looked at."""
        return pairs_of_rows(0, self.stop, len(self.blind))

    @property
    def stop(self) -> int:
        """Row blocks end before this position."""
        return len(self.blind) if self.rows is None else self.rows

    def blocks(
        self, stripes: Iterable[range], progress: Progress = SILENT
    ) -> Generator[tuple[range, Found], None, None]:
        """Yield what the row blocks of some stripes find, in order; the last of a stripe ends where the stripe does."""
        tallest = height = self.tiling.rows or self.filter.rows

        def cut() -> Iterator[range]:
            for rows in stripes:
                start = rows.start
                while start < rows.stop:
                    stop = min(start + height, rows.stop)
                    yield range(start, stop)
                    start = stop

        def split(rows: range, error: TooLarge) -> list[range]:
            nonlocal height
            assert isinstance(error, _TooMany)
            height = error.rows
            return [range(start, min(start + height, rows.stop)) for start in range(rows.start, rows.stop, height)]

        with one_blas_thread():
            for rows, found in in_order(cut(), self._row_block, self.threads, split):
                yield rows, found
                if 4 * len(found.a) < self.tiling.buffer_pairs:
                    height = min(2 * height, tallest)
                progress.advance(pairs_of_rows(rows.start, rows.stop, len(self.blind)))

    def _row_block(self, rows: range) -> Found:
        pieces: list[Found] = []
        cells = Cells()
        held = 0
        for done, piece in self._pieces(rows, cells):
            held += len(piece.a)
            if held > self.tiling.buffer_pairs and len(rows) > 1:
                fitting = int(0.8 * len(rows) * done * self.tiling.buffer_pairs / held)
                raise _TooMany(min(max(fitting, 1), len(rows) // 2))
            pieces.append(piece)
        pieces.append(NOTHING)
        a, b, blind, reference = (np.concatenate([piece[field] for piece in pieces]) for field in range(4))
        order = np.lexsort((b, a))
        return Found(
            a[order],
            b[order],
            blind[order],
            reference[order],
            sum(piece.above_blind_min for piece in pieces),
            sum(piece.below_reference_max for piece in pieces),
            cells.counts(),
        )

    def _pieces(self, rows: range, cells: Cells) -> Iterator[tuple[float, Found]]:
        """Yield what is found, and after which share of the row block's columns."""
        n = len(self.blind)
        for tile in tiles(rows, n, self.tiling.columns or self.filter.columns):
            for last, piece in self._tile(tile, cells):
                yield (last - rows.start) / (n - rows.start), piece
        for piece in self._left_out(rows, cells):
            yield 1.0, piece

    def _tile(self, tile: Tile, cells: Cells) -> Iterator[tuple[int, Found]]:
        """Yield what is found, and before which column."""
        candidates = self.filter.candidates(tile)
        if candidates is not None:
            a, b = candidates
            blind = self.blind.dots(a, b)
            passes = blind > self.condition.blind_min
            a, b, blind = a[passes], b[passes], blind[passes]
            yield tile.column_stop, self._second(a, b, blind, self.reference.dots(a, b), cells)
        elif tile.column_stop - tile.column_start > DENSE_COLUMNS:
            for half in tile.halves():
                yield from self._tile(half, cells)
        else:
            for piece in self._dense(tile, cells):
                yield tile.column_stop, piece

    def _dense(self, tile: Tile, cells: Cells) -> Iterator[Found]:
        columns = np.arange(tile.column_start, tile.column_stop)
        usual = np.setdiff1d(columns, self.filter.left_out, assume_unique=True)
        yield from self._multiplied(
            np.setdiff1d(np.arange(tile.row_start, tile.row_stop), self.filter.left_out), usual, cells
        )

    def _left_out(self, rows: range, cells: Cells) -> Iterator[Found]:
        """Multiply out the pairs of a row block of which the filter could not judge one image."""
        out = self.filter.left_out
        if not len(out):
            return
        own = np.arange(rows.start, rows.stop)
        yield from self._multiplied(np.setdiff1d(own, out), out[out > rows.start], cells)
        mine = out[(out >= rows.start) & (out < rows.stop)]
        for start in range(rows.start, len(self.blind) if len(mine) else rows.start, DENSE_COLUMNS):
            yield from self._multiplied(mine, np.arange(start, min(start + DENSE_COLUMNS, len(self.blind))), cells)

    def _multiplied(self, rows: Positions, columns: Positions, cells: Cells) -> Iterator[Found]:
        """Decide all pairs i < j of some rows i and columns j by matrix products."""
        width = min(DENSE_COLUMNS, max(DENSE_NUMBERS // max(self.blind.dim, self.reference.dim), CHUNK_ROWS))
        for first in range(0, len(columns), width):
            some = columns[first : first + width]
            blind_columns: Float64Array | None = None
            reference_columns: Float64Array | None = None
            for start in range(0, len(rows), CHUNK_ROWS):
                chunk = rows[start : start + CHUNK_ROWS]
                if some[-1] <= chunk[0]:
                    continue
                if blind_columns is None:
                    blind_columns = self.blind.some(some)
                blind = self.blind.some(chunk) @ blind_columns.T
                at_row, at_column = np.divmod(np.flatnonzero(blind > self.condition.blind_min), len(some))
                upper = chunk[at_row] < some[at_column]
                at_row, at_column = at_row[upper], at_column[upper]
                if len(at_row) <= GATHER_SHARE * blind.size:
                    reference = self.reference.dots(chunk[at_row], some[at_column])
                else:
                    if reference_columns is None:
                        reference_columns = self.reference.some(some)
                    reference = (self.reference.some(chunk) @ reference_columns.T)[at_row, at_column]
                yield self._second(chunk[at_row], some[at_column], blind[at_row, at_column], reference, cells)

    def _second(self, a: Positions, b: Positions, blind: Float64Array, reference: Float64Array, cells: Cells) -> Found:
        above = len(a)
        cells.add(blind, reference)
        keep = np.flatnonzero(self.condition.reference_passes(reference))
        below = len(keep)
        if self.condition.labels is not None:
            keep = keep[self.condition.labels.match(a[keep], b[keep])]
        return Found(a[keep], b[keep], blind[keep], reference[keep], above, below, NO_CELLS)
