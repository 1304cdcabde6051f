"""Controls: shuffled labels, control tasks, questions without images; and what too few pairs cannot say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from snellen.probes import (
    Readable,
    calibration,
    comparable,
    compare,
    control_task,
    enough,
    pair_probe,
    questions_only,
    selectivity,
)
from snellen.probes.interval import design_effect, permutation_p, wilson_of_effective
from snellen.stats import wilson_interval
from tests.probes.made import made


@pytest.mark.parametrize(
    ("n", "d", "classes"),
    [
        (30, 20, 2),
        pytest.param(60, 30, 2, marks=pytest.mark.slow),
        pytest.param(60, 80, 3, marks=pytest.mark.slow),
        pytest.param(130, 384, 5, marks=pytest.mark.slow),
    ],
)
def test_probes_on_noise_beat_chance_no_more_often_than_promised(n: int, d: int, classes: int) -> None:
    rejected = []
    for seed in range(200):
        pairs, vectors = made(n, d, classes=classes, seed=seed)
        found = pair_probe(pairs, vectors, shuffles=200, seed=seed).readable
        assert found is not None and found.p_value is not None
        rejected.append(found.p_value <= 0.05)
    assert np.mean(rejected) <= 0.08
    assert np.mean(rejected) > 0.005  # a test that never rejects would be no test


def test_probes_on_shuffled_labels_of_strong_features() -> None:
    pairs, vectors = made(130, 40, strength=3.0, seed=1)
    found = calibration(pairs, vectors, shuffles=400)
    assert found.rejected <= 0.08 and found.shuffles == 400
    assert (found.low, found.high) == wilson_interval(round(400 * found.rejected), 400)
    assert found.by_binomial > found.rejected  # why p is not a binomial test's


@pytest.mark.slow
def test_intervals_hold_the_truth() -> None:
    found = [pair_probe(*made(60, 64, strength=1.0, seed=seed), seed=seed, shuffles=200) for seed in range(300)]
    numbers = [result.readable for result in found if result.readable is not None]
    truth = np.mean([each.value for each in numbers])
    held = [each.low <= truth <= each.high for each in numbers]
    binomial = [wilson_interval(round(60 * each.value), 60) for each in numbers]
    assert np.mean(held) >= 0.93
    assert np.mean([low <= truth <= high for low, high in binomial]) < 0.93  # why it is widened


def test_the_interval_is_wilsons_for_independent_pairs() -> None:
    assert wilson_of_effective(37 / 150, 150, 1.0) == pytest.approx(wilson_interval(37, 150))
    assert wilson_of_effective(0.5, 100, 2.0) == pytest.approx(wilson_interval(25, 50))
    assert wilson_of_effective(0.0, 30, 1.5)[0] == 0.0 and wilson_of_effective(1.0, 30, 1.5)[1] == 1.0
    coins = np.random.default_rng(0).binomial(50, 0.5, 200_000) / 50
    assert design_effect(coins, 50) == pytest.approx(1.0, abs=0.02)
    assert design_effect(np.array([0.5, 0.5]), 50) == 1.0
    assert design_effect(np.array([0.0, 1.0]), 50) == 50
    assert permutation_p(0.6, np.array([0.5, 0.6, 0.7, 0.4])) == 3 / 5


def _typed(types: int, *, by_heart: bool) -> tuple[list, dict]:  # type: ignore[type-arg]
    """Pairs of several kinds: one feature tells the answer; by heart, there is one feature for each kind instead."""
    pairs, vectors = made(120, 2, strength=4.0, seed=2)
    typed, told = [], {}
    for at, pair in enumerate(pairs):
        typed.append(replace(pair, kind=f"kind {at % types}"))
        for image in (pair.image_a, pair.image_b):
            place = np.eye(types)[at % types] if by_heart else np.ones(1)
            told[image] = np.kron(place, vectors[image])
    return typed, told


def test_a_probe_that_can_learn_by_heart_has_no_selectivity() -> None:
    pairs, vectors = _typed(6, by_heart=False)
    probe, control = pair_probe(pairs, vectors).readable, control_task(pairs, vectors)
    assert probe is not None and control.readable is not None and control.note == ""
    assert probe.value > 0.95 and control.readable.value == pytest.approx(0.5, abs=0.1)
    found = selectivity(probe, control.readable)
    assert found.value == pytest.approx(probe.value - control.readable.value) and found.low > 0.3
    pairs, vectors = _typed(6, by_heart=True)
    probe, control = pair_probe(pairs, vectors).readable, control_task(pairs, vectors)
    assert probe is not None and control.readable is not None
    assert probe.value > 0.95 and control.readable.value > 0.9
    assert selectivity(probe, control.readable).value < 0.1
    assert control.readable.p_value is None and control_task(pairs, vectors) == control


@pytest.mark.parametrize("types", [1, 120])
def test_types_that_cannot_be_halved_are_said_to_be_so(types: int) -> None:
    pairs, vectors = _typed(types, by_heart=False)
    control = control_task(pairs, vectors)
    assert control.readable is not None
    assert "tells nothing of what the probe can learn by heart" in control.note
    assert control.readable.value == pytest.approx(0.5, abs=0.1)


def test_questions_alone_find_a_key_that_was_not_drawn_by_lot() -> None:
    pairs, _ = made(60, 1, classes=4, seed=3)
    fair = questions_only(pairs).readable
    assert fair is not None and fair.p_value is not None and fair.p_value > 0.05 and fair.low < 0.5 < fair.high
    always = [
        replace(pair, options=pair.options if pair.answer_a == 0 else pair.options[::-1], answer_a=0) for pair in pairs
    ]
    alphabet = [replace(pair, answer_a=int(pair.options[0] > pair.options[1])) for pair in pairs]
    worded = [replace(pair, question="Which one?" if pair.answer_a else "Which?") for pair in pairs]
    for leaky in (always, alphabet, worded):
        found = questions_only(leaky).readable
        assert found is not None and found.value > 0.9 and found.p_value == 0.001


def test_shuffled_questions_are_calibrated() -> None:
    passed = []
    for seed in range(200):
        found = questions_only(made(30, 1, classes=4, seed=seed)[0], seed=seed, shuffles=200).readable
        assert found is not None and found.p_value is not None
        passed.append(found.p_value <= 0.05)
    assert np.mean(passed) <= 0.08


def test_fewer_than_thirty_pairs_get_a_sentence_and_no_number() -> None:
    pairs, vectors = made(29, 4, strength=5.0)
    for found in (pair_probe(pairs, vectors), control_task(pairs, vectors), questions_only(pairs)):
        assert found.readable is None and not found.margins
        assert found.why_not is not None and found.why_not.startswith("No probe: 29 pairs with known options")
    assert enough(pairs) == (False, pair_probe(pairs, vectors).why_not)
    with pytest.raises(ValueError, match="29 pairs"):
        calibration(pairs, vectors)
    assert enough(made(30, 1)[0]) == (True, None)
    assert "1 pair with" in str(enough(pairs[:1]).why_not)
    same = [replace(pair, options=("yes", "YES")) for pair in made(40, 1)[0]]
    assert "0 pairs with known options" in str(enough(same).why_not)
    scene = [replace(pair, group=f"{int(pair.pair_id[1:]) % 9}") for pair in made(90, 1)[0]]
    assert "90 pairs, but in 9 units" in str(enough(scene).why_not)


def _readable(right: dict[str, float]) -> Readable:
    return Readable(float(np.mean(list(right.values()))), 0.0, 1.0, len(right), None, right)


def test_two_stops_are_compared_pair_by_pair() -> None:
    tap = _readable({f"p{at}": float(at < 18) for at in range(20)})
    projector = _readable({f"p{at}": float(8 <= at < 18) for at in range(1, 21)})
    found = compare(tap, projector)
    assert found.difference.value == pytest.approx(-7 / 19) and found.difference.n == 19 and found.left_out == 2
    assert found.difference.high < 0
    assert found.test is not None and found.test[:2] == (7, 0)
    assert found.test.p == pytest.approx(binomtest(0, 7).pvalue)
    assert compare(tap, _readable({"p1": 0.25, "p2": 0.5})).test is None
    with pytest.raises(ValueError, match="no pair in common"):
        compare(tap, _readable({"other": 1.0}))


def test_one_pattern_alone_cannot_be_compared() -> None:
    assert comparable({"text": tap, "count": tap} if (tap := _readable({"p": 1.0})) else {}) == (True, None)
    assert comparable({"text": tap, "count": None}) == (
        False,
        "No comparison over patterns: one visual pattern alone (text) was probed, and it takes two.",
    )
    assert "no visual pattern was probed" in str(comparable({"text": None}).why_not)
