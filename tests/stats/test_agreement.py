"""Agreement coefficients against tables worked out by hand, statsmodels, and alpha as its definition says."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from statsmodels.stats.inter_rater import aggregate_raters, cohens_kappa, fleiss_kappa

from snellen.stats.agreement import cohen_kappa, jaccard, krippendorff_alpha
from snellen.stats.proportions import wilson_interval

FEW = {"resamples": 50}
NAN = float("nan")

bits = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40)


def test_kappa_of_a_table_worked_out_by_hand() -> None:
    # 20 both, 5 and 10 apart, 15 neither: 35/50 agree; chance 25/50 * 30/50 + 25/50 * 20/50 = 0.5; kappa 0.4
    a = [1] * 25 + [0] * 25
    b = [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    found = cohen_kappa(a, b)
    assert found.value == pytest.approx(0.4)
    assert (found.n, found.undefined) == (50, 0)
    assert found == cohen_kappa(a, b)  # seeded


@given(bits)
@settings(deadline=None, max_examples=60)
def test_kappa_is_that_of_statsmodels(both: list[tuple[bool, bool]]) -> None:
    a, b = zip(*both, strict=True)
    table = np.zeros((2, 2))
    for one, other in both:
        table[int(one), int(other)] += 1
    found = cohen_kappa(a, b, **FEW)
    if len({*a, *b}) < 2:
        assert found.value is None
        return
    assert found.value == pytest.approx(float(cohens_kappa(table, return_results=False)), abs=1e-12)
    assert cohen_kappa(b, a, **FEW).value == pytest.approx(found.value, abs=1e-12)


def alpha_by_definition(units: list[list[int]]) -> float | None:
    """Krippendorff's coincidence matrix, value by value."""
    units = [unit for unit in units if len(unit) > 1]
    coincidences = np.zeros((2, 2))
    for unit in units:
        for one, other in permutations(range(len(unit)), 2):
            coincidences[unit[one], unit[other]] += 1 / (len(unit) - 1)
    totals = coincidences.sum(axis=1)
    n = totals.sum()
    if not totals.all():
        return None
    observed, expected = coincidences[0, 1] / n, totals[0] * totals[1] / (n * (n - 1))
    return float(1 - observed / expected)


def test_alpha_of_a_published_example() -> None:
    # Krippendorff, Computing Krippendorff's alpha-reliability (2011), section A: two observers, ten units, binary
    ratings = [[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]]
    assert krippendorff_alpha(ratings).value == pytest.approx(0.095, abs=5e-4)


@given(st.integers(2, 5).flatmap(lambda raters: st.lists(st.tuples(*[st.sampled_from([0, 1, None])] * raters))))
@settings(deadline=None, max_examples=80)
def test_alpha_is_what_its_definition_says(rows: list[tuple[int | None, ...]]) -> None:
    if not rows:
        return
    ratings = np.array([[NAN if one is None else one for one in row] for row in rows], dtype=float).T
    found = krippendorff_alpha(ratings, **FEW)
    expected = alpha_by_definition([[one for one in row if one is not None] for row in rows])
    assert found.n == sum(sum(one is not None for one in row) > 1 for row in rows)
    assert found.value == (None if expected is None else pytest.approx(expected, abs=1e-9))


def test_alpha_is_fleiss_kappa_corrected_for_a_small_sample() -> None:
    table = np.random.default_rng(1).integers(0, 2, (30, 4))
    kappa = float(fleiss_kappa(aggregate_raters(table)[0]))
    found = krippendorff_alpha(table.T)
    assert found.value is not None
    assert 1 - found.value == pytest.approx((1 - kappa) * (120 - 1) / 120)


