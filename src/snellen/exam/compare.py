"""The verb `compare`: is one model better than another on the same pairs?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from snellen.benchmarks import Benchmark
from snellen.errors import StudyError, UsageError
from snellen.exam.contrasts import (
    FEW_DISCORDANT,
    LEVEL,
    POWER,
    Comparison,
    Needed,
    PairContrast,
    QuestionContrast,
    Side,
)
from snellen.exam.together import Opened, Right, counted, open_run, same_benchmark, together
from snellen.stats import (
    Difference,
    Proportion,
    bootstrap_difference,
    clustered_interval,
    holm,
    mcnemar,
    pairs_for_difference,
    wilson_interval,
)


def compare(
    a: str | Path,
    b: str | Path,
    *,
    order: str = "ab",
    tagset: str | None = None,
    allow_incomplete: bool = False,
    difference: float | None = None,
    seed: int = 0,
) -> Comparison:
    """Compare two runs of the same benchmark, pair by pair.

    Exact McNemar for pairs, over all and within each visual pattern (Holm over the patterns of a tagset), and paired
    bootstrap intervals of the differences. A pair has a pattern where one of its questions is tagged with it.

    Args:
        a: the folder of a run, STUDY/runs/RUN_ID.
        b: the folder of another, in the same study or another.
        order: ab (options as published), ba (reversed), both (a question is right only if right in both).
        tagset: whose patterns; by default those of every tagset of the benchmark, each on its own.
        allow_incomplete: leave out pairs that lack an answer in either run, instead of refusing.
        difference: say how many pairs would show so many points, above 0, up to 100; never take the difference seen
            here for it: power for that says nothing that p does not say already.
        seed: of the bootstrap.

    Raises:
        UsageError: a folder is not that of a run, or an argument is out of range.
        StudyError: the runs are unfinished, damaged, incomplete, or not of one benchmark; or there is no such tagset.
    """
    if difference is not None and not 0 < difference <= 100:
        raise UsageError(f"difference {difference:g} must lie above 0, up to 100: points of pair accuracy.")
    first, second = open_run(a), open_run(b)
    benchmark = same_benchmark(first, second)
    notes = []
    if benchmark is None:
        notes.append(
            "The benchmark is in neither study: visual patterns, and pairs that both runs lack, are not known."
        )
    found = together(first.run, second.run, order=order, benchmark=benchmark, allow_incomplete=allow_incomplete)
    if found.left_out:
        notes.append(f"{len(found.left_out):,} pairs are left out: an answer is missing or an error in either run.")
    patterns = []
    for name, groups in _tagsets(benchmark, tagset).items():
        patterns += _adjusted([_pairs(found.right, group, name, members, seed) for group, members in groups.items()])
    if any(contrast.n_pairs < 30 for contrast in patterns):
        notes.append("Bootstrap intervals of fewer than 30 pairs are too short: read their p instead.")
    overall = _pairs(found.right, "all", None, found.right, seed)
    needed = None
    if difference is not None:
        needed = _needed(overall, difference)
        if needed.rough:
            notes.append(
                f"Only {overall.a_only + overall.b_only} discordant pairs were seen: the number of pairs is rough."
            )
        if 100 * (needed.discordance.value or 0) < difference:
            notes.append(
                f"Fewer than {difference:g} % of pairs are discordant here, without which there is no such difference: "
                "as many are taken to be, all of them one way."
            )
    return Comparison(
        a=_side(first, order, found.right),
        b=_side(second, order, found.right),
        benchmark=first.run.benchmark,
        content_sha256=first.run.content_sha256,
        order=order,
        left_out=len(found.left_out),
        pairs=overall,
        questions=_questions(found.right, seed),
        patterns=tuple(patterns),
        needed=needed,
        notes=tuple(notes),
    )


def _side(opened: Opened, order: str, names: Mapping[str, object]) -> Side:
    run = opened.run
    return Side(run.run_id, run.model, run.profile, *counted(run, order, names))


def _tagsets(benchmark: Benchmark | None, wanted: str | None) -> dict[str, dict[str, list[str]]]:
    """Return the pair_ids of every pattern, sorted, by pattern, by tagset."""
    if benchmark is None:
        if wanted is not None:
            raise StudyError(f"The benchmark is in neither study, so there is no tagset {wanted!r}: put it into one.")
        return {}
    pair_of = {question.question_id: question.pair_id for question in benchmark.questions}
    found: dict[str, dict[str, set[str]]] = {}
    for tag in benchmark.tags():
        for pattern in tag.patterns:
            found.setdefault(tag.tagset, {}).setdefault(pattern, set()).add(pair_of[tag.question_id])
    if wanted is not None and wanted not in found:
        raise StudyError(
            f"The benchmark has no tagset {wanted!r}: {', '.join(map(repr, sorted(found))) or 'none'} is what it has."
        )
    return {
        name: {pattern: sorted(found[name][pattern]) for pattern in sorted(found[name])}
        for name in sorted(found)
        if wanted in (None, name)
    }


def _pairs(
    right: Mapping[str, tuple[Right, Right]],
    group: str,
    tagset: str | None,
    members: Sequence[str] | Mapping[str, object],
    seed: int,
) -> PairContrast:
    both = [(all(right[name][0]), all(right[name][1])) for name in members if name in right]
    a, b = [one for one, _ in both], [other for _, other in both]
    n = len(both)
    test = mcnemar(both.count((True, False)), both.count((False, True)))
    return PairContrast(
        group=group,
        tagset=tagset,
        n_pairs=n,
        accuracy_a=_share(sum(a), n),
        accuracy_b=_share(sum(b), n),
        a_only=test.a_only,
        b_only=test.b_only,
        difference_points=_points(a, b, seed) if n else None,
        p=test.p if n else None,
    )


def _adjusted(contrasts: list[PairContrast]) -> list[PairContrast]:
    """Adjust p over the patterns of one tagset; a pattern of which no pair is left was not tested."""
    adjusted = iter(holm([contrast.p for contrast in contrasts if contrast.p is not None]))
    return [contrast if contrast.p is None else replace(contrast, p_holm=next(adjusted)) for contrast in contrasts]


def _questions(right: Mapping[str, tuple[Right, Right]], seed: int) -> QuestionContrast:
    clusters = [name for name in right for _ in "ab"]
    shares = [clustered_interval([hit for sides in right.values() for hit in sides[run]], clusters) for run in (0, 1)]
    means = [[sum(sides[run]) / 2 for sides in right.values()] for run in (0, 1)]
    return QuestionContrast(
        n_pairs=len(right),
        n_questions=2 * len(right),
        accuracy_a=shares[0],
        accuracy_b=shares[1],
        difference_points=_points(means[0], means[1], seed),
    )


def _points(a: Sequence[float], b: Sequence[float], seed: int) -> Difference:
    found = bootstrap_difference(a, b, seed=seed)
    if found.low == found.high:
        # All pairs differ alike, so that the bootstrap has no width. Those that might not are at most Wilson's upper
        # bound of none in n, and none of them can be further away than from one end to the other.
        reach = wilson_interval(0, found.n)[1] * (1 + abs(found.value))
        found = found._replace(low=max(-1.0, found.value - reach), high=min(1.0, found.value + reach))
    return Difference(100 * found.value, 100 * found.low, 100 * found.high, found.n)


def _share(count: int, n: int) -> Proportion:
    return Proportion(count / n if n else None, *wilson_interval(count, n), n, n)


def _needed(seen: PairContrast, difference: float) -> Needed:
    count = seen.a_only + seen.b_only
    discordance = _share(count, seen.n_pairs)
    stated = difference / 100
    try:
        here, low, high = (
            pairs_for_difference(stated, max(share, stated), power=POWER, level=LEVEL).n
            for share in (count / seen.n_pairs, discordance.low, discordance.high)
        )
    except ValueError as error:
        raise UsageError(
            f"How many pairs show {difference:g} points cannot be said: {error}; state a larger one."
        ) from None
    return Needed(difference, POWER, LEVEL, discordance, here, low, high, rough=count < FEW_DISCORDANT)
