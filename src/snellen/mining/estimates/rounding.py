"""Numbers that are not known exactly, as people say them."""

from __future__ import annotations


def rough(count: int, way: int = 0) -> int:
    """Round to three digits.

    Example:
        >>> rough(1_234_567), rough(1_234_567, 1), rough(1_239_567, -1), rough(42)
        (1230000, 1240000, 1230000, 42)

    Args:
        count: at least 0.
        way: 0: to the nearest, 1: up, -1: down.
    """
    unit: int = 10 ** max(len(str(count)) - 3, 0)
    added = {-1: 0, 0: unit // 2, 1: unit - 1}[way]
    return (count + added) // unit * unit


def duration(seconds: float) -> str:
    """Say a rough time: "12 s", "5 min", "3.2 h".

    Example:
        >>> duration(0.4), duration(299), duration(11_500)
        ('1 s', '5 min', '3.2 h')
    """
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
