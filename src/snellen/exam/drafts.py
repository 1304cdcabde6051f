"""`drafts.jsonl`: what a model proposes about candidate pairs, a line a draft, for people to look at.

Nothing of it enters a benchmark by itself: `build` reads accepted pairs alone, and a draft is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from snellen import jsonl
from snellen.exam import ledger

DRAFTS: Final = "drafts.jsonl"


@dataclass(frozen=True, slots=True)
class Draft:
    """One proposal: everything but the ids is the model's, as in an accepted pair, and unconfirmed.

    `raw` is its whole reply; `problems` say, in whole sentences, why the draft is of no use: the fields that could not
    be read are None then. `prompt` is the wording's name and version.
    """

    pair_id: str
    image_a: str
    image_b: str
    difference: str | None
    question: str | None
    options: tuple[str, str] | None
    answer_a: int | None
    answer_b: int | None
    patterns: tuple[str, ...]
    statement_a: str | None
    statement_b: str | None
    blind_cosine: float
    reference_cosine: float
    drafted_by: str
    prompt: str
    prompt_sha256: str
    raw: str
    problems: tuple[str, ...]

    @property
    def usable(self) -> bool:
        """Is it a whole draft?"""
        return not self.problems


def read_drafts(path: Path) -> Iterator[Draft]:
    """Read drafts, in the order in which they came; none where there is no file.

    Raises:
        StudyError: a line is damaged.
    """
    return ledger.read(path, _draft)


def _draft(value: dict[str, Any]) -> Draft:
    return Draft(**jsonl.fields(value, CHECKS))


CHECKS: Final[dict[str, jsonl.Check]] = {
    "pair_id": jsonl.digits(16),
    "image_a": jsonl.digits(64),
    "image_b": jsonl.digits(64),
    "difference": jsonl.nullable(jsonl.text),
    "question": jsonl.nullable(jsonl.text),
    "options": jsonl.nullable(jsonl.options),
    "answer_a": jsonl.nullable(jsonl.integer(0, 1)),
    "answer_b": jsonl.nullable(jsonl.integer(0, 1)),
    "patterns": jsonl.texts,
    "statement_a": jsonl.nullable(jsonl.text),
    "statement_b": jsonl.nullable(jsonl.text),
    "blind_cosine": jsonl.number,
    "reference_cosine": jsonl.number,
    "drafted_by": jsonl.text,
    "prompt": jsonl.text,
    "prompt_sha256": jsonl.digits(64),
    "raw": jsonl.string,
    "problems": jsonl.texts,
}
"""The fields of a line, and what each may hold."""
