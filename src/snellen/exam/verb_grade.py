"""The verb `grade`: from raw answers to verdicts and scores. It never asks the examined model anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from snellen import benchmarks, jsonl, storage
from snellen.benchmarks import Benchmark
from snellen.benchmarks.files import BENCHMARK
from snellen.errors import Incomplete, StudyError, UsageError
from snellen.exam import verdicts
from snellen.exam.hand import read_hand
from snellen.exam.judge import Agreement, Judged, Unread, agreement, judge
from snellen.exam.profiles import letters_of
from snellen.exam.scores import scores
from snellen.mllms.base import MultimodalModel
from snellen.progress import SILENT, Progress
from snellen.records import Grade, Key, Response, Score
from snellen.runs import GRADES, RESPONSES, RUN, SCORES, Header, read_header, read_responses, write_scores
from snellen.study import Study, software

OVERLAYS = ("tags.jsonl", "errata.jsonl")
"""What of a benchmark's overlays the scores depend on."""


@dataclass(frozen=True)
class GradeResult:
    """What `grade` made of a run; `counts` are verdicts.

    `judged` says what the judge did, where there was one, and `checked` how often it says what a person says of the
    same answers.
    """

    folder: Path
    header: Header
    scores: tuple[Score, ...]
    counts: Mapping[str, int]
    judged: Judged | None
    checked: Agreement | None


class _Graded(NamedTuple):
    grades: list[Grade]
    judged: Judged | None
    checked: Agreement | None


def grade(
    study: str | Path,
    run: str | Path,
    *,
    benchmark: str | Path | None = None,
    judge_model: MultimodalModel | None = None,
    allow_incomplete: bool = False,
    progress: Progress = SILENT,
) -> GradeResult:
    """Grade a run's answers and score them; run again, it does so anew from the raw answers.

    Rules read what is clearly said. What a person has decided (`snellen grade --hand`) goes before them; what they
    leave unparsed is the judge's, where one is given; else it stays unparsed, which counts as wrong and is shown.

    Args:
        study: the study.
        run: a run_id, or the path of a run's folder.
        benchmark: where the benchmark's folder is, if not in the study.
        judge_model: reads what the rules cannot; each answer once, replies are kept in the run's folder.
        allow_incomplete: score although answers are missing or ended in errors; their pairs are left out, and counted.
        progress: told of what the judge does.

    Raises:
        UsageError: there is no such run, or its benchmark is not found.
        StudyError: answers or benchmark are damaged, or the benchmark is not the one that was asked.
        Incomplete: answers are missing or ended in errors.
        ModelError: the judge cannot be reached.
        StorageError: the disk is full, or another process is writing to the run.
    """
    opened = Study(Path(study))
    folder = run_folder(opened, run)
    with opened.lock_run(folder):
        header = read_header(folder / RUN)
        asked = _benchmark(opened, header, benchmark)
        responses = read_responses(folder / RESPONSES)
        _check(folder, asked, header, responses, allow_incomplete)
        graded = _graded(folder, asked, header, responses, judge_model, progress)
        letters = {key: one.logprobs for key, one in responses.items() if one.logprobs is not None}
        found = scores(asked, header.sittings, {one.key: one for one in graded.grades}, letters)
        storage.write_bytes(folder / GRADES, jsonl.lines_of(graded.grades))
        write_scores(folder / SCORES, found)
        settings = {
            **header.settings(),
            "judge": graded.judged and graded.judged.grader,
            "allow_incomplete": allow_incomplete,
        }
        counts = verdicts.counted(graded.grades)
        _finish(opened, folder, asked, settings, counts)
    return GradeResult(folder, header, tuple(found), counts, graded.judged, graded.checked)


def run_folder(study: Study, run: str | Path) -> Path:
    """Find a run by its run_id, by the beginning of it, or by the path of its folder.

    Raises:
        UsageError: there is none, or several begin like that.
    """
    if Path(run).is_dir() and (Path(run) / RUN).is_file() and Path(run).resolve().parent == study.runs.resolve():
        return study.runs / Path(run).name
    there = sorted(path.name for path in study.runs.glob("*") if (path / RUN).is_file())
    found = [name for name in there if name == str(run)] or [name for name in there if name.startswith(str(run))]
    if len(found) == 1:
        return study.run(found[0])
    said = (
        f"{len(found)} runs begin like that" if found else f"there are {', '.join(there) or 'none: run `snellen ask`'}"
    )
    raise UsageError(f"There is no one run {str(run)!r} in {study.root}: {said}.")


