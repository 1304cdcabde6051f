"""McNemar's exact test against statsmodels, by hand, and by its definition; Holm by hand."""

from __future__ import annotations

from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from snellen.stats import holm, mcnemar

COUNTS = st.integers(0, 80)


@settings(deadline=None)
@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_it_is_statsmodels_whatever_both_have_right_or_wrong(both: int, a_only: int, b_only: int, none: int) -> None:
    expected = statsmodels_mcnemar([[both, a_only], [b_only, none]], exact=True).pvalue
    found = mcnemar(a_only, b_only)
    assert found.p == pytest.approx(float(expected), abs=1e-12)
    assert found[:2] == (a_only, b_only)


@settings(deadline=None)
@given(COUNTS, COUNTS)
def test_it_is_twice_the_smaller_tail_of_coins(a_only: int, b_only: int) -> None:
    n = a_only + b_only
    tail = sum(comb(n, k) for k in range(min(a_only, b_only) + 1)) / 2**n
    assert mcnemar(a_only, b_only).p == pytest.approx(min(1.0, 2 * tail), abs=1e-12)
    assert mcnemar(a_only, b_only).p == mcnemar(b_only, a_only).p


def test_ten_coins_by_hand() -> None:
    assert mcnemar(9, 1).p == 2 * (1 + 10) / 1024
    assert mcnemar(8, 2).p == 2 * (1 + 10 + 45) / 1024
    assert mcnemar(5, 5).p == 1.0


def test_without_discordant_pairs_there_is_no_evidence() -> None:
    assert mcnemar(0, 0) == (0, 0, 1.0)
    assert mcnemar(5, 0).p == 2 / 32
    assert mcnemar(6, 0).p == 2 / 64


@pytest.mark.parametrize("counts", [(-1, 2), (2, -1)])
def test_nonsense_is_refused(counts: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least 0"):
        mcnemar(*counts)


def test_holm_by_hand() -> None:
    # sorted 0.005 * 4, 0.01 * 3, 0.03 * 2, 0.04 -> at least 0.06
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02], abs=1e-12)
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_by_its_definition(p_values: list[float]) -> None:
    order = sorted(range(len(p_values)), key=lambda at: p_values[at])
    running, expected = 0.0, [0.0] * len(p_values)
    for rank, at in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[at]))
        expected[at] = running
    found = holm(p_values)
    assert found == pytest.approx(expected, abs=1e-12)
    assert all(adjusted >= p - 1e-12 for adjusted, p in zip(found, p_values, strict=True))


@pytest.mark.parametrize("p_values", [[1.5], [-0.1], [float("nan")]])
def test_what_is_no_p_is_refused(p_values: list[float]) -> None:
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        holm(p_values)
