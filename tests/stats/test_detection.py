"""d' and criterion by hand, from the standard library's normal distribution, by enumeration, and by simulation."""

from __future__ import annotations

from itertools import product
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen.stats import detection

z = NormalDist().inv_cdf
ANSWERS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


def of(pairs: list[tuple[bool, bool]], resamples: int = 20, seed: int = 0) -> tuple[float, float]:
    found = detection([one for one, _ in pairs], [other for _, other in pairs], resamples=resamples, seed=seed)
    return found.d_prime.value, found.criterion.value


def test_worked_out_by_hand() -> None:
    # 8 of 9 hits and 2 of 9 false alarms: H = 8.5 / 10, F = 2.5 / 10
    found = detection([1] * 8 + [0], [1] * 2 + [0] * 7)
    assert (found.hits, found.false_alarms, found.n) == (8, 2, 9)
    assert found.d_prime.value == pytest.approx(z(0.85) - z(0.25), abs=1e-12)
    assert found.criterion.value == pytest.approx(-(z(0.85) + z(0.25)) / 2, abs=1e-12)
    assert found.d_prime.value == pytest.approx(1.036 + 0.674, abs=1e-3)  # tables of the normal distribution
    assert found.criterion.value == pytest.approx(-0.181, abs=1e-3)


@settings(deadline=None)
@given(ANSWERS)
def test_the_formula(pairs: list[tuple[bool, bool]]) -> None:
    n = len(pairs)
    hit, false = ((sum(pair[side] for pair in pairs) + 0.5) / (n + 1) for side in (0, 1))
    assert of(pairs) == pytest.approx((z(hit) - z(false), -(z(hit) + z(false)) / 2), abs=1e-9)


@settings(deadline=None)
@given(ANSWERS)
def test_naming_the_options_the_other_way_round_turns_the_criterion_alone(pairs: list[tuple[bool, bool]]) -> None:
    # The first option becomes the second: signal becomes noise, and "said first" becomes "said second".
    d_prime, criterion = of(pairs)
    assert of([(not noise, not signal) for signal, noise in pairs]) == pytest.approx((d_prime, -criterion), abs=1e-9)


def test_habits_without_sight() -> None:
    always, never = detection([1] * 50, [1] * 50), detection([0] * 50, [0] * 50)
    assert always.d_prime == never.d_prime == (0.0, 0.0, 0.0)
    assert always.criterion.value < -2 and never.criterion.value > 2  # fond of the first option; reluctant to say it
    perfect = detection([1] * 50, [0] * 50)
    assert np.isfinite(perfect.d_prime).all()
    assert perfect.d_prime.value == pytest.approx(2 * z(50.5 / 51), abs=1e-12)
    assert perfect.criterion.value == pytest.approx(0, abs=1e-12)


def test_the_interval_of_few_pairs_is_that_of_all_resamples() -> None:
    pairs = [(True, False), (True, True), (True, False), (False, False), (False, True)]
    drawn = [of(list(some), resamples=1) for some in product(pairs, repeat=5)]
    found = detection([one for one, _ in pairs], [other for _, other in pairs], resamples=100_000, seed=3)
    for at, estimate in enumerate((found.d_prime, found.criterion)):
        values = sorted(value[at] for value in drawn)
        steps = np.unique(np.round(values, 9))
        low, high = np.quantile(values, [0.025, 0.975])
        widest = float(np.diff(steps).max())
        assert estimate.low == pytest.approx(low, abs=widest)
        assert estimate.high == pytest.approx(high, abs=widest)


def test_pairs_are_drawn_whole() -> None:
    """Whoever says the same of both images has d' = 0 in every resample; drawn apart, trials would differ."""
    said = np.random.default_rng(0).random(60) < 0.4
    found = detection(said, said)
    assert found.d_prime == (0.0, 0.0, 0.0)
    assert found.criterion.low < found.criterion.value < found.criterion.high


def test_the_interval_covers_what_the_formula_gives_of_many() -> None:
    """An observer of d' 1.5 and criterion 0.3, in 400 exams of 150 pairs; 92 % are 2.8 sigma below 95 %."""
    rng = np.random.default_rng(1)
    covered = np.zeros(2)
    for _ in range(400):
        signal, noise = rng.standard_normal(150) + 0.75 > 0.3, rng.standard_normal(150) - 0.75 > 0.3
        found = detection(signal, noise, resamples=1000)
        covered += [found.d_prime.low <= 1.5 <= found.d_prime.high, found.criterion.low <= 0.3 <= found.criterion.high]
    assert (covered / 400 >= 0.92).all()


def test_equal_arguments_give_equal_numbers() -> None:
    rng = np.random.default_rng(2)
    signal, noise = rng.random(40) < 0.7, rng.random(40) < 0.3
    assert detection(signal, noise, seed=4) == detection(signal, noise, seed=4)
    assert detection(signal, noise, seed=4) != detection(signal, noise, seed=5)


@pytest.mark.parametrize(
    ("signal", "noise", "said"),
    [([], [], "one value"), ([1], [1, 0], "one value"), ([[1]], [[0]], "one value"), ([2], [0], "true or false")],
)
def test_nonsense_is_refused(signal: list[int], noise: list[int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        detection(signal, noise)


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="resamples"):
        detection([1], [0], resamples=0)
    with pytest.raises(ValueError, match="confidence"):
        detection([1], [0], confidence=1.0)
