"""Do several raters say the same of the same pairs, beyond what chance would give? And how alike are two sets?

Every function takes one rating a pair, and resamples whole pairs: the two questions of a pair never count twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snellen.stats.paired import bootstrap_difference
from snellen.stats.proportions import wilson_interval

MOST_UNDEFINED: Final = 0.05
"""Above this share of resamples in which the coefficient is not defined there is no interval."""

HALF: Final = 0.5
"""Of a pair, what is added where something was never seen."""

Floats = NDArray[np.float64]


class Coefficient(NamedTuple):
    """An agreement coefficient with its interval, of `n` pairs: 1 is perfect, 0 what chance gives, below 0 worse.

    `value` is None where it is not defined: no pairs, or everybody says one and the same of all of them. `low` and
    `high` are None where `undefined`, the share of resamples without a value, is above 0.05: what is rated is so rare
    (or so common) that nothing can be said.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    undefined: float


class Likeness(NamedTuple):
    """A mean from 0 to 1 with its interval, of `n` pairs; `value` is None where there are none."""

    value: float | None
    low: float
    high: float
    n: int


def cohen_kappa(
    a: ArrayLike, b: ArrayLike, *, resamples: int = 10_000, seed: int = 0, confidence: float = 0.95
) -> Coefficient:
    """Compare two raters who say yes or no of the same pairs.

    Cohen's kappa (Educational and Psychological Measurement 20, 1960, pp. 37-46): (agreement - chance) / (1 - chance),
    chance from each rater's own share of yes. The interval is the percentile interval of the bootstrap over pairs.
    The bootstrap cannot draw what was never seen: where both never say yes of one pair, say, or never differ, it would
    be far too short, or have no width. So where one of the four cells of the table is empty, half a pair is added to
    each before drawing; the value is not touched. Equal arguments give equal numbers (PCG64).

    Kappa falls where yes is rare, however often both agree: read the plain agreement, and how often each said yes,
    beside it.

    Example:
        >>> found = cohen_kappa([1, 1, 0, 0, 1, 0, 0, 1], [1, 0, 0, 0, 1, 0, 1, 1])  # 6 of 8 agree, chance 1/2
        >>> found.value, found.n
        (0.5, 8)

    Args:
        a: bool or 0 and 1 [n], what the first rater says of each pair.
        b: the same for the second, in the same order.
        resamples: how often n pairs are drawn.
        seed: of the draws.
        confidence: of the two-sided interval, in (0, 1).

    Raises:
        ValueError: they are not as many of each, or hold anything but 0 and 1.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape or not np.isin([first, second], (0, 1)).all():
        raise ValueError(f"a and b must hold 0 or 1 for each of the same pairs, got {first.shape} and {second.shape}")
    kinds = [
        _Kind(float(np.sum((first == one) & (second == other))), 2, one + other, one, other)
        for one in (0, 1)
        for other in (0, 1)
    ]
    unseen = [HALF * any(kind.pairs == 0 for kind in kinds)] * 4
    return _coefficient(kinds, unseen, True, resamples, seed, confidence)


def krippendorff_alpha(
    ratings: ArrayLike, *, resamples: int = 10_000, seed: int = 0, confidence: float = 0.95
) -> Coefficient:
    """Compare any number of raters who say yes, no or nothing of the same pairs.

    Krippendorff's alpha for two nominal values (Content Analysis, 4th edition, 2019, section 12.3): 1 - observed
    disagreement / disagreement expected by chance, chance from the shares of yes of all raters together. Pairs that
    fewer than two raters rated count for nothing. With every rating there it is Fleiss' kappa, corrected for a small
    sample: 1 - alpha = (1 - kappa) * (N - 1) / N, N ratings in all. The interval is as in `cohen_kappa`, with half a
    pair for all saying yes, all saying no, and differing, where one of these was never seen.

    Example:
        >>> found = krippendorff_alpha([[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 0, float("nan")]])
        >>> round(found.value, 4), found.n
        (0.6667, 4)

    Args:
        ratings: [raters, n], 1 yes, 0 no, NaN nothing.
        resamples: how often n pairs are drawn.
        seed: of the draws.
        confidence: of the two-sided interval, in (0, 1).

    Raises:
        ValueError: it is no table of 0, 1 and NaN of at least two raters.
    """
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2 or len(table) < 2 or not (np.isin(table, (0, 1)) | np.isnan(table)).all():
        raise ValueError(f"ratings must be 0, 1 or NaN, a row for each of two raters or more, got shape {table.shape}")
    there = (~np.isnan(table)).sum(axis=0)
    said = Counter(zip(there.tolist(), (table == 1).sum(axis=0).tolist(), strict=True))
    most = max((rated for rated, _ in said), default=0)
    kinds = [
        _Kind(float(said[one]), *one)
        for one in sorted({*said, *((most, yes) for yes in range(most + 1))})
        if one[0] > 1
    ]
    # all say no, all say yes, or they differ
    groups = [(kind.yes > 0) + (kind.yes == kind.rated) for kind in kinds]
    seen = {group for group, kind in zip(groups, kinds, strict=True) if kind.pairs}
    among = Counter(group for group, kind in zip(groups, kinds, strict=True) if kind.rated == most)
    unseen = [
        HALF / among[group] if len(seen) < 3 and kind.rated == most else 0.0
        for group, kind in zip(groups, kinds, strict=True)
    ]
    return _coefficient(kinds, unseen, False, resamples, seed, confidence)


def jaccard(
    a: Sequence[AbstractSet[str]],
    b: Sequence[AbstractSet[str]],
    *,
    resamples: int = 10_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Likeness:
    """Return how alike two raters' sets are: what both name over what either names, on average over pairs.

    Two empty sets are alike (1). The interval is the percentile interval of the bootstrap over pairs; where that has no
    width, the pairs that might be otherwise are at most Wilson's upper bound of none in n, which is its reach.

    Example:
        >>> found = jaccard([{"count"}, {"color", "state"}, set()], [{"count"}, {"color"}, {"text"}])
        >>> found.value, found.n
        (0.5, 3)

    Args:
        a: The first rater's set for each pair.
        b: The second's, in the same order.
        resamples: how often n pairs are drawn.
        seed: of the draws.
        confidence: of the two-sided interval, in (0, 1).

    Raises:
        ValueError: they are not as many of each.
    """
    if len(a) != len(b):
        raise ValueError(f"a and b must hold a set for each of the same pairs, got {len(a)} and {len(b)}")
    n = len(a)
    if n == 0:
        return Likeness(None, 0.0, 1.0, 0)
    alike = [len(one & other) / len(one | other) if one | other else 1.0 for one, other in zip(a, b, strict=True)]
    found = bootstrap_difference([0.0] * n, alike, resamples=resamples, seed=seed, confidence=confidence)
    if found.low == found.high:
        reach = wilson_interval(0, n, confidence)[1]
        return Likeness(found.value, max(0.0, found.value - reach), min(1.0, found.value + reach), n)
    return Likeness(*found)


class _Kind(NamedTuple):
    """Pairs of which the same was said: how many; of how many ratings how many were yes, the first's and second's."""

    pairs: float
    rated: int
    yes: int
    first: int = 0
    second: int = 0


def _coefficient(
    kinds: Sequence[_Kind], unseen: Sequence[float], two: bool, resamples: int, seed: int, confidence: float
) -> Coefficient:
    """Compute a coefficient and its interval.

    A pair counts only by what was said of it, so drawing n pairs with replacement is drawing the number of each kind
    from a multinomial distribution. `unseen` is what is added to the kinds before that, see `cohen_kappa`.
    """
    if resamples < 1 or not 0 < confidence < 1:
        raise ValueError(f"resamples must be at least 1 and confidence in (0, 1), got {resamples} and {confidence}")
    counts = np.array([kind.pairs for kind in kinds])
    n = int(counts.sum())
    if n == 0:
        return Coefficient(None, None, None, 0, 1.0)
    agreement = _of_two if two else _of_many
    [value] = agreement(counts[np.newaxis], kinds)
    if np.isnan(value):
        return Coefficient(None, None, None, n, 1.0)
    weights = counts + np.array(unseen)
    rng = np.random.Generator(np.random.PCG64(seed))
    drawn = agreement(rng.multinomial(n, weights / weights.sum(), size=resamples).astype(np.float64), kinds)
    undefined = float(np.isnan(drawn).mean())
    if undefined > MOST_UNDEFINED:
        return Coefficient(float(value), None, None, n, undefined)
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail])
    return Coefficient(float(value), float(min(low, value)), float(max(high, value)), n, undefined)


def _of_two(counts: Floats, kinds: Sequence[_Kind]) -> Floats:
    """Cohen's kappa of [resamples, kinds] counts; NaN where it is not defined."""
    n = counts.sum(axis=1)
    first, second = (
        counts @ np.array(yes, dtype=np.float64) for yes in zip(*(kind[3:] for kind in kinds), strict=True)
    )
    agreed = counts @ np.array([float(kind.first == kind.second) for kind in kinds])
    chance = first * second + (n - first) * (n - second)  # times n * n, so that all of it is whole numbers
    return _ratio(agreed * n - chance, n * n - chance)


def _of_many(counts: Floats, kinds: Sequence[_Kind]) -> Floats:
    """Krippendorff's alpha of [resamples, kinds] counts; NaN where it is not defined."""
    apart = counts @ np.array([2 * kind.yes * (kind.rated - kind.yes) / (kind.rated - 1) for kind in kinds])
    ratings, yes = (
        counts @ np.array(each, dtype=np.float64) for each in zip(*(kind[1:3] for kind in kinds), strict=True)
    )
    expected = 2 * yes * (ratings - yes)
    return _ratio(expected - apart * (ratings - 1), expected)


def _ratio(above: Floats, below: Floats) -> Floats:
    found: Floats = np.full(len(below), np.nan)
    np.divide(above, below, out=found, where=below > 0)
    return found
