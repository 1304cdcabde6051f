"""Bounds on what can still be among each image's largest gaps, so that most pairs of a burst are never stored.

While pairs come in, in any order, the k largest gaps of each image so far are remembered. A pair that is below the
k-th of both its images is not among the k largest of either, whatever comes later. Ties stay: `select` decides them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from snellen.mining.join.exact import Float64Array
from snellen.mining.join.tiles import Positions


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
        new: Float64Array = np.full((len(starts), self._k), -np.inf)
        new[at[first], rank[first]] = gaps[first]
        both = np.concatenate([self._best[images[starts]], new], axis=1)
        best = -np.sort(-both, axis=1)[:, : self._k]
        self._best[images[starts]] = best
        self._bound[images[starts]] = best[:, -1]
