"""Stricter thresholds leave what they say; looser ones let in what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen.mining.estimates.stricter import THIN, stricter
from snellen.mining.join.cells import CellCounts, Cells
from snellen.mining.survey.looser import looser_reference


def pairs(seed: int, count: int = 5000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    blind = np.round(rng.uniform(0.9, 1.0, count) * 2**20) / 2**20 + 2**-20
    reference = np.round(rng.uniform(-0.3, 0.6, count) * 2**20) / 2**20 - 2**-20
    return blind, reference, rng.choice([10.0, 20.0], count)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1_000, 70_000))
def test_each_leaves_what_it_says(seed: int, wanted: int) -> None:
    blind, reference, weights = pairs(seed)
    made = stricter(blind, reference, weights, 0.9, 0.6, wanted)
    assert len(made) == 3
    for one in made:
        passes = (blind > one.blind_min) & (reference < one.reference_max)
        assert one.n_pairs == weights[passes].sum()
        assert wanted / 2 - 20 <= one.n_pairs <= wanted
        assert 0.9 <= one.blind_min <= 1 and one.reference_max <= 0.6
    assert made[0].reference_max == 0.6 and made[1].blind_min == 0.9
    assert made[2].blind_min - 0.9 == pytest.approx(0.6 - made[2].reference_max)
    assert all(len(repr(one.blind_min)) <= 10 for one in made)  # few digits


def test_nothing_to_do_where_little_passes() -> None:
    blind, reference, weights = pairs(0)
    assert stricter(blind, reference, weights, 0.9, 0.6, 10**6) == ()
    assert stricter(blind[:0], reference[:0], weights[:0], 0.9, 0.6, 1) == ()


def test_what_no_threshold_tells_apart_is_left_out() -> None:
    _, reference, weights = pairs(1)
    made = stricter(np.ones(5000), reference, weights, 0.9, 0.6, 20_000)
    assert {one.blind_min for one in made[:1]} == {0.9}  # not by the blind threshold alone
    assert all(one.n_pairs <= 20_000 for one in made)
    assert stricter(np.ones(5000), np.zeros(5000), weights, 0.9, 0.6, 20_000) == ()


def test_a_suggestion_rests_on_some_pairs() -> None:
    blind, reference, _ = pairs(2, 100)
    assert stricter(blind, reference, np.full(100, 1000.0), 0.9, 0.6, (THIN - 1) * 1000) == ()
    assert len(stricter(blind, reference, np.full(100, 1000.0), 0.9, 0.6, THIN * 1000)) == 3


def test_a_cosine_above_one_sets_no_threshold_above_one() -> None:
    blind, reference, weights = pairs(3)
    blind = blind + 0.05
    for one in stricter(blind, reference, weights, 0.9, 0.6, 1000):
        assert -1 <= one.blind_min <= 1


class TestLooser:
    def cells(self, seed: int, count: int) -> tuple[np.ndarray, CellCounts]:
        rng = np.random.default_rng(seed)
        reference = np.round(rng.uniform(0.6, 0.95, count) * 2**30) / 2**30
        cells = Cells()
        cells.add(np.full(count, 0.97), reference)
        return reference, cells.counts()

    @pytest.mark.parametrize("count", [1, 50, 5000])
    def test_counts_exactly(self, count: int) -> None:
        reference, counted = self.cells(count, count)
        made = looser_reference(counted, 0.95)
        assert made is not None
        assert (made.change, made.blind_min, made.low, made.high) == ("reference_max", 0.95, None, None)
        assert made.n_pairs == np.count_nonzero(reference < made.reference_max)
        possible = {int(np.count_nonzero(reference < edge)) for edge in np.arange(0.5, 1.001, 1 / 256)} - {0}
        nearest = min(possible, key=lambda n: abs(math.log(n / 100)))
        assert made.n_pairs == nearest

    def test_nothing_above_the_blind_minimum(self) -> None:
        assert looser_reference(CellCounts.empty(), 0.95) is None

    def test_only_pairs_that_no_threshold_reaches(self) -> None:
        cells = Cells()
        cells.add(np.array([0.99, 0.99]), np.array([1.0, 1.001]))
        assert looser_reference(cells.counts(), 0.95) is None
