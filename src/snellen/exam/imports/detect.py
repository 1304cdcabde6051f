"""Which tool wrote a file, by what is in it."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from snellen import jsonl
from snellen.errors import UsageError
from snellen.exam.imports import inspect_logs, lmms_eval, official, plain_lines, vlmevalkit
from snellen.exam.imports.archives import members
from snellen.exam.imports.foreign import Foreign
from snellen.jsonl import Bad

READERS: Final[Mapping[str, Callable[[Path], list[Foreign]]]] = {
    "official": official.read,
    "lmms-eval": lmms_eval.read,
    "vlmevalkit": vlmevalkit.read,
    "inspect": inspect_logs.read,
    "jsonl": plain_lines.read,
}
"""By the name of the source. Each returns a file's answers."""

PICKLES: Final = (".pkl", ".pickle")


def reader(path: Path, source: str | None) -> tuple[str, Callable[[Path], list[Foreign]]]:
    """Return the source of a file, as given or by its content, and what reads it.

    Raises:
        UsageError: there is no such file or source, or the content is of no one tool.
    """
    if not path.is_file():
        raise UsageError(f"There is no file {path} to import answers from.")
    choices = ", ".join(READERS)
    if source is not None and source not in READERS:
        raise UsageError(f"There is no source {source!r}: choose {choices}.")
    if path.suffix.lower() in PICKLES:
        raise UsageError(f"{path} is a pickle, and opening one runs whatever it holds: save it as .xlsx or .tsv first.")
    if source is None:
        found = sorted(_sources(path))
        if len(found) != 1:
            what = f"may be of {' or '.join(found)}" if found else "is of no tool that is known"
            raise UsageError(f"{path} {what}: say where it is from with --source: {choices}.")
        source = found[0]
    return source, READERS[source]


def _sources(path: Path) -> set[str]:
    if zipfile.is_zipfile(path):
        names = set(members(path))
        found = {"inspect"} if names & set(inspect_logs.HEADERS) else set()
        return found | ({"vlmevalkit"} if "[Content_Types].xml" in names else set())
    if path.suffix.lower() in vlmevalkit.DELIMITERS:
        return {"vlmevalkit"} if _has_columns(path) else set()
    with path.open("rb") as file:
        head = file.readline(jsonl.MAX_LINE)
        rest = file.read(1)
    try:
        line = jsonl.parse(head)
    except Bad:  # no JSON lines: one JSON value over many lines, or something else
        return {"inspect"} if head.lstrip()[:1] == b"{" and path.suffix.lower() == ".json" else set()
    if not rest and {"eval", "samples"} <= set(line):
        return {"inspect"}
    found = set()
    if {"question_id", "prompt", "response"} <= set(line):
        found.add("official")
    if "doc_id" in line and {"resps", "filtered_resps"} & set(line):
        found.add("lmms-eval")
    if "question_id" in line and {"text", "error"} & set(line):
        found.add("jsonl")
    return found


def _has_columns(path: Path) -> bool:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        head = file.readline(1 << 16)
    names = next(csv.reader([head], delimiter=vlmevalkit.DELIMITERS[path.suffix.lower()]), [])
    return set(vlmevalkit.NEEDED) <= set(names)
