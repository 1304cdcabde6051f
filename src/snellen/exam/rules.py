"""The strict rules: from a raw answer to the option that it chooses, or to nothing.

Nothing is guessed. An option is read only where the answer chooses it in plain sight; two candidates are none
(docs/grading.md says what is read, and what is not). Work grows with the length of the answer, never faster.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from snellen.exam.refusals import failed, refuses
from snellen.exam.rules_claims import say
from snellen.exam.rules_decide import choose
from snellen.exam.rules_guards import masked, unreadable
from snellen.exam.rules_letters import Letter, core, find_letters
from snellen.exam.rules_options import Mention, mentions
from snellen.exam.rules_sentences import sentences
from snellen.exam.rules_text import kept, plain

RULES: Final = "rules@1"
"""Name and version; another reading of any answer is another version."""

LONGEST: Final = 100_000
"""Characters of the longest answer that is read, thinking not counted: what is longer has run away."""

MOST_MARKS: Final = 2_000
"""Letters and options in the longest answer that is read."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from an answer.

    `choice` is 0 for the option shown first, 1 for the one shown second, None where no one choice can be read; `span`
    is the part of the answer that it was read from, word for word. `refused` says that the answer declines to answer;
    it is never set where a choice was read.
    """

    choice: int | None
    span: str | None
    refused: bool


NOTHING: Final = Reading(None, None, False)


def read_choice(text: str, options: tuple[str, str], letters: tuple[str, str], *, cut: bool = False) -> Reading:
    """Read which of two options an answer chooses.

    Example:
        >>> read_choice("The arrow points down, so (b).", ("Up", "Down"), ("(a)", "(b)"))
        Reading(choice=1, span='(b)', refused=False)
        >>> read_choice("A. Right", ("Left", "Right"), ("A", "B")).choice is None
        True

    Args:
        text: The raw answer.
        options: The two options in the order in which they were shown.
        letters: How the prompt named them: "(a)" and "(b)", or "A" and "B", or "1" and "2".
        cut: The answer was cut off by the limit on its length: only what is explicit counts, since a list of the
            options or a thought on the way looks like an answer there.

    Raises:
        ValueError: the letters name nothing, or the same thing.
    """
    cores = core(letters[0]), core(letters[1])
    if not all(cores) or cores[0] == cores[1]:
        raise ValueError(f"letters must be two different names, got {letters}")
    return _read(text, options, cores, cut)


def yes_or_no(text: str, *, cut: bool = False) -> bool | None:
    """Read a yes or a no, in English or Chinese: True, False, or None where neither is clearly there.

    A "no" or "not" somewhere in a sentence is no answer: "There is no doubt: yes." is True. One sentence that says no
    more than that something is there, or is not, is an answer to POPE's only question ("Is there a dog?").

    Example:
        >>> yes_or_no("No, there isn't."), yes_or_no("There is a dog."), yes_or_no("I see no reason to say so.")
        (False, True, None)
    """
    choices = {_read(text, options, None, cut).choice for options in _YES_NO} - {None}
    if len(choices) > 1 or _CONTRADICTS.match(text):
        return None
    if choices:
        return choices == {0}
    if cut:
        return None
    there = _THERE.fullmatch(text)
    return None if there is None else not there["no"] and there["has"] != "没有"


_YES_NO: Final = (("yes", "no"), ("是", "否"), ("有", "没有"))
_CONTRADICTS: Final = re.compile(
    r"\W*yes[\s,]+(?:there|it|they|he|she) (?:is|are|was|were|do|does) ?(?:no\b(?! (?:doubt|question))|n['’]t\b|"
    r"not\b)",
    re.IGNORECASE,
)
_THERE: Final = re.compile(
    r"\W*(?:there (?:is|are)(?:(?P<no>n['’]t(?: an?| any)?| not (?:an?|any)| no)| (?:an?|one|some|several|two|three|"
    r"many))\b(?! (?:doubt|question|reason|way|problem|need|evidence|nothing|chance|point|more|less|"
    r"sign))[^.!?\n,;:]{1,60}"
    r"|图(?:片|像)?[中里上](?P<has>没有|有)[^。！？，,\n]{1,30})[.。!]?\s*",
    re.IGNORECASE,
)


def _read(text: str, options: tuple[str, str], cores: tuple[str, str] | None, cut: bool) -> Reading:
    parts = kept(text)
    if parts is None or failed("".join(text[start : min(end, start + 100)] for start, end in parts)):
        return NOTHING
    if sum(end - start for start, end in parts) > LONGEST:
        return NOTHING
    answer = plain(text, parts)
    if unreadable("".join(text[start:end] for start, end in parts)):
        return Reading(None, None, refuses(answer.text))
    mentioned = mentions(masked(answer.text, options), options)
    lettered = find_letters(answer.text, cores, mentioned) if cores else []
    if len(mentioned) + len(lettered) > MOST_MARKS:
        return NOTHING
    found = None
    if not _crossed(lettered, mentioned):
        found = choose([say(sentence) for sentence in sentences(answer.text, lettered, mentioned)], cut)
    if found is None:
        return Reading(None, None, refuses(answer.text))
    return Reading(found.option, answer.verbatim(text, found.start, found.end), False)


def _crossed(lettered: Sequence[Letter], mentioned: Sequence[Mention]) -> bool:
    """Is something both the letter of one option and the text of the other?"""
    texts = {one.start: one for one in mentioned}
    return any(
        one.start in texts and texts[one.start].option != one.option and texts[one.start].end == one.end
        for one in lettered
    )
