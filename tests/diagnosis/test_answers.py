"""What answers prove, by binomial rules worked out by hand or by scipy."""

from __future__ import annotations

from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen.diagnosis.answers import Asked, Said, hits, right_in, said
from snellen.diagnosis.organs import Hits
from snellen.records import Grade, Question, Response, Verdict
from snellen.runs.files import Sitting

WAYS: list[Sitting] = [(order, 0, "none", variant) for order in ("ab", "ba") for variant in ("", "crop-0", "jpeg-0")]
BLIND: Sitting = ("ab", 0, "no_image", "")


def question(slot: str, answer: int) -> Question:
    return Question(
        f"p-{slot}", "p", "a" if slot == "a" else "b", f"images/{slot}.png", slot * 64, "Which?", ("up", "down"), answer
    )


PAIR = Asked(question("a", 0), question("b", 1), 0, 1, None)


def grade(slot: str, sitting: Sitting, choice: int | None) -> Grade:
    truth = {"a": 0, "b": 1}[slot]
    verdict: Verdict = "unparsed" if choice is None else "correct" if choice == truth else "incorrect"
    return Grade(f"p-{slot}", *sitting, choice=choice, verdict=verdict, grader="rules@1", span=None)


def response(slot: str, sitting: Sitting, shown_first: float, shown_second: float) -> Response:
    return Response(
        f"p-{slot}", *sitting, prompt="", text="(a)", finish="stop", error=None,
        logprobs={"a": shown_first, "b": shown_second}, tokens_in=None, tokens_out=None, cost_usd=None, seconds=0.0,
        at="2026-01-01T00:00:00+00:00", model_reported=None,
    )  # fmt: skip


def tail(count: int, n: int, chance: float) -> float:
    """The chance of at least so many hits, written out."""
    return sum(comb(n, k) * chance**k * (1 - chance) ** (n - k) for k in range(count, n + 1))


@settings(deadline=None)  # the first call imports scipy
@given(st.integers(1, 20), st.integers(0, 20), st.sampled_from([0.25, 0.5]))
def test_the_test_is_the_exact_binomial_one(n: int, count: int, chance: float) -> None:
    count = min(count, n)
    assert right_in(count, n, chance) == (tail(count, n, chance) <= 0.05 + 1e-12)


@pytest.mark.parametrize(
    ("right", "told"),
    [
        (12, True),
        (7, True),  # a guesser has 7 of 12 or more in 1.4 %
        (6, None),  # half is neither
        (5, False),  # who is right in 3 of 4 has 5 of 12 or fewer in 1.4 %
        (0, False),
    ],
)
def test_answers_in_twelve_ways(right: int, told: bool | None) -> None:
    assert Said(12, right, (), 0, None, 0).answers is told


def test_few_ways_prove_little() -> None:
    assert Said(2, 2, (), 0, None, 0).answers is None
    assert Said(0, 0, (), 0, None, 0).answers is None


def test_a_pair_is_gathered_over_orders_and_variants() -> None:
    grades = {one.key: one for way in WAYS for one in (grade("a", way, 0), grade("b", way, 1))}
    wrong = grade("b", WAYS[1], 0)
    unread = grade("a", WAYS[2], None)
    grades |= {wrong.key: wrong, unread.key: unread}
    found = said(PAIR, WAYS, grades, {})
    assert (found.ways, found.both_right, found.unread, found.same_letter) == (6, 4, 1, 1)
    assert found.solved_blind is None
    assert found.contrast is None


def test_a_missing_answer_takes_its_way_out_and_no_other() -> None:
    grades = {one.key: one for way in WAYS for one in (grade("a", way, 0), grade("b", way, 1))}
    del grades["p-a", *WAYS[3]]
    assert said(PAIR, WAYS, grades, {}).ways == 5


def test_the_contrast_undoes_the_order() -> None:
    """Image a makes the true option likelier by 3 nats than image b does, whichever is shown first."""
    grades = {one.key: one for way in WAYS for one in (grade("a", way, 0), grade("b", way, 0))}
    responses = {}
    for way in WAYS:
        first_is_up = way[0] == "ab"
        for slot, up in (("a", 4.0), ("b", 1.0)):
            down = 0.5
            one = response(slot, way, *((up, down) if first_is_up else (down, up)))
            responses[one.key] = one
    found = said(PAIR, WAYS, grades, responses)
    assert found.contrasts == pytest.approx((3.0,) * 6)
    assert found.both_right == 0  # a bias for "up" hides it


def test_solved_without_the_picture() -> None:
    """Three times in three: a guesser does that in 1/64; once proves nothing."""
    thrice: list[Sitting] = [BLIND, ("ba", 0, "no_image", ""), ("ab", 1, "no_image", "")]
    grades = {one.key: one for way in thrice for one in (grade("a", way, 0), grade("b", way, 1))}
    assert said(PAIR, thrice, grades, {}).solved_blind is True
    assert said(PAIR, [BLIND], grades, {}).solved_blind is False
    same = {one.key: one for way in thrice for one in (grade("a", way, 0), grade("b", way, 0))}
    assert said(PAIR, thrice, same, {}).solved_blind is False
    assert said(PAIR, [WAYS[0]], {}, {}).solved_blind is None


def test_what_variants_do_as_much_as_the_pair_counts_as_half() -> None:
    assert hits([5.0, 4.0, 6.0, 5.5], clear=1.0) == Hits(4, 4)
    assert hits([0.5, -3.0, 4.0, 0.1], clear=1.0) == Hits(2, 4)  # mean 0.4, deviation 2.9
    assert hits([0.5, -3.0, 4.0, 0.1]) == Hits(3, 4)
    assert hits([]) is None
