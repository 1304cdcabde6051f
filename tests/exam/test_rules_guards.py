"""Words that only look like an option or a letter, answers that are taken back, and answers that were cut off."""

from __future__ import annotations

import pytest

from snellen.exam.rules import read_choice, yes_or_no
from snellen.exam.rules_guards import masked

A, P = ("A", "B"), ("(a)", "(b)")
LR, YN, OC, LS = ("Left", "Right"), ("Yes", "No"), ("Open", "Closed"), ("Long", "Short")
NOTHING = (None,)
FIRST, SECOND = (0, None), (1, None)
"""What may be read: an option or nothing, never the other one."""


@pytest.mark.parametrize(
    ("text", "options", "allowed"),
    [
        # several number words are one number, and not that of one of them
        ("twenty-three", ("3", "23"), SECOND),
        ("twenty three dogs", ("3", "23"), SECOND),
        ("two hundred", ("2", "200"), SECOND),
        ("a hundred and two", ("2", "102"), SECOND),
        ("There are twenty-one birds.", ("One", "Two"), NOTHING),
        ("There are thirty-two of them", ("Two", "Three"), NOTHING),
        ("two dozen", ("Two", "Three"), NOTHING),
        ("two and a half", ("2", "3"), NOTHING),
        ("two thirds", ("Two", "Three"), NOTHING),
        ("二十二", ("2", "3"), NOTHING),
        ("十二", ("2", "12"), SECOND),
        ("二十三只", ("3", "13"), NOTHING),
        ("一百零二", ("2", "100"), NOTHING),
        # boxes
        ("[x] A\n[ ] B", LR, FIRST),
        ("[ ] A\n[x] B", LR, SECOND),
        ("- [x] Left\n- [ ] Right", LR, FIRST),
        ("(x) A\n( ) B", LR, FIRST),
        ("☐ Left\n☒ Right", LR, SECOND),
        ("☐ (a) Left\n☒ (b) Right", LR, SECOND),
        ("Left: ✗ Right: ✓", LR, SECOND),
        # denied, taken back, said by others
        ("A、B都不对", LR, NOTHING),
        ("A，B都不对", LR, NOTHING),
        ("A、B都不正确。", LR, NOTHING),
        ("A和B 都是错的", LR, NOTHING),
        ("The answer is A. That is incorrect.", LR, NOTHING),
        ("The answer is A. This was wrong.", LR, NOTHING),
        ("The answer is A, not.", LR, NOTHING),
        ("A. That is not right.", LR, NOTHING),
        ("The previous answer, B, was wrong.", LR, FIRST),
        ("I'd like to say A but cannot", LR, NOTHING),
        ("No, I cannot determine that.", YN, NOTHING),
        ("有人说是A", LR, NOTHING),
        ("My friend said the answer is A", LR, NOTHING),
        ("Some people would say B.", LR, NOTHING),
        # another sense
        ("He left.", LR, NOTHING),
        ("Two slices are left on the plate.", LR, NOTHING),
        ("she was left alone", LR, NOTHING),
        ("There are only two options left.", LR, NOTHING),
        ("It came at the right time", LR, NOTHING),
        ("You have the right to remain silent", LR, NOTHING),
        ("This is an open question", OC, NOTHING),
        ("I am open to both answers", OC, NOTHING),
        ("as long as it is", LS, NOTHING),
        ("Before long", LS, NOTHING),
        ("In short, it is hard to say", LS, NOTHING),
    ],
)
def test_never_what_it_does_not_say(text: str, options: tuple[str, str], allowed: tuple[int | None, ...]) -> None:
    assert read_choice(text, options, P if "(a)" in text else A).choice in allowed


@pytest.mark.parametrize(
    ("text", "options", "choice"),
    [
        ("There are three dogs.", ("3", "4"), 0),
        ("Two.", ("One", "Two"), 1),
        ("23", ("3", "23"), 1),
        ("twenty-three", ("Three", "Twenty-three"), 1),
        ("There is a two-story house.", ("Two-story", "One-story"), 0),
        ("The dog is on the left.", LR, 0),
        ("It looks to the right.", LR, 1),
        ("My answer is left, not right", LR, 0),
        ("The door is open", OC, 0),
        ("Its tusks are long.", LS, 0),
        ("The answer is B. This is because it faces right.", LR, 1),
        ("No, it is not.", YN, 1),
        ("A ❌\nB ✅", LR, 1),
        ("☑ B", LR, 1),
        ("I'd go with B here.", LR, 1),
        ("I choose A as my answer.", LR, 0),
    ],
)
def test_what_is_said_is_still_read(text: str, options: tuple[str, str], choice: int) -> None:
    assert read_choice(text, options, A).choice == choice


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("Let me consider the options.\nA. Left", None),
        ("The two options are A. Left", None),
        ("A. Left", None),
        ("Looking at the image, the dog is facing left and", None),
        ("The dog faces left", None),
        ("The answer is B. The dog's head is at the", 1),
        ("Answer: B\n\nThe dog", 1),
        ("B\n\nThe dog looks to the right, since its", 1),
        ("<think>A? Let me see", None),
    ],
)
def test_of_a_cut_answer_only_what_is_explicit_counts(text: str, choice: int | None) -> None:
    assert read_choice(text, LR, A, cut=True).choice == choice


def test_cut_yes_or_no() -> None:
    assert yes_or_no("There is a dog.") is True
    assert yes_or_no("There is a dog", cut=True) is None


def test_masks_keep_their_place() -> None:
    text = "There are twenty-one birds left over."
    assert masked(text, ("One", "Two")) == "There are ########## birds #########."
    assert masked(text, ("Twenty-one", "Two")) == "There are twenty-one birds #########."
