"""Intervals against their definitions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from snellen.stats import poisson_interval, quantile_rank, quantile_ranks


@given(st.integers(1, 10**9), st.floats(0.0001, 0.9999))
def test_quantile_rank_is_the_smallest_that_covers(n: int, q: float) -> None:
    rank = quantile_rank(n, q)
    assert 1 <= rank <= n
    assert rank / n >= q or rank == n
    assert rank == 1 or (rank - 1) / n < q


@pytest.mark.parametrize("q", [0.07, 0.29, 0.5, 0.9999])
def test_quantile_rank_of_round_numbers(q: float) -> None:
    n = 10_000
    assert quantile_rank(n, q) == math.ceil(Fraction(str(q)) * n)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=50), st.integers(1, 63))
def test_quantile_rank_agrees_with_numpy(values: list[float], sixty_fourths: int) -> None:
    q = sixty_fourths / 64  # exact, so that numpy's product is too
    expected = float(np.quantile(values, q, method="inverted_cdf"))
    assert sorted(values)[quantile_rank(len(values), q) - 1] == expected


@pytest.mark.parametrize(("n", "q"), [(0, 0.5), (10, 0.0), (10, 1.0), (10, math.nan)])
def test_impossible_quantiles(n: int, q: float) -> None:
    with pytest.raises(ValueError, match="strictly between"):
        quantile_rank(n, q)


@pytest.mark.parametrize(("n", "q"), [(40, 0.5), (1000, 0.9), (1000, 0.02), (200, 0.99)])
def test_interval_of_a_quantile_covers(n: int, q: float) -> None:
    ranks = quantile_ranks(n, q)
    below_low = scipy_stats.binom.cdf((ranks.low or 0) - 1, n, q)
    above_high = scipy_stats.binom.sf((ranks.high or n + 1) - 1, n, q)
    assert below_low <= 0.025 and above_high <= 0.025
    # One rank further in, it would not hold any more.
    assert scipy_stats.binom.cdf(ranks.low or 0, n, q) > 0.025
    assert ranks.high is None or scipy_stats.binom.sf(ranks.high - 2, n, q) > 0.025


def test_interval_of_a_quantile_by_simulation() -> None:
    rng = np.random.default_rng(0)
    ranks = quantile_ranks(500, 0.8)
    assert ranks.low is not None and ranks.high is not None
    draws = np.sort(rng.integers(0, 50, (4000, 500)), axis=1)  # with ties
    covered = (draws[:, ranks.low - 1] <= 39) & (draws[:, ranks.high - 1] >= 39)
    assert covered.mean() >= 0.95


def test_a_small_sample_bounds_one_side_only() -> None:
    assert quantile_ranks(100, 0.9999) == (100, 100, None)
    assert quantile_ranks(100, 0.0001).low is None


@pytest.mark.parametrize(
    ("count", "low", "high"), [(0, 0.0, 3.6889), (1, 0.0253, 5.5716), (10, 4.7954, 18.3904), (100, 81.3640, 121.6268)]
)
def test_poisson_interval_against_published_values(count: int, low: float, high: float) -> None:
    assert poisson_interval(count) == pytest.approx((low, high), abs=1e-4)  # Garwood 1936


def test_poisson_interval_refuses_nonsense() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        poisson_interval(-1)
    with pytest.raises(ValueError, match="confidence"):
        poisson_interval(3, 1.0)
    with pytest.raises(ValueError, match="confidence"):
        quantile_ranks(3, 0.5, 0.0)
