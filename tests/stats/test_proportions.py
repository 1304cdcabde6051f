"""Intervals of shares against scipy, published figures and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, t

from snellen.stats import clustered_interval, wilson_interval


@given(st.integers(0, 400), st.integers(1, 400), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_wilson_is_scipys(successes: int, n: int, confidence: float) -> None:
    successes = min(successes, n)
    expected = binomtest(successes, n).proportion_ci(confidence, method="wilson")
    assert wilson_interval(successes, n, confidence) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # the first two from Newcombe 1998 (table I), who gives four digits
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (29, 29, 0.8830, 1.0)],
)
def test_wilson_as_published(successes: int, n: int, low: float, high: float) -> None:
    assert wilson_interval(successes, n) == pytest.approx((low, high), abs=6e-5)


def test_wilson_of_nothing_says_nothing() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("successes", "n", "confidence"), [(-1, 5, 0.95), (6, 5, 0.95), (0, -1, 0.95), (1, 2, 1.0)])
def test_wilson_refuses_nonsense(successes: int, n: int, confidence: float) -> None:
    with pytest.raises(ValueError, match="from 0 to n"):
        wilson_interval(successes, n, confidence)


def test_a_clustered_interval_worked_out_by_hand() -> None:
    # Pairs 11, 00, 11, 10: share 5/8. Residual sums of the pairs: 0.75, -1.25, 0.75, -0.25, squares 2.75 in all.
    variance = 4 / 3 * 2.75 / 64
    effective = 5 / 8 * 3 / 8 / variance
    z = t.ppf(0.975, 3)
    bounds = np.roots([1 + z**2 / effective, -(2 * 5 / 8 + z**2 / effective), (5 / 8) ** 2])
    found = clustered_interval([1, 1, 0, 0, 1, 1, 1, 0], list("AABBCCDD"))
    assert (found.value, found.n, found.n_clusters) == (0.625, 8, 4)
    assert (found.low, found.high) == pytest.approx(sorted(bounds), abs=1e-12)


def test_neither_the_order_nor_the_names_of_clusters_matter() -> None:
    found = clustered_interval([1, 0, 1, 1, 0, 1], ["x", "y", "z", "x", "y", "z"])
    assert found == clustered_interval([1, 1, 0, 0, 1, 1], [3, 3, 1, 1, 2, 2])


def test_copies_of_a_trial_are_no_new_evidence() -> None:
    once = clustered_interval([1, 0, 1, 1, 0, 1, 0, 1], range(8))
    twice = clustered_interval([1, 0, 1, 1, 0, 1, 0, 1] * 2, [*range(8), *range(8)])
    assert once[:3] == pytest.approx(twice[:3], abs=1e-12)
    assert (once.n, twice.n) == (8, 16)


def test_the_same_answer_for_both_of_every_pair_is_no_certainty() -> None:
    found = clustered_interval([1, 0] * 50, np.repeat(range(50), 2).tolist())
    assert found.value == 0.5
    assert found.low < 0.41 and found.high > 0.59


def test_all_none_and_nothing() -> None:
    assert clustered_interval([1] * 20, [*range(10)] * 2)[1:3] == wilson_interval(10, 10)
    assert clustered_interval([0] * 20, [*range(10)] * 2)[1:3] == wilson_interval(0, 10)
    assert clustered_interval([], []) == (None, 0.0, 1.0, 0, 0)
    assert clustered_interval([1, 0, 1], [5, 5, 5])[1:3] == (0.0, 1.0)


@pytest.mark.parametrize(("values", "clusters"), [([1], [1, 2]), ([0.5, 1], [1, 2]), ([2], [1])])
def test_a_clustered_interval_refuses_nonsense(values: list[int], clusters: list[int]) -> None:
    with pytest.raises(ValueError, match="must be 0 or 1"):
        clustered_interval(values, clusters)


@pytest.mark.parametrize("pairs", [15, 60, 150])
@pytest.mark.parametrize("share", [0.5, 0.8])
@pytest.mark.parametrize("together", [0.0, 0.5, 1.0])
def test_a_clustered_interval_covers(pairs: int, share: float, together: float) -> None:
    """`together`: how often one draw decides both questions of a pair. 2000 worlds: 1.5 points are three sigma."""
    rng = np.random.default_rng([pairs, int(100 * share), int(10 * together)])
    clusters = np.repeat(range(pairs), 2).tolist()
    covered = 0
    for _ in range(2000):
        both = rng.random((pairs, 1)) < together
        right = np.where(both, rng.random((pairs, 1)) < share, rng.random((pairs, 2)) < share)
        found = clustered_interval(right.ravel().tolist(), clusters)
        covered += found.low <= share <= found.high
    assert covered / 2000 >= 0.935
