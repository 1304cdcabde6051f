"""Two models on the same pairs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Difference(NamedTuple):
    """The mean of b - a with its interval, over `n` pairs."""

    value: float
    low: float
    high: float
    n: int


def bootstrap_difference(
    a: ArrayLike, b: ArrayLike, *, resamples: int = 10_000, seed: int = 0, confidence: float = 0.95
) -> Difference:
    """Return by how much b exceeds a on average, with the percentile interval of the paired bootstrap.

    Whole pairs are drawn with replacement, both models' values together, so what makes a pair hard for both cancels.
    Equal arguments give equal numbers (PCG64). Few pairs make the interval too short; where b - a is the same for
    every pair, it has no width.

    Example:
        >>> bootstrap_difference([0, 0, 1, 0], [1, 0, 1, 1], seed=1)
        Difference(value=0.5, low=0.0, high=1.0, n=4)

    Args:
        a: float [n], one value a pair, n at least 1: 1.0 where both questions are right, say.
        b: float [n], of the same pairs in the same order.
        resamples: how often n pairs are drawn.
        seed: of the draws.
        confidence: of the two-sided interval, in (0, 1).
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape or not len(first) or not np.isfinite([first, second]).all():
        raise ValueError(
            f"a and b must hold one finite value for each of the same pairs, got shapes {first.shape}, {second.shape}"
        )
    if resamples < 1 or not 0 < confidence < 1:
        raise ValueError(f"resamples must be at least 1 and confidence in (0, 1), got {resamples} and {confidence}")
    difference = second - first
    n = len(difference)
    rng = np.random.Generator(np.random.PCG64(seed))
    means = np.empty(resamples)
    step = max(1, 1_000_000 // n)  # so many resamples at a time, to bound the memory
    for start in range(0, resamples, step):
        stop = min(start + step, resamples)
        means[start:stop] = difference[rng.integers(0, n, (stop - start, n))].mean(axis=1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Difference(float(difference.mean()), float(low), float(high), n)
