"""The interval and the test of a share of held-out pairs, whose folds have trained one another's probes."""

from __future__ import annotations

from math import sqrt

from snellen.probes.ridge import Floats


def permutation_p(observed: float, null: Floats) -> float:
    """Return the one-sided p of a share right: how often a shuffle is at least as good, itself counted as one.

    Example:
        >>> permutation_p(0.7, np.array([0.5, 0.6, 0.7]))
        0.5
    """
    return float((1 + (null >= observed - 1e-9).sum()) / (1 + len(null)))


def design_effect(null: Floats, n: int) -> float:
    """Return how much more the share right of n pairs varies from shuffle to shuffle than that of n coins; at least 1.

    Cross-validated pairs are not independent: pair i trains the probe that reads pair j, and j the one that reads i,
    and both are right or wrong by the same product of labels. Pairs of one unit are right or wrong together.

    Args:
        null: [shuffles], the share right under each.
        n: pairs.
    """
    return max(1.0, float(null.var()) * 4 * n)


def wilson_of_effective(share: float, n: int, effect: float, confidence: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval of a share, as if it were of n / `effect` independent pairs.

    Args:
        share: in [0, 1].
        n: pairs, at least 1.
        effect: design effect, at least 1.
        confidence: of the two-sided interval, in (0, 1).
    """
    from scipy.special import ndtri

    if not 0 <= share <= 1 or n < 1 or effect < 1 or not 0 < confidence < 1:
        raise ValueError(
            f"share must lie in [0, 1], n and effect be at least 1 and confidence in (0, 1), got {share}, {n}, "
            f"{effect} and {confidence}"
        )
    z, size = float(ndtri((1 + confidence) / 2)), n / effect
    middle = (share + z * z / (2 * size)) / (1 + z * z / size)
    reach = z * sqrt(share * (1 - share) / size + z * z / (4 * size * size)) / (1 + z * z / size)
    # Rounding must not move what is exact: no pair right, or all.
    return 0.0 if share == 0 else max(0.0, middle - reach), 1.0 if share == 1 else min(1.0, middle + reach)
