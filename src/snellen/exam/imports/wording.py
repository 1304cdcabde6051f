"""Is this the question that the file says it shows, and in which order did it show the options?"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from snellen.exam.imports.foreign import Foreign
from snellen.jsonl import Bad, quoted
from snellen.profiles import shown
from snellen.records import Order, Question

ORDERS: Final[tuple[Order, Order]] = ("ab", "ba")

LETTERS: Final = (("(a)", "(b)"), ("a.", "b."), ("a)", "b)"), ("a:", "b:"))
"""How tools write letters before options, in either case, on one line or on two."""


def order_shown(question: Question, one: Foreign) -> Order:
    """Compare texts, and return the order of options in which the question was shown.

    Raises:
        Bad: text or options are others than the benchmark's.
    """
    assert question.text is not None
    said: Order | None = one.order
    if one.question is not None and _plain(one.question) != _plain(question.text):
        raise Bad(f"asks {quoted(one.question)}, and {named(question)} is {quoted(question.text)}")
    if one.options is not None:
        said = _same(question, one, said, _by_options(question, one.options), one.options)
    if one.prompt is not None:
        if _plain(question.text) not in _plain(one.prompt):
            raise Bad(f"shows {quoted(one.prompt)}, and {named(question)} is {quoted(question.text)}")
        seen = _by_prompt(question, one.prompt)
        if said is None or seen is not None:
            said = _same(question, one, said, seen, one.prompt)
    return said or "ab"


def _same(question: Question, one: Foreign, said: Order | None, seen: Order | None, value: object) -> Order:
    if seen is None:
        raise Bad(f"shows {quoted(value)}, and the options of {named(question)} are {quoted(question.options)}")
    if said is not None and said != seen:
        raise Bad(f"shows the options of {named(question)} in another order than it says")
    return seen


def _by_options(question: Question, options: tuple[str, str]) -> Order | None:
    for order in ORDERS:
        if tuple(map(_plain, shown(question, order))) == tuple(map(_plain, options)):
            return order
    return None


def _by_prompt(question: Question, prompt: str) -> Order | None:
    """Find the options behind their letters, on one line or two, up to the end of a line; one order only."""
    lines = "\n".join(_plain(line) for line in prompt.splitlines()) + "\n"
    found = {
        order
        for order in ORDERS
        for first, second in LETTERS
        for between in (" ", "\n")
        if re.search(
            r"(?<!\S)"
            + re.escape(
                f"{first} {_plain(shown(question, order)[0])}{between}{second} {_plain(shown(question, order)[1])}\n"
            ),
            lines,
        )
    }
    return found.pop() if len(found) == 1 else None


def _plain(text: str) -> str:
    """Take away what tables and prompts change of a text: case, kinds of spaces, ways of composing characters."""
    return " ".join(unicodedata.normalize("NFKC", text).split()).casefold()


def named(question: Question) -> str:
    """Name a question for people: its question_id, and what it was called where it comes from."""
    return f"{question.question_id} ({question.source_id})" if question.source_id else question.question_id
