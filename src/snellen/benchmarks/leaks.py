"""Can the answers be guessed without looking? By simple rules, each put to an exact binomial test.

The two answers of a pair differ, so a pair is one coin: a rule says which of its questions has the first option for its
answer. Where the key was laid by lot, every rule is right for half of the pairs, give or take.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from snellen.records import Question

LEVEL: Final = 1e-4
"""A rule is reported where a fair key would fit it, or its opposite, as well with less than this probability."""

_DIGITS: Final = re.compile(r"(\d+)")


class Line(NamedTuple):
    """A question and the number of its line, from 1."""

    number: int
    question: Question


Rule = Callable[[Line, Line], bool | None]
"""Is slot a's question, by this rule, the one that the first option answers? None: the rule says nothing."""


def _by_parity(a: Line, b: Line) -> bool | None:
    return None if a.number % 2 == b.number % 2 else a.number % 2 == 1


def _by_source(a: Line, b: Line) -> bool | None:
    one, other = _natural(a.question.source_id or ""), _natural(b.question.source_id or "")
    return None if one == other else one < other


def _by_options(a: Line, b: Line) -> bool | None:
    options = a.question.options
    return options is not None and options[0] < options[1]


def _natural(text: str) -> list[tuple[int, str]]:
    """Order 9 before 10."""
    return [(int(part[:18]) if part.isdecimal() else -1, part) for part in _DIGITS.split(text)]


RULES: Final[Mapping[str, Rule]] = {
    "which slot it is": lambda a, b: True,
    "which line of the pair comes first": lambda a, b: a.number < b.number,
    "whether its line number is odd or even": _by_parity,
    "the order of the names of the image files": lambda a, b: a.question.image < b.question.image,
    "the order of source_id": _by_source,
    "the slot and the alphabetical order of the options": _by_options,
}
"""How somebody might guess."""


class Leak(NamedTuple):
    """What a rule gets right, of `n` pairs that it says something about; it or its opposite."""

    rule: str
    right: int
    n: int
    p: float


def tested(questions: Sequence[Question]) -> Iterator[Leak]:
    """Test every rule on questions in the order of their lines; pairs without options are left out."""
    from scipy.stats import binomtest

    slots: dict[str, dict[str, Line]] = {}
    for number, question in enumerate(questions, 1):
        if question.answer is not None:
            slots.setdefault(question.pair_id, {})[question.slot] = Line(number, question)
    pairs = [(found["a"], found["b"]) for found in slots.values() if len(found) == 2]
    for name, rule in RULES.items():
        guesses = [(rule(a, b), a.question.answer == 0) for a, b in pairs]
        said = [guess == truth for guess, truth in guesses if guess is not None]
        if said:
            right = max(sum(said), len(said) - sum(said))
            yield Leak(name, right, len(said), float(binomtest(right, len(said)).pvalue))


def leaks(questions: Sequence[Question], *, published: bool = False) -> list[str]:
    """Say by which rules the answers can be guessed, in whole sentences.

    Args:
        questions: in the order of their lines.
        published: the key is as somebody else published it (`option_seed` is null): a fact, and nothing to mend here.
    """
    end = (
        "so it was published; show a model nothing but image and question, and ask in both orders"
        if published
        else "lay the key by lot, as `snellen build` does"
    )
    return [
        f"The answer can be guessed from {leak.rule}: that is right for {leak.right:,} of {leak.n:,} pairs, where "
        f"chance is half (exact binomial p = {leak.p:.1g}); {end}."
        for leak in tested(questions)
        if leak.p < LEVEL
    ]
