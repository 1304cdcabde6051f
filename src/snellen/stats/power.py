"""How many pairs? Exact powers of exact tests, by enumeration.

An exact test rejects at whole counts only, so its power is a saw: with one pair more it can fall. What is returned as
needed is the smallest n from which on the power is *never again* below the target. That no tooth further up dips below
is not looked for up to some end, but follows from Hoeffding's inequality: the test misses with probability at most
exp(-2 (d sqrt(n) - sqrt(ln(1 / tail) / 2) - 1 / sqrt(n))^2), d the distance of truth and null, and that falls with n.
"""

from __future__ import annotations

from math import ceil, log, sqrt
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

MOST_TRIALS: Final = 2_000_000
"""Plans that would have to look at more trials than this are refused."""

_NEGLIGIBLE: Final = 1e-15
"""Probability on either side that sums over a binomial leave out."""


class PairsNeeded(NamedTuple):
    """`n` pairs have `power`, and no greater number of pairs has less than was asked for."""

    n: int
    power: float


# -- one model against chance ---------------------------------------------------------------------------------------


def least_above_chance(n: int, chance: float = 0.25, level: float = 0.05) -> int | None:
    """Return the fewest right pairs of n that the exact one-sided binomial test tells from chance; None: not even n.

    Example:
        >>> least_above_chance(150), least_above_chance(15), least_above_chance(2)
        (47, 8, None)

    Args:
        n: pairs, at least 1.
        chance: in (0, 1).
        level: of the test, in (0, 1).
    """
    if n < 1 or not 0 < chance < 1 or not 0 < level < 1:
        raise ValueError(f"n must be at least 1, chance and level in (0, 1), got {n}, {chance} and {level}")
    count = int(_critical(np.array([n]), chance, level)[0])
    return count if count <= n else None


def pairs_from_chance(accuracy: float, chance: float = 0.25, *, power: float = 0.8, level: float = 0.05) -> PairsNeeded:
    """Return how many pairs tell an accuracy from chance by the exact one-sided binomial test.

    One-sided, on the side on which the accuracy is stated to be. See the module for what is returned.

    Example:
        >>> pairs_from_chance(0.4).n
        68

    Args:
        accuracy: what the model is taken to be able to, in [0, 1], not chance.
        chance: in (0, 1).
        power: probability of a significant result that is wanted, in (0, 1).
        level: of the test, in (0, 1).

    Raises:
        ValueError: an argument is out of range, or the two are so near that over `MOST_TRIALS` pairs are needed.
    """
    _check_plan(power, level)
    if not 0 <= accuracy <= 1 or not 0 < chance < 1 or accuracy == chance:
        raise ValueError(f"accuracy must lie in [0, 1], chance in (0, 1), and differ, got {accuracy} and {chance}")
    truth, null = (accuracy, chance) if accuracy > chance else (1 - accuracy, 1 - chance)
    n = np.arange(1, _promised(truth - null, level, 1 - power) + 1)
    powers = _upper_power(n, null, truth, level)
    below = np.flatnonzero(powers < power)
    first = int(below[-1]) + 1 if len(below) else 0
    return PairsNeeded(int(n[first]), float(powers[first]))


# -- two models -----------------------------------------------------------------------------------------------------


def mcnemar_power(n: int, difference: float, discordance: float, level: float = 0.05) -> float:
    """Return the probability that McNemar's exact test is significant over n pairs.

    Exact and unconditional: summed over how many pairs are discordant, binomial(n, discordance), and over how they
    split, binomial with probability 1/2 + |difference| / (2 discordance). Both tails count, as for the test.

    Example:
        >>> round(mcnemar_power(10, 0.8, 1.0), 4)  # significant where 9 or 10 of 10, or none or 1, are b's
        0.7361

    Args:
        n: pairs, at least 0.
        difference: of the two true pair accuracies, at most the discordance either way.
        discordance: probability that exactly one model has a pair right, in (0, 1].
        level: of the test, in (0, 1).
    """
    _check_mcnemar(difference, discordance, level)
    if n < 0:
        raise ValueError(f"n must be at least 0, got {n}")
    counts, weights = _discordant(n, discordance)
    return float(weights @ _mcnemar_given(counts, difference, discordance, level))


