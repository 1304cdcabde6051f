"""What a drafting model is asked, and how its reply is read: one JSON object, strictly, or problems; no repairs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from snellen import jsonl
from snellen.exam.rules_text import kept
from snellen.jsonl import Bad

PATTERNS: Final = (
    "orientation",
    "presence",
    "state",
    "count",
    "position",
    "color",
    "structure",
    "text",
    "viewpoint",
)
"""The nine visual patterns (Tong et al., CVPR 2024, section 3.1)."""

NAME: Final = "draft@1"
"""Name and version of the wording."""

PROMPT: Final = f"""\
You see two photographs side by side: image 1 at the left, image 2 at the right. One vision encoder takes them for
nearly the same. Find one visual difference between them that anybody can see at a glance and nobody can dispute: of
what is shown, not of its meaning, and not of file size, sharpness or borders.

Then write one question about a single image, without saying "image 1", "left" or "right" of the pair, that has a
different answer for each of the two, and two short options, one of which answers it for each image.

Reply with one JSON object and nothing else:
{{"difference": "one sentence that says what differs",
 "question": "the question",
 "options": ["first option", "second option"],
 "answer_1": "the option that is right for image 1, word for word",
 "answer_2": "the option that is right for image 2, word for word",
 "patterns": ["one or more of {", ".join(PATTERNS)}"],
 "statement_1": "a short statement that is true of image 1 alone",
 "statement_2": "a short statement that is true of image 2 alone"}}"""

PROMPT_SHA256: Final = sha256((NAME + PROMPT).encode()).hexdigest()

_FENCED: Final = re.compile(r"\A```[a-z]*\n(.*)\n```\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reply:
    """What could be read of a reply, and what is wrong with it; with problems, fields may be missing."""

    fields: dict[str, Any]
    problems: tuple[str, ...]


def read_reply(text: str) -> Reply:
    """Read a reply: a JSON object, alone or in one fence, behind a model's thinking.

    Returns:
        `fields` by the names of a draft: difference, question, options, answer_a, answer_b, patterns, statement_a,
        statement_b; all of them where there is no problem.
    """
    parts = kept(text)
    if parts is None:
        return Reply({}, ("The reply breaks off while the model is thinking.",))
    said = "".join(text[start:end] for start, end in parts).strip()
    fenced = _FENCED.match(said)
    try:
        found = jsonl.fields(jsonl.parse((fenced[1] if fenced else said).replace("\n", " ").encode()), _REPLY)
    except Bad as bad:
        return Reply({}, (f"The reply {bad}.",))
    except UnicodeEncodeError:
        return Reply({}, ("The reply holds half a character.",))
    options = found["options"]
    answers = [options.index(found[name]) if found[name] in options else None for name in ("answer_1", "answer_2")]
    fields = {
        "difference": found["difference"],
        "question": found["question"],
        "options": options,
        "answer_a": answers[0],
        "answer_b": answers[1],
        "patterns": found["patterns"],
        "statement_a": found["statement_1"],
        "statement_b": found["statement_2"],
    }
    return Reply(fields, tuple(_problems(fields)))


def _problems(fields: dict[str, Any]) -> list[str]:
    said = []
    if fields["answer_a"] is None or fields["answer_b"] is None:
        said.append("An answer is none of the options, word for word.")
    elif fields["answer_a"] == fields["answer_b"]:
        said.append("Both images have the same answer, so the question does not tell them apart.")
    unknown = [pattern for pattern in fields["patterns"] if pattern not in PATTERNS]
    if unknown or not fields["patterns"]:
        said.append(f"The patterns are {jsonl.quoted(list(fields['patterns']))}: one or more of {', '.join(PATTERNS)}.")
    if fields["statement_a"] == fields["statement_b"]:
        said.append("Both images have the same statement.")
    return said


_REPLY: Final[dict[str, jsonl.Check]] = {
    "difference": jsonl.text,
    "question": jsonl.text,
    "options": jsonl.options,
    "answer_1": jsonl.text,
    "answer_2": jsonl.text,
    "patterns": jsonl.texts,
    "statement_1": jsonl.text,
    "statement_2": jsonl.text,
}
