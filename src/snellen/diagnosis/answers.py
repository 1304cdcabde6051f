"""What a run's answers say of each pair: how often both were right, and whether the contrast was.

One answer proves nothing: a guesser has the contrast right on half of all pairs, and both answers on a quarter. So
every pair is asked in both orders and with at least five label-preserving variants, and binomial tests decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import mean, stdev
from typing import Final

from snellen.benchmarks import Benchmark
from snellen.diagnosis.organs import Hits
from snellen.records import Grade, Key, Question, Response
from snellen.runs.files import Sitting

LEVEL: Final = 0.05
"""Of every one-sided binomial test."""

LEAST_VARIANTS: Final = 5

CLEAR: Final = 1.0
"""Standard deviations over ways of asking that a contrast's mean must be from 0: what is known moves it clearly."""

GUESSER: Final = 0.25
"""A guesser's share of ways of asking with both answers right."""

SEER: Final = 0.75
"""The least share of a model that sees: who falls short of it significantly does not."""


@dataclass(frozen=True)
class Asked:
    """One pair as it counts: its two questions, and the answers that are true, errata applied.

    `bad` says why it is a bad item, None where nothing is known against it.
    """

    a: Question
    b: Question
    answer_a: int
    answer_b: int
    bad: str | None


@dataclass(frozen=True)
class Said:
    """What was answered about one pair.

    Attributes:
        ways: (order, variant) pairs that have both answers.
        both_right: In how many of them both were right.
        contrasts: In natural logarithms, one for every way with letter log-probabilities; above 0: right.
        unread: Answers that could not be read; they count as wrong.
        solved_blind: Whether both were right without any image more often than a guesser's; None: not tried. A model
            that is asked greedily gives both pictures one answer then, so that only drawn answers can show it.
        same_letter: Ways in which both images got the letter that is shown in one and the same place.
        as_without: Of the answers, how many are what is answered without the picture in the same order, and how many
            could be compared; (0, 0): it was not asked without.
    """

    ways: int
    both_right: int
    contrasts: tuple[float, ...]
    unread: int
    solved_blind: bool | None
    same_letter: int
    as_without: tuple[int, int] = (0, 0)

    @property
    def answers(self) -> bool | None:
        """Right, wrong, or None where a binomial rule cannot tell.

        Right: more often than a guesser by an exact one-sided test, and in most ways. Wrong: less often than a model
        that sees.
        """
        if right_in(self.both_right, self.ways, GUESSER) and 2 * self.both_right > self.ways:
            return True
        return False if right_in(self.ways - self.both_right, self.ways, 1 - SEER) else None

    @property
    def contrast(self) -> Hits | None:
        """In how many ways the contrast is right; None where there are none."""
        return hits(self.contrasts, clear=CLEAR)

    @property
    def moved(self) -> bool:
        """Do the pictures move the answer the right way, by an exact test against 1/2?"""
        found = self.contrast
        return found is not None and right_in(found.right, found.n, 0.5)


@cache
def right_in(count: int, n: int, chance: float) -> bool:
    """Are there more hits than chance gives, by an exact one-sided binomial test?

    Example:
        >>> right_in(7, 12, 0.25), right_in(6, 12, 0.25)
        (True, False)
    """
    from scipy.stats import binomtest

    return n > 0 and float(binomtest(count, n, chance, alternative="greater").pvalue) <= LEVEL


def hits(values: Sequence[float], *, clear: float = 0.0, least: float = 0.0) -> Hits | None:
    """Count in how many of several measurements of one pair, one for every label-preserving change, it is right.

    Above 0 is right. What is no larger than `least` counts as half right. Where the mean is no more than `clear`
    standard deviations from 0, such a change does as much to it as the pair, and all count as half right. None: no
    values.

    Example:
        >>> hits([2.1, 1.8, 2.4, -0.1]), hits([2.1, -1.8, 2.4, 0.3], clear=1.0), hits([2.1, 0.2, -0.1, 1.7], least=0.5)
        (Hits(right=3, n=4), Hits(right=2, n=4), Hits(right=3, n=4))
    """
    if not values:
        return None
    n = len(values)
    if clear and (n < 2 or abs(mean(values)) <= clear * stdev(values)):
        return Hits(n // 2, n)
    small = sum(abs(one) <= least for one in values)
    return Hits(sum(one > least for one in values) + small // 2, n)


def asked(benchmark: Benchmark, flagged: Mapping[str, str] | None = None) -> dict[str, Asked]:
    """Return every pair with the answers that count: errata swap or drop, and people flag."""
    errata = {one.question_id: one for one in benchmark.errata()}
    found = {}
    for pair, (a, b) in benchmark.pairs.items():
        assert a.answer is not None
        assert b.answer is not None
        erratum = errata.get(a.question_id)
        swapped = erratum is not None and erratum.action == "swap"
        bad = f"erratum: {erratum.reason}" if erratum is not None and erratum.action == "drop" else None
        found[pair] = Asked(a, b, a.answer ^ swapped, b.answer ^ swapped, (flagged or {}).get(pair, bad))
    return found


def said(
    pair: Asked,
    sittings: Iterable[Sitting],
    grades: Mapping[Key, Grade],
    responses: Mapping[Key, Response],
) -> Said:
    """Gather what was answered about a pair, over every order and variant; repeats of the same are left out."""
    ways = right = unread = same = 0
    contrasts: list[float] = []
    blind: list[bool] = []
    without = {
        (question.question_id, order): found.choice
        for order in ("ab", "ba")
        for question in (pair.a, pair.b)
        if (found := grades.get((question.question_id, order, 0, "no_image", ""))) is not None
    }
    alike: list[bool] = []
    for sitting in sittings:
        order, repeat, control, _ = sitting
        both = [grades.get((one.question_id, *sitting)) for one in (pair.a, pair.b)]
        if (
            (repeat and control != "no_image")
            or both[0] is None
            or both[1] is None
            or "error" in (both[0].verdict, both[1].verdict)
        ):
            continue
        choices = both[0].choice, both[1].choice
        hit = choices == (pair.answer_a, pair.answer_b)
        if control == "no_image":
            blind.append(hit)
        if control != "none":
            continue
        ways += 1
        right += hit
        unread += choices.count(None)
        same += None not in choices and choices[0] == choices[1]
        alike += [
            choice == without[one.question_id, order]
            for one, choice in zip((pair.a, pair.b), choices, strict=True)
            if without.get((one.question_id, order)) is not None and choice is not None
        ]
        letters = [responses.get((one.question_id, *sitting)) for one in (pair.a, pair.b)]
        one, other = ((each.logprobs if each is not None else None) for each in letters)
        if one is not None and other is not None:
            sign = (1 if order == "ab" else -1) * (1 if pair.answer_a == 0 else -1)
            contrasts.append(sign * ((one["a"] - one["b"]) - (other["a"] - other["b"])))
    return Said(
        ways,
        right,
        tuple(contrasts),
        unread,
        right_in(sum(blind), len(blind), GUESSER) and all(blind) if blind else None,
        same,
        (sum(alike), len(alike)),
    )
