"""All pairs, or a seeded sample of them, as a stream of blocks with exact cosines: what surveys look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snellen.mining.join.exact import Float64Array, Side
from snellen.mining.join.tiles import Positions, pairs_of_rows, tiles
from snellen.progress import SILENT, Progress

ALL_PAIRS_IMAGES = 20_000
"""Up to this many images, surveys look at all pairs; above, at a sample."""

BLOCK_ROWS, BLOCK_COLUMNS = 512, 2048

SAMPLE_BLOCK = 1 << 18
"""Pairs drawn at once: part of what the seed means, since it decides the order of the draws."""


class Block(NamedTuple):
    """Some pairs: arrays of one common shape, of one or two dimensions.

    a, b: int64, positions, a < b; blind, reference: float64, cosines, empty for a side that was not asked for.
    """

    a: Positions
    b: Positions
    blind: Float64Array
    reference: Float64Array

    @classmethod
    def empty(cls) -> Block:
        """Return no pairs."""
        none = np.empty(0, dtype=np.int64)
        return cls(none, none, np.empty(0), np.empty(0))

    def take(self, which: NDArray[np.bool_] | Positions) -> Block:
        """Return the chosen pairs, with arrays of one dimension: a mask of the block's shape, or indices."""
        return Block(self.a[which], self.b[which], self.blind[which], self.reference[which])

    def joined(self, other: Block) -> Block:
        """Return the pairs of both, which have one dimension."""
        return Block(
            np.concatenate([self.a, other.a]),
            np.concatenate([self.b, other.b]),
            np.concatenate([self.blind, other.blind]),
            np.concatenate([self.reference, other.reference]),
        )


@dataclass(frozen=True)
class Stream:
    """Pairs of the images that are mined; each call of `blocks` goes over the same pairs in the same order.

    `size` is how many pairs that is, `population` how many there are; `sampled` says whether they are draws.
    """

    blind: Side
    reference: Side
    sample: int | None
    seed: int

    @property
    def sampled(self) -> bool:
        """Whether the pairs are drawn with replacement, and not all there are."""
        return self.sample is not None

    @property
    def population(self) -> int:
        """How many unordered pairs there are."""
        return pairs_of_rows(0, len(self.blind), len(self.blind))

    @property
    def size(self) -> int:
        """How many pairs the stream has."""
        return self.population if self.sample is None else self.sample

    def blocks(self, *, blind: bool = True, reference: bool = True, progress: Progress = SILENT) -> Iterator[Block]:
        """Yield the pairs, with the cosines of the sides asked for."""
        make = self._drawn if self.sampled else self._all
        for block in make(blind, reference):
            yield block
            progress.advance(block.a.size)

    def _all(self, blind: bool, reference: bool) -> Iterator[Block]:
        n = len(self.blind)
        for start in range(0, n, BLOCK_ROWS):
            rows = range(start, min(start + BLOCK_ROWS, n))
            for tile in tiles(rows, n, BLOCK_COLUMNS):
                a = np.arange(tile.row_start, tile.row_stop)[:, None]
                b = np.arange(tile.column_start, tile.column_stop)[None, :]
                values = [
                    side.product(tile) if wanted else np.empty(0)
                    for side, wanted in ((self.blind, blind), (self.reference, reference))
                ]
                if tile.on_diagonal:
                    upper = np.triu_indices(len(rows), 1)
                    values = [value[upper] if value.size else value for value in values]
                    yield Block(upper[0] + start, upper[1] + start, *values)
                else:
                    shape = (a.size, b.size)
                    yield Block(np.broadcast_to(a, shape), np.broadcast_to(b, shape), *values)

    def _drawn(self, blind: bool, reference: bool) -> Iterator[Block]:
        for a, b in draw_pairs(len(self.blind), self.size, self.seed):
            yield Block(
                a,
                b,
                self.blind.dots(a, b) if blind else np.empty(0),
                self.reference.dots(a, b) if reference else np.empty(0),
            )


def survey_stream(blind: Side, reference: Side, seed: int, sample: int) -> Stream:
    """Return all pairs up to ALL_PAIRS_IMAGES images, above that a sample of the given size."""
    return Stream(blind, reference, None if len(blind) <= ALL_PAIRS_IMAGES else sample, seed)


def draw_pairs(n: int, count: int, seed: int) -> Iterator[tuple[Positions, Positions]]:
    """Draw pairs a < b < n uniformly, with replacement, SAMPLE_BLOCK at a time: the first m are the same for any count.

    Args:
        n: at least 2.
        count: how many pairs.
        seed: of the draws.
    """
    rng = np.random.default_rng([seed, 3])
    for start in range(0, count, SAMPLE_BLOCK):
        first = rng.integers(0, n, size=SAMPLE_BLOCK)
        second = rng.integers(0, n - 1, size=SAMPLE_BLOCK)
        second += second >= first
        wanted = min(SAMPLE_BLOCK, count - start)
        yield np.minimum(first, second)[:wanted], np.maximum(first, second)[:wanted]


def tracked(
    stream: Stream, label: str, progress: Progress, consume: Callable[[Block], None], *, blind: bool, reference: bool
) -> None:
    """Hand every block of a stream to `consume`, and report progress."""
    progress.start(label, stream.size, "pairs")
    for block in stream.blocks(blind=blind, reference=reference, progress=progress):
        consume(block)
    progress.finish()
