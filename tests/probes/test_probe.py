"""The probe against closed forms, direct solutions, and what must not change anything."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from snellen.probes import ProbePair, ProbeResult, Readable, folds_of, pair_probe, ridge, units_of
from snellen.probes.engine import coins
from tests.probes.made import made


def number(result: ProbeResult) -> Readable:
    assert result.readable is not None
    return result.readable


@pytest.mark.parametrize("strength", [0.5, 1.0, 2.0])
def test_one_gaussian_feature_is_read_as_well_as_can_be(strength: float) -> None:
    # x_a - x_b is normal with mean +-strength and variance 2; the best probe takes its sign.
    pairs, vectors = made(400, 2, strength=strength, seed=3)
    one = {image: vector[:1] for image, vector in vectors.items()}
    found = number(pair_probe(pairs, one))
    assert found.low <= norm.cdf(strength / np.sqrt(2)) <= found.high
    assert (found.n_pairs, found.chance) == (400, 0.5)
    # Both features tell: the mean is strength on either axis, so the distance is sqrt(2) times as long.
    found = number(pair_probe(pairs, vectors))
    assert found.low <= norm.cdf(strength) <= found.high


def test_five_classes_with_strong_signal_are_read() -> None:
    pairs, vectors = made(130, 64, classes=5, strength=6.0, seed=1)
    found = number(pair_probe(pairs, vectors))
    assert found.value > 0.95 and found.p_value == 0.001
    assert sorted(found.right) == [pair.pair_id for pair in pairs]
    assert found.value == pytest.approx(np.mean(list(found.right.values())))


def test_margins_are_those_of_ridge_solved_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ridge, "ALPHAS", np.array([0.3]))
    pairs, vectors = made(40, 7, classes=4, strength=1.0, seed=5)
    found = pair_probe(pairs, vectors, seed=2).margins
    fold = folds_of(range(40), 5, 2)
    names = sorted({text for pair in pairs for text in pair.texts})
    for out in range(5):
        train = [pair for pair, where in zip(pairs, fold, strict=True) if where != out]
        images = np.stack([vectors[image] for pair in train for image in (pair.image_a, pair.image_b)]).astype(float)
        rows = np.stack([vectors[pair.image_a].astype(float) - vectors[pair.image_b] for pair in train]) / images.std(0)
        onehot = np.array([[(pair.texts[0] == name) - (pair.texts[1] == name) for name in names] for pair in train])
        alpha = 0.3 * (rows**2).sum(axis=1).mean()
        weights = np.linalg.solve(rows.T @ rows + alpha * np.eye(7), rows.T @ onehot)
        for pair, where in zip(pairs, fold, strict=True):
            if where == out:
                scores = [(vectors[image] / images.std(0)) @ weights for image in (pair.image_a, pair.image_b)]
                a, b = (names.index(text) for text in pair.texts)
                expected = (scores[0][a] - scores[0][b]) - (scores[1][a] - scores[1][b])
                assert found[pair.pair_id] == pytest.approx(expected, abs=1e-6)


def test_two_classes_are_ridge_on_plus_and_minus_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ridge, "ALPHAS", np.array([1.0]))
    pairs, vectors = made(30, 5, strength=0.5, seed=8)
    found = pair_probe(pairs, vectors).margins
    fold = folds_of(range(30), 5, 0)
    left = [at for at in range(30) if fold[at] != 0]
    spread = np.stack([vectors[f"{side}{at}"] for at in left for side in "ab"]).astype(float).std(0)
    rows = np.stack([vectors[f"a{at}"].astype(float) - vectors[f"b{at}"] for at in range(30)]) / spread
    sign = np.array([1.0 if pair.texts[0] == "class 0" else -1.0 for pair in pairs])
    size = (rows[left] ** 2).sum(axis=1).mean()
    weights = np.linalg.solve(rows[left].T @ rows[left] + size * np.eye(5), rows[left].T @ sign[left])
    for at in np.flatnonzero(fold == 0):
        assert found[f"p{at:03}"] == pytest.approx(2 * sign[at] * (rows[at] @ weights), abs=1e-6)


def test_a_shuffle_is_the_probe_of_the_swapped_answers() -> None:
    pairs, vectors = made(40, 6, classes=3, strength=1.0, seed=4)
    null = pair_probe(pairs, vectors, seed=7).null
    signs = coins(range(40), 3, 8)
    for at in range(3):
        swapped = [
            replace(pair, answer_a=1 - pair.answer_a) if sign < 0 else pair
            for pair, sign in zip(pairs, coins(range(40), 999, 8)[:, at], strict=True)
        ]
        assert number(pair_probe(swapped, vectors, seed=7)).value == pytest.approx(null[at])
    assert set(np.unique(signs)) == {-1.0, 1.0}


def test_a_held_out_pair_cannot_influence_its_probe() -> None:
    pairs, vectors = made(60, 10, strength=1.0, seed=6)
    before = pair_probe(pairs, vectors).margins
    fold = folds_of(range(60), 5, 0)
    mates = [f"p{at:03}" for at in np.flatnonzero(fold == fold[7])]
    lied = [replace(pair, answer_a=1 - pair.answer_a) if pair.pair_id == "p007" else pair for pair in pairs]
    after = pair_probe(lied, vectors).margins
    assert {name: after[name] for name in mates} == pytest.approx(
        {name: before[name] * (-1 if name == "p007" else 1) for name in mates}
    )
    huge = vectors | {image: vectors[image] * 1000 for image in ("a7", "b7")}
    after = pair_probe(pairs, huge).margins
    assert all(after[name] == pytest.approx(before[name]) for name in mates if name != "p007")
    assert after["p007"] == pytest.approx(1000 * before["p007"])
    assert any(after[name] != pytest.approx(before[name]) for name in before.keys() - set(mates))


def test_copies_of_a_pair_are_not_on_both_sides() -> None:
    once, vectors = made(30, 100, seed=2)
    twice = [replace(pair, pair_id=f"{pair.pair_id}-{copy}") for pair in once for copy in range(4)]
    found = pair_probe(twice, vectors)
    assert found.n_units == 30
    assert number(found).value < 0.75  # 1.0 where the copy of a pair was trained on
    width = number(found).high - number(found).low
    assert width > 0.3  # as wide as 30 pairs, not 120
    scenes = [replace(pair, group=f"scene {int(pair.pair_id[1:]) % 12}") for pair in once]
    assert pair_probe(scenes, vectors).n_units == 12


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(0, 30)), min_size=1, max_size=40))
def test_what_shares_an_image_or_a_group_shares_a_fold(edges: list[tuple[int, int, int]]) -> None:
    pairs = [
        ProbePair(str(at), f"i{a}", f"i{b + 21 if a == b else b}", ("x", "y"), 0, group=None if g > 15 else f"g{g}")
        for at, (a, b, g) in enumerate(edges)
    ]
    units = units_of(pairs)
    fold = folds_of(units, 5, 1)
    for one, first in enumerate(pairs):
        for other, second in enumerate(pairs):
            linked = {first.image_a, first.image_b} & {second.image_a, second.image_b}
            if linked or (first.group is not None and first.group == second.group):
                assert units[one] == units[other]
                assert fold[one] == fold[other]
    assert sorted(set(units)) == list(range(len(set(units))))


def test_units_are_no_larger_than_needed_and_folds_are_even() -> None:
    pairs, _ = made(103, 1)
    assert units_of(pairs) == list(range(103))
    assert sorted(np.bincount(folds_of(range(103), 5, 0))) == [20, 20, 21, 21, 21]


def test_what_names_the_pair_but_not_the_answer_reads_nothing() -> None:
    pairs, _ = made(60, 1, seed=9)
    rng = np.random.default_rng(1)
    same = {name: rng.normal(size=60) for name in range(60)}
    vectors = {f"{side}{at}": same[at] for at in same for side in "ab"}
    found = number(pair_probe(pairs, vectors))
    assert (found.value, found.p_value) == (0.0, 1.0)  # no difference at all is a tie, and a tie is wrong
    named = {image: np.concatenate([vectors[image], rng.normal(size=60)]) for image in vectors}
    found = number(pair_probe(pairs, named))
    assert found.low < 0.5 < found.high and found.p_value is not None and found.p_value > 0.05


def test_the_order_of_pairs_and_repetition_change_nothing() -> None:
    pairs, vectors = made(45, 8, classes=3, strength=1.0)
    first = pair_probe(pairs, vectors, seed=3)
    assert pair_probe(pairs[::-1], vectors, seed=3) == first
    assert pair_probe(pairs, vectors, seed=4).margins != first.margins


@settings(max_examples=20, deadline=None, derandomize=True)  # two strengths that fit equally well can change places
@given(st.integers(0, 99), st.lists(st.sampled_from([0.001, 0.5, 3.0, 1000.0]), min_size=6, max_size=6))
def test_units_of_measurement_change_nothing(seed: int, scale: list[float]) -> None:
    pairs, vectors = made(40, 6, classes=3, strength=1.0, seed=seed)
    exact = {image: vector.astype(float) for image, vector in vectors.items()}
    moved = {image: vector * np.array(scale) + np.array(scale)[::-1] for image, vector in exact.items()}
    first, second = pair_probe(pairs, exact, shuffles=200), pair_probe(pairs, moved, shuffles=200)
    assert second.margins == pytest.approx(first.margins, abs=1e-6)


@settings(max_examples=20, deadline=None, derandomize=True)  # two strengths that fit equally well can change places
@given(st.integers(0, 99), st.lists(st.booleans(), min_size=40, max_size=40))
def test_which_image_is_called_a_changes_nothing(seed: int, turn: list[bool]) -> None:
    pairs, vectors = made(40, 6, classes=3, strength=1.0, seed=seed)
    turned = [
        replace(pair, image_a=pair.image_b, image_b=pair.image_a, answer_a=1 - pair.answer_a) if flip else pair
        for pair, flip in zip(pairs, turn, strict=True)
    ]
    reordered = [replace(pair, options=pair.options[::-1], answer_a=1 - pair.answer_a) for pair in turned]
    first = pair_probe(pairs, vectors, shuffles=200)
    assert pair_probe(turned, vectors, shuffles=200).margins == pytest.approx(first.margins, abs=1e-9)
    assert pair_probe(reordered, vectors, shuffles=200).margins == pytest.approx(first.margins, abs=1e-9)


def test_options_are_compared_without_case_and_spaces() -> None:
    pairs, vectors = made(40, 4, strength=2.0)
    shouted = [
        replace(pair, options=(f" {pair.options[0].upper()} ", pair.options[1].replace(" ", "  "))) for pair in pairs
    ]
    assert pair_probe(shouted, vectors).margins == pair_probe(pairs, vectors).margins


def test_variants_are_read_by_the_probe_that_has_not_seen_their_pair() -> None:
    pairs, vectors = made(40, 6, strength=1.0)
    variants = {image: np.stack([vector, 2 * vector, 0 * vector]) for image, vector in vectors.items()}
    found = pair_probe(pairs, vectors, features_variants=variants)
    assert found.margins == pair_probe(pairs, vectors).margins
    for name, margin in found.margins.items():
        assert found.variant_margins[name] == pytest.approx((margin, 2 * margin, 0.0), abs=1e-9)


def test_pairs_with_options_of_their_own_are_counted_and_not_guessed() -> None:
    pairs, vectors = made(40, 6, strength=3.0)
    odd = [replace(pairs[3], options=("round", "class 1")), replace(pairs[5], options=("same", "Same "))]
    changed = [*pairs[:3], odd[0], pairs[4], odd[1], *pairs[6:]]
    found = pair_probe(changed, vectors)
    assert found.unreadable == {
        "p003": "not readable: no training examples of both options",
        "p005": "not readable: its two options are the same text",
    }
    assert number(found).n_pairs == 38
    assert not found.margins.keys() & found.unreadable.keys()
    alone = [replace(pair, options=(f"this {at}", f"that {at}")) for at, pair in enumerate(pairs)]
    refused = pair_probe(alone, vectors)
    assert refused.readable is None and len(refused.unreadable) == 40
    assert (
        refused.why_not is not None and "of 40 pairs, 0 have options that pairs of other units show" in refused.why_not
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda v: v.pop("a0"), "'a0' has no vector"),
        (lambda v: v.update(a0=np.full(4, np.nan)), "'a0' must have finite numbers of shape \\[d\\]"),
        (lambda v: v.update(a0=np.zeros((2, 2))), "got shape \\[2, 2\\]"),
        (lambda v: v.update(b3=np.zeros(5)), "vectors of one shape, got \\[4\\] of 'a0', \\[5\\] of 'b3'"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(change: object, said: str) -> None:
    pairs, vectors = made(40, 4)
    assert callable(change)
    change(vectors)
    with pytest.raises(ValueError, match=said):
        pair_probe(pairs, vectors)


def test_nonsense_is_refused() -> None:
    pairs, vectors = made(40, 4)
    with pytest.raises(ValueError, match="folds must be from 2"):
        pair_probe(pairs, vectors, folds=1)
    with pytest.raises(ValueError, match="shuffles at least 200"):
        pair_probe(pairs, vectors, shuffles=199)
    with pytest.raises(ValueError, match="have the same one"):
        pair_probe([*pairs, pairs[0]], vectors)
    with pytest.raises(ValueError, match="answer_a of pair"):
        replace(pairs[0], answer_a=2)
    with pytest.raises(ValueError, match="two images"):
        replace(pairs[0], image_b=pairs[0].image_a)
    with pytest.raises(ValueError, match="variants have 3 features where images have 4"):
        pair_probe(pairs, vectors, features_variants={image: np.zeros((2, 3)) for image in vectors})
