"""What a question and a pair of questions must be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from snellen import jsonl
from snellen.images.sniff import Kind
from snellen.jsonl import Bad
from snellen.records import Question, pair_id

EXTENSIONS: Final[Mapping[Kind, str]] = {
    "JPEG": "jpg",
    "PNG": "png",
    "WEBP": "webp",
    "GIF": "gif",
    "BMP": "bmp",
    "TIFF": "tiff",
    "AVIF": "avif",
}
"""What the image files of a benchmark end in, by what they really are."""

IMAGE_PATH: Final = re.compile(rf"images/([0-9a-f]{{64}})\.({'|'.join(EXTENSIONS.values())})")


def _image_path(value: object) -> str:
    if not isinstance(value, str) or not IMAGE_PATH.fullmatch(value):
        raise Bad(f"is not images/<image_id>.<{'|'.join(EXTENSIONS.values())}>")
    return value


CHECKS: Final[dict[str, jsonl.Check]] = {
    "question_id": jsonl.text,
    "pair_id": jsonl.digits(16),
    "slot": jsonl.one_of("a", "b"),
    "image": _image_path,
    "image_id": jsonl.digits(64),
    "text": jsonl.nullable(jsonl.text),
    "options": jsonl.nullable(jsonl.options),
    "answer": jsonl.nullable(jsonl.integer(0, 1)),
    "statement": jsonl.nullable(jsonl.text),
    "source_id": jsonl.nullable(jsonl.text),
}
"""The fields of a line of `questions.jsonl`, and what each may hold."""


def question(value: dict[str, Any]) -> Question:
    """Make a question of one line's object.

    Raises:
        Bad: it is none.
    """
    made = Question(**jsonl.fields(value, CHECKS))
    if made.question_id != f"{made.pair_id}-{made.slot}":
        raise Bad(f"has question_id {jsonl.quoted(made.question_id)} and not {made.pair_id}-{made.slot}")
    if not made.image.startswith(f"images/{made.image_id}."):
        raise Bad(f"has the image {made.image}, which is not named after its image_id {made.image_id}")
    given = [name for name in ("text", "options", "answer") if getattr(made, name) is not None]
    if len(given) not in (0, 3):
        raise Bad(f"has {' and '.join(given)} only: text, options and answer come together or not at all")
    if not given and made.statement is None:
        raise Bad("has neither text nor statement, so nothing is asked")
    return made


def pair_problems(name: str, questions: Sequence[Question]) -> Iterator[str]:
    """Say what is wrong with the questions that share a pair_id, in whole sentences."""
    if [one.slot for one in questions] not in (["a", "b"], ["b", "a"]):
        slots = ", ".join(one.slot for one in questions)
        yield f"The pair {name} has {len(questions)} question(s) of slot {slots}: it needs one of slot a and one of b."
        return
    a, b = sorted(questions, key=lambda one: one.slot)
    if a.image_id == b.image_id:
        yield f"The pair {name} shows the same image twice: its two images must differ."
    elif pair_id(a.image_id, b.image_id) != name:
        yield f"The pair {name} should be called {pair_id(a.image_id, b.image_id)}, after its images."
    if a.text != b.text:
        yield f"The pair {name} has two texts: both questions of a pair ask the same."
    if a.options != b.options:
        yield f"The pair {name} has two lists of options: both questions of a pair offer the same, in the same order."
    if a.answer is not None and a.answer == b.answer:
        yield f"The pair {name} has the same answer twice: the answers of a pair differ."
    if a.statement is not None and a.statement == b.statement:
        yield f"The pair {name} has the same statement twice: each is true of its own image alone."
