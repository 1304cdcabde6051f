"""Can a printed percentage be a share of so many pairs? Then it is one of the few values on their grid."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from math import ceil, floor


def on_grid(printed: str | float, n: int, decimals: int = 1) -> tuple[int, ...]:
    """Return every count k of n that can be printed so, as 100 k / n with so many decimals; empty where none can.

    The arithmetic is exact. What lies half-way may have been rounded either way: printers differ. A value on no grid of
    n pairs is not the score of one run over n pairs: it is a mean of several, or of another unit, or of another n.

    Example:
        >>> on_grid(24.7, 150), on_grid(19.0, 150), on_grid("33.3", 2000)
        ((37,), (), (665, 666, 667))

    Args:
        printed: a percentage, as text or number.
        n: how many pairs, at least 1.
        decimals: how many were printed, at least 0; a value with more of them is on no grid.
    """
    try:
        value = Decimal(str(printed))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or n < 1 or decimals < 0:
        raise ValueError(
            f"printed must be a finite percentage, n at least 1 and decimals at least 0, got {printed!r}, {n} and "
            f"{decimals}"
        )
    step = Fraction(1, 10**decimals)
    if Fraction(value) % step:
        return ()
    middle, reach = Fraction(value) * n / 100, step * n / 200
    return tuple(range(max(0, ceil(middle - reach)), min(n, floor(middle + reach)) + 1))
