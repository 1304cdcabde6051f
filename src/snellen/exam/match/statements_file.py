"""`statements.jsonl`, the overlay: lines are put in and taken out, and no line of anybody else is lost.

Beside it `statements.log.jsonl` keeps what people decided, a line a decision: what was refused is not proposed again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from snellen import jsonl, storage
from snellen.benchmarks import Benchmark
from snellen.exam import ledger
from snellen.records import Question, Statement
from snellen.study import Study

STATEMENTS: Final = "statements.jsonl"
DECISIONS: Final = "statements.log.jsonl"

Lines = Mapping[str, Statement]
"""The overlay's lines, by question_id."""

Decided = Literal["confirmed", "refused", "edited", "undone"]


@dataclass(frozen=True, slots=True)
class Both:
    """The statements of a pair's image a and image b; None where there is none."""

    a: str | None
    b: str | None


def wanting(benchmark: Benchmark) -> dict[str, tuple[Question, Question]]:
    """Return the pairs that do not bring two statements of their own, by pair_id; all have texts and answers."""
    return {name: pair for name, pair in benchmark.pairs.items() if any(one.statement is None for one in pair)}


def change(study: Study, benchmark: Benchmark, make: Callable[[Lines], Lines]) -> Lines:
    """Read the overlay, write what `make` makes of it, in the order of the questions, and return that.

    Raises:
        StudyError: the overlay is damaged.
        StorageError: the disk is full, or another process is writing to it.
    """
    with study.lock_run(benchmark.folder):
        before = read(benchmark)
        after = make(before)
        if after != before:
            order = [one.question_id for one in benchmark.questions]
            lines = jsonl.lines_of(after[name] for name in order if name in after)
            storage.write_bytes(benchmark.folder / STATEMENTS, lines)
    return after


def read(benchmark: Benchmark) -> dict[str, Statement]:
    """Read the overlay, by question_id.

    Raises:
        StudyError: it is damaged.
    """
    return {one.question_id: one for one in benchmark.statements()}


def of_pair(lines: Lines, pair_id: str) -> tuple[Statement | None, Statement | None]:
    """Return a pair's lines, of image a and image b."""
    return lines.get(f"{pair_id}-a"), lines.get(f"{pair_id}-b")


def confirmed(lines: Lines, pair_id: str) -> bool:
    """Are both statements of a pair confirmed?"""
    return all(one is not None and one.confirmed for one in of_pair(lines, pair_id))


def log(folder: Path, pair_id: str, what: Decided, both: Both, who: str) -> None:
    """Append a person's decision and flush it to disk.

    Raises:
        StorageError: the disk is full or not writable.
    """
    at = datetime.now(UTC).isoformat(timespec="seconds")
    line = {"pair_id": pair_id, "decided": what, "statement_a": both.a, "statement_b": both.b, "who": who, "at": at}
    ledger.add(folder / DECISIONS, line)


def refused(folder: Path) -> set[tuple[str, Both]]:
    """Return what people have refused, as pair_id and statements.

    Raises:
        StudyError: the log is damaged.
    """
    found: list[tuple[str, Both]] = []
    for what, name, both in ledger.read(folder / DECISIONS, _decision):
        if what == "refused":
            found.append((name, both))
        elif what == "undone":
            found = [one for one in found if one != (name, both)]
    return set(found)


def _decision(value: dict[str, Any]) -> tuple[Decided, str, Both]:
    line = jsonl.fields(value, _CHECKS)
    return line["decided"], line["pair_id"], Both(line["statement_a"], line["statement_b"])


_CHECKS: Final[dict[str, jsonl.Check]] = {
    "pair_id": jsonl.digits(16),
    "decided": jsonl.one_of("confirmed", "refused", "edited", "undone"),
    "statement_a": jsonl.nullable(jsonl.text),
    "statement_b": jsonl.nullable(jsonl.text),
    "who": jsonl.text,
    "at": jsonl.text,
}
