"""The world is legible: told what is true, a small network reads every fact off pictures it never saw."""

from __future__ import annotations

import pytest
import torch
from scipy.stats import binomtest

from snellen.world.legible import labels, legibility, network
from snellen.world.scene.facts import CONTEXTS, FACTORS, KINDS
from snellen.world.scene.families import families


@pytest.mark.slow
def test_every_factor_is_read_off_a_fresh_world() -> None:
    read = legibility(world=71, exam_world=72, seed=5)
    assert list(read) == ["kind", "context", *FACTORS]
    assert {topic: each.value for topic, each in read.items() if each.value < 0.95} == {}
    assert min(each.low for each in read.values()) > 0.93
    assert {each.n for each in read.values()} == {400}


def test_untrained_it_guesses() -> None:
    """What the figure is worth: after one step from random weights nothing is read."""
    read = legibility(train_families=4, exam_families=150, steps=1)
    for topic, each in read.items():
        assert each.value < 0.75, topic
        right = round(each.value * each.n)
        interval = binomtest(right, each.n).proportion_ci(method="wilson")
        assert (each.low, each.high) == pytest.approx((interval.low, interval.high), abs=1e-9)


def test_same_seed_same_figures_and_the_callers_chance_is_left_alone() -> None:
    torch.manual_seed(3)
    due = torch.rand(4)
    torch.manual_seed(3)
    once = legibility(train_families=4, exam_families=40, steps=3)
    assert torch.equal(torch.rand(4), due)
    assert once == legibility(train_families=4, exam_families=40, steps=3)
    assert once != legibility(train_families=4, exam_families=40, steps=3, seed=1)


def test_labels_number_the_values() -> None:
    values = {"kind": KINDS, "context": CONTEXTS, **FACTORS}
    shots = list(families(3, "exam", 5))
    for row, shot in zip(labels(shots).tolist(), shots, strict=True):
        assert {name: values[name][at] for name, at in zip(values, row, strict=True)} == shot.facts.as_dict()


def test_the_network_is_small() -> None:
    assert sum(weight.numel() for weight in network().parameters()) == 194_366
    assert network()(torch.zeros(2, 3, 64, 64)).shape == (2, 6 + 6 + 2 + 2 + 2 + 4 + 2 + 5 + 2 + 5 + 2)
