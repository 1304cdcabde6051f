"""Image scores of every encoder, overall and by visual pattern, and whether they differ: the paper's Table 1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal

import numpy as np

from snellen.diagnosis.shopping.nouns import Candidate
from snellen.diagnosis.shopping.partners import paired_difference
from snellen.diagnosis.shopping.rescue import share
from snellen.errors import UsageError
from snellen.jsonl import quoted
from snellen.records import Match
from snellen.stats import Correlation, Difference, Proportion, holm, mcnemar, pearson, wilson_interval

RESAMPLES: Final = 10_000


@dataclass(frozen=True)
class Scores:
    """Shares of pairs that an encoder gets right: overall, the image score by pattern, and their plain average.

    `average` is the mean over patterns, which weighs each alike, as the paper's last column does; None without
    patterns, or where one of them has no pair.
    """

    image: Proportion
    text: Proportion
    group: Proportion
    patterns: Mapping[str, Proportion]
    average: Proportion | None


@dataclass(frozen=True, slots=True)
class Contrast:
    """One encoder's image score minus the base's, over the pairs that both were matched on.

    `difference` is in [-1, 1], with the paired bootstrap's interval; `p` is of McNemar's exact test, `p_holm` adjusted.
    """

    label: str
    base: str
    difference: Difference
    base_only: int
    other_only: int
    p: float
    p_holm: float


@dataclass(frozen=True)
class Base:
    """Whom the others are compared with, and why; `tests`: over how many tests Holm's method adjusts p."""

    label: str
    how: Literal["named", "highest image score"]
    tests: int


def scores(matches: Mapping[str, Match], patterns: Mapping[str, frozenset[str]]) -> Scores:
    """Count an encoder's right pairs; intervals are Wilson's, and the pair is the unit."""
    listed = list(matches.values())
    by_pattern = {
        name: _share(matches[pair].image_score for pair in sorted(members) if pair in matches)
        for name, members in patterns.items()
    }
    return Scores(
        image=_share(match.image_score for match in listed),
        text=_share(match.text_score for match in listed),
        group=_share(match.group_score for match in listed),
        patterns=by_pattern,
        average=average(matches, patterns),
    )


def average(matches: Mapping[str, Match], patterns: Mapping[str, frozenset[str]], seed: int = 0) -> Proportion | None:
    """Return the mean of the patterns' image scores, each weighed alike, with its 95 % interval.

    Percentile bootstrap over pairs, all patterns of a pair together; patterns that no pair was drawn of are left out of
    that mean. It is never shorter than Wilson's interval of the same share of as many pairs, which stands alone where
    all pairs are right, or none: a pattern of which all pairs are alike has no width in the bootstrap.

    Returns:
        None without patterns, or where one of them has no pair; else `n` counts the pairs that have a pattern.
    """
    names = sorted({name for members in patterns.values() for name in members} & set(matches))
    belongs = np.array([[name in members for members in patterns.values()] for name in names], dtype=np.float64)
    if not names or not belongs.any(axis=0).all():
        return None
    right = np.array([matches[name].image_score for name in names], dtype=np.float64)
    value = float(((right @ belongs) / belongs.sum(axis=0)).mean())
    n, hits = len(names), int(right.sum())
    if hits in (0, n):
        return Proportion(value, *wilson_interval(hits, n), n, n)
    rng = np.random.Generator(np.random.PCG64(seed))
    counts = rng.multinomial(n, [1 / n] * n, size=RESAMPLES).astype(np.float64)
    with np.errstate(invalid="ignore"):
        means = np.nanmean((counts * right) @ belongs / (counts @ belongs), axis=1)
    drawn = np.quantile(means, [0.025, 0.975])
    low, high = wilson_interval(round(value * n), n)
    return Proportion(value, min(low, float(drawn[0])), max(high, float(drawn[1])), n, n)


def contrasts(candidates: Sequence[Candidate], base: str | None, seed: int = 0) -> tuple[Base | None, list[Contrast]]:
    """Compare every encoder that was matched with the base: the named one, or the one with the highest image score.

    A base that was named beforehand is compared with each other encoder, and p is adjusted for those tests. A base
    that is picked for its score is picked by the same data, so that p is adjusted for the tests of all twos.

    Raises:
        UsageError: the base is not among the encoders that were matched.
    """
    matched = {each.label: each.matches for each in candidates if each.matches}
    if base is not None and base not in matched:
        known = ", ".join(matched) or "none"
        raise UsageError(f"The base {quoted(base)} has no image score on this benchmark: choose one of {known}.")
    if not matched:
        return None, []
    how: Literal["named", "highest image score"] = "named" if base else "highest image score"
    best = base or min(matched, key=lambda label: (-_value(matched[label]), label))
    others = [label for label in matched if label != best]
    twos = [(best, other) for other in others]
    if base is None:
        twos += [two for two in combinations(others, 2)]
    tests = {two: mcnemar(*_discordant(matched[two[0]], matched[two[1]])) for two in twos}
    adjusted = dict(zip(tests, holm([test.p for test in tests.values()]), strict=True))
    found = []
    for two in twos[: len(others)]:
        common = sorted(set(matched[two[0]]) & set(matched[two[1]]))
        if not common:
            continue
        a, b = ([float(matched[label][pair].image_score) for pair in common] for label in two)
        test = tests[two]
        difference = paired_difference(a, b, seed)
        found.append(Contrast(two[1], best, difference, test.a_only, test.b_only, test.p, adjusted[two]))
    return Base(best, how, len(tests)), found


def against_zeroshot(candidates: Iterable[Candidate]) -> Correlation:
    """Correlate image score with zero-shot top-1 accuracy over the encoders that have both."""
    both = [
        (_value(each.matches), each.zeroshot.top1.value)
        for each in candidates
        if each.matches and each.zeroshot and each.zeroshot.top1.value is not None
    ]
    return pearson([x for x, _ in both], [y for _, y in both])


def _value(matches: Mapping[str, Match]) -> float:
    return sum(match.image_score for match in matches.values()) / len(matches)


def _discordant(a: Mapping[str, Match], b: Mapping[str, Match]) -> tuple[int, int]:
    both = [(a[name].image_score, b[name].image_score) for name in set(a) & set(b)]
    return both.count((True, False)), both.count((False, True))


def _share(rights: Iterable[bool]) -> Proportion:
    listed = list(rights)
    return share(sum(listed), len(listed))
