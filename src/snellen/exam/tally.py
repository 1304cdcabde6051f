"""What the answers of one sitting come to, for one group of pairs: every number with its interval, its n, its chance.

The pair is the unit. A pair with an answer that is missing or ended in an error is not covered: it is left out, and
counted; nothing else ever leaves a denominator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from snellen.records import Grade, Key, Score
from snellen.runs.files import Sitting
from snellen.stats import clustered_interval, detection, wilson_interval

WILSON: Final = "wilson"
CLUSTERED: Final = "wilson, clustered by pair"


@dataclass(frozen=True, slots=True)
class Asked:
    """One pair's two question_ids with the answers that count as true, which differ: indices into the options."""

    a: str
    b: str
    answer_a: int
    answer_b: int


@dataclass(frozen=True)
class Group:
    """Pairs that are scored together: all, or those of a visual pattern."""

    name: str
    tagset: str | None
    errata: str
    pairs: Mapping[str, Asked]


@dataclass
class Tally:
    """Makes the scores of one group under one way of asking (`order`)."""

    group: Group
    order: str
    scores: list[Score] = field(default_factory=list)
    unparsed: int = 0
    refused: int = 0
    uncovered: int = 0

    def add(
        self,
        metric: str,
        value: float | None,
        interval: tuple[float | None, float | None],
        n_pairs: int,
        n_questions: int,
        method: str,
        chance: float | None,
    ) -> None:
        """Add one number; None where there was nothing to score."""
        self.scores.append(
            Score(
                metric=metric,
                group=self.group.name,
                tagset=self.group.tagset,
                errata=self.group.errata,
                order=self.order,
                n_pairs=n_pairs,
                n_questions=n_questions,
                value=value,
                low=interval[0],
                high=interval[1],
                method=method,
                chance=chance,
                n_unparsed=self.unparsed,
                n_refused=self.refused,
                n_error=self.uncovered,
            )
        )

    def share(self, metric: str, hits: Sequence[bool], chance: float | None, each: int = 2) -> None:
        """Add a share of pairs, `each` questions a pair, with Wilson's interval."""
        n, count = len(hits), sum(hits)
        self.add(metric, count / n if n else None, wilson_interval(count, n), n, each * n, WILSON, chance)

    def clustered(self, metric: str, hits: Sequence[bool], pairs: Sequence[str], chance: float | None) -> None:
        """Add a share of questions, clustered by pair."""
        found = clustered_interval(hits, pairs)
        self.add(metric, found.value, (found.low, found.high), found.n_clusters, found.n, CLUSTERED, chance)

    def count(self, grades: Sequence[Grade | None]) -> None:
        """Count what cannot be read."""
        verdicts = [None if grade is None else grade.verdict for grade in grades]
        self.unparsed = verdicts.count("unparsed")
        self.refused = verdicts.count("refused")
        self.uncovered = verdicts.count("error") + verdicts.count(None)


def covered(grade: Grade | None) -> bool:
    """Is there an answer, whatever it says?"""
    return grade is not None and grade.verdict != "error"


def graded(group: Group, sitting: Sitting, grades: Mapping[Key, Grade]) -> dict[str, tuple[Grade | None, Grade | None]]:
    """Return the grades of every pair's two questions in one sitting."""
    return {
        name: (grades.get((pair.a, *sitting)), grades.get((pair.b, *sitting))) for name, pair in group.pairs.items()
    }


