"""All pairs of a study's images, or a seeded sample of them, with the exact cosines of one encoder after another."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from snellen.diagnosis.shopping.thresholds import Float64Array
from snellen.vectors import Vectors

Rows = NDArray[np.int64]

MOST_PAIRS: Final = 10_000_000
"""Up to so many pairs all are looked at; of more, so many are drawn."""

BLOCK: Final = 512
"""Rows multiplied at once."""

GATHERED: Final = 1 << 14
"""Pairs whose vectors are gathered at once."""


@dataclass(frozen=True)
class ImagePairs:
    """Pairs of rows of `images.parquet`: `rows` int64 [images], increasing; the pairs are all of them, or `drawn`.

    `drawn` is int64 [pairs, 2] of rows, first less than second, sorted, none twice; None: all pairs of `rows`, the
    first row's first.
    """

    rows: Rows
    drawn: Rows | None

    @property
    def n(self) -> int:
        """How many pairs."""
        return math.comb(len(self.rows), 2) if self.drawn is None else len(self.drawn)

    def cosines(self, vectors: Vectors) -> Float64Array:
        """Return the cosine of every pair under one encoder: float64 [n], exact dot products of the stored rows."""
        if self.drawn is not None:
            return cosines_of(vectors, self.drawn)
        values = vectors.gather(self.rows).astype(np.float64)
        found, filled = np.empty(self.n), 0
        for start in range(0, len(values), BLOCK):
            products = values[start : start + BLOCK] @ values[start:].T
            for row, line in enumerate(products):
                piece = line[row + 1 :]
                found[filled : filled + len(piece)] = piece
                filled += len(piece)
        return found

    def at(self, places: NDArray[np.int64]) -> Rows:
        """Return the pairs at the given places, int64 [places, 2] of rows."""
        if self.drawn is not None:
            return self.drawn[places]
        n = len(self.rows)
        starts = np.arange(n) * (2 * n - np.arange(n) - 1) // 2  # the place of each first row's first pair
        first = np.searchsorted(starts[: n - 1], places, side="right") - 1
        second = places - starts[first] + first + 1
        return self.rows[np.stack([first, second], axis=1)]


def image_pairs(rows: Rows, seed: int, most: int = MOST_PAIRS) -> ImagePairs:
    """Return all pairs of the given rows, or of more than `most` pairs as many, drawn with a seed.

    What is drawn twice is kept once, so that a sample can be a little smaller.
    """
    n = len(rows)
    if math.comb(n, 2) <= most:
        return ImagePairs(rows, None)
    rng = np.random.Generator(np.random.PCG64(seed))
    first, second = rng.integers(0, n, most), rng.integers(0, n - 1, most)
    second += second >= first
    places = np.unique(np.minimum(first, second) * n + np.maximum(first, second))
    return ImagePairs(rows, rows[np.stack([places // n, places % n], axis=1)])


def cosines_of(vectors: Vectors, pairs: Rows) -> Float64Array:
    """Return the cosines of pairs of rows, int64 [pairs, 2], as float64 [pairs]."""
    found = np.empty(len(pairs))
    for part in _parts(len(pairs), GATHERED):
        first, second = (vectors.gather(pairs[part, side]).astype(np.float64) for side in (0, 1))
        found[part] = np.einsum("ij,ij->i", first, second)
    return found


def _parts(total: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, total, size))
