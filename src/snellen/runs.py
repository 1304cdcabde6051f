"""Runs: what was asked of whom, how each answer was graded, and the scores; one folder a run (docs/study-folder.md).

Everything is read strictly, and compared with the manifest beside the run's folder: without one a run is unfinished.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

from snellen import jsonl, storage
from snellen.errors import StudyError
from snellen.jsonl import Bad
from snellen.study import SLUG_FORBIDDEN, Study, slug

Verdict = Literal["correct", "incorrect", "unparsed", "refused", "error"]

RUN, RESPONSES, GRADES, SCORES = "run.json", "responses.jsonl", "grades.jsonl", "scores.json"


@dataclass(frozen=True, slots=True)
class Grade:
    """One line of `grades.jsonl`: the verdict on one answer.

    `choice` is an index into the question's options, None where no one choice can be read; `span` is the part of the
    answer that it was read from. `order` is that of the options as shown, `control` what stood for the image.
    """

    question_id: str
    order: str
    repeat: int
    control: str
    variant: str
    choice: int | None
    verdict: Verdict
    grader: str
    span: str | None

    @property
    def plain(self) -> bool:
        """Is this the question as it was published: its own image, its own order of options, asked once?"""
        return (self.order, self.repeat, self.control, self.variant) == ("ab", 0, "none", "")


@dataclass(frozen=True, slots=True)
class Score:
    """One number of `scores.json` with its interval, its chance, and what it is a share of.

    `group` is `all`, with `tagset` None, or a visual pattern of that tagset. `value` is None where nothing could be
    scored (`n_pairs` is 0). What is unparsed or refused counts as wrong, and is counted here.
    """

    metric: str
    group: str
    tagset: str | None
    errata: str
    order: str
    n_pairs: int
    n_questions: int
    value: float | None
    low: float
    high: float
    method: str
    chance: float
    n_unparsed: int
    n_refused: int
    n_error: int


@dataclass(frozen=True)
class Run:
    """One finished run: a model's exam on one benchmark.

    `run_id` is its folder's name, `benchmark` and `content_sha256` say what was asked, and `files` are sha256 by path
    relative to the study.
    """

    run_id: str
    kind: str
    model: str
    fingerprint: str | None
    benchmark: str
    content_sha256: str
    scores: tuple[Score, ...]
    grades: tuple[Grade, ...]
    files: Mapping[str, str]

    @cached_property
    def verdicts(self) -> Mapping[str, Verdict]:
        """The verdict on each question as it was published, by question_id."""
        return {grade.question_id: grade.verdict for grade in self.grades if grade.plain}


def run_id(model: str, fingerprint: str, benchmark: str, settings: Mapping[str, Any]) -> str:
    """Name a run: `<model slug>--<benchmark>--<8 hex digits of the settings>`."""
    safe = SLUG_FORBIDDEN.sub("-", benchmark).strip("-.")[:100] or "benchmark"
    return f"{slug(model, fingerprint)}--{safe}--{storage.sha256_of_json(settings)[:8]}"


def write_scores(path: Path, scores: Sequence[Score]) -> None:
    """Write `scores.json` atomically; equal scores are equal bytes."""
    text = json.dumps([asdict(score) for score in scores], indent=2, ensure_ascii=False, allow_nan=False)
    storage.write_bytes(path, (text + "\n").encode())


# -- reading --------------------------------------------------------------------------------------------------------


def read_runs(study: Study) -> tuple[list[Run], list[str]]:
    """Read every finished run of a study.

    Returns:
        The runs, sorted by run_id, and the run_ids of those that are unfinished.

    Raises:
        StudyError: a run's files are missing or damaged, or are not those that its manifest describes.
    """
    finished: list[Run] = []
    unfinished: list[str] = []
    folders = sorted(study.runs.iterdir()) if study.runs.is_dir() else []
    for folder in (path for path in folders if path.is_dir()):
        manifest = study.read_manifest(folder)
        if manifest is None:
            unfinished.append(folder.name)
        else:
            finished.append(_read(study, folder, manifest["outputs"]))
    return finished, unfinished


def _read(study: Study, folder: Path, expected: Mapping[str, str]) -> Run:
    files = {}
    for name in (RUN, GRADES, SCORES):
        path = folder / name
        if not path.is_file():
            raise StudyError(f"{path} is missing: put it back, or delete {folder} and repeat the exam.")
        files[study.relative(path)] = storage.sha256_of_file(path)
        if files[study.relative(path)] != expected.get(study.relative(path)):
            raise StudyError(f"{path} was changed after it was written: put it back as it was, or repeat the exam.")
    try:
        header = jsonl.fields(storage.read_json(folder / RUN), _RUN)
    except Bad as bad:
        raise StudyError(f"{folder / RUN} {bad}: delete {folder} and repeat the exam.") from None
    return Run(
        run_id=folder.name,
        kind=header["kind"],
        model=header["model"],
        fingerprint=header["fingerprint"],
        benchmark=header["benchmark"]["name"],
        content_sha256=header["benchmark"]["content_sha256"],
        scores=_scores(folder / SCORES),
        grades=_grades(folder / GRADES),
        files=files,
    )


def _scores(path: Path) -> tuple[Score, ...]:
    try:
        lines = json.loads(path.read_bytes())
    except ValueError as error:
        raise StudyError(f"{path} is damaged ({error}): grade the run again.") from error
    if not isinstance(lines, list):
        raise StudyError(f"{path} does not hold a list of scores: grade the run again.")
    scores = []
    for number, line in enumerate(lines, 1):
        try:
            if not isinstance(line, dict):
                raise Bad(f"is {jsonl.quoted(line)} and not an object with fields")
            scores.append(Score(**jsonl.fields(line, _SCORE)))
        except Bad as bad:
            raise StudyError(f"{path}, score {number}, {bad}: grade the run again.") from None
    return tuple(scores)


def _grades(path: Path) -> tuple[Grade, ...]:
    grades = []
    with path.open("rb") as file:
        for number, grade in jsonl.read(file, lambda line: Grade(**jsonl.fields(line, _GRADE))):
            if isinstance(grade, Bad):
                raise StudyError(f"{path}, line {number}, {grade}: grade the run again.")
            grades.append(grade)
    return tuple(grades)


def _share(value: object) -> float:
    found = jsonl.number(value)
    if not 0 <= found <= 1:
        raise Bad("is not a share from 0 to 1")
    return found


def _string(value: object) -> str:
    return "" if value == "" else jsonl.text(value)


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Bad("is not an object with fields")
    return value


def _benchmark(value: object) -> dict[str, Any]:
    return jsonl.fields(_mapping(value), {"name": jsonl.text, "content_sha256": jsonl.digits(64)})


_COUNT: Final = jsonl.integer(0, 2**31)

_RUN: Final[dict[str, jsonl.Check]] = {
    "kind": jsonl.one_of("mllm", "encoder", "human", "import"),
    "model": jsonl.text,
    "fingerprint": jsonl.nullable(jsonl.digits(64)),
    "benchmark": _benchmark,
    "profile": jsonl.text,
    "decoding": _mapping,
    "template": jsonl.nullable(jsonl.text),
    "software": _mapping,
}

_GRADE: Final[dict[str, jsonl.Check]] = {
    "question_id": jsonl.text,
    "order": jsonl.one_of("ab", "ba"),
    "repeat": _COUNT,
    "control": jsonl.one_of("none", "no_image", "blank_image"),
    "variant": _string,
    "choice": jsonl.nullable(jsonl.integer(0, 1)),
    "verdict": jsonl.one_of("correct", "incorrect", "unparsed", "refused", "error"),
    "grader": jsonl.text,
    "span": jsonl.nullable(jsonl.text),
}

_SCORE: Final[dict[str, jsonl.Check]] = {
    "metric": jsonl.text,
    "group": jsonl.text,
    "tagset": jsonl.nullable(jsonl.text),
    "errata": jsonl.one_of("published", "corrected"),
    "order": jsonl.text,
    "n_pairs": _COUNT,
    "n_questions": _COUNT,
    "value": jsonl.nullable(_share),
    "low": _share,
    "high": _share,
    "method": jsonl.text,
    "chance": _share,
    "n_unparsed": _COUNT,
    "n_refused": _COUNT,
    "n_error": _COUNT,
}
