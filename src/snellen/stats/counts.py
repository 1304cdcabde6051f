"""Ranks that bound a quantile, and the interval of a count of rare events: pure functions of counts."""

from __future__ import annotations

import math
from typing import NamedTuple


class QuantileRanks(NamedTuple):
    """Which order statistics of a sample estimate a quantile: ranks from 1 (smallest) to n.

    `low` or `high` is None where the sample is too small to bound the quantile on that side.
    """

    estimate: int
    low: int | None
    high: int | None


def quantile_rank(n: int, q: float) -> int:
    """Return the rank, 1 to n, of the smallest of n values such that at least q of them are no larger.

    Example:
        >>> quantile_rank(10, 0.5), quantile_rank(10, 0.51)
        (5, 6)

    Args:
        n: how many values, at least 1.
        q: in (0, 1).
    """
    _check(n, q)
    rank = math.ceil(q * n)
    # q * n is rounded: 0.07 * 100 is 7.000000000000001, whose ceiling is 8, though rank 7 holds 0.07 of the values.
    if rank > 1 and (rank - 1) / n >= q:
        rank -= 1
    elif rank / n < q:
        rank += 1
    return min(max(rank, 1), n)


def quantile_ranks(n: int, q: float, confidence: float = 0.95) -> QuantileRanks:
    """Return the ranks of a sample's values that estimate and bound the population's q-quantile.

    Distribution-free: of n independent draws, the number that lie at or below the quantile is binomial(n, q) (at least
    that, where the population has ties), so the bounds hold for any population.

    Example:
        >>> quantile_ranks(100, 0.5)
        QuantileRanks(estimate=50, low=40, high=61)

    Args:
        n: independent draws, at least 1.
        q: in (0, 1).
        confidence: of the two-sided interval, in (0, 1).
    """
    from scipy.stats import binom

    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie strictly between 0 and 1, got {confidence}")
    tail = (1 - confidence) / 2
    low = int(binom.ppf(tail, n, q))
    high = int(binom.ppf(1 - tail, n, q)) + 1
    return QuantileRanks(quantile_rank(n, q), low if low >= 1 else None, high if high <= n else None)


def poisson_interval(count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact (Garwood) interval of a Poisson mean of which `count` events were seen.

    Example:
        >>> [round(x, 2) for x in poisson_interval(10)]
        [4.8, 18.39]

    Args:
        count: events seen, at least 0.
        confidence: of the two-sided interval, in (0, 1).
    """
    from scipy.special import gammaincinv  # half of chi2.ppf, without loading all of scipy.stats

    if count < 0 or not 0 < confidence < 1:
        raise ValueError(f"count must be at least 0 and confidence in (0, 1), got {count} and {confidence}")
    tail = (1 - confidence) / 2
    low = float(gammaincinv(count, tail)) if count else 0.0
    return low, float(gammaincinv(count + 1, 1 - tail))


def _check(n: int, q: float) -> None:
    if n < 1 or not 0 < q < 1:
        raise ValueError(f"n must be at least 1 and q strictly between 0 and 1, got n={n} and q={q}")