def unparsed(study: Study, folder: Path, benchmark: str | Path | None = None) -> list[Unread]:
    """List what the rules leave unparsed in a run, whoever has decided it since.

    Raises:
        UsageError: its benchmark is not found.
        StudyError: answers or benchmark are damaged, or the benchmark is not the one that was asked.
    """
    header = read_header(folder / RUN)
    asked = _benchmark(study, header, benchmark)
    responses = read_responses(folder / RESPONSES)
    _check(folder, asked, header, responses, allow_incomplete=True)
    questions = {question.question_id: question for question in asked.questions}
    letters = letters_of(header.profile)
    grades = [verdicts.by_rules(questions[key[0]], response, letters) for key, response in responses.items()]
    return verdicts.to_judge(questions, responses, grades)


def _benchmark(study: Study, header: Header, where: str | Path | None) -> Benchmark:
    found = benchmarks.read(where if where is not None else study.benchmark(header.benchmark))
    if found.content_sha256 != header.content_sha256:
        raise StudyError(
            f"{found.folder} is not the benchmark that was asked (content {found.content_sha256[:16]}, and the run has "
            f"{header.content_sha256[:16]}): say where that one is with --benchmark."
        )
    return found


def _check(
    folder: Path, asked: Benchmark, header: Header, responses: Mapping[Key, Response], allow_incomplete: bool
) -> None:
    """See that every answer belongs to a question, and every question has an answer."""
    expected = {(question.question_id, *sitting) for question in asked.questions for sitting in header.sittings}
    strange = sorted(set(responses) - expected)
    if strange:
        raise StudyError(
            f"{folder / RESPONSES} answers {len(strange):,} questions that were not asked, the first {strange[0]!r}: "
            "it belongs to another run or was changed; put it back as it was."
        )
    errors = sum(one.finish == "error" for one in responses.values())
    missing = len(expected) - len(responses)
    if (errors or missing) and not allow_incomplete:
        raise Incomplete(
            f"{folder.name} is not complete: of {len(expected):,} answers {missing:,} are missing and {errors:,} ended "
            "in errors; run `snellen ask` again, or give --allow-incomplete to leave their pairs out."
        )


def _graded(
    folder: Path,
    asked: Benchmark,
    header: Header,
    responses: Mapping[Key, Response],
    model: MultimodalModel | None,
    progress: Progress,
) -> _Graded:
    """Grade every answer, in the order of sittings and questions."""
    questions = {question.question_id: question for question in asked.questions}
    letters = letters_of(header.profile)
    keys = [(question, *sitting) for sitting in header.sittings for question in questions]
    grades = {key: verdicts.by_rules(questions[key[0]], responses[key], letters) for key in keys if key in responses}
    judged = None
    if model is not None:
        judged = judge(folder, verdicts.to_judge(questions, responses, grades.values()), model, progress)
        for key, choice in judged.choices.items():
            grades[key] = verdicts.by_judge(questions[key[0]], key, choice, judged.grader)
    hand = read_hand(folder)
    for key, decided in hand.items():  # last, since a person's word goes before the judge's
        if key in grades and grades[key].verdict != "error":
            grades[key] = verdicts.by_hand(questions[key[0]], key, decided)
    both = [key for key in (judged.choices if judged else ()) if key in hand]
    checked = agreement([judged.choices[key] for key in both], [hand[key].choice for key in both]) if judged else None
    return _Graded(list(grades.values()), judged, checked)


def _finish(
    study: Study, folder: Path, asked: Benchmark, settings: Mapping[str, Any], counts: Mapping[str, int]
) -> None:
    files = [asked.folder / name for name in (BENCHMARK, *OVERLAYS) if (asked.folder / name).is_file()]
    outputs = [folder / name for name in (RUN, GRADES, SCORES)]
    study.write_manifest(
        folder,
        verb="grade",
        settings=settings,
        software=software("numpy", "scipy"),
        inputs={f"benchmarks/{asked.name}/{path.name}": storage.sha256_of_file(path) for path in files},
        outputs={study.relative(path): storage.sha256_of_file(path) for path in outputs},
        counts=counts,
    )
