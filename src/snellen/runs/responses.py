"""`responses.jsonl`: raw answers, appended as they come, never rewritten; what a kill cut short is taken off."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from snellen import jsonl, storage
from snellen.errors import StudyError
from snellen.jsonl import Bad
from snellen.records import Key, Response
from snellen.runs.files import COUNT, FINISH, KEY


def append(path: Path, responses: Iterable[Response]) -> None:
    """Append answers and flush them to disk.

    Raises:
        StorageError: the disk is full or not writable.
    """
    with storage.storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.writelines(map(jsonl.line_of, responses))
            file.flush()
            os.fsync(file.fileno())


def mend(path: Path) -> None:
    """Take off a last line that a kill cut short, so that the next answer begins a line of its own.

    Raises:
        StorageError: the file cannot be written to.
    """
    if not path.exists():
        return
    with storage.storage_errors(path), path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        position = end
        while position > 0:
            start = max(0, position - (1 << 16))
            file.seek(start)
            cut = file.read(position - start).rfind(b"\n")
            if cut >= 0:
                position = start + cut + 1
                break
            position = start
        if position < end:
            file.truncate(position)
            os.fsync(file.fileno())


def read_responses(path: Path) -> dict[Key, Response]:
    """Read the answers so far: the last one that is no error of every key, else the last error.

    A last line without its newline was cut short by a kill, and is left out.

    Raises:
        StudyError: a line is damaged; it is never left out in silence.
    """
    found: dict[Key, Response] = {}
    if not path.exists():
        return found
    with path.open("rb") as file:
        for number, response in jsonl.read(file, _response):
            if isinstance(response, Bad):
                if _cut_short(path, number):
                    break
                raise StudyError(
                    f"{path}, line {number}, {response}: take that line out, and its question is asked again."
                )
            before = found.get(response.key)
            if before is None or before.finish == "error" or response.finish != "error":
                found[response.key] = response
    return found


def _cut_short(path: Path, number: int) -> bool:
    data = path.read_bytes()
    return not data.endswith(b"\n") and data.count(b"\n") == number - 1


def _response(value: dict[str, Any]) -> Response:
    made = Response(**jsonl.fields(value, CHECKS))
    if (made.text is None) != (made.finish == "error") or (made.error is None) != (made.finish != "error"):
        raise Bad(f"has finish {made.finish!r} and yet {'no text' if made.text is None else 'a text or no error'}")
    return made


def _logprobs(value: object) -> Mapping[str, float]:
    if not isinstance(value, dict):
        raise Bad("is not an object with a and b")
    return jsonl.fields(value, {"a": jsonl.number, "b": jsonl.number})


CHECKS: Final[dict[str, jsonl.Check]] = {
    "question_id": jsonl.text,
    **KEY,
    "prompt": jsonl.string,
    "text": jsonl.nullable(jsonl.string),
    "finish": FINISH,
    "error": jsonl.nullable(jsonl.string),
    "logprobs": jsonl.nullable(_logprobs),
    "tokens_in": jsonl.nullable(COUNT),
    "tokens_out": jsonl.nullable(COUNT),
    "cost_usd": jsonl.nullable(jsonl.number),
    "seconds": jsonl.number,
    "at": jsonl.text,
    "model_reported": jsonl.nullable(jsonl.text),
}
"""The fields of a line, and what each may hold."""
