"""Statements by rule: a question and its answer put together into one sentence, where that is sure to be English.

There is no grammar in here, only shapes of questions that are common, and lists of words on which a sentence is cut.
Whatever fits no shape gets no statement: a sentence that reads wrong would examine the encoder on something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from snellen.exam.match.rule_parts import (
    PLACES,
    PREDICATES,
    VERBS,
    asks_more,
    counted,
    cut_thing,
    is_thing,
    keep_one,
    third_person,
)
from snellen.exam.match.wording import problem

RULES: Final = "rules@1"
"""Name and version, which go into every line that the rules wrote."""

LONGEST: Final = 200
"""Characters of a question that is read."""

_BE: Final = {"is": "is", "are": "are", "was": "was", "were": "were"}


_WAYS: Final = re.compile(
    r"(?:to(?:wards?)? )?(?:the )?(?:left|right)|up|down|upwards?|downwards?|forwards?|backwards?|sideways|away"
    r"|(?:towards?|away from|to) the (?:camera|viewer)|(?:north|south|east|west)"
)
_COUNT: Final = re.compile(
    r"\d{1,4}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|zero|no|none", re.IGNORECASE
)

Rule = Callable[[str, str, tuple[str, str]], str | None]
"""Makes a statement of a question's text (no question mark), the true option and both options, or says nothing."""


def by_rule(text: str, options: tuple[str, str]) -> tuple[str, str] | None:
    """Return what is true where the first option is the answer, and where the second one is; None: no rule fits.

    Both come from the same rule, and neither says all that the other says.

    Example:
        >>> by_rule("Is the dog facing left or right?", ("Left", "Right"))
        ('the dog is facing left', 'the dog is facing right')
        >>> by_rule("Is there a hat on the dog?", ("Yes", "No"))
        ('there is a hat on the dog', 'there is no hat on the dog')
        >>> by_rule("What is unusual about this picture?", ("The sky", "The road")) is None
        True
    """
    asked = " ".join(text.split())
    said = [" ".join(option.split()).rstrip(".") for option in options]
    if len(asked) > LONGEST or not asked.endswith("?") or not all(map(str.isprintable, (asked, *said))):
        return None
    asked = asked.rstrip("? ")
    if "?" in asked or ". " in asked:
        return None
    first, second = _lower(said[0]), _lower(said[1])
    for rule in _RULES:
        made = [rule(asked, option, (first, second)) for option in (first, second)]
        if made[0] is not None and made[1] is not None:
            return None if problem(made[0], made[1]) else (made[0], made[1])
    return None


def _lower(option: str) -> str:
    """Take away the capital that an option has as the beginning of a sentence; `USA` and `A` keep theirs."""
    rest = option[1:]
    return option[:1].lower() + rest if len(option) > 1 and rest == rest.lower() else option


def _is_yes_no(options: tuple[str, str]) -> bool:
    return sorted(option.casefold() for option in options) == ["no", "yes"]


# -- rules ----------------------------------------------------------------------------------------------------------


def _there_is(text: str, option: str, options: tuple[str, str]) -> str | None:
    """`Is there a hat on the dog`: yes or no."""
    found = re.fullmatch(r"(is|are|was|were) there (an?|any) (\S.*)", text, re.IGNORECASE)
    if not found or not _is_yes_no(options) or asks_more(found[3]):
        return None
    be, article = found[1].lower(), found[2].lower()
    if option.casefold() == "no":
        return f"there {be} no {found[3]}"
    return f"there {be} {found[3]}" if article == "any" else f"there {be} {article} {found[3]}"


def _can_see(text: str, option: str, options: tuple[str, str]) -> str | None:
    """`Can you see stems of the bananas`: yes or no."""
    found = re.fullmatch(r"can you see (?!any\b)(\S.*)", text, re.IGNORECASE)
    if not found or not _is_yes_no(options) or asks_more(found[1]):
        return None
    return f"you can{'' if option.casefold() == 'yes' else 'not'} see {found[1]}"


