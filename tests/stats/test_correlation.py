"""Correlation against scipy, published figures and simulation."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr

from snellen.stats import pearson

POINTS = st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=4, max_size=30)


@settings(deadline=None)
@given(POINTS)
def test_r_and_its_interval_are_scipys(points: list[tuple[int, int]]) -> None:
    x, y = np.array(points, dtype=float).T
    assume(np.ptp(x) and np.ptp(y))
    expected = pearsonr(x, y)
    assume(abs(expected.statistic) < 1 - 1e-9)
    interval = expected.confidence_interval(0.9)
    found = pearson(x, y, confidence=0.9)
    assert (found.r, found.low, found.high) == pytest.approx((expected.statistic, *interval), abs=1e-9)
    assert found.n == len(points)


@pytest.mark.parametrize(("r", "low", "high"), [(0.70, 0.07, 0.93), (0.85, 0.43, 0.97)])
def test_nine_patterns_say_little(r: float, low: float, high: float) -> None:
    rng = np.random.default_rng(0)
    x, other = np.linalg.qr(rng.standard_normal((9, 3)) - rng.standard_normal((9, 3)).mean(axis=0))[0][:, :2].T
    x, other = x - x.mean(), other - other.mean()
    other -= x * (x @ other) / (x @ x)  # now uncorrelated with x
    found = pearson(x, r * x / np.linalg.norm(x) + np.sqrt(1 - r**2) * other / np.linalg.norm(other))
    assert (found.r, found.low, found.high) == pytest.approx((r, low, high), abs=0.005)


def test_p_by_hand() -> None:
    # Of the six orders of 1, 2, 3 only 1 2 3 and 3 2 1 correlate with 1, 2, 4 at least as far from 0 as 1 2 3 does.
    assert pearson([1, 2, 4], [1, 2, 3]).p == pytest.approx(2 / 6, abs=1e-12)
    assert pearson([1, 2, 4, 8], [1, 2, 3, 5]).p == pytest.approx(1 / 24, abs=1e-12)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=2, max_size=6))
def test_p_counts_every_permutation_and_ties_in_whole_numbers(points: list[tuple[int, int]]) -> None:
    x, y = [list(column) for column in zip(*points, strict=True)]
    assume(len(set(x)) > 1 and len(set(y)) > 1)
    n, shift = len(x), sum(x) * sum(y)  # r is (n * sum(x * y) - shift) / a constant
    bar = abs(n * sum(a * b for a, b in zip(x, y, strict=True)) - shift)
    orders = [abs(n * sum(a * b for a, b in zip(x, order, strict=True)) - shift) >= bar for order in permutations(y)]
    assert pearson(x, y).p == pytest.approx(float(Fraction(sum(orders), len(orders))), abs=1e-12)


def test_p_of_many_points_is_seeded_and_close_to_the_t_test() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal(40)
    y = 0.3 * x + rng.standard_normal(40)
    found = pearson(x, y, seed=3)
    assert found == pearson(x, y, seed=3)
    assert found.p == pytest.approx(float(pearsonr(x, y).pvalue), abs=0.01)


def test_what_never_varies_has_no_correlation() -> None:
    assert pearson([1, 1, 1, 1], [1, 2, 3, 4]) == (None, None, None, 4, None)
    assert pearson([1, 2], [0.1, 0.1]) == (None, None, None, 2, None)
    assert pearson([1], [1]) == (None, None, None, 1, None)
    assert pearson([], []) == (None, None, None, 0, None)


def test_few_points_and_straight_lines() -> None:
    assert pearson([1, 2], [5, 9])[:4] == pytest.approx((1.0, -1.0, 1.0, 2))
    assert pearson([1, 2, 4, 8], [-1, -2, -4, -8])[:3] == pytest.approx((-1.0, -1.0, -1.0), abs=1e-6)
    assert pearson([1e-300, 2e-300, 3e-300], [1e300, 3e300, 2e300]).r == pytest.approx(0.5)


@pytest.mark.parametrize(("x", "y"), [([1], [1, 2]), ([[1, 2]], [[1, 2]]), ([1, np.nan], [1, 2])])
def test_nonsense_is_refused(x: list[float], y: list[float]) -> None:
    with pytest.raises(ValueError, match="as many finite numbers"):
        pearson(x, y)


def test_the_interval_covers_and_p_is_fair() -> None:
    """400 worlds of 6 normal points: 2.2 points are two sigma."""
    rng = np.random.default_rng(2)
    covered = small = 0
    for _ in range(400):
        x, noise = rng.standard_normal((2, 6))
        found = pearson(x, 0.6 * x + 0.8 * noise)
        assert found.low is not None and found.high is not None
        covered += found.low <= 0.6 <= found.high
        by_chance = pearson(x, noise).p
        assert by_chance is not None
        small += by_chance <= 0.1
    assert covered / 400 >= 0.92
    assert small / 400 <= 0.13
