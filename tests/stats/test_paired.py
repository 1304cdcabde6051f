"""The paired bootstrap against the exact distribution of its means, and by simulation."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import binom

from snellen.stats import bootstrap_difference


def test_the_interval_of_few_pairs_is_that_of_all_resamples() -> None:
    a, b = np.array([0.0, 0.5, 1.0, 0.0, 0.5, 0.0]), np.array([1.0, 0.5, 0.5, 1.0, 1.0, 0.0])
    means = [float(np.mean(drawn)) for drawn in product(b - a, repeat=6)]
    low, high = np.quantile(means, [0.025, 0.975])
    found = bootstrap_difference(a, b, resamples=100_000)
    assert found.value == pytest.approx(1 / 3, abs=1e-12)
    assert found.n == 6
    assert (found.low, found.high) == pytest.approx((low, high), abs=1 / 12 + 1e-9)  # one step of the distribution


def test_pairs_right_for_one_alone_are_binomial() -> None:
    # b - a is 1 for 30 of 100 pairs and 0 for the others: the mean of a resample is binomial(100, 0.3) / 100.
    found = bootstrap_difference(np.zeros(100), [1.0] * 30 + [0.0] * 70, resamples=50_000)
    assert found.value == 0.3
    assert found.low == pytest.approx(binom.ppf(0.025, 100, 0.3) / 100, abs=0.011)
    assert found.high == pytest.approx(binom.ppf(0.975, 100, 0.3) / 100, abs=0.011)


def test_pairs_stay_together() -> None:
    values = np.random.default_rng(0).random(40)
    assert bootstrap_difference(values, values + 0.25)[1:3] == pytest.approx((0.25, 0.25), abs=1e-12)


def test_equal_arguments_give_equal_numbers_however_many_resamples_fit_into_memory() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 2, 3000), rng.integers(0, 2, 3000)
    found = bootstrap_difference(a, b, resamples=1000, seed=5)
    assert found == bootstrap_difference(a, b, resamples=1000, seed=5)
    assert found != bootstrap_difference(a, b, resamples=1000, seed=6)
    drawn = np.random.Generator(np.random.PCG64(5)).integers(0, 3000, (1000, 3000))  # all at once
    low, high = np.quantile((b - a).astype(float)[drawn].mean(axis=1), [0.025, 0.975])
    assert (found.low, found.high) == (low, high)


def test_a_difference_changes_its_sign_with_its_arguments() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.random(50), rng.random(50)
    one, other = bootstrap_difference(a, b), bootstrap_difference(b, a)
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low), abs=1e-12)


@pytest.mark.parametrize(
    ("a", "b"), [([], []), ([1.0], [1.0, 2.0]), ([[1.0]], [[2.0]]), ([np.nan], [1.0]), ([1.0], [np.inf])]
)
def test_nonsense_is_refused(a: list[float], b: list[float]) -> None:
    with pytest.raises(ValueError, match="one finite value for each of the same pairs"):
        bootstrap_difference(a, b)


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="resamples"):
        bootstrap_difference([1.0], [1.0], resamples=0)
    with pytest.raises(ValueError, match="confidence"):
        bootstrap_difference([1.0], [1.0], confidence=0.0)


def test_the_interval_covers() -> None:
    """Both models find the same pairs hard; 400 worlds of 100 pairs: 2.2 points are two sigma."""
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(400):
        easy = rng.random(100)
        a, b = rng.random(100) < 0.6 * easy, rng.random(100) < 0.6 * easy + 0.2
        found = bootstrap_difference(a, b, resamples=1000)
        covered += found.low <= 0.2 <= found.high
    assert covered / 400 >= 0.92
