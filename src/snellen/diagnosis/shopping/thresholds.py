"""Thresholds that mean the same for every encoder: the same rank among the same pairs, not the same cosine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]


def above_rank(cosines: Float64Array, count: int) -> float:
    """Return the cosine that at most `count` of the pairs lie strictly above: exactly so many, where none are equal.

    Where the blind encoder has `count` pairs above its own threshold, these are another encoder's most alike pairs,
    as many of them.

    Example:
        >>> above_rank(np.array([0.1, 0.9, 0.5, 0.7]), 2)
        0.5

    Args:
        cosines: float64 [pairs], at least one.
        count: from 0 to the number of pairs; all pairs lie above minus infinity.
    """
    _check(cosines, count)
    at = len(cosines) - count - 1
    return float(np.partition(cosines, at)[at]) if at >= 0 else -np.inf


def below_rank(cosines: Float64Array, count: int) -> float:
    """Return the cosine that at most `count` of the pairs lie strictly below: exactly so many, where none are equal.

    Example:
        >>> below_rank(np.array([0.1, 0.9, 0.5, 0.7]), 2)
        0.7

    Args:
        cosines: float64 [pairs], at least one.
        count: from 0 to the number of pairs; all pairs lie below infinity.
    """
    _check(cosines, count)
    return float(np.partition(cosines, count)[count]) if count < len(cosines) else np.inf


def _check(cosines: Float64Array, count: int) -> None:
    if cosines.ndim != 1 or not len(cosines) or not 0 <= count <= len(cosines):
        raise ValueError(f"count must be from 0 to the number of cosines, got {count} of shape {cosines.shape}")
