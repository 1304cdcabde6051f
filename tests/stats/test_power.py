"""Powers by enumeration of everything that can happen, by simulation, and against published figures."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product
from math import ceil, comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest
from scipy.stats import norm as normal
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from snellen.stats import (
    least_above_chance,
    mcnemar,
    mcnemar_power,
    pairs_for_difference,
    pairs_for_half_width,
    pairs_from_chance,
    smallest_difference,
    wilson_half_width,
    wilson_interval,
)

# -- intervals ------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.integers(1, 500), st.data())
def test_the_half_width_is_that_of_the_interval(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    low, high = wilson_interval(k, n)
    assert wilson_half_width(k / n, n) == pytest.approx((high - low) / 2, abs=1e-12)


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(0.005, 0.45))
def test_no_fewer_pairs_do(share: float, half_width: float) -> None:
    n = pairs_for_half_width(share, half_width)
    assert wilson_half_width(share, n) <= half_width
    assert n == 1 or wilson_half_width(share, n - 1) > half_width


@pytest.mark.parametrize(("points", "wald", "wilson"), [(10, 93, 89), (5, 369, 366), (3, 1025, 1021), (2, 2305, 2302)])
def test_pairs_for_a_half_width_at_40_percent(points: int, wald: int, wilson: int) -> None:
    """Textbooks' n = z^2 p (1 - p) / w^2 is of share ± 1.96 standard errors; Wilson's interval is a little shorter."""
    assert ceil(normal.ppf(0.975) ** 2 * 0.4 * 0.6 / (points / 100) ** 2) == wald
    assert pairs_for_half_width(0.4, points / 100) == wilson


# -- against chance -------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.integers(1, 300), st.sampled_from([1 / 16, 0.25, 0.5]), st.sampled_from([0.05, 0.01]))
def test_the_least_count_above_chance_is_scipys(n: int, chance: float, level: float) -> None:
    significant = [k for k in range(n + 1) if binomtest(k, n, chance, alternative="greater").pvalue <= level]
    assert least_above_chance(n, chance, level) == (significant[0] if significant else None)


@pytest.mark.parametrize(("n", "count"), [(150, 47), (135, 43), (15, 8)])
def test_the_least_count_of_the_published_sizes(n: int, count: int) -> None:
    tail = sum(Fraction(comb(n, k) * 3 ** (n - k), 4**n) for k in range(count, n + 1))
    one_more = tail + Fraction(comb(n, count - 1) * 3 ** (n - count + 1), 4**n)
    assert tail <= Fraction(1, 20) < one_more
    assert least_above_chance(n) == count


def one_sided_power(n: int, accuracy: float, chance: float, level: float) -> float:
    side = "greater" if accuracy > chance else "less"
    pmf = binom.pmf(np.arange(n + 1), n, accuracy)
    return float(sum(pmf[k] for k in range(n + 1) if binomtest(k, n, chance, alternative=side).pvalue <= level))


@pytest.mark.parametrize(
    ("accuracy", "chance", "power", "level"), [(0.4, 0.25, 0.8, 0.05), (0.1, 0.25, 0.9, 0.05), (0.8, 0.5, 0.8, 0.01)]
)
def test_from_there_on_the_power_stays(accuracy: float, chance: float, power: float, level: float) -> None:
    found = pairs_from_chance(accuracy, chance, power=power, level=level)
    powers = [one_sided_power(n, accuracy, chance, level) for n in range(1, 3 * found.n)]
    assert max(n for n, reached in enumerate(powers, 1) if reached < power) == found.n - 1
    assert found.power == pytest.approx(powers[found.n - 1], abs=1e-9)
    assert any(reached >= power for reached in powers[: found.n - 2])  # the saw: once reached is not kept


def test_certainty_against_chance_needs_few() -> None:
    assert pairs_from_chance(1.0, 0.25) == (3, 1.0)  # 1/64 is significant, 1/16 is not


# -- two models -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "difference", "discordance"), [(7, 0.3, 0.5), (8, 0.6, 0.6), (9, -0.5, 0.7), (9, 0.9, 1.0)]
)
def test_power_is_that_of_every_outcome(n: int, difference: float, discordance: float) -> None:
    """Every pair is concordant, a's alone or b's alone: 3^n outcomes, each tested by statsmodels."""
    b_only, a_only = (discordance + difference) / 2, (discordance - difference) / 2
    chance = {0: 1 - discordance, 1: a_only, 2: b_only}
    expected = 0.0
    for outcome in product((0, 1, 2), repeat=n):
        table = [[0, outcome.count(1)], [outcome.count(2), 0]]
        if statsmodels_mcnemar(table, exact=True).pvalue <= 0.05:
            expected += float(np.prod([chance[each] for each in outcome]))
    assert mcnemar_power(n, difference, discordance) == pytest.approx(expected, abs=1e-12)


def full_power(n: int, difference: float, discordance: float, level: float) -> float:
    """Return the power by our own test, over all numbers of discordant pairs and all their splits."""
    split = 0.5 + difference / (2 * discordance)
    total = 0.0
    for m in range(n + 1):
        significant = [b for b in range(m + 1) if mcnemar(m - b, b).p <= level]
        total += float(binom.pmf(m, n, discordance) * binom.pmf(significant, m, split).sum()) if significant else 0.0
    return total


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 40), st.floats(0.05, 1), st.floats(0, 1), st.sampled_from([0.05, 0.01, 0.0625]))
def test_power_is_that_of_every_split(n: int, discordance: float, part: float, level: float) -> None:
    difference = part * discordance
    assert mcnemar_power(n, difference, discordance, level) == pytest.approx(
        full_power(n, difference, discordance, level), abs=1e-9
    )


def test_power_by_simulation() -> None:
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(150, [0.09, 0.21, 0.70], 20_000)  # a alone, b alone, neither: 12 points, 30 % discordant
    tables, counts = np.unique(drawn[:, :2], axis=0, return_counts=True)
    hits = sum(int(count) for (a, b), count in zip(tables, counts, strict=True) if mcnemar(int(a), int(b)).p <= 0.05)
    power = mcnemar_power(150, 0.12, 0.30)
    assert hits / 20_000 == pytest.approx(power, abs=4 * np.sqrt(power * (1 - power) / 20_000))


def test_an_exact_test_keeps_its_level() -> None:
    assert all(mcnemar_power(n, 0.0, discordance) <= 0.05 for n in (5, 20, 150, 999) for discordance in (0.1, 0.5, 1.0))


@pytest.mark.parametrize(
    ("difference", "discordance", "power", "level"),
    [(0.1, 0.2, 0.8, 0.05), (0.1, 0.3, 0.8, 0.05), (0.3, 1.0, 0.8, 0.05), (0.5, 0.5, 0.8, 0.05), (0.2, 0.3, 0.9, 0.01)],
)
def test_from_there_on_the_power_of_the_pairs_stays(
    difference: float, discordance: float, power: float, level: float
) -> None:
    found = pairs_for_difference(difference, discordance, power=power, level=level)
    powers = [mcnemar_power(n, difference, discordance, level) for n in range(1, 4 * found.n)]
    assert max(n for n, reached in enumerate(powers, 1) if reached < power) == found.n - 1
    assert found.power == pytest.approx(powers[found.n - 1], abs=1e-12)


def test_the_saw_is_seen() -> None:
    """Where all pairs are discordant the first number that reaches the power does not keep it."""
    found = pairs_for_difference(0.3, 1.0)
    assert any(mcnemar_power(n, 0.3, 1.0) >= 0.8 for n in range(1, found.n - 1))


@pytest.mark.parametrize(
    ("difference", "discordance", "approximate", "exact"),
    [
        (0.1, 0.1, 77, 78),
        (0.1, 0.2, 155, 168),
        (0.1, 0.3, 234, 249),
        (0.05, 0.1, 312, 337),
        (0.05, 0.2, 626, 658),
        (0.05, 0.3, 940, 975),
        (0.033, 0.1, 719, 762),
        (0.033, 0.2, 1440, 1492),
        (0.033, 0.3, 2160, 2216),
    ],
)
def test_the_usual_formula_asks_for_too_few(
    difference: float, discordance: float, approximate: int, exact: int
) -> None:
    """Connor 1987 (Biometrics 43) without a correction for continuity, against the exact test."""
    z = normal.ppf(0.975) * discordance**0.5 + normal.ppf(0.8) * (discordance - difference**2) ** 0.5
    assert ceil((z / difference) ** 2) == approximate
    assert pairs_for_difference(difference, discordance).n == exact
    assert mcnemar_power(approximate, difference, discordance) < 0.8


@pytest.mark.parametrize(("discordance", "points"), [(0.1, 7.343), (0.2, 10.583), (0.3, 12.842), (0.4, 14.822)])
def test_what_150_pairs_can_show(discordance: float, points: float) -> None:
    found = smallest_difference(150, discordance)
    assert found is not None
    assert 100 * found == pytest.approx(points, abs=1e-3)
    assert mcnemar_power(150, found, discordance) >= 0.8 > mcnemar_power(150, found - 2e-6, discordance)
    # (z(0.975) + z(0.8)) sqrt(discordance / n), as is often quoted: 7.2, 10.2, 12.5, 14.5 points, is a little less.
    assert 0 < 100 * found - 280.16 * (discordance / 150) ** 0.5 < 0.6


def test_fifteen_pairs_show_next_to_nothing() -> None:
    assert smallest_difference(15, 0.4) is None
    found = smallest_difference(15, 0.48)
    assert found is not None and found > 0.47
    assert smallest_difference(5, 1.0) is None  # five of five are not significant: p = 0.0625


@settings(max_examples=30, deadline=None)
@given(st.integers(6, 400), st.floats(0.05, 1.0))
def test_more_difference_is_shown_more_often(n: int, discordance: float) -> None:
    powers = [mcnemar_power(n, part * discordance, discordance) for part in np.linspace(0, 1, 9)]
    assert all(later >= earlier - 1e-12 for earlier, later in pairwise(powers))
    assert mcnemar_power(n, -0.5 * discordance, discordance) == pytest.approx(powers[4], abs=1e-12)


def test_nonsense_is_refused() -> None:
    for wrong in (
        lambda: pairs_for_half_width(0.4, 0.5),
        lambda: pairs_for_half_width(1.4, 0.1),
        lambda: wilson_half_width(0.5, 0),
        lambda: least_above_chance(0),
        lambda: pairs_from_chance(0.25),
        lambda: pairs_from_chance(0.2500001),
        lambda: pairs_from_chance(0.5, power=0.05),
        lambda: mcnemar_power(-1, 0.1, 0.2),
        lambda: mcnemar_power(10, 0.3, 0.2),
        lambda: mcnemar_power(10, 0.0, 0.0),
        lambda: pairs_for_difference(0.0, 0.2),
        lambda: pairs_for_difference(0.0001, 0.5),
        lambda: smallest_difference(0, 0.2),
    ):
        with pytest.raises(ValueError, match=r"must|cannot|would need"):
            wrong()
