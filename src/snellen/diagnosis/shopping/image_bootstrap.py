"""Intervals over pairs that share images: whole images are drawn with replacement, not pairs."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from snellen.stats import Difference, Proportion, wilson_interval

AT_ONCE: Final = 4_000_000
"""Weights held at a time."""


class ImageBootstrap:
    """Shares of pairs under resampling of the images that they are made of.

    Pairs that share an image are no independent evidence: a picture that an encoder sees badly makes many pairs at
    once. Here the images that occur in the pairs are drawn with replacement, and a pair counts as often as both of its
    images together (the bootstrap of nodes of a graph; Snijders and Borgatti, Connections 22, 1999).

    An interval is never shorter than that of as many independent pairs; where the bootstrap has no width (all are
    alike), it is Wilson's over pairs of which no two share an image.
    """

    def __init__(self, pairs: NDArray[np.int64], *, resamples: int, seed: int = 0) -> None:
        """Take int64 [pairs, 2] of image numbers, at least one pair."""
        if pairs.ndim != 2 or pairs.shape[1] != 2 or not len(pairs) or resamples < 1:
            raise ValueError(f"expected [pairs, 2], at least one pair and resample, got {pairs.shape}, {resamples}")
        names, codes = np.unique(pairs, return_inverse=True)
        self._pairs = codes.reshape(pairs.shape)
        self._resamples, self._seed = resamples, seed
        self.n, self.n_images = len(pairs), len(names)
        self.n_disjoint = disjoint(self._pairs)

    def shares(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the resampled means, float64 [resamples, columns], of values [pairs, columns]; NaN: no pair drawn."""
        rng = np.random.Generator(np.random.PCG64(self._seed))
        found = np.empty((self._resamples, values.shape[1]))
        step = max(1, AT_ONCE // max(self.n, self.n_images))
        for start in range(0, self._resamples, step):
            size = min(step, self._resamples - start)
            drawn = rng.integers(0, self.n_images, (size, self.n_images))
            drawn += np.arange(size)[:, None] * self.n_images
            counts = np.bincount(drawn.ravel(), minlength=size * self.n_images).reshape(size, self.n_images)
            weights = (counts[:, self._pairs[:, 0]] * counts[:, self._pairs[:, 1]]).astype(np.float64)
            total = weights.sum(axis=1, keepdims=True)
            with np.errstate(invalid="ignore"):
                found[start : start + size] = weights @ values / total
        return found

    def proportion(self, hits: NDArray[np.bool_], drawn: NDArray[np.float64], confidence: float = 0.95) -> Proportion:
        """Return a share with its interval; `n_clusters` counts images.

        Args:
            hits: bool [pairs].
            drawn: its column of `shares`.
            confidence: of the two-sided interval.
        """
        count = int(hits.sum())
        if count in (0, self.n):
            low, high = wilson_interval(self.n_disjoint if count else 0, self.n_disjoint, confidence)
        else:
            low, high = wilson_interval(count, self.n, confidence)
            below, above = _quantiles(drawn, confidence)
            low, high = max(0.0, min(low, below)), min(1.0, max(high, above))
        return Proportion(count / self.n, low, high, self.n, self.n_images)

    def difference(
        self, values: NDArray[np.float64], drawn: NDArray[np.float64], confidence: float = 0.95
    ) -> Difference:
        """Return the mean of values in [-1, 1] with its interval: of b - a, each 0 or 1, a paired difference.

        Args:
            values: float64 [pairs].
            drawn: its column of `shares`.
            confidence: of the two-sided interval.
        """
        mean = float(values.mean())
        if np.ptp(values) == 0:
            reach = wilson_interval(0, self.n_disjoint, confidence)[1] * (1 + abs(mean))
            return Difference(mean, max(-1.0, mean - reach), min(1.0, mean + reach), self.n)
        low, high = _quantiles(drawn, confidence)
        return Difference(mean, min(mean, low), max(mean, high), self.n)


def disjoint(pairs: NDArray[np.int64]) -> int:
    """Count pairs of which no two share an image, taken greedily in order.

    Example:
        >>> disjoint(np.array([[0, 1], [1, 2], [2, 3]]))
        2
    """
    taken: set[int] = set()
    count = 0
    for a, b in pairs.tolist():
        if a not in taken and b not in taken:
            taken |= {a, b}
            count += 1
    return count


def _quantiles(drawn: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    kept = drawn[np.isfinite(drawn)]
    if not len(kept):
        return -1.0, 1.0
    low, high = np.quantile(kept, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
