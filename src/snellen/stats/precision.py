"""How wide is an interval, and how many pairs make it narrow enough?"""

from __future__ import annotations

from math import sqrt


def wilson_half_width(share: float, n: int, confidence: float = 0.95) -> float:
    """Return half the width of Wilson's interval where `share` of n pairs succeeded.

    It falls as n grows, and is widest at a share of 1/2. Wilson's interval is not centred on the share.

    Example:
        >>> round(wilson_half_width(0.5, 150), 3)
        0.079

    Args:
        share: in [0, 1].
        n: pairs, at least 1.
        confidence: of the two-sided interval, in (0, 1).
    """
    from scipy.special import ndtri

    if not 0 <= share <= 1 or n < 1 or not 0 < confidence < 1:
        raise ValueError(
            f"share must lie in [0, 1], n be at least 1 and confidence in (0, 1), got {share}, {n} and {confidence}"
        )
    z = float(ndtri((1 + confidence) / 2))
    return z * sqrt(share * (1 - share) * n + z * z / 4) / (n + z * z)


def pairs_for_half_width(share: float, half_width: float, confidence: float = 0.95) -> int:
    """Return the smallest n for which Wilson's interval, where `share` is seen, is at most ± `half_width`.

    Example:
        >>> pairs_for_half_width(0.4, 0.05)
        366

    Args:
        share: in [0, 1].
        half_width: at least 1/10,000, below 1/2.
        confidence: of the two-sided interval, in (0, 1).
    """
    if not 1e-4 <= half_width < 0.5:
        raise ValueError(f"half_width must be at least 0.0001 and below 0.5, got {half_width}")
    low, high = 0, 1
    while wilson_half_width(share, high, confidence) > half_width:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if wilson_half_width(share, middle, confidence) > half_width else (low, middle)
    return high
