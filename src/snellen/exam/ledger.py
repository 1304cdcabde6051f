"""Files that only grow, a line a decision: read strictly, and a last line that a kill cut short does no harm."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from snellen import jsonl, storage
from snellen.errors import StudyError
from snellen.jsonl import Bad
from snellen.runs.responses import mend

Made = TypeVar("Made")


def add(path: Path, line: Mapping[str, Any]) -> None:
    """Append one line and flush it to disk.

    Raises:
        StorageError: the disk is full or not writable.
    """
    storage.append_line(path, line)


def read(path: Path, make: Callable[[dict[str, Any]], Made]) -> Iterator[Made]:
    """Yield what `make` makes of every line; none where there is no file.

    A last line without its newline was cut short by a kill, and is taken off first.

    Raises:
        StudyError: a line is damaged; it is never left out in silence.
        StorageError: the file cannot be written to.
    """
    if not path.exists():
        return
    mend(path)
    with path.open("rb") as file:
        for number, made in jsonl.read(file, make):
            if isinstance(made, Bad):
                raise StudyError(f"{path}, line {number}, {made}: take that line out, and it is decided again.")
            yield made