def pairs_for_difference(
    difference: float, discordance: float, *, power: float = 0.8, level: float = 0.05
) -> PairsNeeded:
    """Return how many pairs show a stated difference of two pair accuracies by McNemar's exact test.

    See `mcnemar_power`, and the module for what is returned.

    Example:
        >>> pairs_for_difference(0.1, 0.2).n
        168

    Args:
        difference: of the two true pair accuracies, not 0, at most the discordance either way.
        discordance: probability that exactly one model has a pair right, in (0, 1].
        power: probability of a significant result that is wanted, in (0, 1).
        level: of the test, in (0, 1).

    Raises:
        ValueError: an argument is out of range, or the difference is so small that over `MOST_TRIALS` discordant pairs
            would have to be looked at.
    """
    from scipy.stats import binom

    _check_mcnemar(difference, discordance, level)
    _check_plan(power, level)
    if difference == 0:
        raise ValueError("a difference of 0 cannot be shown")
    miss = (1 - power) / 100
    most = _promised(abs(difference) / (2 * discordance), level / 2, miss)
    given = _mcnemar_given(np.arange(most + 1), difference, discordance, level)
    # Of all numbers of discordant pairs from m on, the worst: it rises with m, and its mean over binomial(n, .) with n.
    worst = np.minimum.accumulate(np.minimum(given, 1 - miss)[::-1])[::-1]

    def at_least(n: int) -> float:
        counts, weights = _discordant(n, discordance)
        return float(weights @ worst[np.minimum(counts, most)])

    low, high = 0, 1
    while at_least(high) < power:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if at_least(middle) < power else (low, middle)
    # From `high` on the target is certain. Go down to the last n that misses it.
    given = _mcnemar_given(
        np.arange(int(binom.isf(_NEGLIGIBLE, high, discordance)) + 2), difference, discordance, level
    )
    n, reached = high, 1.0
    while n > 0:
        counts, weights = _discordant(n, discordance)
        now = float(weights @ given[counts])
        if now < power:
            break
        n, reached = n - 1, now
    return PairsNeeded(n + 1, reached)


def smallest_difference(n: int, discordance: float, *, power: float = 0.8, level: float = 0.05) -> float | None:
    """Return the smallest difference of two pair accuracies that n pairs show by McNemar's exact test.

    To six digits, rounded up; None where even the greatest, all discordant pairs one way, is shown too seldom.

    Example:
        >>> round(smallest_difference(150, 0.2), 3)
        0.106

    Args:
        n: pairs, at least 1.
        discordance: probability that exactly one model has a pair right, in (0, 1].
        power: probability of a significant result that is wanted, in (level, 1).
        level: of the test, in (0, 1).
    """
    _check_mcnemar(0.0, discordance, level)
    _check_plan(power, level)
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    if mcnemar_power(n, discordance, discordance, level) < power:
        return None
    low, high = 0.0, discordance
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if mcnemar_power(n, middle, discordance, level) < power else (low, middle)
    return high


# -- enumeration ----------------------------------------------------------------------------------------------------


def _critical(n: NDArray[np.int64], null: float, tail: float) -> NDArray[np.int64]:
    """Return the smallest count k for which P(X >= k) <= tail under binomial(n, null); n + 1 where there is none."""
    from scipy.stats import binom

    count = binom.isf(tail, n, null).astype(np.int64) - 1
    for _ in range(4):
        count += binom.sf(count - 1, n, null) > tail * (1 + 1e-12)
    return np.asarray(count, dtype=np.int64)


def _upper_power(n: NDArray[np.int64], null: float, truth: float, tail: float) -> NDArray[np.float64]:
    from scipy.stats import binom

    return np.asarray(binom.sf(_critical(n, null, tail) - 1, n, truth), dtype=np.float64)


def _mcnemar_given(counts: ArrayLike, difference: float, discordance: float, level: float) -> NDArray[np.float64]:
    """Return the power given how many pairs are discordant."""
    from scipy.stats import binom

    n = np.asarray(counts, dtype=np.int64)
    split = min(1.0, 0.5 + abs(difference) / (2 * discordance))
    critical = _critical(n, 0.5, level / 2)
    return np.asarray(binom.sf(critical - 1, n, split) + binom.cdf(n - critical, n, split), dtype=np.float64)


def _discordant(n: int, discordance: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the numbers of discordant pairs that have a probability worth the name, and these."""
    from scipy.stats import binom

    low, high = binom.ppf(_NEGLIGIBLE, n, discordance), binom.isf(_NEGLIGIBLE, n, discordance)
    counts = np.arange(max(0, int(low) - 1), min(n, int(high) + 1) + 1)
    return counts, binom.pmf(counts, n, discordance)


def _promised(distance: float, tail: float, miss: float) -> int:
    """Return from how many trials on Hoeffding promises that the test misses with probability at most `miss`."""
    reach = sqrt(log(1 / tail) / 2) + sqrt(log(1 / miss) / 2)
    trials = ((reach + sqrt(reach * reach + 4 * distance)) / (2 * distance)) ** 2
    if trials > MOST_TRIALS:
        raise ValueError(f"so small a difference would need up to {trials:,.0f} trials, more than {MOST_TRIALS:,}")
    return ceil(trials)


def _check_plan(power: float, level: float) -> None:
    if not 0 < level < power < 1:
        raise ValueError(f"level and power must lie in (0, 1), power above level, got {level} and {power}")


def _check_mcnemar(difference: float, discordance: float, level: float) -> None:
    if not 0 < discordance <= 1 or not abs(difference) <= discordance * (1 + 1e-12) or not 0 < level < 1:
        raise ValueError(
            "discordance must lie in (0, 1], the difference be at most that, and level lie in (0, 1), got "
            f"{discordance}, {difference} and {level}"
        )
