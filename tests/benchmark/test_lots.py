"""Nothing but the image tells the answer: on 2,000 pairs whose accepted key is as biased as it can be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from snellen.benchmark.lots import questions_of, shuffled
from snellen.benchmarks import leaks
from snellen.records import AcceptedPair, Question
from tests.accepted_pairs import synthetic

N = 2000
FIVE_SIGMA = 5 * (N / 4) ** 0.5
"""Of 2,000 fair coins; a fair key fails one of these tests once in two million times."""


def benchmark_of(pairs: Sequence[AcceptedPair], seed: int) -> list[Question]:
    paths = {image: f"images/{image}.png" for pair in pairs for image in (pair.image_a, pair.image_b)}
    return shuffled([one for pair in pairs for one in questions_of(pair, seed, paths)], seed)


@pytest.fixture(scope="module")
def questions() -> list[Question]:
    return benchmark_of(synthetic(N), 0)


def slots(questions: Sequence[Question]) -> list[tuple[tuple[int, Question], tuple[int, Question]]]:
    """Both questions of every pair with the numbers of their lines; pairs in the order of their ids."""
    by_id = {question.question_id: (number, question) for number, question in enumerate(questions)}
    return [(by_id[f"{name}-a"], by_id[f"{name}-b"]) for name in sorted({q.pair_id for q in questions})]


Guess = Callable[[int, tuple[int, Question], tuple[int, Question]], bool]

RULES: dict[str, Guess] = {
    "slot": lambda rank, a, b: True,
    "which line first": lambda rank, a, b: a[0] < b[0],
    "parity of the line": lambda rank, a, b: a[0] % 2 == 0,
    "parity of the other line": lambda rank, a, b: b[0] % 2 == 0,
    "first half of the file": lambda rank, a, b: a[0] < N,
    "rank of pair_id": lambda rank, a, b: rank % 2 == 0,
    "first half by pair_id": lambda rank, a, b: rank < N // 2,
    "last digit of pair_id": lambda rank, a, b: int(a[1].pair_id[-1], 16) % 2 == 0,
    "first digit of pair_id": lambda rank, a, b: int(a[1].pair_id[0], 16) % 2 == 0,
    "order of image_id": lambda rank, a, b: a[1].image_id < b[1].image_id,
    "last digit of image_id": lambda rank, a, b: int(a[1].image_id[-1], 16) % 2 == 0,
    "alphabetical order of options": lambda rank, a, b: a[1].options is not None and a[1].options[0] < a[1].options[1],
    "longer option": lambda rank, a, b: a[1].options is not None and len(a[1].options[0]) < len(a[1].options[1]),
}


@pytest.mark.parametrize("rule", RULES)
def test_no_rule_tells_the_answer(questions: list[Question], rule: str) -> None:
    right = sum(RULES[rule](rank, a, b) == (a[1].answer == 0) for rank, (a, b) in enumerate(slots(questions)))
    assert abs(right - N / 2) < FIVE_SIGMA


def test_our_own_check_agrees(questions: list[Question]) -> None:
    assert leaks(questions) == []


def test_the_check_would_notice_the_key_as_it_was_accepted() -> None:
    """Without lots the accepted key is a giveaway in every respect that is tested."""
    plain = []
    for pair in synthetic(N):
        for slot, image, answer in (("a", pair.image_a, pair.answer_a), ("b", pair.image_b, pair.answer_b)):
            path = f"images/{image}.png"
            plain.append(
                Question(
                    f"{pair.pair_id}-{slot}",
                    pair.pair_id,
                    slot,  # type: ignore[arg-type]
                    path,
                    image,
                    pair.question,
                    pair.options,
                    answer,
                )
            )
    found = "".join(leaks(plain))
    for rule in ("which slot", "which line", "odd or even", "image files", "alphabetical"):
        assert rule in found


def test_options_are_laid_as_often_one_way_as_the_other(questions: list[Question]) -> None:
    first = sum(a[1].options is not None and a[1].options[0] < a[1].options[1] for a, _ in slots(questions))
    assert abs(first - N / 2) < FIVE_SIGMA


def test_the_lots_of_one_pair_tell_nothing_of_another_of_its_lots(questions: list[Question]) -> None:
    both = sum(
        (a[1].image_id < b[1].image_id) == (a[1].options is not None and a[1].options[0] < a[1].options[1])
        for a, b in slots(questions)
    )
    assert abs(both - N / 2) < FIVE_SIGMA


def test_another_seed_is_another_benchmark_and_a_pair_less_changes_no_other() -> None:
    pairs = synthetic(100)
    assert benchmark_of(pairs, 1) != benchmark_of(pairs, 2)
    less = [question for question in benchmark_of(pairs, 1) if question.pair_id != pairs[7].pair_id]
    assert benchmark_of(pairs[:7] + pairs[8:], 1) == less


def test_both_questions_of_a_pair_offer_the_same_and_answer_otherwise(questions: list[Question]) -> None:
    for (_, a), (_, b) in slots(questions):
        assert a.text == b.text
        assert a.options == b.options
        assert {a.answer, b.answer} == {0, 1}


def test_how_a_pair_was_written_down_does_not_matter() -> None:
    (pair,) = synthetic(1)
    turned = replace(pair, image_a=pair.image_b, image_b=pair.image_a, options=pair.options[::-1])
    for seed in range(8):
        assert benchmark_of([pair], seed) == benchmark_of([turned], seed)
