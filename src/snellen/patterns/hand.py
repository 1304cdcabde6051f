"""Tagging by hand, in the terminal: a person says of which patterns a question is. Each decision is on disk at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from snellen import jsonl, storage
from snellen.errors import StudyError, UsageError
from snellen.jsonl import Bad
from snellen.patterns.reply import asked
from snellen.patterns.taxonomy import Taxonomy
from snellen.records import Question
from snellen.runs.responses import mend

Pair = tuple[Question, Question]

Person = tuple[Callable[[str], str], Callable[[str], None]]
"""Who tags by hand: what asks for a line, and what shows one."""

_NAME: Final = re.compile(r"[\w.-]{1,40}")


@dataclass(frozen=True, slots=True)
class _Decision:
    """One line of `hand-<who>.jsonl`; `patterns` None: undone. `asked_sha256` is of what was asked about."""

    pair_id: str
    taxonomy: str
    asked_sha256: str
    patterns: tuple[str, ...] | None
    at: str


def pseudonym(who: str) -> str:
    """Return a person's pseudonym.

    Raises:
        UsageError: it is none.
    """
    if not _NAME.fullmatch(who):
        raise UsageError(
            f"{jsonl.quoted(who)} is no pseudonym: take up to 40 letters, digits, dots, dashes or underscores."
        )
    return who


def decisions(path: Path, pairs: Mapping[str, Pair], taxonomy: Taxonomy) -> dict[str, tuple[str, ...]]:
    """Read what a person has decided by a taxonomy, by pair_id; the last word counts.

    What was decided about a question that has other words now counts for nothing.

    Raises:
        StudyError: a line is damaged.
        StorageError: the file cannot be written to.
    """
    found: dict[str, tuple[str, ...]] = {}
    if not path.exists():
        return found
    mend(path)
    with path.open("rb") as file:
        for number, line in jsonl.read(file, _decision):
            if isinstance(line, Bad):
                raise StudyError(f"{path}, line {number}, {line}: take that line out, and it is decided again.")
            pair = pairs.get(line.pair_id)
            if pair is None or line.taxonomy != taxonomy.name or line.asked_sha256 != _asked_sha256(pair):
                continue
            if line.patterns is None:
                found.pop(line.pair_id, None)
            elif set(line.patterns) <= set(taxonomy.ids):
                found[line.pair_id] = line.patterns
            else:
                raise StudyError(f"{path}, line {number}, has a pattern that {taxonomy.name} has not got: take it out.")
    return found


def tag_by_hand(
    path: Path,
    pairs: Mapping[str, Pair],
    taxonomy: Taxonomy,
    person: Person,
    *,
    again: bool = False,
    pictures: Callable[[Pair], str] | None = None,
) -> int:
    """Show a person the pairs that they have not decided on yet, one at a time, and keep what they say of each.

    Args:
        path: the person's file.
        pairs: what is to be tagged, in this order.
        taxonomy: by what.
        person: what asks for a line and what shows one.
        again: ask about those too that they have decided on.
        pictures: says where a pair's pictures are.

    Returns:
        How many pairs have been decided now.

    Raises:
        StudyError: the file is damaged.
        StorageError: the disk is full or not writable.
    """
    ask, show = person
    before = {} if again else decisions(path, pairs, taxonomy)
    left = [name for name in pairs if name not in before]
    show(f"{len(left):,} pairs to tag, {len(pairs) - len(left):,} decided before. {commands(taxonomy)}")
    decided: list[int] = []
    at = 0
    while at < len(left):
        name = left[at]
        where = "" if pictures is None else f"\n{visible(pictures(pairs[name]))}"
        show(f"\n{at + 1} of {len(left)}\n{page(pairs[name])}{where}")
        said = ask("> ").strip().lower()
        while said not in ("s", "u", "q") and (chosen(said, taxonomy) is None):
            if said == "?":
                show(taxonomy.rules())
            said = ask(f"{commands(taxonomy)}\n> ").strip().lower()
        if said == "q":
            break
        if said == "u":
            if decided:
                at = decided.pop()
                _add(path, left[at], pairs[left[at]], taxonomy, None)
            else:
                show("Nothing to undo.")
            continue
        if said != "s":
            _add(path, name, pairs[name], taxonomy, chosen(said, taxonomy))
            decided.append(at)
        at += 1
    return len(decided)


def commands(taxonomy: Taxonomy) -> str:
    """Say what may be typed."""
    keys = ", ".join(f"{number} {name}" for number, name in enumerate(taxonomy.ids, 1))
    several = "several at once, 13 say" if len(taxonomy.ids) < 10 else "several with spaces between"
    return f"{keys}; {several}; 0: none fits; s: skip; u: undo; ?: the rules; q: quit."


def chosen(said: str, taxonomy: Taxonomy) -> tuple[str, ...] | None:
    """Read what a person typed: patterns in the taxonomy's order, () for none, None where it cannot be read.

    Example:
        >>> chosen("31", nine), chosen("0", nine), chosen("1x", nine)
        (('orientation', 'state'), (), None)
    """
    words = said.replace(",", " ").split()
    if len(taxonomy.ids) < 10:
        words = list("".join(words))
    if words == ["0"]:
        return ()
    numbers = [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 4]
    if not words or len(numbers) < len(words) or not all(1 <= one <= len(taxonomy.ids) for one in numbers):
        return None
    return tuple(name for number, name in enumerate(taxonomy.ids, 1) if number in numbers)


def page(pair: Pair) -> str:
    """Return what a person is told of a pair: the same as a judge, and whatever a terminal would act on is escaped."""
    lines = []
    for label, value in asked(pair).items():
        for number, each in enumerate([value] if isinstance(value, str) else value):
            lines.append(f"{label + ':' if number == 0 else '':<9} {visible(each)}")
    return "\n".join(lines)


def visible(text: str) -> str:
    """Escape everything that is not printed as it stands: control characters, marks that turn the direction of text."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def _asked_sha256(pair: Pair) -> str:
    return storage.sha256_of_json(asked(pair))


def _add(path: Path, name: str, pair: Pair, taxonomy: Taxonomy, patterns: Sequence[str] | None) -> None:
    line: dict[str, Any] = {
        "pair_id": name,
        "taxonomy": taxonomy.name,
        "asked_sha256": _asked_sha256(pair),
        "patterns": None if patterns is None else list(patterns),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    storage.append_line(path, line)


_CHECKS: Final[dict[str, jsonl.Check]] = {
    "pair_id": jsonl.digits(16),
    "taxonomy": jsonl.text,
    "asked_sha256": jsonl.digits(64),
    "patterns": jsonl.nullable(jsonl.texts),
    "at": jsonl.text,
}


def _decision(value: dict[str, Any]) -> _Decision:
    return _Decision(**jsonl.fields(value, _CHECKS))
