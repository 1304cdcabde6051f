"""Scores against numbers worked out by hand, and intervals against drawing image by image."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binomtest

from snellen.exam.zeroshot import contrasts as contrasts_module
from snellen.exam.zeroshot import metrics, templates
from snellen.exam.zeroshot.classifier import cosines
from snellen.exam.zeroshot.contrasts import contrasts, points
from snellen.exam.zeroshot.metrics import mean_recall, per_class, ranked, scores
from snellen.stats import bootstrap_difference, mcnemar


@pytest.mark.parametrize("module", [metrics, contrasts_module, templates])
def test_examples(module: object) -> None:
    found = doctest.testmod(module)  # type: ignore[arg-type]
    assert found.attempted > 0
    assert found.failed == 0


def test_by_hand() -> None:
    # Class 0: right, second, sixth. Class 1: right. Class 2 of seven has no image; the others neither.
    top1, top5, recall = scores([1, 2, 6, 1], [0, 0, 0, 1], 7)
    assert (top1.metric, top1.value, top1.n) == ("top1", 0.5, 4)
    assert (top5.metric, top5.value, top5.n) == ("top5", 0.75, 4)
    assert (top1.chance, top5.chance) == pytest.approx((1 / 7, 5 / 7))
    assert recall.metric == "mean_per_class_recall"
    assert recall.value == pytest.approx((1 / 3 + 1) / 2)
    wilson = binomtest(2, 4).proportion_ci(method="wilson")
    assert (top1.low, top1.high) == pytest.approx((wilson.low, wilson.high))


def test_five_classes_have_no_top_five() -> None:
    assert [one.metric for one in scores([1, 2], [0, 1], 5)] == ["top1", "mean_per_class_recall"]
    assert [one.metric for one in scores([1, 2], [0, 1], 6)] == ["top1", "top5", "mean_per_class_recall"]


@given(arrays(np.int64, st.tuples(st.integers(1, 6), st.integers(2, 8)), elements=st.integers(0, 3)), st.data())
def test_ranks_by_counting(table: np.ndarray, data: st.DataObject) -> None:
    own = data.draw(st.lists(st.integers(0, table.shape[1] - 1), min_size=len(table), max_size=len(table)))
    ranks, top, ties = ranked(table / 4, own)
    for row, label, rank, best, tie in zip(table.tolist(), own, ranks, top, ties, strict=True):
        assert rank == sum(value >= row[label] for value in row)
        order = sorted(range(len(row)), key=lambda place: (-row[place], place))
        assert best == order[:5]
        assert tie == (row.count(max(row)) > 1)
        # Right is who is alone in the first place.
        assert (rank == 1) == (best[0] == label and not tie)


def test_equal_rows_have_equal_cosines() -> None:
    rng = np.random.default_rng(0)
    for n, classes, dim in ((1, 9, 33), (7, 1000, 768), (64, 31, 511)):
        rows = rng.standard_normal((classes, dim))
        rows[classes // 2] = rows[0]
        rows[-1] = rows[0]
        images = rng.standard_normal((n, dim))
        found = cosines(images, rows)
        assert (found[:, 0] == found[:, -1]).all()
        assert (found[:, 0] == found[:, classes // 2]).all()
        np.testing.assert_allclose(found, images @ rows.T, rtol=0, atol=1e-10)


def test_recall_interval_is_that_of_drawing_images() -> None:
    rng = np.random.default_rng(3)
    own = rng.integers(0, 12, 400) ** 2 // 12  # uneven classes
    right = rng.random(400) < 0.3 + 0.05 * own
    value, low, high, method = mean_recall(right.tolist(), own.tolist())
    assert "bootstrap" in method
    assert value == pytest.approx(np.mean([right[own == label].mean() for label in np.unique(own)]))
    means = []
    for _ in range(3000):
        drawn = rng.integers(0, 400, 400)
        means.append(np.mean([right[drawn][own[drawn] == label].mean() for label in np.unique(own[drawn])]))
    assert (low, high) == pytest.approx(np.quantile(means, [0.025, 0.975]), abs=0.01)


@pytest.mark.parametrize("hit", [True, False])
def test_recall_without_variation_has_a_width_all_the_same(hit: bool) -> None:
    value, low, high, method = mean_recall([hit] * 20, [0, 1] * 10)
    wilson = binomtest(20 * hit, 20).proportion_ci(method="wilson")
    assert value == hit
    assert (low, high) == pytest.approx((wilson.low, wilson.high))
    assert "Wilson" in method


def test_a_class_without_images_has_no_share() -> None:
    found = per_class([True, False, True], [0, 0, 2], ["a", "b", "c"], [("A",), ("B",), ("C", "D")])
    assert [(one.label, one.n, one.correct, one.value) for one in found] == [
        ("a", 2, 1, 0.5),
        ("b", 0, 0, None),
        ("c", 1, 1, 1.0),
    ]
    assert (found[1].low, found[1].high) == (0.0, 1.0)
    assert found[2].names == ("C", "D")


def test_a_guesser_is_at_chance() -> None:
    rng = np.random.default_rng(5)
    ranks, _, _ = ranked(rng.random((4000, 8)), [0] * 4000)
    top1, top5, _ = scores(ranks, rng.integers(0, 8, 4000).tolist(), 8)
    for one in (top1, top5):
        assert one.low < one.chance < one.high


# -- two encoders ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("a_only", "b_only", "n"), [(3, 14, 60), (40, 25, 500), (0, 6, 30), (9, 9, 18)])
def test_points_are_the_paired_bootstrap(a_only: int, b_only: int, n: int) -> None:
    a = [1] * a_only + [0] * b_only + [1] * (n - a_only - b_only)
    b = [0] * a_only + [1] * b_only + [1] * (n - a_only - b_only)
    direct = bootstrap_difference(a, b, seed=11)
    found = points(a_only, b_only, n)
    assert found.value == pytest.approx(100 * direct.value)
    assert found.n == n
    assert (found.low, found.high) == pytest.approx((100 * direct.low, 100 * direct.high), abs=2.1 * 100 / n)


def test_points_without_variation_have_a_width() -> None:
    same = points(0, 0, 40)
    assert same.value == 0
    assert same.low < 0 < same.high
    all_of_them = points(0, 40, 40)
    assert all_of_them.value == all_of_them.high == 100
    assert all_of_them.low < 100


def test_all_pairs_with_holm() -> None:
    right = {
        "a": {image: image < 10 for image in range(100)},
        "b": {image: image < 30 for image in range(100)},
        "c": {image: image < 31 for image in range(1, 100)},  # one image fewer
    }
    found = {(one.a, one.b): one for one in contrasts(right)}
    assert list(found) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert (found["a", "b"].a_only, found["a", "b"].b_only) == (0, 20)
    assert found["a", "b"].p == mcnemar(0, 20).p
    assert found["a", "c"].difference_points.n == 99
    assert found["b", "c"].p == 1.0
    # Holm by hand: a-c is the smallest (21 discordant images), times three; then a-b, times two; then b-c.
    assert found["a", "c"].p_holm == pytest.approx(3 * mcnemar(0, 21).p)
    assert found["a", "b"].p_holm == pytest.approx(2 * mcnemar(0, 20).p)
    assert found["b", "c"].p_holm == 1.0


def test_one_encoder_is_compared_with_nobody() -> None:
    assert contrasts({"a": {0: True}}) == ()
    assert contrasts({"a": {0: True}, "b": {1: True}}) == ()
