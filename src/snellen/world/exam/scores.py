"""The stand-in's grades and scores. The real exam deletes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from snellen.benchmarks import Benchmark
from snellen.records import Question
from snellen.runs import Grade, Score
from snellen.stats import clustered_interval, wilson_interval

GRADER: Final = "rules@0"


def grade(question: Question, text: str) -> Grade:
    """Grade one answer: it must hold exactly one of "(a)" and "(b)", else it is unparsed; nothing is guessed."""
    found = [letter for letter in "ab" if f"({letter})" in text]
    choice = "ab".index(found[0]) if len(found) == 1 else None
    return Grade(
        question_id=question.question_id,
        order="ab",
        repeat=0,
        control="none",
        variant="",
        choice=choice,
        verdict="unparsed" if choice is None else "correct" if choice == question.answer else "incorrect",
        grader=GRADER,
        span=None if choice is None else f"({found[0]})",
    )


def scores(benchmark: Benchmark, grades: Sequence[Grade]) -> list[Score]:
    """Score all pairs together, then the pairs of every visual pattern of every tagset.

    A pair has a pattern where one of its questions is tagged with it. Grades may come in any order.
    """
    graded = {one.question_id: one for one in grades}
    pairs = {name: (graded[a.question_id], graded[b.question_id]) for name, (a, b) in sorted(benchmark.pairs.items())}
    groups: dict[tuple[str, str], set[str]] = {}
    for tag in benchmark.tags():
        for pattern in tag.patterns:
            groups.setdefault((tag.tagset, pattern), set()).add(tag.question_id.rpartition("-")[0])
    result = _of_group(pairs, "all", None)
    for (tagset, pattern), names in sorted(groups.items()):
        result += _of_group({name: pairs[name] for name in sorted(names)}, pattern, tagset)
    return result


def _of_group(pairs: Mapping[str, tuple[Grade, Grade]], group: str, tagset: str | None) -> list[Score]:
    """Score pair accuracy (chance 1/4), question accuracy (1/2), and how often a pair got one answer twice (1/2)."""
    questions = [one for pair in pairs.values() for one in pair]
    right = [one.verdict == "correct" for one in questions]
    parsed = [(a, b) for a, b in pairs.values() if a.choice is not None and b.choice is not None]
    same = sum(a.choice == b.choice for a, b in parsed)
    both = sum(a.verdict == b.verdict == "correct" for a, b in pairs.values())
    share = clustered_interval(right, [name for name in pairs for _ in "ab"])
    n, n_parsed = len(pairs), len(parsed)
    rows: list[tuple[str, int, float | None, tuple[float, float], str, float]] = [
        ("pair_accuracy", n, both / n, wilson_interval(both, n), "wilson", 0.25),
        ("question_accuracy", n, share.value, (share.low, share.high), "wilson, clustered by pair", 0.5),
        (
            "same_answer_rate",
            n_parsed,
            same / n_parsed if parsed else None,
            wilson_interval(same, n_parsed),
            "wilson",
            0.5,
        ),
    ]
    return [
        Score(
            metric=metric,
            group=group,
            tagset=tagset,
            errata="published",
            order="ab",
            n_pairs=n_scored,
            n_questions=2 * n_scored,
            value=value,
            low=low,
            high=high,
            method=method,
            chance=chance,
            n_unparsed=sum(one.verdict == "unparsed" for one in questions),
            n_refused=0,
            n_error=0,
        )
        for metric, n_scored, value, (low, high), method, chance in rows
    ]
