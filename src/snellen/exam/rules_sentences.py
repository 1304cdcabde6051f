"""An answer as sentences in which letters and options are single marks, so that grammar can be written down plainly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from snellen.exam.rules_letters import Letter
from snellen.exam.rules_options import Mention

LETTERS: Final = "\ue000\ue001"
"""Stand for the letter of the option shown first, and of the one shown second."""
OPTIONS: Final = "\ue002\ue003"
"""Stand for their texts."""
LETTER: Final = f"[{LETTERS}]"
OPTION: Final = f"[{OPTIONS}]"
MARK: Final = f"[{LETTERS}{OPTIONS}]"

REVISES: Final = (
    r"(?:no,? )?wait\b|hold on\b|hang on\b|scratch that|on second thoughts?\b|correction\b|my mistake|i was wrong|"
    r"oops\b|let me (?:re-?\w+|double|check|look|think|correct)|i mean\b|i take that back|sorry, (?=\S{1,12}$)|"
    r"actually\b[, ]|no(?:pe)?\b(?=\s*[,.!—–-])|hmm+\b|等等|等一下|不对[，,。]|不對[，,。]|更正|我错了|重新|不，"
)
"""What somebody says who takes back what was just said."""

_REVISION: Final = re.compile(rf"(?:^|[.,;:!?…—–，。；！？-])\s*(?P<said>{REVISES})", re.IGNORECASE)
_END: Final = re.compile(r"(?<![.!?;])[.!?;]+(?=[\s)]|$)|[。！？；]+")
_SPOKEN: Final = re.compile(rf"\w|{MARK}")
_MORE: Final = re.compile(r"\s*\S")
_NUMBERED: Final = re.compile(r"\s*(?:[-•*]\s*)?\(?\d{1,2}\)?$")
_ITEM: Final = re.compile(rf"\s*[-•]?\s*(?:option |choice )?{LETTER}$")


@dataclass(frozen=True, slots=True)
class Mark:
    """One letter or option: its place in its sentence, and in the plain text; `word` as in `Mention`."""

    at: int
    option: int
    is_letter: bool
    sure: bool
    bracketed: bool
    start: int
    end: int
    word: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, lower case, with single marks for letters and options.

    `asks` says that it ends in a question mark, `revises` that it begins by taking something back. `line` is the
    number of its line among those that are not blank; `opens` says that it begins
    that line, `whole` that it is all of it.
    """

    text: str
    marks: tuple[Mark, ...]
    asks: bool
    revises: bool
    line: int
    opens: bool
    whole: bool


def sentences(text: str, lettered: Sequence[Letter], mentioned: Sequence[Mention]) -> list[Sentence]:
    """Cut plain text into sentences; those without letters, digits or marks are left out."""
    marked, places = _marked(text, lettered, mentioned)
    found: list[Sentence] = []
    number = used = 0
    for line in marked.split("\n"):
        pieces = list(_pieces(line))
        spoken = sum(_SPOKEN.search(piece) is not None for piece, _, _ in pieces)
        opens = True
        for piece, asks, revises in pieces:
            count = len(re.findall(MARK, piece))
            if _SPOKEN.search(piece) or revises:
                marks = places[used : used + count]
                found.append(_sentence(piece, marks, asks, revises, line=number, opens=opens, whole=spoken == 1))
                opens = False
            used += count
        number += spoken > 0
    return found


Place = tuple[int, int, int, bool, bool, bool, str]
"""Start, end, option, is_letter, sure, bracketed, word."""


def _marked(text: str, lettered: Sequence[Letter], mentioned: Sequence[Mention]) -> tuple[str, list[Place]]:
    """Put single marks for letters and options; where they overlap, the longer one stands."""
    places: list[Place] = [(one.start, one.end, one.option, False, one.sure, False, one.word) for one in mentioned]
    places += [(one.start, one.end, one.option, True, True, one.bracketed, "") for one in lettered]
    pieces, used, at = [], [], 0
    for place in sorted(places, key=lambda one: (one[0], one[0] - one[1], not one[3])):
        if place[0] < at:
            continue
        pieces += [text[at : place[0]].lower(), (LETTERS if place[3] else OPTIONS)[place[2]]]
        used.append(place)
        at = place[1]
    pieces.append(text[at:].lower())
    return "".join(pieces), used


def _pieces(line: str) -> Iterator[tuple[str, bool, bool]]:
    """Cut a line where a sentence ends or something is taken back: the piece, whether it asks, whether it revises."""
    cuts: list[tuple[int, int, str]] = []
    for end in _END.finditer(line):
        cuts.append((end.start(), end.end(), end[0]))
    for revision in _REVISION.finditer(line):
        cuts.append((revision.start("said"), revision.end(), ""))
    begin, revises, done = 0, False, 0
    for start, stop, sign in sorted(cuts):
        if start < done:
            continue
        before = line[begin:start]
        if sign and sign[0] == "." and _MORE.match(line, stop) and (_NUMBERED.match(before) or _ITEM.match(before)):
            following = line[stop : stop + 24].lstrip()
            if _NUMBERED.match(before):
                begin = stop
                continue
            if not re.match(REVISES, following, re.IGNORECASE):
                continue
        yield before, "?" in sign or "？" in sign, revises
        revises = not sign
        begin = done = stop
    yield line[begin:], False, revises


def _sentence(
    piece: str, places: Sequence[Place], asks: bool, revises: bool, *, line: int, opens: bool, whole: bool
) -> Sentence:
    text = " ".join(piece.split())
    ats = [found.start() for found in re.finditer(MARK, text)]
    marks = tuple(
        Mark(at, option, is_letter, sure, bracketed, start, end, word)
        for at, (start, end, option, is_letter, sure, bracketed, word) in zip(ats, places, strict=True)
    )
    return Sentence(text, marks, asks, revises, line, opens, whole)
