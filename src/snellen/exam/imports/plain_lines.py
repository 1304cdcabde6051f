"""JSON lines of any other tool, in a form that is easy to write: a question's name and what was answered.

    {"question_id": "MMVP:37", "text": "The camera faces left, so (b)."}

`question_id` is ours or the question's `source_id`. Lines may also have the fields of a run's `responses.jsonl`, and
`question`, `options` (as they were shown) and `model`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from snellen import jsonl
from snellen.exam.imports.foreign import Foreign
from snellen.exam.imports.lines import read_lines
from snellen.jsonl import Bad
from snellen.records import Finish
from snellen.runs.responses import CHECKS as RESPONSE

DEFAULTS: Final[dict[str, Any]] = {
    "order": None,
    "repeat": 0,
    "control": "none",
    "variant": "",
    "prompt": "",
    "finish": None,
    "seconds": 0.0,
    "at": "-",
}

CHECKS: Final[dict[str, jsonl.Check]] = {
    **RESPONSE,
    "order": jsonl.nullable(RESPONSE["order"]),
    "finish": jsonl.nullable(RESPONSE["finish"]),
    "question": jsonl.nullable(jsonl.text),
    "options": jsonl.nullable(jsonl.options),
    "model": jsonl.nullable(jsonl.text),
}


def read(path: Path) -> list[Foreign]:
    """Read every line.

    Raises:
        StudyError: a line has an unknown field, or neither a text nor an error, or is of a control or a variant.
    """
    return read_lines(path, _answer)


def _answer(line: dict[str, Any], where: str) -> list[Foreign]:
    found = jsonl.fields({**DEFAULTS, **line}, CHECKS)
    if (found["text"] is None) == (found["error"] is None):
        raise Bad("has not one of text and error")
    if found["control"] != "none" or found["variant"]:
        raise Bad("is of a control or a variant, which only runs of our own have")
    finish: Finish = "error" if found["text"] is None else found["finish"] or "stop"
    if (finish == "error") != (found["text"] is None):
        raise Bad(f"has finish {finish!r} and a text")
    return [
        Foreign(
            where=where,
            text=found["text"],
            error=found["error"],
            finish=finish,
            names=(found["question_id"],),
            prompt=found["prompt"] or None,
            question=found["question"],
            options=found["options"],
            order=found["order"],
            repeat=found["repeat"],
            model=found["model"] or found["model_reported"],
        )
    ]
