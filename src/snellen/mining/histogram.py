"""The two-dimensional histogram of both cosines: where this collection's pairs lie."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snellen.mining.stream import Block

FINE = 256
"""Bins for one unit of cosine while counting: a power of two, so that binning is exact."""

LIMIT = 1.0625
"""No cosine of rows of length up to 1.02 lies beyond."""

MAX_BINS = 80

CACHED = 1 << 14
"""Pairs that are binned at once: what fits in the cache."""


class Histogram:
    """Counts pairs by blind and reference cosine, then shows only the part that is not empty, coarse enough to draw."""

    def __init__(self) -> None:
        self._bins = int(2 * LIMIT * FINE)
        self._counts: NDArray[np.int64] = np.zeros(self._bins**2, dtype=np.int64)

    def add(self, block: Block) -> None:
        """Count the pairs of a block."""
        blind, reference = block.blind.ravel(), block.reference.ravel()
        cells = np.empty(blind.size, dtype=np.intp)
        for start in range(0, blind.size, CACHED):
            part = slice(start, start + CACHED)
            cells[part] = _bin(blind[part]) * self._bins + _bin(reference[part])
        self._counts += np.bincount(cells, minlength=len(self._counts))

    def as_json(self, sampled: bool) -> dict[str, Any]:
        """Return the entry of `mining.json`: at most MAX_BINS bins a side, edges at multiples of 1 / FINE."""
        counts = self._counts.reshape(self._bins, self._bins)
        blind_edges, counts = _trim(counts)
        reference_edges, counts = _trim(counts.T)
        counts = counts.T
        return {
            "blind_edges": blind_edges,
            "reference_edges": reference_edges,
            "counts": counts.tolist(),
            "sampled": sampled,
            "n_pairs": int(counts.sum()),
        }


def _bin(cosines: NDArray[np.float64]) -> NDArray[np.intp]:
    # Exact: a cosine is a multiple of 2^-48 and LIMIT one of 1/16, so the sum is not rounded; truncation is floor.
    scaled = cosines + LIMIT
    scaled *= FINE
    return scaled.astype(np.intp)


def _trim(counts: NDArray[np.int64]) -> tuple[list[float], NDArray[np.int64]]:
    """Cut empty rows off both ends and merge neighbours until at most MAX_BINS are left; return edges and counts."""
    used = np.flatnonzero(counts.sum(axis=1))
    first, last = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, len(counts))
    merge = 1
    while -(-last // merge) - first // merge > MAX_BINS:
        merge *= 2
    low, high = first // merge, -(-last // merge)
    padded = np.zeros((high * merge, counts.shape[1]), dtype=np.int64)
    padded[first:last] = counts[first:last]
    merged = padded[low * merge :].reshape(high - low, merge, -1).sum(axis=1)
    edges = [index * merge / FINE - LIMIT for index in range(low, high + 1)]
    return edges, merged
