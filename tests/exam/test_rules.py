"""The strict rules against answers that a person graded, against random ones, and against long ones."""

from __future__ import annotations

import json
import random
import re
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from snellen.exam.rules import RULES, Reading, read_choice, yes_or_no
from tests.exam.hard_answers import CHINESE, HARD, LR, MISREAD_BY_PEERS, UD, Expected, Hard, L, P

MORE = [
    Hard(line["text"], tuple(line["options"]), tuple(line["letters"]), line["expected"], "")
    for line in map(json.loads, (Path(__file__).parent / "more_answers.jsonl").read_text("utf-8").splitlines())
]


def verdict(reading: Reading) -> Expected:
    return "refused" if reading.refused else reading.choice


def test_there_are_enough_hard_answers() -> None:
    assert len({(one.text, one.options, one.letters) for one in HARD}) == len(HARD) >= 160
    assert len(CHINESE) >= 25
    assert len(MISREAD_BY_PEERS) >= 20
    assert RULES == "rules@1"


@pytest.mark.parametrize("hard", HARD, ids=lambda one: f"{one.text[:40]!r}")
def test_hard_answers_are_read_as_a_person_reads_them(hard: Hard) -> None:
    assert verdict(read_choice(hard.text, hard.options, hard.letters)) == hard.expected, hard.why


def test_more_hard_answers() -> None:
    wrong = [one for one in MORE if verdict(read_choice(one.text, one.options, one.letters)) != one.expected]
    assert not wrong
    assert len(MORE) > 500


@pytest.mark.parametrize("table", [HARD, MORE], ids=["hard", "more"])
def test_the_span_is_a_part_of_the_answer(table: list[Hard]) -> None:
    for one in table:
        reading = read_choice(one.text, one.options, one.letters)
        assert (reading.span is None) == (reading.choice is None)
        assert reading.span is None or (reading.span and reading.span in one.text)
        assert not (reading.refused and reading.choice is not None)


TICKED = ("[x]", "[X]", "(x)", "☒", "☑", "✓", "✔", "✅", "●")
BLANK = ("[ ]", "( )", "☐", "○", "[]")


@pytest.mark.parametrize("ticked", TICKED)
@pytest.mark.parametrize("other", [*BLANK, "✗", "✘", "❌"])
def test_a_mark_never_gives_the_option_that_is_not_ticked(ticked: str, other: str) -> None:
    for first, second in (("A", "B"), ("Left", "Right"), ("A. Left", "B. Right"), ("(a) Left", "(b) Right")):
        letters = P if "(a)" in first else L
        for break_ in ("\n", " ", "\n- ", ", "):
            for at, (one, two) in enumerate(((ticked, other), (other, ticked))):
                for text in (f"{one} {first}{break_}{two} {second}", f"{first}: {one}{break_}{second}: {two}"):
                    assert read_choice(text, LR, letters).choice in (at, None), text


@pytest.mark.parametrize("other", [*BLANK, "✗", "✘", "❌", "☐ ☐", "👎"])
def test_what_is_not_ticked_is_not_chosen(other: str) -> None:
    for name in ("A", "Left", "A. Left"):
        for text in (f"{other} {name}", f"{name} {other}", f"- {other} {name}", f"{name}: {other}"):
            assert read_choice(text, LR, L).choice is None, text


# Numbers as num2words would say them, put together here by hand from the rules of English and Chinese.
SAID = [
    "",
    *[
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
    ],
]
SAID += ["seventeen", "eighteen", "nineteen"]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
SAID += [ten + ("-" + SAID[unit] if unit else "") for ten in TENS for unit in range(10)]


