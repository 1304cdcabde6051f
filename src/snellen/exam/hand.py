"""Grading by hand, in the terminal: a person reads what the rules could not. Each decision is on disk at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from snellen import jsonl
from snellen.errors import UsageError
from snellen.exam import ledger
from snellen.exam.judge import Unread
from snellen.records import Key
from snellen.runs.files import KEY

HAND: Final = "hand.jsonl"

COMMANDS: Final = "a, b: the first or second option; n: neither; r: refused; s: skip; u: undo; q: quit"

LONGEST: Final = 8_000
"""Characters of an answer that are shown; of a longer one, the beginning and the end."""

_NAME: Final = re.compile(r"[\w.-]{1,40}")

_DECISIONS: Final[dict[str, tuple[int | None, bool]]] = {
    "a": (0, False),
    "b": (1, False),
    "n": (None, False),
    "r": (None, True),
}


@dataclass(frozen=True, slots=True)
class HandGrade:
    """A person's decision on one answer: the option as shown (0 first, 1 second), or None: neither, or `refused`."""

    choice: int | None
    refused: bool
    who: str
    at: str


def read_hand(folder: Path) -> dict[Key, HandGrade]:
    """Read what people have decided in a run; the last word on an answer counts.

    Raises:
        StudyError: `hand.jsonl` is damaged.
        StorageError: it cannot be written to.
    """
    found: dict[Key, HandGrade] = {}
    for key, grade in ledger.read(folder / HAND, _decision):
        if grade is None:
            found.pop(key, None)
        else:
            found[key] = grade
    return found


def grade_by_hand(
    folder: Path,
    unread: Sequence[Unread],
    who: str,
    ask: Callable[[str], str],
    show: Callable[[str], None],
) -> int:
    """Show a person the answers that nobody has decided on yet, one at a time, and keep what they say of each.

    Args:
        folder: The run's folder.
        unread: What is to be decided, in this order.
        who: The person's pseudonym.
        ask: Shows a question and returns the line that the person types; see `COMMANDS`.
        show: Shows a line or several.

    Returns:
        How many answers have been decided now.

    Raises:
        UsageError: the pseudonym is none.
        StudyError: `hand.jsonl` is damaged.
        StorageError: the disk is full or not writable.
    """
    if not _NAME.fullmatch(who):
        raise UsageError(
            f"{jsonl.quoted(who)} is no pseudonym: take up to 40 letters, digits, dots, dashes or underscores."
        )
    before = read_hand(folder)
    left = [one for one in unread if one.key not in before]
    show(f"{len(left):,} answers to read, {len(unread) - len(left):,} decided before. {COMMANDS}.")
    decided: list[int] = []
    at = 0
    while at < len(left):
        one = left[at]
        show(page(one, at + 1, len(left)))
        said = ask("a/b/n/r/s/u/q> ").strip().lower()
        while said not in (*_DECISIONS, "s", "u", "q"):
            said = ask(f"{COMMANDS}> ").strip().lower()
        if said == "q":
            break
        if said == "u":
            if decided:
                at = decided.pop()
                ledger.add(folder / HAND, _line(left[at].key, None, False, who, undone=True))
            else:
                show("Nothing to undo.")
            continue
        if said != "s":
            ledger.add(folder / HAND, _line(one.key, *_DECISIONS[said], who, undone=False))
            decided.append(at)
        at += 1
    return len(decided)


def page(one: Unread, number: int, of: int) -> str:
    """Return what a person is shown of one answer; whatever a terminal would act on is escaped."""
    answer = one.answer
    if len(answer) > LONGEST:
        half = LONGEST // 2
        answer = f"{answer[:half]}\n[{len(answer) - 2 * half:,} characters left out]\n{answer[-half:]}"
    lines = "\n".join(f"  | {visible(line)}" for line in answer.split("\n"))
    return (
        f"\n{number} of {of}\nQuestion: {visible(one.text)}\n"
        f"  a  {visible(one.options[0])}\n  b  {visible(one.options[1])}\nAnswer:\n{lines}"
    )


def visible(text: str) -> str:
    r"""Escape everything that is not printed as it stands: control characters, marks that turn the direction of text.

    Example:
        >>> print(visible("a\x1b[2Jb"))
        a\x1b[2Jb
    """
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def _line(key: Key, choice: int | None, refused: bool, who: str, *, undone: bool) -> dict[str, Any]:
    question_id, order, repeat, control, variant = key
    return {
        "question_id": question_id,
        "order": order,
        "repeat": repeat,
        "control": control,
        "variant": variant,
        "choice": choice,
        "refused": refused,
        "who": who,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "undone": undone,
    }


_CHECKS: Final[dict[str, jsonl.Check]] = {
    "question_id": jsonl.text,
    **KEY,
    "choice": jsonl.nullable(jsonl.integer(0, 1)),
    "refused": jsonl.truth,
    "who": jsonl.text,
    "at": jsonl.text,
    "undone": jsonl.nullable(jsonl.truth),
}


def _decision(value: dict[str, Any]) -> tuple[Key, HandGrade | None]:
    line = jsonl.fields(value, _CHECKS)
    if line["refused"] and line["choice"] is not None:
        raise jsonl.Bad("has a choice, and is refused")
    key: Key = (line["question_id"], line["order"], line["repeat"], line["control"], line["variant"])
    return key, None if line["undone"] else HandGrade(line["choice"], line["refused"], line["who"], line["at"])
