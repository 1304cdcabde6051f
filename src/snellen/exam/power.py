"""The verb `power`: how many pairs do I need, and what can those that I have show?"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from math import ceil, floor
from typing import Final

from snellen import stats
from snellen.errors import UsageError

DISCORDANCES: Final = tuple(range(10, 101, 10))
"""Percent of pairs, tabled where no discordance is stated: the first five that can bear the difference."""


@dataclass(frozen=True, slots=True)
class Precision:
    """`n_pairs` give an accuracy an interval of at most ± `half_width_points`."""

    accuracy_percent: float
    half_width_points: float
    n_pairs: int


@dataclass(frozen=True, slots=True)
class FromChance:
    """`n_pairs` tell an accuracy from chance, by the exact one-sided binomial test, with `power` or more."""

    accuracy_percent: float
    chance_percent: float
    n_pairs: int
    power: float


@dataclass(frozen=True, slots=True)
class TwoModels:
    """`n_pairs` show a difference of two pair accuracies, by McNemar's exact test, with `power` or more.

    `power_of_pairs` is what the number of pairs that was asked about has; None where none was.
    """

    difference_points: float
    discordance_percent: float
    n_pairs: int
    power: float
    power_of_pairs: float | None


@dataclass(frozen=True, slots=True)
class Smallest:
    """The smallest difference that can be shown at a discordance; None: not even the greatest."""

    discordance_percent: float
    difference_points: float | None


@dataclass(frozen=True, slots=True)
class Shown:
    """What `n_pairs` can show.

    `half_width_points` is of the interval of `accuracy_percent`, or where that is None of any accuracy, at most.
    `least_above_chance` is how many right pairs are significantly more than chance; None: not even all.
    """

    n_pairs: int
    accuracy_percent: float | None
    half_width_points: float
    chance_percent: float
    least_above_chance: int | None
    differences: tuple[Smallest, ...]


@dataclass(frozen=True, slots=True)
class Observed:
    """A printed pair accuracy, and the counts of right pairs that are printed so: none, and it is not one run.

    `low_percent` and `high_percent` are Wilson's interval of those counts, or, where there are none, from the lower end
    for the count below to the upper end for the count above (`between`).
    """

    printed: str
    n_pairs: int
    counts: tuple[int, ...]
    between: tuple[int, int] | None
    low_percent: float
    high_percent: float


@dataclass(frozen=True, slots=True)
class Plan:
    """All answers; None or empty where a question was not asked."""

    power: float
    level: float
    confidence: float
    precision: Precision | None
    from_chance: FromChance | None
    two_models: tuple[TwoModels, ...]
    shown: Shown | None
    observed: Observed | None


def power(
    *,
    pairs: int | None = None,
    accuracy: float | None = None,
    half_width: float | None = None,
    difference: float | None = None,
    discordance: float | None = None,
    observed: str | float | None = None,
    chance: float = 25.0,
    power: float = 0.8,
    level: float = 0.05,
    confidence: float = 0.95,
) -> Plan:
    """Say how many pairs are needed, and what a number of pairs can show.

    Needed is the smallest number from which on the power is never again below the target (`snellen.stats.power`).

    Args:
        pairs: what can so many pairs show?
        accuracy: in percent: how many pairs tell it from chance, and with `half_width`, how many make it so precise?
        half_width: in points, of the interval of `accuracy`.
        difference: in points of pair accuracy: how many pairs show it between two models?
        discordance: in percent of pairs, those that just one of the two models has right; by default several are
            tabled.
        observed: a pair accuracy in percent, as printed for `pairs` pairs: its interval, and can it be one run?
        chance: in percent.
        power: probability of a significant result that is wanted.
        level: of the tests.
        confidence: of the intervals.

    Raises:
        UsageError: nothing is asked, or an argument is missing or out of range.
    """
    _check(pairs, accuracy, half_width, difference, discordance, chance)
    if not 0 < level < power < 1 or not 0 < confidence < 1:
        raise UsageError(
            f"level {level:g}, power {power:g} and confidence {confidence:g} must lie in (0, 1), power above level."
        )
    if observed is not None and pairs is None:
        raise UsageError("The value printed is of how many pairs? Give pairs too.")
    if pairs is None and accuracy is None and difference is None:
        raise UsageError(
            "Nothing is asked: give pairs (what can they show?), accuracy (how many pairs tell it from chance, or with "
            "half_width make it precise?), difference (how many show it between two models?), or observed with pairs."
        )
    try:
        return Plan(
            power=power,
            level=level,
            confidence=confidence,
            precision=_precision(accuracy, half_width, confidence),
            from_chance=_from_chance(accuracy, chance, power, level),
            two_models=_two_models(pairs, difference, discordance, power, level),
            shown=_shown(pairs, accuracy, discordance, chance, power, level, confidence),
            observed=None if observed is None or pairs is None else _observed(str(observed), pairs, confidence),
        )
    except ValueError as error:
        raise UsageError(f"That cannot be planned: {error}.") from None


def _check(
    pairs: int | None,
    accuracy: float | None,
    half_width: float | None,
    difference: float | None,
    discordance: float | None,
    chance: float,
) -> None:
    if accuracy is not None and accuracy == chance and half_width is None:
        raise UsageError(
            f"accuracy {accuracy:g} is chance, from which no number of pairs tells it: give --half-width, or another."
        )
    if pairs is not None and not 1 <= pairs <= 1_000_000:
        raise UsageError(f"pairs {pairs} must be from 1 to 1,000,000.")
    for name, value in (("accuracy", accuracy), ("discordance", discordance), ("chance", chance)):
        if value is not None and not (value == 0 or 1 <= value <= 100):
            raise UsageError(f"{name} {value:g} must be in percent, from 1 to 100: 40, not 0.4.")
    if not 0 < chance < 100:
        raise UsageError(f"chance {chance:g} must lie between 0 and 100 percent.")
    if discordance == 0:
        raise UsageError("discordance must be above 0: two models that never differ have no difference.")
    if half_width is not None and accuracy is None:
        raise UsageError("half_width is of which accuracy? Give accuracy too (50 needs the most pairs).")
    if half_width is not None and not 0.01 <= half_width < 50:
        raise UsageError(f"half_width {half_width:g} must be in points, at least 0.01 and below 50.")
    if difference is not None and not 0 < difference <= (100 if discordance is None else discordance):
        raise UsageError(
            f"difference {difference:g} must be points, above 0 and at most the discordance, which is the percentage "
            "of pairs that just one of the two models has right."
        )


def _precision(accuracy: float | None, half_width: float | None, confidence: float) -> Precision | None:
    if accuracy is None or half_width is None:
        return None
    n = stats.pairs_for_half_width(accuracy / 100, half_width / 100, confidence)
    return Precision(accuracy, half_width, n)


def _from_chance(accuracy: float | None, chance: float, power: float, level: float) -> FromChance | None:
    if accuracy is None or accuracy == chance:
        return None
    found = stats.pairs_from_chance(accuracy / 100, chance / 100, power=power, level=level)
    return FromChance(accuracy, chance, found.n, found.power)


def _two_models(
    pairs: int | None, difference: float | None, discordance: float | None, power: float, level: float
) -> tuple[TwoModels, ...]:
    if difference is None:
        return ()
    tabled = [each for each in DISCORDANCES if each >= difference][:5] if discordance is None else [discordance]
    rows = []
    for each in tabled:
        found = stats.pairs_for_difference(difference / 100, each / 100, power=power, level=level)
        reached = None if pairs is None else stats.mcnemar_power(pairs, difference / 100, each / 100, level)
        rows.append(TwoModels(difference, each, found.n, found.power, reached))
    return tuple(rows)


def _shown(
    pairs: int | None,
    accuracy: float | None,
    discordance: float | None,
    chance: float,
    power: float,
    level: float,
    confidence: float,
) -> Shown | None:
    if pairs is None:
        return None
    smallest = []
    for each in DISCORDANCES[:5] if discordance is None else (discordance,):
        found = stats.smallest_difference(pairs, each / 100, power=power, level=level)
        smallest.append(Smallest(each, None if found is None else 100 * found))
    widest = 0.5 if accuracy is None else accuracy / 100
    return Shown(
        n_pairs=pairs,
        accuracy_percent=accuracy,
        half_width_points=100 * stats.wilson_half_width(widest, pairs, confidence),
        chance_percent=chance,
        least_above_chance=stats.least_above_chance(pairs, chance / 100, level),
        differences=tuple(smallest),
    )


def _observed(printed: str, pairs: int, confidence: float) -> Observed:
    text = printed.strip().removesuffix("%").strip()
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not 0 <= value <= 100:
        raise UsageError(f"observed {printed!r} must be a percentage from 0 to 100, as it was printed.")
    exponent = value.as_tuple().exponent
    counts = stats.on_grid(text, pairs, max(0, -exponent) if isinstance(exponent, int) else 0)
    share = value * pairs / 100
    between = None if counts else (floor(share), ceil(share))
    ends = (counts[0], counts[-1]) if between is None else between
    low, high = (stats.wilson_interval(end, pairs, confidence)[side] for side, end in enumerate(ends))
    return Observed(text, pairs, counts, between, 100 * low, 100 * high)