def by_hand(a: NDArray[Any], b: NDArray[Any], rng: np.random.Generator, resamples: int) -> tuple[float, float]:
    """The bootstrap over pairs as a loop."""
    values = []
    for _ in range(resamples):
        at = rng.integers(0, len(a), len(a))
        agreed, x, y = np.mean(a[at] == b[at]), a[at].mean(), b[at].mean()
        chance = x * y + (1 - x) * (1 - y)
        values.append((agreed - chance) / (1 - chance))
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def test_the_interval_is_that_of_resampled_pairs() -> None:
    rng = np.random.default_rng(5)
    a = rng.integers(0, 2, 120)
    b = np.where(rng.random(120) < 0.8, a, 1 - a)
    low, high = by_hand(a, b, rng, 4000)
    found = cohen_kappa(a, b)
    assert found.low == pytest.approx(low, abs=0.02)
    assert found.high == pytest.approx(high, abs=0.02)
    assert found.low is not None
    assert found.high is not None
    assert found.value is not None
    assert found.low < found.value < found.high


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cells", "n"), [((0.02, 0.02, 0.02, 0.94), 60), ((0.0, 0.05, 0.05, 0.9), 60), ((0.1, 0.02, 0.02, 0.86), 30)]
)
def test_the_interval_covers_the_truth_of_rare_patterns(cells: tuple[float, ...], n: int) -> None:
    rng = np.random.default_rng(3)
    both, first, second, neither = cells
    x, y = both + first, both + second
    chance = x * y + (1 - x) * (1 - y)
    truth = (both + neither - chance) / (1 - chance)
    inside = []
    for _ in range(200):
        a = np.repeat([1, 1, 0, 0], counts := rng.multinomial(n, cells))
        found = cohen_kappa(a, np.repeat([1, 0, 1, 0], counts), resamples=500)
        if found.low is not None and found.high is not None:
            inside.append(found.low - 1e-9 <= truth <= found.high + 1e-9)
    assert len(inside) > 150
    assert np.mean(inside) > 0.88


@pytest.mark.slow
def test_the_interval_covers_the_truth() -> None:
    # both share a true 0 or 1 with probability 0.8, else say what they like: kappa is 0.8 * 0.8 = 0.64
    rng = np.random.default_rng(11)
    inside = 0
    for _ in range(300):
        truth = rng.integers(0, 2, 100)
        a, b = (np.where(rng.random(100) < 0.8, truth, rng.integers(0, 2, 100)) for _ in "ab")
        found = cohen_kappa(a, b, resamples=1000)
        assert found.low is not None
        assert found.high is not None
        inside += found.low <= 0.64 <= found.high
    assert inside / 300 > 0.91


def test_agreement_on_everything_still_has_an_interval() -> None:
    found = cohen_kappa([1] * 10 + [0] * 10, [1] * 10 + [0] * 10)
    assert (found.value, found.high) == (1, 1)
    assert found.low is not None
    # Wilson's lower bound of 20 in 20, carried over with a chance of 1/2: another way, nearly the same answer
    assert found.low == pytest.approx((wilson_interval(20, 20)[0] - 0.5) / 0.5, abs=0.06)
    together = krippendorff_alpha([[1] * 10 + [0] * 10] * 3)
    assert together.value == 1
    assert together.low is not None
    assert 0.5 < together.low < 1


def test_what_is_rare_has_no_interval_and_what_never_varies_no_value() -> None:
    rare = cohen_kappa([1, *[0] * 99], [1, *[0] * 99])
    assert (rare.value, rare.low, rare.high) == (1, None, None)
    # a resample has no value where all pairs of it are no for both: (99.5 / 102) ** 100
    assert rare.undefined == pytest.approx((99.5 / 102) ** 100, abs=0.02)
    for same in (0, 1):
        assert cohen_kappa([same] * 9, [same] * 9) == (None, None, None, 9, 1.0)
        assert krippendorff_alpha([[same] * 9, [same] * 9]).value is None
    assert cohen_kappa([], []) == (None, None, None, 0, 1.0)
    assert krippendorff_alpha([[1, NAN], [NAN, 0]]).n == 0


def test_jaccard_worked_out_by_hand() -> None:
    # 1, 1/2, 0 and, for two empty sets, 1
    a = [{"count"}, {"color", "state"}, set(), set()]
    b = [{"count"}, {"color"}, {"text"}, set()]
    found = jaccard(a, b)
    assert (found.value, found.n) == (0.625, 4)
    assert found.low < 0.625 < found.high
    same = jaccard([{"count"}] * 5, [{"count"}] * 5)
    assert (same.value, same.high) == (1, 1)
    assert same.low == pytest.approx(1 - wilson_interval(0, 5)[1])
    assert jaccard([], []) == (None, 0.0, 1.0, 0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: cohen_kappa([1, 0], [1]),
        lambda: cohen_kappa([2], [1]),
        lambda: cohen_kappa([NAN], [1]),
        lambda: cohen_kappa([1], [1], resamples=0),
        lambda: cohen_kappa([1], [1], confidence=1),
        lambda: krippendorff_alpha([[1, 0]]),
        lambda: krippendorff_alpha([[1, 2], [0, 1]]),
        lambda: jaccard([set()], []),
    ],
)
def test_wrong_arguments_are_refused(call: Any) -> None:
    with pytest.raises(ValueError, match="must"):
        call()
