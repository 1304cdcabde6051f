"""The two-dimensional histogram of both cosines: where this collection's pairs lie.

While counting, a bin is 1 / FINE wide on either side; what is written is trimmed, and coarse enough to draw. Above the
blind minimum it counts all pairs, since the join decides each of them anyway; below, it counts a sample where there
are too many pairs to look at, and says so.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snellen.mining.exact import Float64Array
from snellen.mining.stream import Block

FINE = 256
"""Bins for one unit of cosine while counting: a power of two, so that binning is exact."""

LIMIT = 1.0625
"""No cosine of rows of length up to 1.02 lies beyond."""

BINS = int(2 * LIMIT * FINE)

MAX_BINS = 80

CACHED = 1 << 14
"""Pairs that are binned at once: what fits in the cache."""

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


class Histogram:
    """Counts pairs by blind and reference cosine.

    Args:
        blind_min: None where all pairs are shown to `add`. Else pairs above it come from `add_above`, and `add` is
            shown a sample, of which only the pairs not above it are counted.
    """

    def __init__(self, blind_min: float | None = None) -> None:
        self._blind_min = blind_min
        self._counts: NDArray[np.int64] = np.zeros(BINS * BINS, dtype=np.int64)
        self._above: NDArray[np.int64] = np.zeros(BINS * BINS, dtype=np.int64)

    def add(self, block: Block) -> None:
        """Count the pairs of a block."""
        blind, reference = block.blind.ravel(), block.reference.ravel()
        if self._blind_min is not None:
            below = blind <= self._blind_min
            blind, reference = blind[below], reference[below]
        for start in range(0, blind.size, CACHED):
            part = slice(start, start + CACHED)
            cells = fine_bin(blind[part]) * BINS + fine_bin(reference[part])
            np.add.at(self._counts, cells, 1)

    def add_above(self, counted: CellCounts) -> None:
        """Count pairs above the blind minimum."""
        self._above[counted.cells] += counted.counts

    def as_json(self, scale: float = 1.0) -> dict[str, Any]:
        """Return the entry of `mining.json`: about MAX_BINS bins a side at most, edges at multiples of 1 / FINE.

        Args:
            scale: how many pairs of the collection one pair shown to `add` stands for.
        """
        below, above = (counts.reshape(BINS, BINS) for counts in (self._counts, self._above))
        reference = _Axis.of((below + above).sum(axis=0))
        blind = _Axis.of((below + above).sum(axis=1), self._blind_min)
        below, above = reference.merged(below.T).T, reference.merged(above.T).T
        if self._blind_min is None:
            edges, rows, exact_from = blind.edges(), blind.merged(below), 0
        else:
            edges, rows, exact_from = self._split(blind, below, above, self._blind_min)
        return {
            "blind_edges": edges,
            "reference_edges": reference.edges(),
            "counts": rows.tolist(),
            "exact_from": exact_from,
            "sampled": self._blind_min is not None,
            "scale": scale,
            "n_pairs": int(rows.sum()),
        }

    def _split(
        self, axis: _Axis, below: NDArray[np.int64], above: NDArray[np.int64], blind_min: float
    ) -> tuple[list[float], NDArray[np.int64], int]:
        """Return edges, rows, and the first row above the blind minimum, which is an edge of its own."""
        inner = [edge for edge in axis.edges() if edge != blind_min]
        lower = [edge for edge in inner if edge < blind_min]
        upper = [edge for edge in inner if edge > blind_min]
        # Pairs exactly on a bin's low edge that is the minimum belong to the bin before it.
        rows_below, rows_above = axis.merged(below), axis.merged(above)
        n_low = len(lower)
        if blind_min in axis.edges():
            rows_below[n_low - 1] += rows_below[n_low]
        first_above = len(rows_above) - len(upper)
        rows = np.concatenate([rows_below[:n_low], rows_above[first_above:]])
        return [*lower, blind_min, *upper], rows, n_low


class _Axis(NamedTuple):
    """Which fine bins are shown, from group `low` to group `high - 1` of `merge` bins each."""

    low: int
    high: int
    merge: int

    @classmethod
    def of(cls, totals: NDArray[np.int64], inside: float | None = None) -> _Axis:
        """Cut empty bins off both ends, but leave `inside` within; merge neighbours until at most MAX_BINS are left."""
        used = np.flatnonzero(totals)
        if inside is not None:
            at = int(fine_bin(np.array([inside]))[0])
            used = np.union1d(used, [at - 1, at])
        first, last = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, len(totals))
        merge = 1
        while math.ceil(last / merge) - first // merge > MAX_BINS:
            merge *= 2
        return cls(first // merge, math.ceil(last / merge), merge)

    def edges(self) -> list[float]:
        """Return the edges of the groups."""
        return [group * self.merge / FINE - LIMIT for group in range(self.low, self.high + 1)]

    def merged(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Sum the rows of each group: int64 [high - low, columns]."""
        padded = np.zeros((self.high * self.merge, counts.shape[1]), dtype=np.int64)
        rows = counts[self.low * self.merge : self.high * self.merge]
        padded[self.low * self.merge : self.low * self.merge + len(rows)] = rows
        merged: NDArray[np.int64] = (
            padded[self.low * self.merge :].reshape(self.high - self.low, self.merge, -1).sum(axis=1)
        )
        return merged
