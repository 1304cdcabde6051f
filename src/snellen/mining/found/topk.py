"""Bounds on what can still be among the largest gaps, so that most pairs of a burst are never stored.

While pairs come in, in any order, the k largest gaps so far are remembered, of each image or of all. A pair that is
below the k-th of both its images is not among the k largest of either, whatever comes later; nor, below the k-th of
all, among the k largest of all. Ties stay: `select` decides them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from snellen.mining.join.exact import Float64Array
from snellen.mining.join.tiles import Positions

REMEMBERED_BYTES = 1 << 25
"""Memory, about, that remembering takes beside what is held."""

HELD_BESIDE = 1 << 16
"""Gaps that `TopTotal` holds, at least, beside the largest ones: the more, the more rarely it sorts them out."""


class TopK:
    """Watches a stream of pairs; holds 8 k bytes for each row.

    Args:
        rows: how many images the study has.
        k: how many gaps of each are remembered.
    """

    def __init__(self, rows: int, k: int) -> None:
        self._k = k
        self._best: Float64Array = np.full((rows, k), -np.inf)  # the largest first
        self._bound: Float64Array = np.full(rows, -np.inf)

    @staticmethod
    def size(rows: int, k: int) -> int:
        """Return the bytes that it holds."""
        return 8 * rows * (k + 1)

    def offer(self, row_a: Positions, row_b: Positions, gap: Float64Array) -> NDArray[np.bool_]:
        """Show some pairs, and return which of them may be among the k largest gaps of one of their images.

        Args:
            row_a: int64 [m].
            row_b: int64 [m].
            gap: float64 [m], blind minus reference cosine.

        Returns:
            bool [m]; false only for pairs that are not, whatever is shown later.
        """
        stay = (gap >= self._bound[row_a]) | (gap >= self._bound[row_b])
        images = np.concatenate([row_a[stay], row_b[stay]])
        gaps = np.concatenate([gap[stay], gap[stay]])
        if len(images):
            self._remember(images, gaps)
            stay[stay] = (gap[stay] >= self._bound[row_a[stay]]) | (gap[stay] >= self._bound[row_b[stay]])
        return stay

    def _remember(self, images: Positions, gaps: Float64Array) -> None:
        order = np.lexsort((-gaps, images))
        images, gaps = images[order], gaps[order]
        starts = np.flatnonzero(np.r_[True, images[1:] != images[:-1]])
        sizes = np.diff(np.r_[starts, len(images)])
        rank = np.arange(len(images)) - np.repeat(starts, sizes)
        at = np.repeat(np.arange(len(starts)), sizes)
        first = rank < self._k
        at, rank, gaps = at[first], rank[first], gaps[first]
        some = max(REMEMBERED_BYTES // (64 * self._k), 1)
        for start in range(0, len(starts), some):
            own = images[starts[start : start + some]]
            part = slice(*np.searchsorted(at, (start, start + some)))
            both: Float64Array = np.full((len(own), 2 * self._k), -np.inf)
            both[:, : self._k] = self._best[own]
            both[at[part] - start, self._k + rank[part]] = gaps[part]
            best = -np.sort(-both, axis=1)[:, : self._k]
            self._best[own] = best
            self._bound[own] = best[:, -1]


class TopTotal:
    """Watches a stream of pairs; holds 8 bytes for each gap that may be among the largest, and a quarter more.

    Args:
        most: how many gaps are remembered, of all pairs together.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._gaps: Float64Array = np.empty(self.size(most) // 8)
        self._held = 0
        self._bound = -np.inf

    @staticmethod
    def size(most: int) -> int:
        """Return the bytes that it holds."""
        return 8 * (most + max(most // 4, HELD_BESIDE))

    def offer(self, row_a: Positions, row_b: Positions, gap: Float64Array) -> NDArray[np.bool_]:
        """Show some pairs, and return which of them may be among the largest gaps; see `TopK.offer`."""
        left = gap[gap >= self._bound]
        while len(left):
            taken = left[: len(self._gaps) - self._held]
            self._gaps[self._held : self._held + len(taken)] = taken
            self._held += len(taken)
            if self._held == len(self._gaps):
                self._sort_out()
            left = left[len(taken) :]
        return gap >= self._bound

    def _sort_out(self) -> None:
        lowest = len(self._gaps) - self._most
        self._gaps.partition(lowest)
        self._bound = float(self._gaps[lowest])
        self._gaps[: self._most] = self._gaps[lowest:].copy()
        self._held = self._most