def sat(group: Group, sitting: Sitting, order: str, grades: Mapping[Key, Grade]) -> list[Score]:
    """Score one sitting.

    `pair_accuracy` (both right), and what the other pairs did: `same_answer_twice`, `both_wrong` (two answers, each
    wrong), `unreadable` (one of the two cannot be read); the four add up to 1. `question_accuracy`. `same_answer_rate`
    is of the pairs with two readable answers. `position_bias` is how often the option shown first was chosen, of the
    answers that can be read. `d_prime` and `criterion`: see `snellen.stats.detection`; the signal is a question that
    the first of the published options answers.
    """
    tally = Tally(group, order)
    found = graded(group, sitting, grades)
    tally.count([grade for pair in found.values() for grade in pair])
    pairs = {
        name: (a, b) for name, (a, b) in found.items() if a is not None and b is not None and covered(a) and covered(b)
    }
    right = {name: tuple(_right(group.pairs[name], one, other)) for name, (one, other) in pairs.items()}
    readable = {name: pair for name, pair in pairs.items() if all(one.choice is not None for one in pair)}
    same = {name: one.choice == other.choice for name, (one, other) in readable.items()}
    tally.share("pair_accuracy", [all(both) for both in right.values()], 0.25)
    names = [name for name in pairs for _ in "ab"]
    tally.clustered("question_accuracy", [hit for both in right.values() for hit in both], names, 0.5)
    tally.share("same_answer_twice", [same.get(name, False) for name in pairs], 0.5)
    tally.share("both_wrong", [name in readable and not any(right[name]) for name in pairs], 0.25)
    tally.share("unreadable", [name not in readable for name in pairs], None)
    tally.share("same_answer_rate", list(same.values()), 0.5)
    read = [(name, one) for name, pair in pairs.items() for one in pair if one.choice is not None]
    tally.clustered("position_bias", [first_shown(one) for _, one in read], [name for name, _ in read], 0.5)
    _detection(tally, group, readable)
    return tally.scores


def first_shown(grade: Grade) -> bool:
    """Was the option chosen that was shown first?"""
    return grade.choice == (0 if grade.order == "ab" else 1)


def _right(pair: Asked, a: Grade, b: Grade) -> tuple[bool, bool]:
    return a.choice == pair.answer_a, b.choice == pair.answer_b


def _detection(tally: Tally, group: Group, readable: Mapping[str, tuple[Grade, Grade]]) -> None:
    signal, noise = [], []
    for name, (a, b) in readable.items():
        asked = group.pairs[name]
        first, second = (a, b) if asked.answer_a == 0 else (b, a)
        signal.append(first.choice == 0)
        noise.append(second.choice == 0)
    n = len(readable)
    found = detection(signal, noise) if n else None
    for metric, value in (("d_prime", found and found.d_prime), ("criterion", found and found.criterion)):
        if value:
            # Where all pairs were answered alike, the bootstrap has no width, which would claim certainty.
            interval = (value.low, value.high) if value.low < value.high else (None, None)
            tally.add(metric, value.value, interval, n, 2 * n, "bootstrap over pairs", 0.0)
        else:
            tally.add(metric, None, (None, None), 0, 0, "bootstrap over pairs", 0.0)


def contrast(group: Group, order: str, sitting: Sitting, letters: Mapping[Key, Mapping[str, float]]) -> list[Score]:
    """Score the log-probability contrast, in which a liking for one letter cancels.

    D = [log p(first option) - log p(second option)] of image a, minus the same of image b; a pair is right where D has
    the sign of the answers (Li, Koh and Du, ACL 2025, compare two images' likelihood ratios in this way). Chance is
    1/2. A tie counts as wrong. Of the pairs that have both letters' log-probabilities; none: no score.

    Args:
        group: Which pairs.
        order: The label of the sitting.
        sitting: Which answers.
        letters: `a` and `b`, the log-probabilities of the letter shown first and second, by key.
    """
    tally = Tally(group, order)
    hits = []
    for pair in group.pairs.values():
        sides = [letters.get((question, *sitting)) for question in (pair.a, pair.b)]
        if sides[0] is not None and sides[1] is not None:
            sign = 1 if sitting[0] == "ab" else -1
            d = sign * ((sides[0]["a"] - sides[0]["b"]) - (sides[1]["a"] - sides[1]["b"]))
            hits.append(d > 0 if pair.answer_a == 0 else d < 0)
    if hits:
        tally.share("logprob_contrast", hits, 0.5)
    return tally.scores
