"""Overlays: what is said about a benchmark's questions beside them, outside the content hash.

Whoever scores with an overlay names it; the questions stay as they were published.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from snellen import jsonl
from snellen.benchmarks.files import opened
from snellen.errors import StudyError
from snellen.jsonl import Bad
from snellen.records import Erratum, Question, Statement, Tag

Overlay = TypeVar("Overlay", bound=Tag | Statement | Erratum)

CHECKS: Final[dict[type, dict[str, jsonl.Check]]] = {
    Tag: {
        "question_id": jsonl.text,
        "tagset": jsonl.text,
        "patterns": jsonl.texts,
        "by": jsonl.text,
        "prompt_sha256": jsonl.nullable(jsonl.digits(64)),
    },
    Statement: {
        "question_id": jsonl.text,
        "statement": jsonl.text,
        "by": jsonl.text,
        "confirmed": jsonl.truth,
    },
    Erratum: {
        "question_id": jsonl.text,
        "action": jsonl.one_of("swap", "drop"),
        "reason": jsonl.text,
        "source": jsonl.text,
    },
}
"""The fields of every overlay's lines, and what each may hold."""

FILES: Final[dict[str, type[Tag] | type[Statement] | type[Erratum]]] = {
    "tags.jsonl": Tag,
    "statements.jsonl": Statement,
    "errata.jsonl": Erratum,
}


def read(folder: Path, name: str, kind: type[Overlay], questions: Sequence[Question]) -> tuple[Overlay, ...]:
    """Read an overlay; empty where there is none.

    Raises:
        StudyError: something is wrong with it.
    """
    lines: list[Overlay] = []
    for found in _read(folder, name, kind, questions):
        if isinstance(found, str):
            raise StudyError(f"{folder}: {found}")
        lines.append(found)
    return tuple(lines)


def problems(folder: Path, questions: Sequence[Question]) -> Iterator[str]:
    """Say everything that is wrong with a benchmark's overlays, in whole sentences."""
    for name, kind in FILES.items():
        yield from (found for found in _read(folder, name, kind, questions) if isinstance(found, str))


def _read(folder: Path, name: str, kind: type[Overlay], questions: Sequence[Question]) -> Iterator[Overlay | str]:
    """Yield what the lines say, and sentences about what is wrong with them."""
    if not (folder / name).is_symlink() and not (folder / name).exists():
        return
    asked = {question.question_id: question for question in questions}
    seen: set[tuple[str, ...]] = set()
    lines: list[Overlay] = []

    def make(value: dict[str, Any]) -> Overlay:
        line = kind(**jsonl.fields(value, CHECKS[kind]))
        if line.question_id not in asked:
            raise Bad(f"names the question {jsonl.quoted(line.question_id)}, which the benchmark has not got")
        key = (line.question_id, line.tagset) if isinstance(line, Tag) else (line.question_id,)
        if key in seen:
            raise Bad(f"says of {' in '.join(key)} what an earlier line says already")
        seen.add(key)
        return line

    try:
        with opened(folder, name) as file:
            for number, line in jsonl.read(file, make):
                if isinstance(line, Bad):
                    yield f"{name}, line {number}, {line}."
                else:
                    lines.append(line)
                    yield line
    except Bad as bad:
        yield f"{name} {bad}."
    yield from _halves(name, lines, asked)


def _halves(name: str, lines: Iterable[Overlay], asked: dict[str, Question]) -> Iterator[str]:
    """An erratum of one half of a pair would leave both questions with one answer, as a published fix once did."""
    actions: dict[str, set[str]] = {}
    counts: dict[str, int] = {}
    for line in lines:
        if isinstance(line, Erratum):
            pair = asked[line.question_id].pair_id
            actions.setdefault(pair, set()).add(line.action)
            counts[pair] = counts.get(pair, 0) + 1
    for pair in sorted(counts):
        if counts[pair] != 2 or len(actions[pair]) != 1:
            yield f"{name} treats the two questions of the pair {pair} differently: swap both or drop both."
