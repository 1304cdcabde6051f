"""`accepted.jsonl`: the pairs whose visual difference is confirmed, with the question about each; a line a pair.

People write it from the annotation app, the miniature world from its facts; `build` makes a benchmark of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from snellen import jsonl, storage
from snellen.errors import StudyError
from snellen.jsonl import Bad
from snellen.records import AcceptedPair, pair_id

CHECKS: Final[dict[str, jsonl.Check]] = {
    "pair_id": jsonl.digits(16),
    "image_a": jsonl.digits(64),
    "image_b": jsonl.digits(64),
    "difference": jsonl.text,
    "question": jsonl.text,
    "options": jsonl.options,
    "answer_a": jsonl.integer(0, 1),
    "answer_b": jsonl.integer(0, 1),
    "patterns": jsonl.texts,
    "statement_a": jsonl.nullable(jsonl.text),
    "statement_b": jsonl.nullable(jsonl.text),
    "blind_cosine": jsonl.nullable(jsonl.number),
    "reference_cosine": jsonl.nullable(jsonl.number),
    "decided_by": jsonl.texts,
    "drafted_by": jsonl.nullable(jsonl.text),
}
"""The fields of a line, and what each may hold."""


def read(path: Path) -> list[AcceptedPair]:
    """Read accepted pairs, every line checked.

    Raises:
        StudyError: the file is missing, or a line is not an accepted pair; names file and line.
    """
    first: dict[str, int] = {}
    pairs = []
    try:
        with path.open("rb") as file:
            for number, pair in jsonl.read(file, _pair):
                if isinstance(pair, AcceptedPair) and pair.pair_id in first:
                    pair = Bad(f"accepts the pair {pair.pair_id}, as line {first[pair.pair_id]} does already")
                if isinstance(pair, Bad):
                    raise StudyError(f"{path}, line {number}, {pair}: mend the line, or write the file again.")
                first[pair.pair_id] = number
                pairs.append(pair)
    except OSError as error:
        raise StudyError(
            f"{path} cannot be read ({error.strerror}): accept pairs first, which writes it, or say where it is."
        ) from error
    return pairs


def write(path: Path, pairs: Iterable[AcceptedPair]) -> None:
    """Write accepted pairs atomically, sorted by pair_id, so that equal pairs are equal bytes in whatever order.

    Raises:
        StudyError: a pair is not as `read` would have it, or is there twice; nothing is written.
        StorageError: the disk is full or not writable.
    """
    lines: dict[str, bytes] = {}
    for pair in pairs:
        try:
            line = jsonl.line_of(pair)
            _pair(jsonl.parse(line))
            if pair.pair_id in lines:
                raise Bad("is there twice")
        except (Bad, ValueError) as bad:  # ValueError: NaN, or half a character
            raise StudyError(f"The accepted pair {pair.pair_id} {bad}: nothing was written to {path}.") from None
        lines[pair.pair_id] = line
    storage.write_bytes(path, b"".join(lines[name] for name in sorted(lines)))


def _pair(value: dict[str, Any]) -> AcceptedPair:
    pair = AcceptedPair(**jsonl.fields(value, CHECKS))
    if pair.image_a == pair.image_b:
        raise Bad("has the same image twice")
    if pair.pair_id != pair_id(pair.image_a, pair.image_b):
        raise Bad(
            f"has pair_id {pair.pair_id}, but its images make it {pair_id(pair.image_a, pair.image_b)} (the first 16 "
            "hex digits of sha256 of the smaller image_id and the larger one)"
        )
    if pair.answer_a == pair.answer_b:
        raise Bad("has the same answer for both images, so its question does not tell them apart")
    if pair.statement_a is not None and pair.statement_a == pair.statement_b:
        raise Bad("has the same statement for both images")
    if not pair.decided_by:
        raise Bad("has an empty decided_by: somebody must have decided")
    return pair
