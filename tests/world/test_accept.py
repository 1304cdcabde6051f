"""Accepted pairs of a world, each worked out again here by brute force from facts and vectors."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from snellen import accepted, storage
from snellen.benchmark import build, validate
from snellen.errors import StudyError, UsageError
from snellen.mining import mine
from snellen.records import AcceptedPair, pair_id
from snellen.study import Study
from snellen.world.accept import accept
from snellen.world.balance import balanced
from snellen.world.scene.facts import FACTORS
from snellen.world.table import World
from tests.studies import write_study
from tests.world.test_words import said
from tests.world.worlds import NAMES, files_of, rows_of, study_of, table_of, world_in

MINED: dict[str, Any] = {"blind_min": 0.9, "reference_max": 0.6}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return world_in(tmp_path_factory.mktemp("world") / "w", 120)


@pytest.fixture(scope="module")
def mined(world: World, tmp_path_factory: pytest.TempPathFactory) -> Study:
    return study_of(world, tmp_path_factory.mktemp("study") / "s", **MINED)


Sides = list[dict[str, list[float]]]


@pytest.fixture(scope="module")
def sides(world: World) -> Sides:
    """The rows of both encoders, by image_id."""
    names = [picture.image_id for picture in world.pictures]
    both = rows_of(world, "kind", "context", "color"), rows_of(world, *FACTORS)
    return [dict(zip(names, rows.tolist(), strict=True)) for rows in both]


def cosines(sides: Sides, pair: AcceptedPair) -> tuple[float, float]:
    """Both cosines, by Python's own sum."""
    found = [sum(x * y for x, y in zip(rows[pair.image_a], rows[pair.image_b], strict=True)) for rows in sides]
    return found[0], found[1]


def fits(world: World, sides: Sides, pair: AcceptedPair, kind: str) -> bool:
    """Whether a pair is of its kind, by the definitions of docs/world.md."""
    first, second = world.by_id[pair.image_a], world.by_id[pair.image_b]
    blind, reference = cosines(sides, pair)
    return {
        "blind": blind > 0.9 and reference < 0.6,
        "control": 0 < blind < 0.8,
        "random": True,
        "planted": first.family == second.family
        and "base" in (first.role, second.role)
        and len(first.changed + second.changed) == 1,
    }[kind]


@pytest.mark.parametrize("kind", ["blind", "control", "random", "planted"])
def test_every_accepted_pair_is_what_it_says(
    world: World, mined: Study, sides: Sides, tmp_path: Path, kind: Any
) -> None:
    result = accept(mined.root, world, kind=kind, per_pattern=8, out=tmp_path / "a.jsonl")
    pairs = accepted.read(tmp_path / "a.jsonl")
    used: Counter[str] = Counter()
    for pair in pairs:
        first, second = world.by_id[pair.image_a], world.by_id[pair.image_b]
        assert (first.facts.kind, first.facts.context) == (second.facts.kind, second.facts.context)
        (asked,) = pair.patterns
        assert getattr(first.facts, asked) != getattr(second.facts, asked)
        for picture, answer, text in (
            (first, pair.answer_a, pair.statement_a),
            (second, pair.answer_b, pair.statement_b),
        ):
            value = getattr(picture.facts, asked)
            assert pair.options[answer] == {"hat": "yes", "none": "no"}.get(value, value)
            assert text is not None
            assert said(text, asked) == {value}
        assert (pair.blind_cosine, pair.reference_cosine) == cosines(sides, pair)
        assert fits(world, sides, pair, kind)
        assert pair.decided_by == ("world",)
        used.update((pair.image_a, pair.image_b))
    assert max(used.values()) <= 2
    counts = Counter(pattern for pair in pairs for pattern in pair.patterns)
    assert {name: counts[name] for name in FACTORS} == result.counts
    assert max(counts.values()) <= 8
    assert result.n_pairs == len(pairs)
    assert result.short == {name: 8 - counts[name] for name in FACTORS if counts[name] < 8}
    if kind in ("random", "planted"):
        assert result.short == {}


def test_candidates_are_counted_as_brute_force_counts_them(world: World, mined: Study, tmp_path: Path) -> None:
    expected: Counter[str] = Counter()
    for first, second in combinations(world.pictures, 2):
        if (first.facts.kind, first.facts.context) == (second.facts.kind, second.facts.context):
            expected.update(name for name in FACTORS if getattr(first.facts, name) != getattr(second.facts, name))
    assert accept(mined.root, world, kind="random", out=tmp_path / "a").candidates == dict(expected)
    table = pq.read_table(mined.pairs).to_pylist()
    scene = {name: (facts.kind, facts.context) for name, facts in world.facts.items()}
    same = [row for row in table if scene[row["image_a"]] == scene[row["image_b"]]]
    blind = accept(mined.root, world, out=tmp_path / "b", per_pattern=1)
    facts = world.facts
    for name in FACTORS:
        differ = sum(getattr(facts[row["image_a"]], name) != getattr(facts[row["image_b"]], name) for row in same)
        assert blind.candidates[name] == differ
    assert blind.candidates["color"] == 0  # what the blind encoder sees
    assert blind.short["color"] == 1


