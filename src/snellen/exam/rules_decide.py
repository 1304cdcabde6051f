"""From what every sentence says to the one choice that the whole answer makes, or to none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from snellen.exam.rules_claims import ANSWER, EXPLICIT, PLACE, SAID, Claim, Said
from snellen.exam.rules_sentences import LETTER, MARK, OPTION, Mark

MOST_WORDS: Final = 80
"""Words of the longest answer in which one option's text alone, without a letter or "the answer is", is a choice."""

_LISTS: Final = re.compile(
    r"\b(?:options|choices|possibilities|possible answers?|answers (?:are|could)|consider|each|to answer)\b|选项",
)
"""What is said where both options are gone through."""
_UNDECIDED: Final = re.compile(r"\b(?:would|either|could|might|may|if|whether|unless|between)\b")
_STOPS: Final = re.compile(
    rf"^(?:\s*[.:,、)(—–-]*\s*(?:the |an? )?{OPTION}\)?)?\s*(?:$|[.,;:!)。，；：！]|(?:because|since|as|option)\b)"
)
_ALONE: Final = re.compile(rf"[\W_]*(?:option )?{MARK}[\W_]*")

_ITEM: Final = re.compile(rf"^[\s•(-]*(?:option |choice )?(?P<letter>{LETTER})\s*(?:[.:)、：-]|{OPTION})")


def choose(every: Sequence[Said], cut: bool = False) -> Mark | None:
    """Return the mark of the one choice that an answer makes; None where it makes none, or two.

    Of an answer that was `cut` off counts only what follows "answer", and a letter or option alone in its first
    sentence that an explanation follows.

    What is said explicitly counts before what only stands in an answer's place, and that before an option's text in
    a sentence.
    """
    said = _without_lists(every)
    if any(one.clash for one in said):
        return None
    claims = [(at, claim) for at, one in enumerate(said) for claim in one.claims]
    explicit = [(at, claim) for at, claim in claims if claim.strength > SAID]
    if cut:
        explicit = _explicit_when_cut(said, claims)
    if explicit:
        return _explicit(said, claims, *explicit[-1])
    if cut:
        return None
    return _by_place(said, claims) if claims else _by_text(said)


def _explicit_when_cut(said: Sequence[Said], claims: Sequence[tuple[int, Claim]]) -> list[tuple[int, Claim]]:
    """Claims that stand whatever would have come after the answer was cut off."""
    if any(_LISTS.search(one.sentence.text) for one in said):
        return []
    found = []
    for at, claim in claims:
        text, mark = said[at].sentence.text, claim.mark
        if claim.strength != ANSWER or _UNDECIDED.search(text[: mark.at]):
            continue
        if _STOPS.match(text[mark.at + 1 :]):
            found.append((at, claim))
    if found or len(said) < 2 or len(said[0].sentence.marks) != 1 or not _ALONE.fullmatch(said[0].sentence.text):
        return found
    rest = " ".join(one.sentence.text for one in said[1:])
    if len(rest.split()) < 3 or re.match(rf"[\W_]*(?:{MARK}|(?:this|that|the) (?:option|choice)\b)", rest):
        return []
    return [(at, replace(claim, strength=EXPLICIT)) for at, claim in claims if at == 0]


def _without_lists(every: Sequence[Said]) -> list[Said]:
    """Silence lines that only list both options ("A. Left", "B. Right"), with or without remarks."""
    said = list(every)
    waiting: int | None = None
    silent: set[int] = set()
    for at, one in enumerate(said):
        item = _ITEM.match(one.sentence.text)
        if not item or not one.sentence.opens or not _goes_on(said, at, item):
            continue
        if waiting is None or said[waiting].sentence.text[: item.end()] == one.sentence.text[: item.end()]:
            waiting = at
        elif _ITEM.match(said[waiting].sentence.text)["letter"] != item["letter"]:  # type: ignore[index]
            silent |= {waiting, at}
            waiting = None
    lines = {said[at].sentence.line for at in silent}
    for at, one in enumerate(said):
        if at in silent:
            said[at] = Said(one.sentence)
        elif one.sentence.line in lines:
            said[at] = replace(one, stated={}, refuted=set(), doubted=set())
    return said


def _goes_on(said: Sequence[Said], at: int, item: re.Match[str]) -> bool:
    """Is there more in the line than the letter?"""
    sentence = said[at].sentence
    follows = at + 1 < len(said) and said[at + 1].sentence.line == sentence.line
    return follows or bool(re.search(rf"\w|{OPTION}", sentence.text[item.start("letter") + 1 :]))


def _explicit(said: Sequence[Said], claims: Sequence[tuple[int, Claim]], last: int, final: Claim) -> Mark | None:
    """Take the last explicit choice, if nothing that counts speaks against it."""
    other = 1 - final.option
    against = [at for at, claim in claims if claim.option == other]
    against += [at for at, one in enumerate(said) if one.denied == {final.option}]
    if against:
        answered = any(claim.option == other for _, claim in claims if claim.strength == ANSWER)
        revised = any(one.sentence.revises for one in said[min(against) + 1 : last + 1])
        if max(against) >= last or final.strength != ANSWER or answered or not revised:
            return None
    after = said[last:]
    if any(other in one.weighed for one in after) or any(one.sentence.revises for one in after[1:]):
        return None
    named = said[last].last_named
    if named is not None and named.option == other and named.at > final.mark.at:
        return None
    agreed = any(claim.option == final.option and at != last for at, claim in claims)
    if not agreed and _spoken(said[max(0, last - 1) :]) == {other}:
        return None
    return final.mark


def _by_place(said: Sequence[Said], claims: Sequence[tuple[int, Claim]]) -> Mark | None:
    """Take a choice that is one by its place in the answer, if everything agrees with it."""
    choices = {claim.option for _, claim in claims}
    if len(choices) > 1:
        return None
    option = choices.pop()
    other = 1 - option
    good = [(at, claim) for at, claim in claims if claim.strength > PLACE or at in (0, len(said) - 1)]
    if not good or any(other in one.weighed | one.named or option in one.denied for one in said):
        return None
    stated = _stated(said)
    if any(one.sentence.revises for one in said[claims[-1][0] + 1 :]) or _spoken(said) == {other}:
        return None
    read = any(claim.mark.is_letter for _, claim in claims)
    if not read and (other in stated or any(other in one.doubted for one in said)):
        return None
    return good[0][1].mark


def _by_text(said: Sequence[Said]) -> Mark | None:
    """Take the one option whose text the answer affirms, if it is short, sure, and speaks of no other."""
    stated = _stated(said)
    if len(stated) != 1 or sum(len(one.sentence.text.split()) for one in said) > MOST_WORDS:
        return None
    option = next(iter(stated))
    for one in said:
        if one.unsure or 1 - option in one.doubted | one.named | one.weighed or option in one.denied | one.refuted:
            return None
    first = next(at for at, one in enumerate(said) if option in one.stated)
    if any(one.sentence.revises for one in said[first + 1 :]):
        return None
    return said[first].stated[option]


def _stated(said: Sequence[Said]) -> set[int]:
    return {option for one in said for option in one.stated}


def _spoken(said: Sequence[Said]) -> set[int]:
    """Options whose text stands there, even where it may be other words: a letter has to agree with it."""
    return _stated(said) | {option for one in said for option in one.misplaced}
