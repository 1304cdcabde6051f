"""The exact two-sided join: every pair above one threshold for one encoder and below another for the other.

The blind condition is tested first, with a filter before it; the reference condition only on what passes, before
anything is kept. Memory is bounded whatever the output: if a row block finds more than it may hold, it is halved and
done again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snellen.mining.exact import Float64Array, Side
from snellen.mining.tiles import Filter, Positions, Tile, Tiling, pairs_of_rows, tiles
from snellen.progress import SILENT, Progress

CHUNK_ROWS = 256
"""Rows of a dense tile that are multiplied out at once."""

GATHER_SHARE = 0.01
"""Up to this share of a dense chunk, reference cosines are gathered pair by pair; beyond, multiplied out."""

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

    a, b: int64 [m], positions; blind, reference: float64 [m], cosines.
    """

    a: Positions
    b: Positions
    blind: Float64Array
    reference: Float64Array
    above_blind_min: int
    below_reference_max: int


class _TooMany(Exception):
    """A row block found more than it may hold."""


@dataclass(frozen=True)
class Join:
    """One join over all pairs of positions; `blind` and `reference` have the same rows."""

    blind: Side
    reference: Side
    filter: Filter
    condition: Condition
    tiling: Tiling

    def stripe(self, rows: range, progress: Progress = SILENT) -> Iterator[Found]:
        """Yield what a stripe finds, row block by row block, in order."""
        n = len(self.blind)
        start, height = rows.start, self.tiling.rows
        while start < rows.stop:
            block = range(start, min(start + height, rows.stop))
            try:
                found = self._row_block(block)
            except _TooMany:
                height = max(len(block) // 2, 1)
                continue
            yield found
            progress.advance(pairs_of_rows(block.start, block.stop, n))
            start = block.stop
            height = min(2 * height, self.tiling.rows)

    def _row_block(self, rows: range) -> Found:
        pieces: list[Found] = []
        held = 0
        for tile in tiles(rows, len(self.blind), self.tiling.columns):
            for piece in self._tile(tile):
                held += len(piece.a)
                if held > self.tiling.buffer_pairs and len(rows) > 1:
                    raise _TooMany
                pieces.append(piece)
        a, b, blind, reference = (np.concatenate([piece[field] for piece in pieces]) for field in range(4))
        order = np.lexsort((b, a))
        return Found(
            a[order],
            b[order],
            blind[order],
            reference[order],
            sum(piece.above_blind_min for piece in pieces),
            sum(piece.below_reference_max for piece in pieces),
        )

    def _tile(self, tile: Tile) -> Iterator[Found]:
        candidates = self.filter.candidates(tile)
        if candidates is None:
            yield from self._dense(tile)
            return
        a, b = candidates
        blind = self.blind.dots(a, b)
        passes = blind > self.condition.blind_min
        a, b, blind = a[passes], b[passes], blind[passes]
        yield self._second(a, b, blind, self.reference.dots(a, b))

    def _dense(self, tile: Tile) -> Iterator[Found]:
        blind_columns = self.blind.block(tile.column_start, tile.column_stop)
        reference_columns: Float64Array | None = None
        for start in range(tile.row_start, tile.row_stop, CHUNK_ROWS):
            chunk = tile._replace(row_start=start, row_stop=min(start + CHUNK_ROWS, tile.row_stop))
            blind = self.blind.block(chunk.row_start, chunk.row_stop) @ blind_columns.T
            a, b = chunk.locate(np.flatnonzero(blind > self.condition.blind_min))
            if len(a) <= GATHER_SHARE * blind.size:
                reference = self.reference.dots(a, b)
            else:
                if reference_columns is None:
                    reference_columns = self.reference.block(tile.column_start, tile.column_stop)
                product = self.reference.block(chunk.row_start, chunk.row_stop) @ reference_columns.T
                reference = product[a - chunk.row_start, b - chunk.column_start]
            yield self._second(a, b, blind[a - chunk.row_start, b - chunk.column_start], reference)

    def _second(self, a: Positions, b: Positions, blind: Float64Array, reference: Float64Array) -> Found:
        above = len(a)
        keep = np.flatnonzero(self.condition.reference_passes(reference))
        below = len(keep)
        if self.condition.labels is not None:
            keep = keep[self.condition.labels.match(a[keep], b[keep])]
        return Found(a[keep], b[keep], blind[keep], reference[keep], above, below)
