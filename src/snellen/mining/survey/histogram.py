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

from snellen.mining.join.cells import BINS, FINE, LIMIT, CellCounts, fine_bin
from snellen.mining.survey.stream import Block

MAX_BINS = 80

CACHED = 1 << 14
"""Pairs that are binned at once: what fits in the cache."""


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
