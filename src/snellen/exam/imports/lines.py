"""Files of JSON lines that other tools wrote: every line is read, or the first that cannot be is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from snellen import jsonl
from snellen.errors import StudyError
from snellen.exam.imports.foreign import Foreign
from snellen.jsonl import Bad


def read_lines(path: Path, make: Callable[[dict[str, Any], str], list[Foreign]]) -> list[Foreign]:
    """Return what `make` makes of every line's object, told where it stands.

    Raises:
        StudyError: a line is damaged, or there is none.
    """
    found: list[Foreign] = []
    with path.open("rb") as file:
        for number, line in jsonl.read(file, lambda value: value):
            where = f"line {number}"
            try:
                if isinstance(line, Bad):
                    raise line
                found += make(line, where)
            except Bad as bad:
                raise StudyError(f"{path}, {where}, {bad}: nothing was imported; mend the file.") from None
    if not found:
        raise StudyError(f"{path} holds no answer: nothing was imported.")
    return found


def text_of(value: object, field: str) -> str:
    """Return a field that must be text; it may be empty.

    Raises:
        Bad: it is not.
    """
    try:
        return jsonl.string(value)
    except Bad as bad:
        raise Bad(f"has {field} {jsonl.quoted(value)}, which {bad}") from None
