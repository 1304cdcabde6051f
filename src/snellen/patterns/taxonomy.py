"""Taxonomies of visual patterns as data: a name with a version, and for each pattern what belongs to it.

`nine` comes with the package; anybody's own is a JSON file of the same form (docs/patterns.md), read strictly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from snellen import jsonl, storage
from snellen.errors import StudyError, UsageError
from snellen.jsonl import Bad

HERE: Final = Path(__file__).parent / "taxonomies"

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}@[1-9][0-9]{0,5}")
"""A taxonomy's name and version: `nine@1`."""

ID: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")

MOST: Final = 60
"""Patterns of a taxonomy at most."""

LONGEST: Final = 4_000
"""Characters of a rule at most: all of them are put before a judge with every question."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One visual pattern and its written rule.

    `id` is what tags hold. `belongs` says what is of this pattern, `not_this` what is not and of which it is instead,
    `borderline` how doubtful cases are decided; `examples` are questions of it.
    """

    id: str
    name: str
    belongs: str
    not_this: str | None
    borderline: str | None
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """Patterns with rules, under a name and version.

    `rule` holds for all of them. `proposed_by` is the model that proposed it (with the hash of what it was asked), and
    `confirmed_by` the person who edited it since; a proposal that nobody has confirmed tags nothing.
    """

    name: str
    source: str | None
    proposed_by: str | None
    prompt_sha256: str | None
    confirmed_by: str | None
    rule: str | None
    patterns: tuple[Pattern, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The patterns' ids, in the taxonomy's order."""
        return tuple(pattern.id for pattern in self.patterns)

    @property
    def sha256(self) -> str:
        """64 hex digits of what taggers go by: name, rules, patterns; not of who wrote them, nor of white space."""
        return storage.sha256_of_json({name: self.as_json()[name] for name in ("name", "rule", "patterns")})

    def as_json(self) -> dict[str, Any]:
        """Return the content of its file."""
        patterns = [
            {("not" if name == "not_this" else name): value for name, value in asdict(pattern).items()}
            | {"examples": list(pattern.examples)}
            for pattern in self.patterns
        ]
        return {**asdict(self), "patterns": patterns}

    def rules(self) -> str:
        """Say all rules in words, as judges and people read them."""
        lines = [] if self.rule is None else [self.rule, ""]
        for pattern in self.patterns:
            lines.append(f"{pattern.id} ({pattern.name}): {pattern.belongs}")
            lines += [] if pattern.not_this is None else [f"  Not: {pattern.not_this}"]
            lines += [] if pattern.borderline is None else [f"  Borderline: {pattern.borderline}"]
            lines += [f"  Example: {example}" for example in pattern.examples]
        return "\n".join(lines)


def read_taxonomy(which: str | Path) -> Taxonomy:
    """Read a taxonomy: one that comes with the package, by name, or a JSON file.

    Raises:
        UsageError: there is none of that name, and no such file; or what the file holds is none.
    """
    shipped = {path.stem: path for path in sorted(HERE.glob("*.json"))}
    path = shipped.get(str(which), Path(which))
    try:
        data = path.read_bytes()
    except OSError:
        raise UsageError(
            f"There is no taxonomy {str(which)!r}: choose {', '.join(shipped)}, or give a JSON file."
        ) from None
    try:
        return taxonomy_of(jsonl.parse(data))
    except Bad as bad:
        raise UsageError(f"The taxonomy {path} {bad}: docs/patterns.md says what such a file holds.") from None


def confirmed(taxonomy: Taxonomy) -> Taxonomy:
    """Return a taxonomy that may be used for tagging.

    Raises:
        StudyError: a model proposed it, and nobody has confirmed it.
    """
    if taxonomy.proposed_by is not None and taxonomy.confirmed_by is None:
        raise StudyError(
            f"The taxonomy {taxonomy.name} was proposed by {jsonl.quoted(taxonomy.proposed_by)}, and nobody has "
            'confirmed it: edit its rules, and put your name as "confirmed_by" into its file.'
        )
    return taxonomy


def taxonomy_of(value: Mapping[str, Any]) -> Taxonomy:
    """Make a taxonomy of a file's object.

    Raises:
        Bad: it is none.
    """
    found = Taxonomy(**jsonl.fields(value, _TAXONOMY))
    if (found.proposed_by is None) != (found.prompt_sha256 is None):
        raise Bad("has one of proposed_by and prompt_sha256 without the other")
    return found


def patterns_of(value: object) -> tuple[Pattern, ...]:
    """A list of patterns, each with an id of its own."""
    if not isinstance(value, list) or not 1 <= len(value) <= MOST:
        raise Bad(f"is not a list of 1 to {MOST} patterns")
    found = []
    for number, one in enumerate(value, 1):
        if not isinstance(one, dict):
            raise Bad(f"is wrong: its pattern {number} is no object")
        try:
            checked = jsonl.fields(one, _PATTERN)
        except Bad as bad:
            raise Bad(f"is wrong: its pattern {number} {bad}") from None
        found.append(Pattern(**{("not_this" if name == "not" else name): each for name, each in checked.items()}))
    ids = [pattern.id for pattern in found]
    if len(set(ids)) < len(ids):
        raise Bad(f"is wrong: it has the id {next(one for one in ids if ids.count(one) > 1)} twice")
    return tuple(found)


def matching(pattern: re.Pattern[str], what: str) -> jsonl.Check:
    """A text of a form."""

    def check(value: object) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise Bad(f"is not {what}")
        return value

    return check


def _line(value: object) -> str:
    found = jsonl.text(value)
    if len(found) > LONGEST:
        raise Bad(f"has more than {LONGEST:,} characters")
    if not all(each.isprintable() for each in found):
        raise Bad("holds a line break or another character that is not printed")
    return found


def _examples(value: object) -> tuple[str, ...]:
    return () if value is None else tuple(map(_line, jsonl.texts(value)))


_PATTERN: Final[dict[str, jsonl.Check]] = {
    "id": matching(ID, "an id (a-z 0-9 _ -, a letter first, at most 40)"),
    "name": _line,
    "belongs": _line,
    "not": jsonl.nullable(_line),
    "borderline": jsonl.nullable(_line),
    "examples": _examples,
}

_TAXONOMY: Final[dict[str, jsonl.Check]] = {
    "name": matching(NAME, "a name and a version, such as mine@1"),
    "source": jsonl.nullable(_line),
    "proposed_by": jsonl.nullable(_line),
    "prompt_sha256": jsonl.nullable(jsonl.digits(64)),
    "confirmed_by": jsonl.nullable(_line),
    "rule": jsonl.nullable(_line),
    "patterns": patterns_of,
}
