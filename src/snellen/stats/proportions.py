"""Intervals of shares: of independent trials, and of trials in clusters."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np


class Proportion(NamedTuple):
    """A share with its interval, of `n` trials in `n_clusters` clusters; `value` is None where there are none."""

    value: float | None
    low: float
    high: float
    n: int
    n_clusters: int


def wilson_interval(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return Wilson's score interval of a probability: `successes` of `n` independent trials succeeded.

    It stays inside [0, 1], and has a width also where all or none succeeded. No trial says nothing: (0.0, 1.0).

    Example:
        >>> [round(100 * x, 1) for x in wilson_interval(37, 150)]
        [18.5, 32.1]

    Args:
        successes: from 0 to n.
        n: independent trials, at least 0.
        confidence: of the two-sided interval, in (0, 1).
    """
    from scipy.special import ndtri

    if not 0 <= successes <= n or not 0 < confidence < 1:
        raise ValueError(
            f"successes must be from 0 to n and confidence in (0, 1), got {successes} of {n} and {confidence}"
        )
    return _score_interval(successes / n, n, float(ndtri((1 + confidence) / 2))) if n else (0.0, 1.0)


def clustered_interval(
    values: Sequence[int | bool], clusters: Sequence[Hashable], confidence: float = 0.95
) -> Proportion:
    """Return the share of successes among trials that come in clusters, such as the two questions of a pair.

    Wilson's interval for the *effective* number of trials, n divided by the design effect: the cluster-robust
    (linearised) variance of the share, over that of independent trials; with Student's t of `n_clusters - 1` degrees of
    freedom, because that variance was estimated. Chosen over the bootstrap because it is deterministic, and over
    share ± 1.96 standard errors because it stays inside [0, 1].

    The design effect is taken to be at least 1. Whoever gives every pair the same answer twice is right exactly once
    in each: the shares of all pairs are equal, their variance is 0, and that would give an interval without width.
    Here it is never shorter than that of n independent trials. Where all or none succeeded nothing can be told of the
    design effect, and each cluster counts as one trial.

    Example:
        >>> share = clustered_interval([1, 1, 0, 0, 1, 0, 1, 1], [1, 1, 2, 2, 3, 3, 4, 4])
        >>> share.value, round(share.low, 2), round(share.high, 2)
        (0.625, 0.12, 0.95)

    Args:
        values: 0 or 1 for each trial.
        clusters: what each trial belongs to.
        confidence: of the two-sided interval, in (0, 1).
    """
    from scipy.special import stdtrit

    if len(values) != len(clusters) or not set(values) <= {0, 1} or not 0 < confidence < 1:
        raise ValueError(
            f"values must be 0 or 1, as many as clusters, and confidence in (0, 1), got {len(values)} values, "
            f"{len(clusters)} clusters and {confidence}"
        )
    codes = {name: code for code, name in enumerate(dict.fromkeys(clusters))}
    n, groups, successes = len(values), len(codes), sum(values)
    if successes in (0, n):
        low, high = wilson_interval(groups if successes else 0, groups, confidence)
        return Proportion(successes / n if n else None, low, high, n, groups)
    share = successes / n
    if groups == 1:
        return Proportion(share, 0.0, 1.0, n, groups)
    excess = np.bincount([codes[name] for name in clusters], np.array(values, dtype=float) - share)
    variance = groups / (groups - 1) * float(excess @ excess) / n**2
    design_effect = max(1.0, variance / (share * (1 - share) / n))
    low, high = _score_interval(share, n / design_effect, float(stdtrit(groups - 1, (1 + confidence) / 2)))
    return Proportion(share, low, high, n, groups)


def _score_interval(share: float, n: float, z: float) -> tuple[float, float]:
    """Solve |share - p| = z * sqrt(p (1 - p) / n) for p."""
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # Rounding must not move what is exact: nothing succeeded, or everything did.
    return 0.0 if share == 0 else max(0.0, middle - reach), 1.0 if share == 1 else min(1.0, middle + reach)
