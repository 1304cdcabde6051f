"""Statements by rule: good English, or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snellen.exam.match.statement_rules import by_rule
from snellen.exam.match.wording import problem, same

GOOD = [
    ("Is the dog facing left or right?", ("Left", "Right"), "the dog is facing left", "the dog is facing right"),
    ("Is the dog facing left or right?", ("right", "left"), "the dog is facing right", "the dog is facing left"),
    ("Is there a hat on the dog?", ("Yes", "No"), "there is a hat on the dog", "there is no hat on the dog"),
    ("Is there a hat on the dog?", ("no", "yes"), "there is no hat on the dog", "there is a hat on the dog"),
    ("Are there any clouds?", ("Yes", "No"), "there are clouds", "there are no clouds"),
    (
        "Can you see stems in the bowl?",
        ("Yes", "No"),
        "you can see stems in the bowl",
        "you cannot see stems in the bowl",
    ),
    (
        "Does the elephant have long or short tusks?",
        ("Long", "Short"),
        "the elephant has long tusks",
        "the elephant has short tusks",
    ),
    ("Does the dog have a collar?", ("Yes", "No"), "the dog has a collar", "the dog does not have a collar"),
    ("Does the man wear a hat?", ("No", "Yes"), "the man does not wear a hat", "the man wears a hat"),
    ("Is the dog wearing a hat?", ("Yes", "No"), "the dog is wearing a hat", "the dog is not wearing a hat"),
    ("Is the old building tall or short?", ("Tall", "Short"), "the old building is tall", "the old building is short"),
    (
        "Is the cat on the sofa asleep or awake?",
        ("Asleep", "Awake"),
        "the cat on the sofa is asleep",
        "the cat on the sofa is awake",
    ),
    (
        "Is the crate on the left or the right of the boat?",
        ("Left", "Right"),
        "the crate is on the left of the boat",
        "the crate is on the right of the boat",
    ),
    (
        "Is the boat seen from above or from the side?",
        ("above", "side"),
        "the boat is seen from above",
        "the boat is seen from the side",
    ),
    (
        "Is the dog next to the cat or the horse?",
        ("Cat", "Horse"),
        "the dog is next to the cat",
        "the dog is next to the horse",
    ),
    ("Is the dog very big or small?", ("Big", "Small"), "the dog is very big", "the dog is very small"),
    ("Which way does the boat face?", ("left", "right"), "the boat faces left", "the boat faces right"),
    (
        "In which direction is the dog looking?",
        ("Up", "To the left"),
        "the dog is looking up",
        "the dog is looking to the left",
    ),
    (
        "On which side of the boat is the crate?",
        ("left", "right"),
        "the crate is on the left side of the boat",
        "the crate is on the right side of the boat",
    ),
    ("What color is the boat?", ("Red", "black and white"), "the boat is red", "the boat is black and white"),
    ("Which letter is on the sign?", ("A", "K"), "the letter A is on the sign", "the letter K is on the sign"),
    ("Where is the cat?", ("On the sofa", "Under the table"), "the cat is on the sofa", "the cat is under the table"),
    ("How many eggs lie in the nest?", ("one", "two"), "one egg lies in the nest", "two eggs lie in the nest"),
    ("How many people are there?", ("1", "2"), "there is 1 person", "there are 2 people"),
    ("How many boxes does the man have?", ("1", "0"), "the man has 1 box", "the man has no boxes"),
    ("How many berries can be seen?", ("One", "Three"), "one berry can be seen", "three berries can be seen"),
]

NONE = [
    ("What is unusual about this picture?", ("The sky", "The road")),
    ("Is the red door open?", ("Yes", "No")),  # where does the door end?
    ("Is this a hammerhead shark?", ("Yes", "No")),
    ("Is it day or night?", ("Day", "Night")),
    ("Is the kite flown high or low", ("High", "Low")),  # no question mark
    ("Is the kite soaring high or low?", ("High", "Low")),  # a participle that no list holds
    ("Is the person holding the cup with the left or the right hand?", ("Left", "Right")),
    ("Is the dog black, brown or white?", ("Brown", "White")),
    ("Is there a dog or a cat?", ("Yes", "No")),
    ("Is the dog facing left or right?", ("North", "South")),
    ("How many spectacles are there?", ("one", "a few")),
    ("How many buses are on the glass?", ("One", "one")),
    ("How many dice are there?", ("1", "2")),  # whose singular no rule knows
    ("Which way does the boat face?", ("the harbour", "the sea")),
    ("Look. Is the dog facing left or right?", ("Left", "Right")),
    ("Is the dog facing left or right? Or up?", ("Left", "Right")),
    ("Is the dog\x1b facing left or right?", ("Left", "Right")),
    ("Is the dog facing left or right?" * 20, ("Left", "Right")),
    ("?", ("Left", "Right")),
    ("", ("Left", "Right")),
]


@pytest.mark.parametrize(("text", "options", "first", "second"), GOOD)
def test_a_question_becomes_two_statements(text: str, options: tuple[str, str], first: str, second: str) -> None:
    assert by_rule(text, options) == (first, second)


@pytest.mark.parametrize(("text", "options"), NONE)
def test_what_no_rule_is_sure_of_gets_none(text: str, options: tuple[str, str]) -> None:
    assert by_rule(text, options) is None


SHAPES = [text for text, *_ in GOOD] + [text for text, _ in NONE]


@given(st.one_of(st.sampled_from(SHAPES), st.text(max_size=80)), st.tuples(st.text(max_size=20), st.text(max_size=20)))
def test_whatever_comes_out_is_one_printable_line_each_and_exclusive(text: str, options: tuple[str, str]) -> None:
    made = by_rule(text, options)
    if made is not None:
        assert problem(*made) is None
        assert all(one.isprintable() and one.strip() == one and "?" not in one for one in made)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("A dog.", "a  dog", True),
        ("a dog", "no dog", False),
        ("+", "-", False),
        ("!", "! ", True),
        ("left", "左", False),
    ],
)
def test_what_differs_in_case_and_punctuation_only_is_the_same(one: str, other: str, alike: bool) -> None:
    assert same(one, other) is alike
    assert same(other, one) is alike


@pytest.mark.parametrize(
    ("one", "other", "fine"),
    [
        ("a dog", "a dog with a hat", False),
        ("a dog with a hat", "with a hat", False),
        ("a hat", "there is no hat, but a hat box", True),  # denied: no more than words can tell
        ("dog", "no dog", True),
        ("the dog faces left", "the dog faces right", True),
        ("+", "-", True),
        ("one dog", "one dog", False),
    ],
)
def test_one_that_says_all_of_the_other_may_be_true_of_both(one: str, other: str, fine: bool) -> None:
    assert (problem(one, other) is None) is fine
    assert (problem(other, one) is None) is fine
