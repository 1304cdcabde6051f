"""What a model is asked that proposes statements, and how its reply is read: one JSON object, strictly; no repairs."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from snellen import jsonl
from snellen.exam.match.statements_file import Both
from snellen.exam.match.wording import problem
from snellen.exam.rules_text import kept
from snellen.jsonl import Bad

NAME: Final = "statements@1"
"""Name and version of the wording."""

LONGEST: Final = 200
"""Characters of a statement; CLIP's tokenizers cut at 77 tokens."""

_SEEN: Final = "You see two photographs side by side: image 1 at the left, image 2 at the right."
_UNSEEN: Final = "There are two photographs, image 1 and image 2, which you do not see."

_PROMPT: Final = """\
{seen} One question has a different answer for each:

question: {text}
options: {options}
answer for image 1: {first}
answer for image 2: {second}

Write a short statement about each image that says just what its answer says: true of that image, false of the other.
Word both alike, in plain English, without "image 1" and "image 2", and add nothing that is not in question and answers.

Reply with one JSON object and nothing else:
{{"statement_1": "the statement about image 1", "statement_2": "the statement about image 2"}}"""

_FENCED: Final = re.compile(r"\A```[a-z]*\n(.*)\n```\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reply:
    """One line of `statements.replies.log.jsonl`: what a model replied about a pair.

    `prompt_sha256` is of the whole prompt, the question in it. `problems` say, in whole sentences, why the reply is of
    no use; without any there are two statements.
    """

    pair_id: str
    by: str
    prompt_sha256: str
    with_images: bool
    statement_a: str | None
    statement_b: str | None
    problems: tuple[str, ...]
    raw: str


def prompt(text: str, options: tuple[str, str], answers: tuple[str, str], with_images: bool) -> str:
    """Put a pair's question into the prompt; what strangers wrote stands in quotes, as JSON."""
    return _PROMPT.format(
        seen=_SEEN if with_images else _UNSEEN,
        text=json.dumps(text, ensure_ascii=False),
        options=json.dumps(options, ensure_ascii=False),
        first=json.dumps(answers[0], ensure_ascii=False),
        second=json.dumps(answers[1], ensure_ascii=False),
    )


def read_reply(text: str) -> tuple[Both, tuple[str, ...]]:
    """Read a reply: a JSON object, alone or in one fence, behind a model's thinking.

    Returns:
        The statements as far as they could be read, and what is wrong.
    """
    parts = kept(text)
    if parts is None:
        return Both(None, None), ("The reply breaks off while the model is thinking.",)
    said = "".join(text[start:end] for start, end in parts).strip()
    fenced = _FENCED.match(said)
    try:
        found = jsonl.fields(jsonl.parse((fenced[1] if fenced else said).replace("\n", " ").encode()), _REPLY)
    except Bad as bad:
        return Both(None, None), (f"The reply {bad}.",)
    except UnicodeEncodeError:
        return Both(None, None), ("The reply holds half a character.",)
    both = Both(found["statement_1"].strip(), found["statement_2"].strip())
    wrong = problem(both.a or "", both.b or "")
    return both, () if wrong is None else (wrong,)


def statement(value: object) -> str:
    """One printable line of at most `LONGEST` characters.

    Raises:
        Bad: it is something else; the end of a sentence.
    """
    text = jsonl.text(value)
    if len(text) > LONGEST:
        raise Bad(f"is longer than {LONGEST} characters")
    if not text.isprintable():
        raise Bad("is more than one line of printable text")
    return text


def reply(value: dict[str, Any]) -> Reply:
    """Make a line of the log a `Reply`.

    Raises:
        Bad: it is none.
    """
    return Reply(**jsonl.fields(value, _LINE))


_REPLY: Final[dict[str, jsonl.Check]] = {"statement_1": statement, "statement_2": statement}

_LINE: Final[dict[str, jsonl.Check]] = {
    "pair_id": jsonl.digits(16),
    "by": jsonl.text,
    "prompt_sha256": jsonl.digits(64),
    "with_images": jsonl.truth,
    "statement_a": jsonl.nullable(jsonl.text),
    "statement_b": jsonl.nullable(jsonl.text),
    "problems": jsonl.texts,
    "raw": jsonl.string,
}
