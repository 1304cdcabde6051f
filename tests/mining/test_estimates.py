"""Estimates: unbiased, their intervals cover, and what rests on little says so."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from snellen.mining.estimates.interval import Estimate, Interval, interval
from snellen.mining.estimates.rounding import duration, rough
from snellen.mining.estimates.stricter import Stricter

IMAGES, DRAWN = 20_000, 1000


def planted(kind: str) -> NDArray[np.float64]:
    """Each image's share of the pairs that it is in: half of its number of partners."""
    shares = np.zeros(IMAGES)
    if kind == "few":  # 40 pairs of their own
        shares[:80] = 0.5
    elif kind == "many":
        shares[:8000] = 0.5
    elif kind == "one burst":
        shares[:200], shares[200:1000] = 199 / 2, 0.5
    elif kind == "bursts":
        shares[:3000] = 99 / 2
    else:  # clusters of heavy-tailed sizes
        rng, at = np.random.default_rng(1), 0
        while at < IMAGES - 600:
            size = min(int(rng.pareto(1.2) + 1), 500)
            shares[at : at + size] = (size - 1) / 2
            at += size
    return shares


@pytest.mark.parametrize("kind", ["few", "many", "one burst", "bursts", "heavy tails"])
def test_intervals_cover_and_estimates_are_unbiased(kind: str) -> None:
    shares = planted(kind)
    truth = shares.sum()
    rng = np.random.default_rng(7)
    found = [interval(shares[rng.choice(IMAGES, DRAWN, replace=False)], IMAGES, 0, 0.5, seed) for seed in range(150)]
    covered = np.mean([one.low <= truth <= one.high for one in found])
    assert covered >= 0.92
    spread = np.std([one.value for one in found]) / np.sqrt(len(found))
    assert abs(np.mean([one.value for one in found]) - truth) < 3.5 * spread + 0.5
    # Not by being endless: at most four times as wide as where one knew the spread of estimates.
    assert np.median([one.high - one.low for one in found]) < 4 * 2 * 1.96 * np.std([one.value for one in found])


def test_nothing_found_says_how_much_may_be_there() -> None:
    found = interval(np.zeros(DRAWN), IMAGES, 0, 0.5, 0)
    assert (found.value, found.low) == (0, 0)
    # Of T pairs of their own, none is seen with probability (1 - k/N)^(2T), which is 2.5 % at T = 36.
    assert 36 <= found.high <= 38


def test_all_drawn_is_exact() -> None:
    assert interval(np.array([0.5, 1.0, 0.5]), 3, 2, 0.5, 0) == (2, 2, 2)


def test_no_fewer_than_were_seen() -> None:
    found = interval(np.array([0.5, 0.5]), 3, 2, 0.5, 0)
    assert found.value == found.low == 2 <= found.high


def an_estimate(**changes: object) -> Estimate:
    made = Estimate(
        images=100_000,
        drawn=2048,
        above_blind_min=Interval(45_678_901, 44_000_000, 47_000_000),
        below_reference_max=Interval(1_500_000, 1_400_000, 1_600_000),
        after_labels=Interval(1_234_567, 1_111_111, 1_345_678),
        found=31_000,
        pairs=4_999_950_000,
        looked_at=202_750_000,
        seconds=2.0,
        threads=4,
        stricter=(Stricter(0.97, 0.6, 900_000), Stricter(0.95, 0.5, 999_000)),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_text_has_interval_and_what_it_rests_on() -> None:
    text = an_estimate().text()
    for part in ("about 1,230,000 pairs pass both", "1,110,000 to 1,350,000", "2,048 of 100,000 images", "45,700,000"):
        assert part in text
    assert "rests on" not in text
    assert "rests on 3 pairs seen" in an_estimate(found=3).text()
    assert "rests on 1 pair seen" in an_estimate(found=1).text()


def test_exact_text_is_not_rounded() -> None:
    text = an_estimate(drawn=100_000, found=2).text()
    assert text.startswith("1,234,567 pairs pass both thresholds (45,678,901 are above")
    assert "about" not in text and "interval" not in text and "rests" not in text


def test_time_is_in_proportion_to_pairs() -> None:
    made = an_estimate()
    assert made.seconds_in_all == pytest.approx(2.0 * 4_999_950_000 / 202_750_000)
    assert made.seconds_left == pytest.approx(made.seconds_in_all - 2.0)
    assert made.text_with_time(made.seconds_left).endswith("joining takes about 47 s on 4 threads")
    assert an_estimate(threads=1).text_with_time(3).endswith("about 3 s on 1 thread")


def test_json_and_back() -> None:
    made = an_estimate()
    assert Estimate.from_json(json.loads(json.dumps(made.as_json()))) == made


@pytest.mark.parametrize(
    ("count", "way", "expected"),
    [
        (0, 0, 0),
        (999, 0, 999),
        (1004, 0, 1000),
        (1005, 0, 1010),
        (1001, 1, 1010),
        (1009, -1, 1000),
        (999_999, 0, 1_000_000),
    ],
)
def test_three_digits(count: int, way: int, expected: int) -> None:
    assert rough(count, way) == expected


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "1 s"), (89, "89 s"), (90, "2 min"), (5399, "90 min"), (5400, "1.5 h"), (360_000, "100.0 h")],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said
