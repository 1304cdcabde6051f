"""Do two measurements go together? A correlation with its interval and its permutation test."""

from __future__ import annotations

from functools import cache
from itertools import permutations
from math import atanh, sqrt, tanh
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

EXACT_UP_TO: Final = 9
"""Up to so many points every permutation is tried (9! = 362,880); nine because there are nine visual patterns."""

RESAMPLES: Final = 10_000
"""Seeded random permutations of more points."""


class Correlation(NamedTuple):
    """Pearson's r of `n` points, its interval, and the two-sided p of the permutation test.

    All but n are None where r is not defined: x or y is the same everywhere, or there are no two points.
    """

    r: float | None
    low: float | None
    high: float | None
    n: int
    p: float | None


def pearson(x: ArrayLike, y: ArrayLike, *, confidence: float = 0.95, seed: int = 0) -> Correlation:
    """Correlate two measurements of the same things.

    The interval is Fisher's: exact for jointly normal points, a guide for others, and very wide for few (r = 0.70 over
    9 points: 0.07 to 0.93). Below 4 points it is -1 to 1. p is the share of permutations of y with a correlation at
    least as far from 0, exact up to 9 points; with 4 points it cannot fall below 1/24.

    Example:
        >>> found = pearson([1, 2, 3, 4, 5], [1, 3, 2, 5, 4])
        >>> round(found.r, 2), round(found.low, 2), round(found.high, 2), round(found.p, 3)
        (0.8, -0.28, 0.99, 0.133)

    Args:
        x: float [n].
        y: float [n], of the same things in the same order.
        confidence: of the two-sided interval, in (0, 1).
        seed: of the random permutations, of more than 9 points.
    """
    first, second = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape or not np.isfinite([first, second]).all():
        raise ValueError(f"x and y must be as many finite numbers, got shapes {first.shape} and {second.shape}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie strictly between 0 and 1, got {confidence}")
    n = len(first)
    if n < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return Correlation(None, None, None, n, None)
    u, v = _standardised(first), _standardised(second)
    r = float(np.clip(u @ v, -1, 1))
    low, high = fisher_interval(r, n, confidence) or (-1.0, 1.0)
    return Correlation(r, low, high, n, permutation_p(first, second, seed=seed))


def fisher_interval(r: float, n: int, confidence: float = 0.95) -> tuple[float, float] | None:
    """Return Fisher's interval of a correlation of n points, tanh(atanh r ± z / sqrt(n - 3)); None below 4 points.

    Example:
        >>> [round(bound, 2) for bound in fisher_interval(0.7, 9)]
        [0.07, 0.93]

    Args:
        r: Pearson's, in [-1, 1]; at 1 and -1 the interval has no width, and says nothing.
        n: points, at least 0.
        confidence: of the two-sided interval, in (0, 1).
    """
    from scipy.special import ndtri

    if not -1 <= r <= 1 or n < 0 or not 0 < confidence < 1:
        raise ValueError(f"r must lie in [-1, 1], n be at least 0 and confidence in (0, 1), got {r}, {n}, {confidence}")
    if n < 4:
        return None
    if abs(r) == 1:
        return r, r
    reach = float(ndtri((1 + confidence) / 2)) / sqrt(n - 3)
    return tanh(atanh(r) - reach), tanh(atanh(r) + reach)


def permutation_p(x: ArrayLike, y: ArrayLike, *, seed: int = 0) -> float:
    """Return the share of permutations of y whose Pearson's r with x is at least as far from 0 as it is now.

    Exact up to 9 points, beyond that of 10,000 seeded random permutations and the one at hand. Of ranks it is the
    permutation test of Spearman's correlation.

    Example:
        >>> round(permutation_p([1, 2, 3, 4, 5], [1, 3, 2, 5, 4]), 3)  # 16 of 120
        0.133

    Args:
        x: float [n], not all equal.
        y: float [n], not all equal.
        seed: of the random permutations.
    """
    u = _standardised(np.asarray(x, dtype=np.float64))
    v = _standardised(np.asarray(y, dtype=np.float64))
    bar = abs(float(u @ v)) - 1e-12  # equal correlations are equal in spite of rounding
    if len(u) <= EXACT_UP_TO:
        return float(np.mean(np.abs(v[_orders(len(v))] @ u) >= bar))
    rng = np.random.Generator(np.random.PCG64(seed))
    beyond = sum(abs(float(rng.permutation(v) @ u)) >= bar for _ in range(RESAMPLES))
    return (1 + beyond) / (1 + RESAMPLES)


@cache
def _orders(n: int) -> NDArray[np.int8]:
    """Return all orders of n things, int8 [n!, n]."""
    return np.array(list(permutations(range(n))), dtype=np.int8)


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take away the mean, and divide by the length that is left; scaled first, so that no square is lost."""
    centred = values - values.mean()
    centred /= np.abs(centred).max()
    result: NDArray[np.float64] = centred / np.linalg.norm(centred)
    return result