def test_re_renders_are_never_accepted_though_they_are_mined(world: World, tmp_path: Path) -> None:
    again = {pair_id(members[0].image_id, members[1].image_id) for members in world.families.values()}
    study = study_of(world, tmp_path / "s", blind_min=0.9, reference_max=1.0)
    assert again & set(pq.read_table(study.pairs)["pair_id"].to_pylist())
    for kind in ("blind", "random", "planted"):
        accept(study.root, world, kind=kind, per_pattern=500, per_image=500, out=tmp_path / "a.jsonl")
        assert not again & {pair.pair_id for pair in accepted.read(tmp_path / "a.jsonl")}


def test_lots_are_the_same_everywhere_and_another_seed_draws_others(world: World, mined: Study, tmp_path: Path) -> None:
    for name, seed in (("one", 0), ("two", 0), ("three", 1)):
        accept(mined.root, world, kind="random", per_pattern=5, seed=seed, out=tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert (tmp_path / "one").read_bytes() != (tmp_path / "three").read_bytes()


def test_blind_pairs_are_the_studys_own_and_become_a_benchmark(world: World, tmp_path: Path) -> None:
    study = study_of(world, tmp_path / "s", **MINED)
    result = accept(study.root, world.folder)
    assert result.path == study.accepted
    again = accept(study.root, world.folder)
    assert again == result
    other = accept(study.root, world.folder, kind="random")
    assert other.path == study.root / "accepted-random.jsonl"
    manifest = study.read_manifest(study.accepted)
    assert manifest is not None
    assert manifest["settings"] == {"kind": "blind", "per_pattern": 30, "per_image": 2, "seed": 0}
    assert manifest["counts"]["pairs"] == result.n_pairs
    assert manifest["outputs"] == {"accepted.jsonl": storage.sha256_of_file(study.accepted)}
    assert str(tmp_path).encode() not in b"".join(files_of(study.root).values())
    benchmark = build(study.root, images=world.folder / "images")
    assert benchmark.n_pairs == result.n_pairs
    assert validate(benchmark.folder).problems == ()


def test_what_people_accepted_is_never_written_over(world: World, tmp_path: Path) -> None:
    study = study_of(world, tmp_path / "s", **MINED)
    accept(study.root, world)
    pairs = accepted.read(study.accepted)
    accepted.write(study.accepted, [replace(pairs[0], decided_by=("anna",)), *pairs[1:]])
    before = study.accepted.read_bytes()
    with pytest.raises(StudyError, match="people accepted: give another file with --out"):
        accept(study.root, world)
    assert study.accepted.read_bytes() == before


def test_a_study_that_is_not_mined_has_pairs_without_cosines(world: World, tmp_path: Path) -> None:
    study = study_of(world, tmp_path / "s")
    accept(study.root, world, kind="planted", per_pattern=2)
    pairs = accepted.read(study.root / "accepted-planted.jsonl")
    assert {(pair.blind_cosine, pair.reference_cosine) for pair in pairs} == {(None, None)}
    for kind in ("blind", "control"):
        with pytest.raises(StudyError, match=f"not mined, which {kind} pairs need"):
            accept(study.root, world, kind=kind)


def test_errors_are_one_sentence(world: World, mined: Study, tmp_path: Path) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"kind": "all"}, "choose blind, control, random, planted"),
        ({"per_pattern": 0}, "--per-pattern 0"),
        ({"per_image": 0}, "--per-image 0"),
        ({"seed": -1}, "--seed -1"),
        ({"blind_low": 0.9}, "lower one first"),
    ]
    for options, words in wrong:
        with pytest.raises(UsageError, match=words):
            accept(mined.root, world, out=tmp_path / "a", **options)
    with pytest.raises(UsageError, match="no study in"):
        accept(tmp_path / "none", world)
    with pytest.raises(UsageError, match="no world in"):
        accept(mined.root, tmp_path)
    with pytest.raises(StudyError, match=r"has no control pair .*: widen --blind-low"):
        accept(mined.root, world, kind="control", blind_low=-1, blind_high=-0.99, out=tmp_path / "a")
    other = world_in(tmp_path / "other", 2)
    with pytest.raises(StudyError, match=r"row 14, shows f0002-0\.png, which is no picture of the world"):
        accept(mined.root, other)
    assert not (tmp_path / "a").exists()


def test_embeddings_that_changed_since_mining_are_refused(world: World, tmp_path: Path) -> None:
    study = study_of(world, tmp_path / "s", **MINED)
    write_study(study.root, rows_of(world, "kind", noise=0.2), rows_of(world, *FACTORS), table_of(world))
    options: dict[str, Any] = {**NAMES, **MINED}
    with pytest.raises(StudyError, match="not what the pairs were mined from: run `snellen mine` again"):
        accept(study.root, world)
    mine(study.root, **options)
    accept(study.root, world)


def test_rare_patterns_choose_first_and_common_ones_take_turns() -> None:
    rng = np.random.default_rng(0)
    differs = rng.random((400, 4)) < np.array([0.02, 0.9, 0.9, 0.9])
    images = rng.permutation(800).reshape(400, 2)
    lots = [rng.bytes(8) for _ in range(400)]
    chosen = balanced(differs, images, lots, per_pattern=200, per_image=1)
    counts = Counter(chosen.values())
    assert counts[0] == differs[:, 0].sum()
    assert max(counts[1], counts[2], counts[3]) - min(counts[1], counts[2], counts[3]) <= 3
    assert all(differs[pair, pattern] for pair, pattern in chosen.items())
    limited = balanced(differs, images // 8, lots, per_pattern=20, per_image=2)
    used = Counter(int(image) for pair in limited for image in set(images[pair] // 8))
    assert max(used.values()) <= 2
