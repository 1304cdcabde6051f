"""The files of a run's folder: `run.json`, `grades.jsonl`, `scores.json`, and what each of their fields may hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, get_args

from snellen import jsonl, storage
from snellen.errors import StudyError
from snellen.jsonl import Bad
from snellen.records import Control, Finish, Grade, Order, Score, Verdict

RUN, RESPONSES, GRADES, SCORES = "run.json", "responses.jsonl", "grades.jsonl", "scores.json"

KINDS: Final = ("mllm", "encoder", "human", "import")


REAL: Final = ("d_prime", "criterion", "relative_score")
"""Metrics that are no shares from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Header:
    """The content of `run.json`: who was asked what, and how.

    `benchmark` and `content_sha256` say what was asked. `profile` is the prompt's name and version, `decoding` how
    answers were drawn, `template` the sha256 of the chat template (None: the endpoint's own). `sittings` are the ways
    in which every question was to be put: (order, repeat, control, variant); a finished run has an answer for each.
    """

    kind: str
    model: str
    fingerprint: str | None
    benchmark: str
    content_sha256: str
    profile: str
    decoding: Mapping[str, Any]
    template: str | None
    software: Mapping[str, str]
    sittings: tuple[Sitting, ...]

    def settings(self) -> dict[str, Any]:
        """What names the run: all but the software, and the sittings, of which a run can be given more."""
        return {
            "kind": self.kind,
            "model": self.model,
            "fingerprint": self.fingerprint,
            "benchmark": {"name": self.benchmark, "content_sha256": self.content_sha256},
            "profile": self.profile,
            "decoding": dict(self.decoding),
            "template": self.template,
        }


Sitting = tuple[Order, int, Control, str]
"""One way of putting all questions: order, repeat, control, variant."""

PLAIN: Final[Sitting] = ("ab", 0, "none", "")
"""Questions as they were published, asked once."""


def write_header(path: Path, header: Header) -> None:
    """Write `run.json` atomically."""
    storage.write_json(
        path,
        {
            **header.settings(),
            "software": dict(header.software),
            "sittings": [list(sitting) for sitting in header.sittings],
        },
    )


def read_header(path: Path) -> Header:
    """Read `run.json`.

    Raises:
        StudyError: it is missing, damaged, or not what a run has.
    """
    try:
        found = jsonl.fields(storage.read_json(path), _RUN)
    except Bad as bad:
        raise StudyError(f"{path} {bad}: delete {path.parent} and repeat the exam.") from None
    benchmark = found.pop("benchmark")
    return Header(benchmark=benchmark["name"], content_sha256=benchmark["content_sha256"], **found)


def write_scores(path: Path, scores: Sequence[Score]) -> None:
    """Write `scores.json` atomically; equal scores are equal bytes."""
    text = json.dumps([asdict(score) for score in scores], indent=2, ensure_ascii=False, allow_nan=False)
    storage.write_bytes(path, (text + "\n").encode())


def read_scores(path: Path) -> tuple[Score, ...]:
    """Read `scores.json`.

    Raises:
        StudyError: it is damaged.
    """
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
            scores.append(_score(line))
        except Bad as bad:
            raise StudyError(f"{path}, score {number}, {bad}: grade the run again.") from None
    return tuple(scores)


def _score(line: dict[str, Any]) -> Score:
    made = Score(**jsonl.fields(line, _SCORE))
    if made.metric not in REAL:
        for name in ("value", "low", "high", "chance"):
            value = getattr(made, name)
            if value is not None and not 0 <= value <= 1:
                raise Bad(f"has {name} {value}, which is not a share from 0 to 1")
    return made


def read_grades(path: Path) -> tuple[Grade, ...]:
    """Read `grades.jsonl`.

    Raises:
        StudyError: a line is damaged.
    """
    grades = []
    with path.open("rb") as file:
        for number, grade in jsonl.read(file, lambda line: Grade(**jsonl.fields(line, _GRADE))):
            if isinstance(grade, Bad):
                raise StudyError(f"{path}, line {number}, {grade}: grade the run again.")
            grades.append(grade)
    return tuple(grades)


# -- what fields may hold -------------------------------------------------------------------------------------------


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Bad("is not an object with fields")
    return value


def _benchmark(value: object) -> dict[str, Any]:
    return jsonl.fields(_mapping(value), {"name": jsonl.text, "content_sha256": jsonl.digits(64)})


def _sittings(value: object) -> tuple[Sitting, ...]:
    if value is None:  # runs of before there were sittings
        return (PLAIN,)
    if not isinstance(value, list) or not all(isinstance(each, list) and len(each) == 4 for each in value):
        raise Bad("is not a list of [order, repeat, control, variant]")
    return tuple(tuple(check(part) for check, part in zip(KEY.values(), each, strict=True)) for each in value)


COUNT: Final = jsonl.integer(0, 2**31)

KEY: Final[dict[str, jsonl.Check]] = {
    "order": jsonl.one_of(*get_args(Order)),
    "repeat": COUNT,
    "control": jsonl.one_of(*get_args(Control)),
    "variant": jsonl.string,
}
"""What names an answer beside its question_id."""

FINISH: Final = jsonl.one_of(*get_args(Finish))

_RUN: Final[dict[str, jsonl.Check]] = {
    "kind": jsonl.one_of(*KINDS),
    "model": jsonl.text,
    "fingerprint": jsonl.nullable(jsonl.digits(64)),
    "benchmark": _benchmark,
    "profile": jsonl.text,
    "decoding": _mapping,
    "template": jsonl.nullable(jsonl.text),
    "software": _mapping,
    "sittings": _sittings,
}

_GRADE: Final[dict[str, jsonl.Check]] = {
    "question_id": jsonl.text,
    **KEY,
    "choice": jsonl.nullable(jsonl.integer(0, 1)),
    "verdict": jsonl.one_of(*get_args(Verdict)),
    "grader": jsonl.text,
    "span": jsonl.nullable(jsonl.string),
}

_SCORE: Final[dict[str, jsonl.Check]] = {
    "metric": jsonl.text,
    "group": jsonl.text,
    "tagset": jsonl.nullable(jsonl.text),
    "errata": jsonl.one_of("published", "corrected"),
    "order": jsonl.text,
    "n_pairs": COUNT,
    "n_questions": COUNT,
    "value": jsonl.nullable(jsonl.number),
    "low": jsonl.nullable(jsonl.number),
    "high": jsonl.nullable(jsonl.number),
    "method": jsonl.text,
    "chance": jsonl.nullable(jsonl.number),
    "n_unparsed": COUNT,
    "n_refused": COUNT,
    "n_error": COUNT,
}
