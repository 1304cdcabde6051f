"""Ranks, pairs of images, and the bootstrap over images, against brute force."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snellen.diagnosis.shopping import image_pairs as pairs_module
from snellen.diagnosis.shopping.image_bootstrap import ImageBootstrap, disjoint
from snellen.diagnosis.shopping.image_pairs import ImagePairs, cosines_of, image_pairs
from snellen.diagnosis.shopping.thresholds import above_rank, below_rank
from snellen.stats import wilson_interval
from snellen.vectors import Shard, Vectors
from tests.studies import unit_rows

COSINES = st.lists(st.integers(-8, 8), min_size=1, max_size=30)


@given(COSINES, st.data())
def test_at_most_so_many_pairs_lie_beyond_and_exactly_so_many_where_none_are_equal(
    values: list[int], data: st.DataObject
) -> None:
    cosines = np.array(values, dtype=np.float64) / 8
    count = data.draw(st.integers(0, len(values)))
    above, below = above_rank(cosines, count), below_rank(cosines, count)
    beyond, short = int((cosines > above).sum()), int((cosines < below).sum())
    assert beyond <= count and short <= count
    ordered = sorted(cosines)
    if count < len(values):  # one step further would be too many
        assert sum(value >= above for value in ordered) > count
        assert sum(value <= below for value in ordered) > count
    if len(set(values)) == len(values):
        assert beyond == short == count


def test_ranks_out_of_range_are_refused() -> None:
    for count in (-1, 3):
        for function in (above_rank, below_rank):
            with pytest.raises(ValueError, match="count must be"):
                function(np.array([0.1, 0.2]), count)


def vectors(seed: int, n: int = 40, dim: int = 6) -> Vectors:
    values = unit_rows(np.random.default_rng(seed).standard_normal((n, dim)))
    return Vectors([Shard(0, values[:13], None), Shard(13, values[13:], None)])


def test_all_pairs_in_order_with_exact_cosines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs_module, "BLOCK", 7)
    monkeypatch.setattr(pairs_module, "GATHERED", 5)
    rows = np.array([0, 3, 4, 12, 13, 20, 21, 22, 30, 39])
    each = vectors(0)
    found = image_pairs(rows, seed=0)
    expected = list(combinations(rows.tolist(), 2))
    assert found.drawn is None and found.n == len(expected) == 45
    assert found.at(np.arange(45)).tolist() == [list(pair) for pair in expected]
    values = each.block(0, 40).astype(np.float64)
    truth = [float(sum(float(x) * float(y) for x, y in zip(values[a], values[b], strict=True))) for a, b in expected]
    assert found.cosines(each).tolist() == truth
    assert cosines_of(each, np.array(expected)).tolist() == truth


def test_of_too_many_pairs_some_are_drawn_once_each_and_by_seed() -> None:
    rows = np.arange(5, 45)
    found = image_pairs(rows, seed=3, most=500)
    assert found.drawn is not None
    assert 300 < found.n <= 500
    assert len({tuple(pair) for pair in found.drawn.tolist()}) == found.n
    assert all(5 <= a < b < 45 for a, b in found.drawn.tolist())
    again, other = image_pairs(rows, seed=3, most=500), image_pairs(rows, seed=4, most=500)
    assert again.drawn is not None and other.drawn is not None
    assert np.array_equal(found.drawn, again.drawn) and not np.array_equal(found.drawn, other.drawn)
    assert isinstance(found, ImagePairs) and np.array_equal(found.at(np.array([0, 2])), found.drawn[[0, 2]])
    counts = np.bincount(np.concatenate([image_pairs(rows, seed, most=500).drawn for seed in range(60)]).ravel())[5:]
    assert counts.min() > 0.8 * counts.mean()  # every image has its turn


def test_disjoint_pairs_are_counted_greedily() -> None:
    assert disjoint(np.array([[0, 1], [2, 3], [4, 5]])) == 3
    assert disjoint(np.array([[0, 1], [0, 2], [0, 3]])) == 1


def test_resampled_shares_are_those_of_whole_images_drawn_by_hand() -> None:
    pairs = np.array([[10, 11], [11, 12], [12, 17], [10, 17], [17, 30]])
    values = np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    found = ImageBootstrap(pairs, resamples=50, seed=8).shares(values)
    names = [10, 11, 12, 17, 30]
    draws = np.random.Generator(np.random.PCG64(8)).integers(0, 5, (50, 5))
    for resample, drawn in enumerate(draws):
        times = [int((drawn == at).sum()) for at in range(5)]
        weights = [times[names.index(a)] * times[names.index(b)] for a, b in pairs.tolist()]
        for column in range(2):
            if sum(weights):
                mean = sum(w * v for w, v in zip(weights, values[:, column], strict=True)) / sum(weights)
                assert found[resample, column] == pytest.approx(mean, abs=1e-12)
            else:
                assert np.isnan(found[resample, column])


def test_images_that_matter_make_the_interval_as_wide_as_they_should() -> None:
    """An image is seen well or badly, and a pair is separated where both are seen well: the pairs are dependent."""
    images, truth = 40, 0.7**2
    pairs = np.array(list(combinations(range(images), 2)))
    held = naive = 0
    for seed in range(60):
        seen = np.random.default_rng(seed).random(images) < 0.7
        hits = seen[pairs[:, 0]] & seen[pairs[:, 1]]
        bootstrap = ImageBootstrap(pairs, resamples=400, seed=seed)
        share = bootstrap.proportion(hits, bootstrap.shares(hits[:, None].astype(np.float64))[:, 0])
        assert share.n == len(pairs) and share.n_clusters == images
        held += share.low <= truth <= share.high
        low, high = wilson_interval(int(hits.sum()), len(pairs))
        naive += low <= truth <= high
    assert held >= 52  # of 60
    assert naive <= 30


def test_no_interval_is_without_width() -> None:
    pairs = np.array([[0, 1], [0, 2], [0, 3], [4, 5]])  # two of them share no image
    bootstrap = ImageBootstrap(pairs, resamples=100)
    for hits, ends in (
        (np.ones(4, dtype=bool), wilson_interval(2, 2)),
        (np.zeros(4, dtype=bool), wilson_interval(0, 2)),
    ):
        share = bootstrap.proportion(hits, bootstrap.shares(hits[:, None].astype(np.float64))[:, 0])
        assert (share.low, share.high) == ends
    same = np.zeros(4)
    found = bootstrap.difference(same, same)
    assert found.value == 0 and found.low == -found.high == -wilson_interval(0, 2)[1]
    all_one = np.ones(4)
    found = bootstrap.difference(all_one, all_one)
    assert found.value == 1 == found.high and found.low == max(-1, 1 - 2 * wilson_interval(0, 2)[1])
    with pytest.raises(ValueError, match="at least one pair"):
        ImageBootstrap(np.empty((0, 2), dtype=np.int64), resamples=10)
