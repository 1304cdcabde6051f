"""The drawn images, watched: their pairs are part of the join, and their shares are right."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest

from snellen.mining.estimates import sample as sample_module
from snellen.mining.estimates.sample import Kept, Sample
from snellen.mining.join import order as order_module
from snellen.mining.join.order import Order, drawn_first
from snellen.mining.join.tiles import NoFilter, Tiling
from snellen.mining.join.two_sided import Condition, Join, LabelRule, Labels
from tests.mining.conftest import TINY, Half, cosines, side
from tests.studies import spectrum_rows, unit_rows


def data(rows: int = 150) -> tuple[Half, Half]:
    rng = np.random.default_rng(3)
    return unit_rows(spectrum_rows(rng, rows, 16)), unit_rows(spectrum_rows(rng, rows, 12, mean=0.1))


def sampled(order: Order, rule: LabelRule = "any", tiling: Tiling = TINY, threads: int = 1) -> Sample:
    blind, reference = data()
    condition = Condition(0.7, 0.3, Labels(rule, (order.rows % 3).astype(np.int32) - 1))
    sides = side(blind, order.rows), side(reference, order.rows)
    return Sample(Join(*sides, NoFilter(), condition, tiling, threads, order.stop), order, 0)


def passing(rule: LabelRule = "any") -> list[set[tuple[int, int]]]:
    """Row pairs above the blind minimum, and of those below the reference maximum, and of those with fit labels."""
    x, y = (cosines(values) for values in data())
    label = np.arange(150) % 3 - 1
    above = {(a, b) for a, b in zip(*np.nonzero(np.triu(x > 0.7, 1)), strict=True)}
    below = {(a, b) for a, b in above if y[a, b] < 0.3}
    fit = {
        (a, b)
        for a, b in below
        if rule == "any" or (label[a] >= 0 and label[b] >= 0 and (label[a] == label[b]) == (rule == "within"))
    }
    return [above, below, fit]


class TestOrder:
    @pytest.mark.parametrize("stop", [None, 0, 1, 30, 80])
    def test_every_row_has_a_position(self, stop: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(order_module, "SAMPLE_ROWS", 20)
        rows = np.arange(100, 180)
        order = drawn_first(rows, 5, stop)
        whole = 80 if stop is None else stop
        assert (order.stop, order.drawn) == (whole, min(whole, 20))
        assert sorted(order.rows.tolist()) == rows.tolist()
        assert sorted(order.rows[:whole].tolist()) == rows[:whole].tolist()
        for part in (order.rows[order.drawn : whole], order.rows[whole:]):
            assert np.all(np.diff(part) > 0)
        covered = [position for stripe in order.stripes(TINY) for position in stripe]
        assert covered == list(range(whole))
        assert not whole or next(order.stripes(TINY)) == range(order.drawn)

    def test_draws_are_uniform_and_seeded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(order_module, "SAMPLE_ROWS", 5)
        rows = np.arange(25)
        counts = Counter(
            (place, row) for seed in range(4000) for place, row in enumerate(drawn_first(rows, seed).rows[:5].tolist())
        )
        # Also in which order: the first k drawn are a sample, too.
        assert len(counts) == 125
        assert max(abs(count - 160) for count in counts.values()) < 5 * math.sqrt(160)
        assert np.array_equal(drawn_first(rows, 1).rows, drawn_first(rows, 1).rows)


class TestSample:
    @pytest.mark.parametrize("rule", ["any", "within", "across"])
    @pytest.mark.parametrize("threads", [1, 3])
    def test_finds_the_pairs_of_the_drawn(self, rule: LabelRule, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(order_module, "SAMPLE_ROWS", 40)
        order = drawn_first(np.arange(150), 1)
        drawn = set(order.rows[:40].tolist())
        sample = sampled(order, rule, threads=threads)
        found: set[tuple[int, int]] = set()
        counts = np.zeros(2, dtype=np.int64)
        for _, block in sample.blocks():
            pairs = np.sort(order.rows[np.stack([block.a, block.b], axis=1)], axis=1)
            found |= {(a, b) for a, b in pairs.tolist()}
            counts += (block.above_blind_min, block.below_reference_max)
        touching = [{pair for pair in pairs if drawn & set(pair)} for pairs in passing(rule)]
        assert found == touching[2] and found
        assert counts.tolist() == [len(touching[0]), len(touching[1])]
        made = sample.estimate()
        assert (made.images, made.drawn, made.found) == (150, 40, len(touching[2]))
        assert made.looked_at == 40 * 39 // 2 + 40 * 110
        # N / k times the sum over drawn images of half the number of partners
        intervals = made.above_blind_min, made.below_reference_max, made.after_labels
        for all_of_them, one in zip(passing(rule), intervals, strict=True):
            partners = Counter(image for pair in all_of_them for image in pair)
            assert one.value == round(150 / 40 * sum(partners[image] / 2 for image in drawn))
            assert one.low < one.value < one.high

    def test_of_all_images_it_is_exact(self) -> None:
        order = drawn_first(np.arange(150), 1)
        sample = sampled(order)
        for _ in sample.blocks():
            pass
        made = sample.estimate()
        truth = [len(pairs) for pairs in passing()]
        assert made.exact
        assert [made.above_blind_min.value, made.below_reference_max.value, made.after_labels.value] == truth
        assert made.pairs == made.looked_at == 150 * 149 // 2

    def test_stopped_early_it_speaks_of_what_it_has_seen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(order_module, "SAMPLE_ROWS", 60)
        order = drawn_first(np.arange(150), 2)
        sample = sampled(order)
        blocks = sample.blocks()
        for rows, _ in blocks:
            if rows.stop >= 25:
                break
        blocks.close()
        done = rows.stop
        made = sample.estimate()
        assert made.drawn == done < 60
        partners = Counter(image for pair in passing()[2] for image in pair)
        expected = 150 / done * sum(partners[image] / 2 for image in order.rows[:done].tolist())
        assert made.after_labels.value == round(expected)

    def test_only_some_images_need_all_their_pairs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of 90 new images and 60 old ones, pairs of two old ones are not asked for."""
        monkeypatch.setattr(order_module, "SAMPLE_ROWS", 30)
        new = {pair for pair in passing()[2] if pair[0] < 90}
        values = []
        for seed in range(150):
            sample = sampled(drawn_first(np.arange(150), seed, 90))
            for _ in sample.blocks():
                pass
            made = sample.estimate()
            assert made.pairs == 90 * 89 // 2 + 90 * 60
            values.append(made.after_labels.value)
        assert np.mean(values) == pytest.approx(len(new), abs=3.5 * float(np.std(values)) / math.sqrt(150) + 0.5)
        monkeypatch.setattr(order_module, "SAMPLE_ROWS", 90)
        sample = sampled(drawn_first(np.arange(150), 0, 90))
        for _ in sample.blocks():
            pass
        assert sample.estimate().after_labels == (len(new),) * 3

    @pytest.mark.parametrize(("stop", "at_most"), [(None, 60), (None, 25), (90, 60), (90, 25)])
    def test_remembered_pairs_stand_for_all(
        self, stop: int | None, at_most: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What suggestions are made from adds up to the estimate, also where the sample was not finished."""
        monkeypatch.setattr(order_module, "SAMPLE_ROWS", 60)
        weights: list[float] = []

        def listening(*pairs: Any) -> tuple[()]:
            weights.extend(pairs[2].tolist())
            return ()

        monkeypatch.setattr(sample_module, "stricter", listening)
        sample = sampled(drawn_first(np.arange(150), 2, stop))
        for rows, _ in sample.blocks():
            if rows.stop >= at_most:
                break
        estimated = sample.estimate().after_labels.value
        assert len(weights) > 10
        assert round(sum(weights)) == estimated

    def test_remembered_pairs_are_every_so_manieth(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sample_module, "KEPT_PAIRS", 50)
        sample = sampled(drawn_first(np.arange(150), 0))
        rng = np.random.default_rng(0)
        at = 0
        for size in rng.integers(0, 90, 40).tolist():
            numbers = np.arange(at, at + size)
            sample._keep(Kept(numbers, numbers.astype(np.float64), -numbers.astype(np.float64)))
            at += size
            stride = sample._stride
            assert sample._kept.b.tolist() == list(range(0, at, stride))
            assert len(sample._kept.b) <= 50
            assert sample._kept.reference.tolist() == [-float(b) for b in sample._kept.b.tolist()]
        assert stride >= 32