def english(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    return " and ".join(filter(None, (f"{SAID[hundreds]} hundred" if hundreds else "", SAID[rest])))


def chinese(number: int) -> str:
    digits = "零一二三四五六七八九"
    hundreds, tens, unit = number // 100, number // 10 % 10, number % 10
    said = digits[hundreds] + "百" if hundreds else ""
    said += (digits[tens] if tens > 1 or hundreds else "") + "十" if tens else "零" if hundreds and unit else ""
    return said + (digits[unit] if unit else "")


@pytest.mark.parametrize("name", [english, chinese])
def test_a_number_in_words_is_that_number_and_no_other(name: Callable[[int], str]) -> None:
    rng = random.Random(23)
    for number in range(1, 1_000):
        said = name(number)
        others = {number % 10, number % 100, number // 10, number // 100, rng.randrange(1, 1_000)} - {number, 0}
        for other in others:
            options = (str(number), str(other))
            for text in (said, said.capitalize() + ".", f"The answer is {said}.", said.replace("-", " ")):
                assert read_choice(text, options, ("(a)", "(b)")).choice == 0, (text, options)
            assert read_choice(said, (str(other), "5000"), ("(a)", "(b)")).choice is None, (said, other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(
            ("The answer is B", 1),
            ("Answer: B", 1),
            ("\\boxed{B}", 1),
            ("The answer is (b) Right.", 1),
            ("Answer: Left", 0),
        ),
        *(("B\n\nThe dog looks to the", 1), ("**A**\nThe dog's head is", 0), ("Left.\nThe dog's head is on", 0)),
        *(("The dog faces right. The answer is B. Its", 1), ("答案是B。图中", 1)),
        *((f"Let me consider the options.\n{item}", None) for item in ("A. Left", "A", "(a) Left", "B: Right")),
        *((f"The two options are {item}", None) for item in ("A. Left", "A", "Left", "(a)")),
        *((item, None) for item in ("A. Left", "A", "Left", "A. Left\nB", "A\nB", "It faces left", "I see A", "so A")),
        *(("The answer is A or", None), ("The answer is either A", None), ("The answer would be A", None)),
        *(("The answer is A if", None), ("Possible answers: A", None), ("To answer A, the dog", None)),
        *(("A. Left\nThis would mean that the dog", None), ("选项：A. 左", None), ("The answer is not A", None)),
        *(("Answer: A. Wait, the answer is B", None), ("The answer choices are A", None), ("<think>Answer: A", None)),
    ],
)
def test_of_a_cut_answer_only_the_explicit_is_read(text: str, expected: int | None) -> None:
    for letters in (L, P):
        assert read_choice(text, LR, letters, cut=True).choice == expected, letters


def test_a_cut_answer_is_never_read_differently() -> None:
    for one in (*HARD, *MORE):
        for length in (len(one.text), len(one.text) // 2):
            whole, cut = (read_choice(one.text[:length], one.options, one.letters, cut=cut) for cut in (False, True))
            assert cut.choice in (whole.choice, None), one


# -- what must not change a reading, and what must ------------------------------------------------------------------

CHOSEN = [one for one in (*HARD, *MORE) if one.expected in (0, 1) and any(map(str.isalnum, one.options[0]))]


def test_other_order_of_options_and_letters_flips_the_choice() -> None:
    for one in (*HARD, *MORE):
        plain = read_choice(one.text, one.options, one.letters).choice
        flipped = read_choice(one.text, one.options[::-1], one.letters[::-1]).choice
        assert flipped == (None if plain is None else 1 - plain), one


def test_blanks_around_an_answer_change_nothing() -> None:
    for one in (*HARD, *MORE):
        wrapped = read_choice(f" \n\t{one.text}\n \n", one.options, one.letters)
        assert verdict(wrapped) == one.expected, one


def test_a_conflicting_explicit_answer_behind_makes_it_unparsed() -> None:
    for one in CHOSEN:
        assert isinstance(one.expected, int)
        other = one.letters[1 - one.expected]
        text = f"{one.text}\n\nThe answer is {other}."
        assert read_choice(text, one.options, one.letters).choice is None, text


def test_an_agreeing_explicit_answer_behind_changes_nothing() -> None:
    for one in CHOSEN:
        assert isinstance(one.expected, int)
        text = f"{one.text}\n\nThe answer is {one.letters[one.expected]}."
        assert read_choice(text, one.options, one.letters).choice == one.expected, text


def test_thinking_before_an_answer_changes_nothing() -> None:
    for one in HARD:
        if "think" not in one.text.lower() and "◁" not in one.text and one.expected != "refused":
            text = f"<think>It is {one.letters[0]}. No, {one.letters[1]}. {one.options[0]}</think>{one.text}"
            assert verdict(read_choice(text, one.options, one.letters)) == one.expected, text


def test_letters_must_be_two() -> None:
    for letters in (("A", "a"), ("", "B"), ("()", "B")):
        with pytest.raises(ValueError, match="two different names"):
            read_choice("A", LR, letters)


def test_letters_other_than_a_and_b() -> None:
    assert read_choice("The answer is D.", LR, ("C", "D")).choice == 1
    assert read_choice("(ii)", LR, ("(i)", "(ii)")).choice == 1
    assert read_choice("I think so", LR, ("(i)", "(ii)")).choice is None
    assert read_choice("A", LR, ("C", "D")).choice is None


# -- random strings -------------------------------------------------------------------------------------------------

WORDS = (
    "dog",
    "cat",
    "bus",
    "image",
    "camera",
    "zebra",
    "panda",
    "sky",
    "table",
    "person",
    "flag",
    "window",
    "tree",
    "water",
    "color",
    "shape",
    "answer",
    "option",
    "choice",
    "shows",
    "see",
    "looking",
    "standing",
    "because",
    "so",
    "therefore",
    "is",
    "are",
    "not",
    "the",
    "in",
    "on",
    "of",
    "with",
    "and",
    "or",
    "it",
    "this",
    "there",
    "facing",
)
NOUNS = (
    "dog",
    "cat",
    "bus",
    "camera",
    "zebra",
    "panda",
    "flag",
    "window",
    "tree",
    "man",
    "woman",
    "bottle",
    "banana",
    "apple",
    "umbrella",
    "car",
    "sign",
)
VERBS = ("sees", "holds", "wears", "follows", "paints", "carries", "watches", "is", "has", "likes")
LONE = re.compile(r"(?<![A-Za-z0-9])[AaBb](?![A-Za-z0-9])")
SHOUTED = re.compile(r"(?<![A-Za-z0-9])B(?![A-Za-z0-9])")


def without_letters(rng: random.Random) -> str:
    """Any Unicode, but nothing that is, or looks like, an a or a b."""
    kept: list[str] = []
    while len(kept) < rng.randrange(1, 60):
        drawn = chr(rng.choice((rng.randrange(32, 127), rng.randrange(32, 0x3000), rng.randrange(0x4E00, 0x1FFFF))))
        plain = unicodedata.normalize("NFKD", drawn).casefold()
        if not set("ab") & set(plain) and drawn not in "🅰🅱🇦🇧🅐🅑🄰🄱" and not "\ud800" <= drawn <= "\udfff":
            kept.append(drawn)
    return "".join(kept)


def soup(rng: random.Random) -> str:
    """Letters, digits and marks in any order."""
    return "".join(rng.choice("abABcdxyzCDXY01 ()[].,:;!?*_-/'\"\n#$%&+<>{}\\`~|") for _ in range(rng.randrange(1, 40)))


def words(rng: random.Random) -> str:
    """Words with letters a and b inside, and articles."""
    return " ".join(
        rng.choice((*WORDS, *NOUNS, "a", "A", "an")) + rng.choice(("", "", "", ",", ".")) for _ in range(12)
    )


def articles(rng: random.Random) -> str:
    """English sentences in which every a is an article."""
    parts = []
    for _ in range(rng.randrange(1, 4)):
        start = rng.choice(
            ("A", "The answer: a", "So a", "I see a", "It is a", "The answer is a", "I choose a", "Option: a")
        )
        parts.append(f"{start} {rng.choice(NOUNS)} {rng.choice(VERBS)} a {rng.choice(NOUNS)}{rng.choice('.!,')}")
    return rng.choice((" ", "\n")).join(parts)


def test_ten_thousand_random_strings_yield_no_letter_that_is_not_there() -> None:
    rng = random.Random(20261127)
    options = ("Qwertyish", "Zuiopish")  # so that only a letter can be read
    read = 0
    for number in range(12_000):
        make = (without_letters, soup, words, articles)[number % 4]
        text = make(rng)
        letters = rng.choice((L, P))
        reading = read_choice(text, options, letters)
        if make in (without_letters, articles):
            assert reading.choice is None, (make.__name__, text, reading)
        if reading.choice is None:
            continue
        read += 1
        assert reading.span is not None
        assert reading.span in text
        alone = LONE.findall(text)
        assert "ab"[reading.choice] in {each.casefold() for each in alone}, (text, reading)
        assert "ab"[reading.choice] in reading.span.casefold(), (text, reading)
        if make is words:  # an article is no letter, unless a sentence ends with it
            assert re.search(r"\b[Aa](?:[.,]|$)", text), (text, reading)
    assert read > 50  # some of the soup is a letter, and is read


def test_soup_with_both_letters_in_plain_sight_is_nothing() -> None:
    rng = random.Random(7)
    for _ in range(2_000):
        marks = "".join(rng.choice(" .,:;!-*\n()") for _ in range(rng.randrange(1, 6)))
        text = f"{rng.choice('Bb')}{marks}{rng.choice(('A', '(a)'))}"
        assert read_choice(text, UD, L).choice is None, text


def test_random_sentences_with_one_option_denied_never_choose_it() -> None:
    rng = random.Random(11)
    for _ in range(2_000):
        wrong = rng.choice(("left", "Left", "A", "(a)", "option A"))
        text = rng.choice(
            (
                f"It is not {wrong}.",
                f"The {rng.choice(NOUNS)} is not facing {wrong}.",
                f"The answer is not {wrong}.",
                f"I do not think the answer is {wrong}",
                f"{wrong} is wrong.",
                f"{wrong} is incorrect",
                f"Definitely not {wrong}!",
                f"It can't be {wrong}.",
                f"The {rng.choice(NOUNS)} isn't {wrong}.",
                f"Neither {wrong} nor anything else.",
                f"It is anything but {wrong}.",
                f"I would never say {wrong}.",
            )
        )
        assert read_choice(text, LR, L).choice is None, text


# -- long answers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unit",
    [
        *("A ", "a ", "(a) ", "((((", "<", "<think>", "</think>", "-=", "*_", "~~a", "\\boxed{", "left, ", "wait, "),
        *(
            "the answer is not ",
            "1.1",
            " \n",
            "...",
            "?!",
            "选B",
            "答案是",
            "not A. ",
            "'2.",
            "_]2.",
            "A or B ",
            "If A, ",
        ),
    ],
)
@pytest.mark.parametrize("length", [90_000, 1_000_000])
def test_time_is_linear_in_the_length(unit: str, length: int) -> None:
    text = unit * (length // len(unit)) + "x B"
    began = time.process_time()
    read_choice(text, LR, L)
    assert time.process_time() - began < 3


def test_a_runaway_answer_is_not_read_but_long_thinking_is_no_answer() -> None:
    assert read_choice("The dog. " * 200_000 + "Answer: B", LR, L).choice is None
    assert read_choice("<think>" + "It is A. " * 200_000 + "</think>Answer: B", LR, L).choice == 1


# -- yes or no ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(("Yes", True), ("Yes.", True), ("**Yes**", True), ("YES!", True), ("yes, there is a dog", True)),
        *(("No", False), ("no.", False), ("No, there is no dog in the image.", False), ("Answer: no", False)),
        *(
            ("There is a dog in the image.", True),
            ("There are two dogs.", True),
            ("Yes. There are no cats though.", True),
        ),
        *(("There is no dog in the image.", False), ("There isn't a dog in the image.", False)),
        ("There is no doubt: yes.", True),  # POPE's script: no, because of the "no" in the first sentence
        ("Yes, that is not a cat but a dog.", True),
        *(("There is no question that a dog is there.", None), ("There is nothing wrong: a dog is present", None)),
        *(("Not sure.", None), ("I cannot see", None), ("Nothing", None), ("Know", None), ("Note: dog", None)),
        *(("No one is there", None), ("No dog", None), ("Yes and no", None), ("Yes/No", None), ("", None)),
        *(("Yes, but no", None), ("no, wait, yes", None), ("Yes, there is no dog in the image.", None)),
        ("<think>no</think>yes", True),
        *(("是", True), ("是的，图中有一只狗。", True), ("有", True), ("有，图中有狗。", True), ("对", True)),
        *(("图中有一只狗。", True), ("图中没有狗。", False), ("否", False), ("不是", False), ("没有", False)),
        *(("没有，图中没有狗。", False), ("不对", False), ("否，图中没有。", False), ("没有问题，有狗", None)),
    ],
)
def test_yes_or_no(text: str, expected: bool | None) -> None:
    assert yes_or_no(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(("Answer: yes", True), ("The answer is no.", False), ("Yes.\nThere is a dog on the", True)),
        *(
            ("There is a dog", None),
            ("Yes or", None),
            ("There is no", None),
            ("Options: yes", None),
            ("是否有狗", None),
        ),
    ],
)
def test_yes_or_no_of_a_cut_answer(text: str, expected: bool | None) -> None:
    assert yes_or_no(text, cut=True) is expected


def test_yes_or_no_of_random_strings_is_none() -> None:
    rng = random.Random(3)
    for _ in range(2_000):
        text = without_letters(rng)
        if not re.search(r"yes|yep|yup|no|[是否有无不没对]", text, re.IGNORECASE):
            assert yes_or_no(text) is None, text
