from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snellen.mllms.base import Traffic
from snellen.mllms.traffic import Meter, Pace, patience, retry_after


@given(st.integers(1, 7), st.lists(st.floats(0, 30), min_size=1, max_size=60))
def test_no_window_of_a_minute_holds_more_than_the_limit(limit: int, gaps: list[float]) -> None:
    now = 0.0
    pace = Pace(limit, clock=lambda: now)
    begun: list[float] = []
    for gap in gaps:
        now += gap
        while (wait := pace.turn()) > 0:
            now += wait
        begun.append(now)
    for time in begun:  # brute force: every window that begins with a beginning
        assert sum(time <= other < time + 60 for other in begun) <= limit


def test_the_limit_is_used_up() -> None:
    now = 0.0
    pace = Pace(3, clock=lambda: now)
    assert [pace.turn() for _ in range(3)] == [0.0, 0.0, 0.0]
    assert 60 <= pace.turn() < 61
    now = 61.0
    assert [pace.turn() for _ in range(3)] == [0.0, 0.0, 0.0]
    assert Pace(None).turn() == 0.0


def test_waits_grow_and_are_bounded() -> None:
    for tries, most in ((1, 1.0), (2, 2.0), (4, 8.0), (10, 60.0), (10_000, 60.0)):
        waits = [patience(tries, None) for _ in range(300)]
        assert min(waits) >= 0 and max(waits) <= most
        assert max(waits) > 0.9 * most and min(waits) < 0.1 * most  # full jitter
    assert 5.0 <= patience(1, 5.0) <= 5.5
    assert patience(1, 1e9) <= 132.0
    assert patience(1, 0.0) <= 1.0


def test_both_forms_of_retry_after() -> None:
    assert retry_after(None) is None
    assert retry_after("7") == 7.0
    assert retry_after("0.5") == 0.5
    assert retry_after("-3") == 0.0
    later = datetime.now(UTC) + timedelta(seconds=30)
    assert retry_after(format_datetime(later, usegmt=True)) == pytest.approx(30, abs=2)
    assert retry_after(format_datetime(later - timedelta(hours=1), usegmt=True)) == 0.0
    for nonsense in ("soon", "inf", "nan", "", "Fri, 99 Foo 2026 00:00:00 GMT"):
        assert retry_after(nonsense) is None


def test_cost_by_hand() -> None:
    meter = Meter(Traffic(price_in=2.0, price_out=8.0), max_tokens=100)
    assert meter.cost(1_000_000, 500_000, None) == pytest.approx(6.0)
    assert meter.cost(1_000, 10, 99.0) == pytest.approx(0.00208)
    assert meter.cost(None, 10, 99.0) is None
    assert Meter(Traffic(), 100).cost(1_000, 10, 0.25) == 0.25
    assert Meter(Traffic(), 100).cost(1_000, 10, None) is None


def test_nothing_is_begun_that_might_exceed_the_budget() -> None:
    meter = Meter(Traffic(price_in=1.0, price_out=1.0, budget_usd=0.01), max_tokens=1_000)
    estimate = meter.estimate("x" * 500, image=False)
    assert estimate == pytest.approx(0.0015)
    assert meter.fits(estimate)
    meter.begin(estimate)
    assert not meter.fits(estimate)  # alone, until a cost is known
    meter.pay(meter.cost(4_000, 10, None), estimate, 4_000, 10)
    meter.end(estimate)
    assert meter.estimate("x", image=False) == pytest.approx(0.005)  # the dearest so far, and the longest answer
    assert meter.fits(0.005)
    meter.begin(0.005)
    assert not meter.fits(0.005)
    meter.end(0.005)
    meter.lost += 0.005
    assert not meter.fits(0.005)
    assert "0.0040" in meter.exhausted(0.005) and "0.0100" in meter.exhausted(0.005)


def test_an_answer_of_unknown_cost_counts_in_full() -> None:
    meter = Meter(Traffic(price_in=1.0, price_out=1.0, budget_usd=0.01), max_tokens=1_000)
    meter.pay(meter.cost(None, None, None), 0.008, None, None)
    assert meter.spent == 0 and not meter.fits(0.0021)
