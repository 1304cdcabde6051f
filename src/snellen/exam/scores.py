"""All scores of a run: every sitting, every group of pairs, with the published and with the corrected answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from snellen.benchmarks import Benchmark
from snellen.exam.tally import Asked, Group, Tally, contrast, covered, first_shown, sat
from snellen.records import Grade, Key, Score
from snellen.runs.files import PLAIN, Sitting

REVERSED: Final[Sitting] = ("ba", 0, "none", "")


def label(sitting: Sitting) -> str:
    """Say how questions were put: `ab`, `ba`, `ab, repeat 2`, `ab, blank_image`, `ab, crop-0`."""
    order, repeat, control, variant = sitting
    unusual = (f"repeat {repeat}" if repeat else "", control if control != "none" else "", variant)
    return ", ".join([order, *(part for part in unusual if part)])


def scores(
    benchmark: Benchmark,
    sittings: Sequence[Sitting],
    grades: Mapping[Key, Grade],
    letters: Mapping[Key, Mapping[str, float]],
) -> list[Score]:
    """Score a run.

    Args:
        benchmark: What was asked, with its tags and errata.
        sittings: How.
        grades: By key.
        letters: Log-probabilities of the letters, by key, where the engine gave them.
    """
    found: list[Score] = []
    for group in groups(benchmark):
        for sitting in sittings:
            found += sat(group, sitting, label(sitting), grades)
            if sitting[2] == "none":  # without the images there is nothing to contrast
                found += contrast(group, label(sitting), sitting, letters)
        found += _together(group, sittings, grades)
    return found


def groups(benchmark: Benchmark) -> Iterator[Group]:
    """Yield all pairs, then those of every visual pattern of every tagset; with errata, all of it once more, corrected.

    A pair has a pattern where one of its questions is tagged with it.
    """
    errata = {one.question_id: one.action for one in benchmark.errata()}
    patterns: dict[tuple[str, str], set[str]] = {}
    pair_of = {question.question_id: question.pair_id for question in benchmark.questions}
    for tag in benchmark.tags():
        for pattern in tag.patterns:
            patterns.setdefault((tag.tagset, pattern), set()).add(pair_of[tag.question_id])
    for name in ("published", "corrected") if errata else ("published",):
        pairs: dict[str, Asked] = {}
        for pair, (a, b) in benchmark.pairs.items():
            action = errata.get(a.question_id) if name == "corrected" else None
            assert a.answer is not None
            assert b.answer is not None
            if action != "drop":  # the reader has seen to it that both halves of a pair have the same erratum
                swapped = action == "swap"
                pairs[pair] = Asked(a.question_id, b.question_id, a.answer ^ swapped, b.answer ^ swapped)
        yield Group("all", None, name, pairs)
        for (tagset, pattern), names in sorted(patterns.items()):
            yield Group(pattern, tagset, name, {pair: pairs[pair] for pair in sorted(names) if pair in pairs})


def _together(group: Group, sittings: Sequence[Sitting], grades: Mapping[Key, Grade]) -> list[Score]:
    """Score what only several sittings show together."""
    found: list[Score] = []
    if PLAIN in sittings and REVERSED in sittings:
        found += _both_orders(group, grades)
    repeats = [one for one in sittings if one[0] == "ab" and one[2:] == PLAIN[2:]]
    variants = [one for one in sittings if one[3] and one[0] == "ab"]
    for metric, order, others in (
        ("order_agreement", "both", [REVERSED] if REVERSED in sittings else []),
        ("repeat_agreement", f"{len(repeats)} repeats", [one for one in repeats if one != PLAIN]),
        ("variant_agreement", f"{len(variants)} variant{'s' * (len(variants) > 1)}", variants),
    ):
        if others:
            found += _agreement(group, metric, order, [PLAIN, *others], grades)
    return found


def _both_orders(group: Group, grades: Mapping[Key, Grade]) -> list[Score]:
    """Score pairs by all four answers: both questions, each with its options both ways.

    `pair_accuracy_strict` (all four right; chance 1/16), `question_accuracy` and `position_bias` over both orders, in
    which a liking for one place cancels.
    """
    tally = Tally(group, "both")
    every = {
        name: [
            (answer, grades.get((question, *sitting)))
            for sitting in (PLAIN, REVERSED)
            for question, answer in ((pair.a, pair.answer_a), (pair.b, pair.answer_b))
        ]
        for name, pair in group.pairs.items()
    }
    tally.count([grade for four in every.values() for _, grade in four])
    whole = {
        name: [(answer, grade) for answer, grade in four if grade is not None]
        for name, four in every.items()
        if all(covered(grade) for _, grade in four)
    }
    hits = {name: [grade.choice == answer for answer, grade in four] for name, four in whole.items()}
    tally.share("pair_accuracy_strict", [all(four) for four in hits.values()], 1 / 16, each=4)
    names = [name for name in hits for _ in range(4)]
    tally.clustered("question_accuracy", [hit for four in hits.values() for hit in four], names, 0.5)
    read = [(name, grade) for name, four in whole.items() for _, grade in four if grade.choice is not None]
    tally.clustered("position_bias", [first_shown(grade) for _, grade in read], [name for name, _ in read], 0.5)
    return tally.scores


def _agreement(
    group: Group, metric: str, order: str, sittings: Sequence[Sitting], grades: Mapping[Key, Grade]
) -> list[Score]:
    """Score how often a question gets one answer in all of several sittings, of those that can be read in all."""
    tally = Tally(group, order)
    agree, names = [], []
    questions = [question for pair in group.pairs.values() for question in (pair.a, pair.b)]
    tally.count([grades.get((question, *sitting)) for question in questions for sitting in sittings])
    for name, pair in group.pairs.items():
        for question in (pair.a, pair.b):
            choices = {
                None if (grade := grades.get((question, *sitting))) is None else grade.choice for sitting in sittings
            }
            if None not in choices:
                agree.append(len(choices) == 1)
                names.append(name)
    tally.clustered(metric, agree, names, None)
    return tally.scores
