"""Families: what is planted, and whether `changed` tells the truth."""

from __future__ import annotations

from collections import Counter

from snellen.world.scene.facts import CONTEXTS, FACTORS, KINDS
from snellen.world.scene.families import MEMBERS, families, family


def test_every_pattern_is_planted_often_and_equally() -> None:
    planted = Counter(shot.changed[0] for shot in families(0, "exam", 400) if shot.role == "one-factor")
    assert set(planted) == set(FACTORS)
    assert min(planted.values()) >= 15
    assert max(planted.values()) - min(planted.values()) <= 1


def test_changed_is_exactly_what_differs() -> None:
    sizes = {"base": 0, "re-render": 0, "one-factor": 1, "two-factor": 2, "many-factor": 4}
    for number in range(120):
        shots = family(1, "train", number)
        base = shots[0]
        assert [shot.role for shot in shots] == list(MEMBERS)
        for shot in shots:
            mine, its = base.facts.as_dict(), shot.facts.as_dict()
            assert {name for name in mine if mine[name] != its[name]} == set(shot.changed)
            assert len(shot.changed) == sizes[shot.role]
            assert not {"kind", "context"} & set(shot.changed)


def test_facts_are_drawn_evenly() -> None:
    bases = [family(2, "exam", number)[0].facts for number in range(1500)]
    topics = {"kind": KINDS, "context": CONTEXTS, **FACTORS}
    for topic, values in topics.items():
        counts = Counter(getattr(facts, topic) for facts in bases)
        assert set(counts) == set(values)
        due = len(bases) / len(values)
        for count in counts.values():
            assert abs(count - due) < 5 * (due * (1 - 1 / len(values))) ** 0.5


def test_worlds_and_splits_have_other_scenes() -> None:
    drawn = [
        tuple(family(world, split, 0)[0].facts.as_dict().values()) for world in (0, 1) for split in ("exam", "train")
    ]
    assert len(set(drawn)) == 4
