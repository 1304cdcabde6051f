"""Shares of what is true among mined pairs: a study small enough to count by hand, and brute force on a larger one."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from snellen.errors import StudyError
from snellen.study import Study
from snellen.world.mined import mined_truth
from snellen.world.scene.facts import FACTORS
from snellen.world.table import World
from tests.studies import unit_rows, write_study
from tests.world.worlds import NAMES, rows_of, study_of, table_of, world_in


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return world_in(tmp_path_factory.mktemp("world") / "w", 60)


def test_one_family_counted_by_hand(tmp_path: Path) -> None:
    """Blind: all seven alike. Reference: only the first single-factor sibling stands apart from the rest."""
    from snellen.mining import mine

    world = world_in(tmp_path / "w", 1)
    blind = unit_rows(np.tile([1.0, 0.0], (7, 1)))
    reference = unit_rows(np.array([[1.0, 0], [1, 0], [0, 1], [1, 0], [1, 0], [1, 0], [1, 0]]))
    study = write_study(tmp_path / "s", blind, reference, table_of(world))
    mine(study.root, **NAMES, blind_min=0.95, reference_max=0.6)
    found = mined_truth(study, world)
    # Family 0: member 2 differs in orientation, 3 in presence, 4 in state.
    assert [picture.changed for picture in world.pictures[2:5]] == [("orientation",), ("presence",), ("state",)]
    assert (found.mined.same_scene.count, found.mined.same_scene.n) == (6, 6)
    assert (found.mined.differ.count, found.mined.differ.n) == (6, 6)  # member 2 against six with the other orientation
    assert (found.blind_alone.same_scene.n, found.random.same_scene.n) == (21, 21)
    assert (found.blind_alone.differ.count, found.blind_alone.differ.n) == (20, 21)  # all but base and re-render
    assert (found.planted_passing.count, found.planted_passing.n) == (1, 3)
    assert (found.planted_by_factor["orientation"].count, found.planted_by_factor["orientation"].n) == (1, 1)
    assert (found.planted_by_factor["presence"].count, found.planted_by_factor["presence"].n) == (0, 1)
    assert (found.planted_by_factor["color"].n, found.planted_by_factor["color"].value) == (0, None)
    assert (found.re_renders_passing.count, found.re_renders_passing.n) == (0, 1)


def test_shares_are_those_of_brute_force(world: World, tmp_path: Path) -> None:
    study = study_of(world, tmp_path / "s", blind_min=0.9, reference_max=0.6)
    found = mined_truth(study, world)
    blind = rows_of(world, "kind", "context", "color").astype(np.float64)
    reference = rows_of(world, *FACTORS).astype(np.float64)
    sets: dict[str, list[tuple[int, int]]] = {"mined": [], "blind_alone": [], "random": []}
    facts = [picture.facts for picture in world.pictures]
    for a, b in combinations(range(len(facts)), 2):
        if blind[a] @ blind[b] > 0.9:
            sets["blind_alone"].append((a, b))
            if reference[a] @ reference[b] < 0.6:
                sets["mined"].append((a, b))
        if facts[a].same_scene(facts[b]):
            sets["random"].append((a, b))
    for name, pairs in sets.items():
        truth = getattr(found, name)
        same = [(a, b) for a, b in pairs if facts[a].same_scene(facts[b])]
        assert (truth.same_scene.count, truth.same_scene.n) == (len(same), len(pairs))
        assert truth.same_kind.count == sum(facts[a].kind == facts[b].kind for a, b in pairs)
        assert truth.same_context.count == sum(facts[a].context == facts[b].context for a, b in pairs)
        assert (truth.differ.count, truth.differ.n) == (
            sum(bool(facts[a].differing(facts[b])) for a, b in same),
            len(same),
        )
        for factor in FACTORS:
            assert truth.by_factor[factor].count == sum(factor in facts[a].differing(facts[b]) for a, b in same)
    assert found.mined.differ.value == 1
    assert found.blind_alone.differ.value is not None
    assert found.blind_alone.differ.value < 1
    assert found.mined.by_factor["color"].count == 0
    assert found.re_renders_passing.count == 0
    assert found.planted_passing.n == 180


def test_intervals_are_wilsons_and_everything_is_plain_json(world: World, tmp_path: Path) -> None:
    found = mined_truth(study_of(world, tmp_path / "s", blind_min=0.9, reference_max=0.6), world)
    share = found.blind_alone.same_scene
    interval = binomtest(share.count, share.n).proportion_ci(method="wilson")
    assert (share.low, share.high) == pytest.approx((interval.low, interval.high), abs=1e-12)
    assert share.value == share.count / share.n
    plain = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert plain["mined"]["by_factor"]["color"]["n"] == found.mined.by_factor["color"].n
    assert list(plain["planted_by_factor"]) == list(FACTORS)


def test_a_study_that_is_not_mined_is_refused(world: World, tmp_path: Path) -> None:
    study = study_of(world, tmp_path / "s")
    with pytest.raises(StudyError, match="is not mined"):
        mined_truth(Study(study.root), world)
