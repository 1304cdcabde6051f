"""Answers from a file, for grading anew and for tests without any model: `replay/<file.jsonl>`.

The file is a run's `responses.jsonl`, or lines of which some fields are left out; `question_id` and `text` are enough,
and then stand for a question as it was published, asked once.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from snellen import jsonl, storage
from snellen.errors import ModelError, UsageError
from snellen.jsonl import Bad
from snellen.mllms.base import Compute, Decoding, Supports, Traffic, respond
from snellen.records import Ask, Key, Response
from snellen.runs.responses import CHECKS

DEFAULTS: dict[str, Any] = {
    "order": "ab",
    "repeat": 0,
    "control": "none",
    "variant": "",
    "prompt": "",
    "finish": "stop",
    "seconds": 0.0,
    "at": "1970-01-01T00:00:00.000+00:00",
}
"""What is taken for a field that a line does not have."""


def load(
    name: str, model: str, weights: str | None, *, decoding: Decoding, compute: Compute, traffic: Traffic
) -> ReplayModel:
    """Read `replay/<file.jsonl>`.

    Raises:
        UsageError: there is no such file.
        ModelError: a line in it is damaged.
    """
    path = Path(model if weights is None else f"{model}@{weights}").expanduser()
    if not path.is_file():
        raise UsageError(f"There is no file {path} to replay answers from: name one as replay/answers.jsonl.")
    return ReplayModel(path, decoding)


class ReplayModel:
    """Gives the answers of a file; see `MultimodalModel`.

    Of several lines with one key the last that is no error counts, as in a run. Nothing is charged again.
    """

    def __init__(self, path: Path, decoding: Decoding) -> None:
        self.name = f"replay/{path.name}"
        self.fingerprint = storage.sha256_of_file(path)
        self.decoding = decoding
        self.template: str | None = None
        self.software: Mapping[str, str] = {}
        self._file = path.name
        self._answers = read(path)
        self.supports = Supports(logprobs=any(answer.logprobs is not None for answer in self._answers.values()))

    def answer(self, asks: Iterable[Ask]) -> Iterator[Response]:
        """Give every answer; one that the file lacks, or has only an error for, is an error."""
        for ask in asks:
            began = time.monotonic()
            found = self._answers.get(ask.key)
            if found is None or found.text is None:
                why = "has no answer" if found is None else f"has only an error ({found.error})"
                error = f"{self._file} {why} for question {jsonl.quoted(ask.question_id)} asked as {ask.key[1:]}"
                yield respond(ask, began=began, text=None, finish="error", error=error)
                continue
            yield respond(
                ask,
                began=began,
                text=found.text,
                finish=found.finish,
                prompt=found.prompt or ask.prompt,
                logprobs=found.logprobs,
                tokens_in=found.tokens_in,
                tokens_out=found.tokens_out,
                model_reported=found.model_reported,
            )


def read(path: Path) -> dict[Key, Response]:
    """Read a file of answers by key.

    Raises:
        ModelError: a line is damaged.
    """
    answers: dict[Key, Response] = {}
    with path.open("rb") as file:
        for number, answer in jsonl.read(file, _answer):
            if isinstance(answer, Bad):
                raise ModelError(f"{path}, line {number}, {answer}: mend the line, or take it out.")
            before = answers.get(answer.key)
            if before is None or before.finish == "error" or answer.finish != "error":
                answers[answer.key] = answer
    return answers


def _answer(line: dict[str, Any]) -> Response:
    made = Response(**jsonl.fields({**DEFAULTS, **line}, CHECKS))
    if (made.text is None) != (made.finish == "error"):
        raise Bad(f"has finish {made.finish!r} and {'no text' if made.text is None else 'a text'}")
    return made