def _has(text: str, option: str, options: tuple[str, str]) -> str | None:
    """`Does the elephant have long or short tusks`; `Does the dog have a collar`: yes or no."""
    found = re.fullmatch(r"(does|do) (\S.*?) have (\S.*)", text, re.IGNORECASE)
    if not found or not is_thing(found[2]):
        return None
    do, has = found[1].lower(), "has" if found[1].lower() == "does" else "have"
    if not _is_yes_no(options):
        what = keep_one(found[3], option, options)
        return None if what is None else f"{found[2]} {has} {what}"
    if asks_more(found[3]):
        return None
    if option.casefold() == "no":
        return f"{found[2]} {do} not have {re.sub('^some ', 'any ', found[3])}"
    return f"{found[2]} {has} {re.sub('^any ', '', found[3])}"


def _does(text: str, option: str, options: tuple[str, str]) -> str | None:
    """`Does the dog look left or right`; `Does the man wear a hat`: yes or no."""
    found = re.fullmatch(rf"(does|do) (\S.*?) ({'|'.join(sorted(VERBS))}) (\S.*)", text, re.IGNORECASE)
    if not found or not is_thing(found[2]):
        return None
    do, verb = found[1].lower(), found[3].lower()
    acts = third_person(verb) if do == "does" else verb
    if not _is_yes_no(options):
        what = keep_one(found[4], option, options)
        return None if what is None else f"{found[2]} {acts} {what}"
    if asks_more(found[4]) or found[4].lower().startswith(("any ", "some ")):
        return None
    return f"{found[2]} {acts} {found[4]}" if option.casefold() == "yes" else f"{found[2]} {do} not {verb} {found[4]}"


def _is_one_or_other(text: str, option: str, options: tuple[str, str]) -> str | None:
    """`Is the door open or closed`, `Is the dog facing left or right`, `Is the crate on the left or the right`."""
    found = re.fullmatch(r"(is|are|was|were) (\S.*)", text, re.IGNORECASE)
    if not found or found[2].lower().startswith("there "):
        return None
    split = cut_thing(found[2], options)
    if split is None:
        return None
    thing, said = split
    what = keep_one(said, option, options)
    return None if what is None else f"{thing} {found[1].lower()} {what}"


def _is_it(text: str, option: str, options: tuple[str, str]) -> str | None:
    """`Is the dog wearing a hat`: yes or no; only where a word of the list says where the one ends."""
    found = re.fullmatch(r"(is|are|was|were) (\S.*)", text, re.IGNORECASE)
    if not found or not _is_yes_no(options) or asks_more(found[2]):
        return None
    words = found[2].split()
    at = next((at for at, word in enumerate(words) if at >= 2 and word.lower() in PREDICATES), None)
    if at is None or at == len(words) - 1 or not is_thing(" ".join(words[:at])):
        return None
    rest = " ".join(words[at:])
    if re.search(r"\bany\b", rest):
        return None
    return f"{' '.join(words[:at])} {found[1].lower()} {'' if option.casefold() == 'yes' else 'not '}{rest}"


def _which_way(text: str, option: str, options: tuple[str, str]) -> str | None:
    """`Which way does the boat face`, `In which direction is the dog looking`."""
    if not _WAYS.fullmatch(option.lower()):
        return None
    ask = r"(?:in )?(?:which|what) (?:way|direction)"
    found = re.fullmatch(rf"{ask} (does|do) (\S.*) (face|look|point|lean)", text, re.IGNORECASE)
    if found and is_thing(found[2]):
        acts = third_person(found[3].lower()) if found[1].lower() == "does" else found[3].lower()
        return f"{found[2]} {acts} {option}"
    found = re.fullmatch(rf"{ask} (is|are) (\S.*) (facing|looking|pointing|leaning|heading|moving|walking)", text, re.I)
    return f"{found[2]} {found[1].lower()} {found[3].lower()} {option}" if found and is_thing(found[2]) else None


