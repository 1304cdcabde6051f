"""What a sentence does with a letter or an option: choose it, deny it, weigh it, or just mention it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from snellen.exam import rules_words as words
from snellen.exam.rules_senses import placed
from snellen.exam.rules_sentences import LETTER, LETTERS, OPTION, OPTIONS, Mark, Sentence

_REACH: Final = 160
"""How many characters before a mark, and after it, are looked at."""

PLACE: Final = 1
"""A letter in the place of an answer: at the beginning or the end."""
SAID: Final = 2
"""In words: "it's B"."""
EXPLICIT: Final = 3
"""In words that mean nothing else: "I choose B", "so B", "B is correct"; or a line of its own."""
ANSWER: Final = 4
"""After "answer"."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A choice that a sentence makes, and how plainly: see `PLACE` and those after it."""

    option: int
    strength: int
    mark: Mark


@dataclass(slots=True)
class Said:
    """All that one sentence says of the two options.

    `claims` are choices, `denied` letters that it says are wrong, `weighed` those it thinks possible, `named` those
    that it mentions for no reason that is understood; `stated`, `refuted` and `doubted` are options whose text it
    affirms, denies, or uses in doubt, `misplaced` those that may be other words. `clash`: a letter with the other
    option's text; `unsure`: it says that it is.
    """

    sentence: Sentence
    claims: list[Claim] = field(default_factory=list)
    denied: set[int] = field(default_factory=set)
    weighed: set[int] = field(default_factory=set)
    named: set[int] = field(default_factory=set)
    stated: dict[int, Mark] = field(default_factory=dict)
    doubted: set[int] = field(default_factory=set)
    refuted: set[int] = field(default_factory=set)
    misplaced: set[int] = field(default_factory=set)
    clash: bool = False
    unsure: bool = False
    explained: int | None = None
    last_named: Mark | None = None


def say(sentence: Sentence) -> Said:
    """Find out what a sentence says of the two options."""
    said = Said(sentence, unsure=bool(words.UNSURE.search(sentence.text)))
    for number, mark in enumerate(sentence.marks):
        before = sentence.text[max(0, mark.at - _REACH) : mark.at]
        after = sentence.text[mark.at + 1 : mark.at + 1 + _REACH]
        if mark.is_letter:
            _letter(said, mark, before, after, number)
        else:
            _option(said, mark, before, after)
    if said.explained is not None and not said.claims:
        for option in [option for option, mark in said.stated.items() if mark.at > said.explained]:
            said.doubted.add(option)
            del said.stated[option]
    for joined in words.JOINED.finditer(sentence.text):
        pair = {LETTERS.index(joined["one"]), LETTERS.index(joined["other"])}
        if len(pair) == 2 and not pair & said.denied and not joined["between"]:
            said.weighed |= pair
            said.claims.clear()
    for both in words.BOTH.finditer(sentence.text):
        if both["one"] != both["other"] and len(said.stated) == 2:
            said.claims = [claim for claim in said.claims if claim.mark.is_letter]
    return said


def _letter(said: Said, mark: Mark, before: str, after: str, number: int) -> None:
    if said.sentence.asks:
        return
    after = re.sub(rf"^[\s.:,()-]*{LETTERS[mark.option]}", "", after)
    other = re.match(rf"\s*[.:,、)(—–-]*\s*(?:the |an? )?({OPTION})", after)
    clash = other is not None and OPTIONS.index(other[1]) != mark.option
    if _denied(before) or words.NOT_AFTER.match(after):
        said.denied.add(mark.option)
    elif words.IF.search(before) or words.IF_AFTER.match(after) or _undecided(before):
        return
    elif words.PERHAPS.search(before) or words.POSSIBLE.match(after) or (number and words.ALSO.search(before)):
        said.weighed.add(mark.option)
    else:
        strength = _strength(said.sentence, mark, before, after)
        if strength:
            said.claims.append(Claim(mark.option, strength, mark))
            said.clash |= clash
        elif words.DESCRIBES.match(after):
            said.explained = mark.at
        else:
            said.named.add(mark.option)
            said.last_named = mark


def _strength(sentence: Sentence, mark: Mark, before: str, after: str) -> int:
    """How plainly a letter is chosen; 0: not at all."""
    if words.ANSWER.search(before) and (words.CLOSED.match(after) or mark.bracketed):
        return ANSWER
    if words.STRONG.search(before) and (words.CLOSED.match(after) or mark.bracketed):
        return EXPLICIT
    if words.RIGHT_AFTER.match(after):
        return EXPLICIT
    if words.CONCLUSION.search(before) and words.CLOSED.match(after):
        return EXPLICIT
    if words.LEAD.match(before) and words.TAIL.match(after):
        return EXPLICIT if sentence.whole else PLACE
    if words.WEAK.search(before) and words.CLOSED.match(after):
        return SAID
    if re.search(r"(?:[,:;，：→—–-]|\bso)\s*$", before) and not words.NAMES.search(before) and words.TAIL.match(after):
        return PLACE
    if mark.bracketed and words.TAIL.match(after) and not words.NAMES.search(before):
        return PLACE
    if re.search(rf"{OPTION}\s*\(?$", before) and words.TAIL.match(after):
        return PLACE
    if (
        sentence.opens
        and words.FIRST.match(before)
        and (mark.bracketed or words.BECAUSE.match(after) or re.match(rf"\s*(?:[).:,、，：(—–-]|{OPTION})", after))
    ):
        return 0 if words.DESCRIBES.match(after) else PLACE
    return 0


def _option(said: Said, mark: Mark, before: str, after: str) -> None:
    option = mark.option
    if said.sentence.asks:
        return
    if words.IF.search(before) or words.IF_AFTER.match(after) or _undecided(before) or not mark.sure:
        said.doubted.add(option)
    elif _denied(before) or words.NOT_AFTER.match(after):
        said.refuted.add(option)
    elif words.COULD.search(before):
        said.doubted.add(option)
    else:
        bare = re.sub(r"\b(?:the|an?)\s*$", "", before)
        behind_letter = re.search(rf"{LETTER}\s*[.:,、)(—–-]*\s*(?:the |an? )?$", before)
        strength = 0 if behind_letter else _option_strength(said.sentence, bare, after)
        if not behind_letter and strength < EXPLICIT and not placed(mark.word, before, after):
            said.doubted.add(option)
            said.misplaced.add(option)
            return
        said.stated.setdefault(option, mark)
        if strength:
            said.claims.append(Claim(option, strength, mark))


def _option_strength(sentence: Sentence, bare: str, after: str) -> int:
    """How plainly an option is chosen in words, or by its place; 0: not at all."""
    if words.ANSWER.search(bare) and words.CLOSED.match(after):
        return ANSWER
    if words.STRONG.search(bare) and words.CLOSED.match(after):
        return EXPLICIT
    if words.LEAD.match(bare) and words.TAIL.match(after):
        return EXPLICIT if sentence.whole else PLACE
    if re.match(r"^[\s(]*$", bare) and (re.match(r"\s*[,.:;，、—–-]", after) or words.BECAUSE.match(after)):
        return PLACE
    return 0


def _denied(before: str) -> bool:
    """Does a denial reach up to here, with no new start after it?"""
    before = words.HARMLESS.sub(" ", before)
    last = None
    for last in words.DENIES.finditer(before):  # noqa: B007 - the last one counts
        pass
    return last is not None and not words.NEW_START.search(before, last.start())


def _undecided(before: str) -> bool:
    last = None
    for last in words.WHETHER.finditer(before):  # noqa: B007 - the last one counts
        pass
    return last is not None and not words.NEW_START.search(before, last.end())
