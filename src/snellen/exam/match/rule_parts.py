"""Parts of questions, for the rules that make statements of them: what is spoken of, what is said of it, choices."""

from __future__ import annotations

import re
from typing import Final


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


PREDICATES: Final = _set(
    """
    facing looking standing sitting pointing leaning lying wearing holding moving heading walking running flying turning
    hanging swimming eating driving riding showing touching carrying tilting bending resting sleeping smiling opening
    closing crossing jumping reading drinking playing parked placed taken seen shown pictured tilted covered lit folded
    turned pointed raised attached positioned located filled sliced peeled painted viewed photographed flown worn held
    kept cut bent broken frozen drawn hung laid put set spread built made thrown torn tied dressed
    mostly mainly partially partly fully completely predominantly slightly currently very quite still all both more
    closer
    """
)
"""Words with which what is said of something begins: behind the first of them no longer stands what it is said of."""

PLACES: Final = _set("on in at to from by under above below behind beside near with inside outside over next")
_NOUNS: Final = _set("building painting drawing ceiling ring king wing string thing bed shed sled seed")
_ARTICLES: Final = _set("the a an this that these those its his her their")

VERBS: Final = _set("face look point stand sit lie lean wear hold show carry touch hang contain grow open move go turn")
"""Whose third person takes an s, an -es (touch, go) or an -ies (carry)."""

_PLURALS: Final = {
    "people": "person",
    "men": "man",
    "women": "woman",
    "children": "child",
    "feet": "foot",
    "teeth": "tooth",
    "geese": "goose",
    "mice": "mouse",
    "leaves": "leaf",
    "wolves": "wolf",
    "knives": "knife",
    "shelves": "shelf",
    "sheep": "sheep",
    "fish": "fish",
}


def asks_more(part: str) -> bool:
    """Does a part of a question offer a choice, or ask two things?"""
    return bool(re.search(r"\bor\b|[,;:()]", part))


def is_thing(part: str) -> bool:
    """Can a part be what something is said of: an article first, no choice, and no place or way of it at its end?"""
    words = part.lower().split()
    if not words or asks_more(part) or words[-1] in PLACES | _ARTICLES | PREDICATES | {"of", "and", "being", "there"}:
        return False
    if len(words) > 2 and words[-1].endswith(("ing", "ed")) and words[-1] not in _NOUNS:
        return False  # `the kite soaring`: the list of participles is not whole
    begins = words[0] in _ARTICLES or words[0].endswith(("'s", "’s"))
    return begins and len(words) >= 2


def cut_thing(part: str, options: tuple[str, str]) -> tuple[str, str] | None:
    """Cut `the dog facing left or right` between what is spoken of and what is said of it; None: it is not clear where.

    That is before the first word of `PREDICATES`; else before a place that leads up to the options (`on the left or
    the right`); else before the options, if what stands before them can be a thing.
    """
    choice = find_choice(part, options)
    if choice is None:
        return None
    before = part[: choice.start()].split()
    at = next((at for at, word in enumerate(before) if at >= 2 and word.lower() in PREDICATES), None)
    if at is None:
        at = len(before)
        while at > 0 and before[at - 1].lower() in PLACES | _ARTICLES:
            at -= 1
        if at < len(before) and before[at].lower() in _ARTICLES:  # `the dog the left or right one`
            return None
    else:
        between = [word.lower() for word in before[at + 1 :]]
        if not set(between) <= PLACES | _ARTICLES | PREDICATES | {"towards", "toward", "its", "being", "a"}:
            return None
    thing = " ".join(before[:at])
    if not is_thing(thing):
        return None
    return thing, part[len(thing) :].strip()


def find_choice(part: str, options: tuple[str, str]) -> re.Match[str] | None:
    """Find `left or right`, `the left or the right`, whichever option comes first."""
    for one, other in (options, options[::-1]):
        found = re.search(
            rf"(?<!\w){re.escape(one)},? or (?P<again>(?:\w+ ){{0,2}}?){re.escape(other)}(?!\w)", part, re.IGNORECASE
        )
        if found:
            return found
    return None


def keep_one(part: str, option: str, options: tuple[str, str]) -> str | None:
    """Keep one option of `on the left or the right side`: `on the left side`; None: both are not offered like that."""
    choice = find_choice(part, options)
    if choice is None:
        return None
    before, after = part[: choice.start()], part[choice.end() :]
    if asks_more(before) or asks_more(after):
        return None
    again = choice["again"].split()
    if choice[0].lower().startswith(option.lower()) or not again:
        return f"{before}{option}{after}"
    # `from above or from the side`: what is said anew takes the place of what was said before the first option
    words = before.split()
    start = next((at for at in range(len(words) - 1, -1, -1) if words[at].lower() == again[0].lower()), None)
    if start is None or len(words) - start > 3:
        return None
    return f"{' '.join([*words[:start], *again, option])}{after}"


def counted(plural: str, one: bool) -> str | None:
    """Return `eggs` for many, `egg` for one; None where the last word's singular is not sure."""
    words = plural.split()
    last = words[-1].lower()
    if asks_more(plural) or set(map(str.lower, words)) & (PLACES | {"of", "and"}):
        return None
    if not one:
        return plural
    if last in _PLURALS:
        return " ".join([*words[:-1], _PLURALS[last]])
    if not last.endswith("s") or last.endswith(("ss", "us", "is", "ves")) or len(last) < 3:
        return None
    if last.endswith("ies"):
        last = last[:-3] + "y"
    else:
        last = last[:-2] if last.endswith(("ches", "shes", "xes", "sses")) else last[:-1]
    return " ".join([*words[:-1], last])


def third_person(verb: str) -> str:
    """Return the third person: faces, touches, carries."""
    if verb == "carry":
        return "carries"
    return verb + ("es" if verb in ("touch", "go") else "s")
