"""Is one model right on more pairs than another? Only the pairs on which they differ can tell."""

from __future__ import annotations

from typing import NamedTuple


class McNemar(NamedTuple):
    """Pairs that only a and only b has right, and the two-sided p of the exact test."""

    a_only: int
    b_only: int
    p: float


def mcnemar(a_only: int, b_only: int) -> McNemar:
    """Test whether two models have equally many pairs right, by McNemar's exact (conditional) test.

    Given that just one of them is right, either is equally likely to be it: a_only is binomial(a_only + b_only, 1/2).
    p is twice the smaller tail, at most 1; without such pairs there is no evidence, and p is 1. What both have right
    or both have wrong does not enter.

    Example:
        >>> mcnemar(9, 1)
        McNemar(a_only=9, b_only=1, p=0.021484375)

    Args:
        a_only: pairs that a has right and b has not, at least 0.
        b_only: pairs that b has right and a has not, at least 0.
    """
    from scipy.stats import binomtest

    if a_only < 0 or b_only < 0:
        raise ValueError(f"a_only and b_only must be at least 0, got {a_only} and {b_only}")
    n = a_only + b_only
    return McNemar(a_only, b_only, float(binomtest(a_only, n).pvalue) if n else 1.0)
