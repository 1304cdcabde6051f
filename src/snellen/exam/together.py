"""Two runs of the same benchmark, pair by pair: what each has right, and what cannot be compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from snellen import benchmarks, jsonl
from snellen.benchmarks import Benchmark
from snellen.errors import StudyError, UsageError
from snellen.records import Grade, Key, Question
from snellen.runs import RUN, Run, read_run
from snellen.runs.files import PLAIN, Sitting
from snellen.study import BENCHMARK_NAME, Study

ORDERS: Final[Mapping[str, tuple[Sitting, ...]]] = {
    "ab": (PLAIN,),
    "ba": (("ba", 0, "none", ""),),
    "both": (PLAIN, ("ba", 0, "none", "")),
}
"""What can be compared: options as published, reversed, or both, where a question is right only if right twice."""

Right = tuple[bool, bool]
"""Are a pair's questions of slot a and of slot b answered rightly?"""


@dataclass(frozen=True)
class Opened:
    """A finished run, and the study in which it lies."""

    study: Study
    run: Run


@dataclass(frozen=True)
class Together:
    """Two runs pair by pair.

    `right` holds what the first and the second run have right, by pair_id, sorted; `left_out` the pairs with a question
    that has no answer, or an error, in either run.
    """

    right: Mapping[str, tuple[Right, Right]]
    left_out: tuple[str, ...]


def open_run(folder: str | Path) -> Opened:
    """Open a run by its folder, `STUDY/runs/RUN_ID`.

    Raises:
        UsageError: the folder is not that of a run.
        StudyError: the run is unfinished, damaged or changed, or grades one answer twice.
    """
    path = Path(folder).resolve()
    if path.parent.name != "runs" or not (path / RUN).is_file():
        raise UsageError(f"{folder} is not the folder of a run: name two of STUDY/runs/RUN_ID, which hold a {RUN}.")
    study = Study(path.parent.parent)
    run = read_run(study, path)
    if run is None:
        raise StudyError(f"The run {folder} is not finished: run `snellen grade` on it first.")
    if run.kind == "encoder":
        raise UsageError(
            f"{folder} is an encoder's run, which has no answers: `snellen match` with several --encoder compares "
            "encoders, and `snellen correlate` sets one beside multimodal LLMs."
        )
    seen: set[Key] = set()
    for grade in run.grades:
        if grade.key in seen:
            raise StudyError(f"The run {folder} grades {jsonl.quoted(grade.key)} twice: grade it again.")
        seen.add(grade.key)
    return Opened(study, run)


def same_benchmark(a: Opened, b: Opened) -> Benchmark | None:
    """Find the benchmark that both runs were asked, in the first study or in the second; None: in neither.

    Raises:
        StudyError: the runs were asked different things, or the benchmark is damaged.
    """
    if a.run.content_sha256 != b.run.content_sha256:
        raise StudyError(
            "The two runs were not asked the same: "
            + " and ".join(
                f"{each.run.run_id} is of {jsonl.quoted(each.run.benchmark)} with the content "
                f"{each.run.content_sha256[:16]}"
                for each in (a, b)
            )
            + "; compare runs of one benchmark with one content."
        )
    for each in (a, b):
        # A run that was imported may name a benchmark in a way that no folder of a study is called.
        if BENCHMARK_NAME.fullmatch(each.run.benchmark) and each.study.benchmark(each.run.benchmark).is_dir():
            found = benchmarks.read(each.study.benchmark(each.run.benchmark))
            if found.content_sha256 == a.run.content_sha256:
                return found
    return None


def together(
    a: Run, b: Run, *, order: str = "ab", benchmark: Benchmark | None = None, allow_incomplete: bool = False
) -> Together:
    """Put two runs side by side.

    What is unparsed or refused is wrong. Pairs are those of the benchmark; without it those that either run names
    (question_id is `<pair_id>-<slot>`).

    Raises:
        UsageError: there is no such order.
        StudyError: a run was not asked in that order, answers what the benchmark does not ask, or, unless
            `allow_incomplete`, lacks an answer; or no pair is left.
    """
    if order not in ORDERS:
        raise UsageError(f"order {order!r} is not known: choose {', '.join(ORDERS)}.")
    graded = [_graded(run, ORDERS[order]) for run in (a, b)]
    named = [name for grades in graded for name, _ in grades]
    pairs = _pairs(named) if benchmark is None else _pairs_of(benchmark.questions, named)
    right: dict[str, tuple[Right, Right]] = {}
    left_out = []
    for name in sorted(pairs):
        found = [[_right(grades, f"{name}-{slot}", ORDERS[order]) for slot in "ab"] for grades in graded]
        if any(each is None for sides in found for each in sides):
            left_out.append(name)
        else:
            (a_a, a_b), (b_a, b_b) = found
            right[name] = (bool(a_a), bool(a_b)), (bool(b_a), bool(b_b))
    if left_out and not allow_incomplete:
        raise StudyError(
            f"{len(left_out):,} of {len(pairs):,} pairs have a question without an answer, or with an error, in "
            f"{a.run_id} or in {b.run_id}, the first {left_out[0]}: finish both runs (`snellen ask`, `snellen grade`), "
            "or give --allow-incomplete to leave those pairs out."
        )
    if not right:
        raise StudyError(f"No pair is answered in both {a.run_id} and {b.run_id}: there is nothing to compare.")
    return Together(right, tuple(left_out))


def counted(run: Run, order: str, names: Iterable[str]) -> tuple[int, int]:
    """Count the answers of these pairs that are unparsed and refused."""
    grades = _graded(run, ORDERS[order])
    asked = [grades.get((f"{name}-{slot}", sitting)) for name in names for slot in "ab" for sitting in ORDERS[order]]
    verdicts = [grade.verdict for grade in asked if grade is not None]
    return verdicts.count("unparsed"), verdicts.count("refused")


_Graded = Mapping[tuple[str, Sitting], Grade]


def _graded(run: Run, sittings: Sequence[Sitting]) -> _Graded:
    missing = [sitting for sitting in sittings if sitting not in run.sittings]
    if missing:
        raise StudyError(
            f"The run {run.run_id} was not asked in the order {missing[0][0]}: compare another order, or ask that too."
        )
    return {(grade.question_id, grade.key[1:]): grade for grade in run.grades if grade.key[1:] in sittings}


def _right(grades: _Graded, question: str, sittings: Sequence[Sitting]) -> bool | None:
    """Is a question right in every sitting? None where an answer is missing or an error."""
    found = [grades.get((question, sitting)) for sitting in sittings]
    if any(grade is None or grade.verdict == "error" for grade in found):
        return None
    return all(grade is not None and grade.verdict == "correct" for grade in found)


def _pairs(named: Iterable[str]) -> set[str]:
    pairs = set()
    for question in named:
        pair, _, slot = question.rpartition("-")
        if slot not in ("a", "b") or not pair:
            raise StudyError(
                f"The question {jsonl.quoted(question)} is of no pair: a question_id is <pair_id>-a or <pair_id>-b."
            )
        pairs.add(pair)
    return pairs


def _pairs_of(questions: Sequence[Question], named: Iterable[str]) -> set[str]:
    strange = sorted(set(named) - {question.question_id for question in questions})
    if strange:
        raise StudyError(
            f"{len(strange):,} answers are to questions that the benchmark has not got, the first "
            f"{jsonl.quoted(strange[0])}: grade the run again, or repeat the exam."
        )
    return {question.pair_id for question in questions}
