"""What most taggers say, against a table of cases decided by hand."""

from __future__ import annotations

import pytest

from snellen.patterns.tagsets import majority, replaced
from snellen.records import Tag

JUDGE = ("j1", "j2", "j3")


def said(*sets: str | None) -> dict[str, dict[str, frozenset[str]]]:
    """Taggers j1, j2, j3, p1, p2 in this order; `-`: none fits, None: not tagged, else patterns by a letter."""
    names = ("j1", "j2", "j3", "p1", "p2")
    return {
        name: {} if one is None else {"pair": frozenset(one.replace("-", ""))}
        for name, one in zip(names, sets, strict=False)
    }


@pytest.mark.parametrize(
    ("taggers", "expected"),
    [
        (said("c", "c", "t"), "c"),
        (said("ct", "c", "t"), "ct"),
        (said("c", "c"), "c"),
        (said("ct", "c"), "c"),
        (said("c", "t"), "disputed"),
        (said("c", "t", "s"), "disputed"),
        (said("-", "-", "c"), "-"),
        (said("-", "c"), "disputed"),
        (said("c"), "single"),
        (said(None, "c"), "single"),
        (said(), "single"),
        # people decide ties, and only ties
        (said("c", None, None, "t"), "t by people"),
        (said("c", None, None, "-"), "- by people"),
        (said("-", None, None, "c"), "c by people"),
        (said("c", "c", None, "t"), "c"),
        (said("c", "c", None, "t", "t"), "t by people"),
        (said("c", "s", None, "t", "-"), "disputed"),
        (said(None, None, None, "t", "c"), "disputed"),
        (said("c", "ct", "c", "ct"), "ct by people"),
    ],
)
def test_majorities(taggers: dict[str, dict[str, frozenset[str]]], expected: str) -> None:
    found = majority(taggers, ["p1", "p2"], ["pair"])
    got = "".join(sorted(found.sets["pair"])) or "-" if "pair" in found.sets else ""
    got += "disputed" * len(found.disputed) + "single" * len(found.single) + " by people" * found.by_people
    assert got == expected


def test_the_order_of_taggers_does_not_matter() -> None:
    taggers = said("ct", "c", "ts", "s", "tc")
    found = majority(taggers, ["p1", "p2"], ["pair"])
    assert found == majority(dict(reversed(taggers.items())), ["p2", "p1"], ["pair"])


def tag(question: str, tagset: str, pattern: str = "count") -> Tag:
    return Tag(question, tagset, (pattern,), "me")


def test_a_tagset_takes_the_place_it_had_and_others_stay() -> None:
    old = [tag("1", "x"), tag("1", "mine"), tag("1", "y"), tag("2", "mine"), tag("2", "x")]
    new = {"mine": [tag("1", "mine", "text"), tag("2", "mine", "text")], "added": [tag("1", "added")]}
    assert [(one.question_id, one.tagset) for one in replaced(old, new)] == [
        ("1", "x"),
        ("1", "mine"),
        ("2", "mine"),
        ("1", "y"),
        ("2", "x"),
        ("1", "added"),
    ]
    again = replaced(replaced(old, new), new)
    assert again == replaced(old, new)
    assert replaced(old, {"mine": []}) == [old[0], old[2], old[4]]