def _which_side(text: str, option: str, options: tuple[str, str]) -> str | None:
    """`On which side of the boat is the crate`."""
    found = re.fullmatch(r"on (?:which|what) side of (\S.*?) (is|are) (\S.*)", text, re.IGNORECASE)
    if not found or option.lower() not in ("left", "right") or not is_thing(found[1]) or not is_thing(found[3]):
        return None
    return f"{found[3]} {found[2].lower()} on the {option.lower()} side of {found[1]}"


def _what_color(text: str, option: str, options: tuple[str, str]) -> str | None:
    """`What color is the car`, `What is the color of the car`."""
    if not re.fullmatch(r"[a-z]+(?: [a-z]+| and [a-z]+)?", option):
        return None
    found = re.fullmatch(r"what colou?r (is|are) (\S.*)", text, re.IGNORECASE)
    if found and is_thing(found[2]):
        return f"{found[2]} {found[1].lower()} {option}"
    found = re.fullmatch(r"what is (the colou?r of \S.*)", text, re.IGNORECASE)
    return f"{found[1]} is {option}" if found and not asks_more(found[1]) else None


def _which_sign(text: str, option: str, options: tuple[str, str]) -> str | None:
    """`Which letter is on the sign`."""
    found = re.fullmatch(r"(?:which|what) (letter|number|word) (is \S.*)", text, re.IGNORECASE)
    if (
        not found
        or asks_more(found[2])
        or found[2].split()[1].lower() not in (PLACES | {"written", "shown", "printed"})
    ):
        return None
    return f"the {found[1].lower()} {option} {found[2]}"


def _where(text: str, option: str, options: tuple[str, str]) -> str | None:
    """`Where is the cat`, where the answer begins like a place: `on the sofa`."""
    found = re.fullmatch(r"where (is|are) (\S.*)", text, re.IGNORECASE)
    words = option.split()
    if not found or not is_thing(found[2]) or len(words) < 2 or words[0].lower() not in PLACES:
        return None
    return f"{found[2]} {found[1].lower()} {option}"


def _how_many(text: str, option: str, options: tuple[str, str]) -> str | None:
    """`How many eggs are in the basket`, `How many wheels does the car have`, `How many eggs lie in the nest`."""
    if not _COUNT.fullmatch(option):
        return None
    number = "no" if option.lower() in ("0", "zero", "no", "none") else option.lower()
    one = number in ("1", "one")
    found = re.fullmatch(r"how many (\S.*?) (does|do) (\S.*) have", text, re.IGNORECASE)
    if found:
        things = counted(found[1], one)
        has = "has" if found[2].lower() == "does" else "have"
        return f"{found[3]} {has} {number} {things}" if things and is_thing(found[3]) else None
    found = re.fullmatch(
        r"how many (\S.*?) (?:are|is)(?: there)?((?: (?:in|on|at|under|inside|behind|near) \S.*)?)", text, re.I
    )
    if found:
        things = counted(found[1], one)
        return f"there {'is' if one else 'are'} {number} {things}{found[2]}" if things else None
    found = re.fullmatch(r"how many (\S.*?) (can be seen|lie|stand|sit|hang)((?: \S.*)?)", text, re.IGNORECASE)
    if not found or asks_more(found[3]):
        return None
    things, verb = counted(found[1], one), found[2].lower()
    acts = third_person(verb) if one and verb != "can be seen" else verb
    return f"{number} {things} {acts}{found[3]}" if things else None


_RULES: Final[Sequence[Rule]] = (
    _there_is,
    _can_see,
    _has,
    _does,
    _is_one_or_other,
    _is_it,
    _which_way,
    _which_side,
    _what_color,
    _which_sign,
    _where,
    _how_many,
)
"""Tried in this order; each knows shapes that no other one knows."""
