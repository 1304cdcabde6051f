"""Counting pairs by both cosines, in cells so fine that everything coarser follows from them.

A cell is 1 / FINE wide on either side. Only cells that are not empty are kept.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snellen.mining.join.exact import Float64Array

FINE = 256
"""Bins for one unit of cosine while counting: a power of two, so that binning is exact."""

LIMIT = 1.0625
"""No cosine of rows of length up to 1.02 lies beyond."""

BINS = int(2 * LIMIT * FINE)

HELD_CELLS = 1 << 20
"""Cell numbers that are held before they are counted."""


class CellCounts(NamedTuple):
    """Fine cells that are not empty.

    cells: int64 [m], increasing, blind bin * BINS + reference bin; counts: int64 [m], at least 1.
    """

    cells: NDArray[np.int64]
    counts: NDArray[np.int64]

    @classmethod
    def empty(cls) -> CellCounts:
        """Return no cells."""
        return cls(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))

    def joined(self, other: CellCounts) -> CellCounts:
        """Return the sum of both."""
        if not len(other.cells):
            return self
        cells, inverse = np.unique(np.concatenate([self.cells, other.cells]), return_inverse=True)
        counts = np.zeros(len(cells), dtype=np.int64)
        np.add.at(counts, inverse, np.concatenate([self.counts, other.counts]))
        return CellCounts(cells, counts)

    def as_json(self) -> dict[str, list[int]]:
        """Return what `from_json` reads."""
        return {"cells": self.cells.tolist(), "counts": self.counts.tolist()}

    @classmethod
    def from_json(cls, value: dict[str, list[int]]) -> CellCounts:
        """Read what `as_json` made."""
        return cls(np.array(value["cells"], dtype=np.int64), np.array(value["counts"], dtype=np.int64))


class Cells:
    """Counts pairs by fine cell, in bounded memory."""

    def __init__(self) -> None:
        self._counted = CellCounts.empty()
        self._held: list[NDArray[np.int64]] = []
        self._size = 0

    def add(self, blind: Float64Array, reference: Float64Array) -> None:
        """Count pairs: float64 [m] cosines of both sides."""
        for start in range(0, len(blind), HELD_CELLS):
            part = slice(start, start + HELD_CELLS)
            self._held.append(fine_bin(blind[part]) * BINS + fine_bin(reference[part]))
            self._size += len(self._held[-1])
            if self._size >= HELD_CELLS:
                self._count()

    def _count(self) -> None:
        cells, counts = np.unique(np.concatenate(self._held), return_counts=True)
        self._counted = self._counted.joined(CellCounts(cells, counts))
        self._held, self._size = [], 0

    def counts(self) -> CellCounts:
        """Return what was counted."""
        if self._held:
            self._count()
        return self._counted


def fine_bin(cosines: Float64Array) -> NDArray[np.int64]:
    """Return the fine bin of each cosine; bins are [low, high)."""
    # Exact: a cosine is a multiple of 2^-48 and LIMIT one of 1/16, so the sum is not rounded; truncation is floor.
    scaled = cosines + LIMIT
    scaled *= FINE
    return scaled.astype(np.int64)
