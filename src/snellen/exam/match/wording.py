"""What can be told of two statements by their words alone: whether they are the same, or whether one says no more."""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*", re.UNICODE)

_DENIES: Final = frozenset(("no", "not", "without", "none", "never", "nothing", "nobody", "neither"))


def words(statement: str) -> tuple[str, ...]:
    """Return the words of a statement, without case and punctuation."""
    return tuple(_WORD.findall(statement.casefold()))


def same(one: str, other: str) -> bool:
    """Do two statements differ in nothing but case, spaces and punctuation between words?

    Statements without any word (`+`, `-`) are compared as they stand.

    Example:
        >>> same("A dog.", "a  dog"), same("a dog", "no dog"), same("+", "-")
        (True, False, False)
    """
    return words(one) == words(other) if words(one) or words(other) else one.split() == other.split()


def problem(one: str, other: str) -> str | None:
    """Say, as a whole sentence, why two statements cannot each be true of its own image alone; None: nothing shows it.

    Words can only show that one statement holds the other ("a dog" is true wherever "a dog with a hat" is). Whether
    they are true at all takes somebody who looks.

    Example:
        >>> problem("a dog", "a dog with a hat")
        'One statement says all that the other says, so it may be true of both images.'
        >>> problem("a dog with a hat", "a dog without a hat") is None
        True
    """
    if same(one, other):
        return "Both statements are the same."
    first, second = sorted((words(one), words(other)), key=len)
    denied = bool(_DENIES & set(second)) and not _DENIES & set(first)
    if first and not denied and any(second[at:][: len(first)] == first for at in range(len(second))):
        return "One statement says all that the other says, so it may be true of both images."
    return None
