"""Several tests at once: p values that allow for it."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p values, in the order given (Holm 1979, Scandinavian Journal of Statistics 6).

    Whoever calls all tests with an adjusted p of at most 0.05 significant errs in any of them with probability at most
    0.05, however the tests depend on each other. The i-th smallest of m is multiplied by m - i + 1, is at least what
    the one before it became, and at most 1.

    Example:
        >>> [round(p, 2) for p in holm([0.01, 0.04, 0.03])]
        [0.03, 0.06, 0.06]

    Args:
        p_values: float [m], each in [0, 1]; it may be empty.
    """
    from statsmodels.stats.multitest import multipletests

    if not all(0 <= p <= 1 for p in p_values):
        raise ValueError(f"p values must lie in [0, 1], got {list(p_values)}")
    if not p_values:
        return []
    return [float(p) for p in multipletests(p_values, method="holm")[1]]
