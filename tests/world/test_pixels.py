"""What the facts say is what the pictures show, read off the pixels by rules that know nothing of the drawing code."""

from __future__ import annotations

from collections import Counter
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from snellen.world.scene.canvas import png
from snellen.world.scene.facts import CONTEXTS, FACTORS, KINDS, random_facts, random_for
from snellen.world.scene.families import families
from snellen.world.scene.render import render
from tests.world.looking import look


def test_every_factor_can_be_read_off_the_pixels_whatever_the_nuisance() -> None:
    wrong: Counter[str] = Counter()
    shots = list(families(3, "exam", 90))
    for shot in shots:
        seen = look(shot.picture(), shot.facts.context)
        wrong.update(name for name in FACTORS if seen[name] != getattr(shot.facts, name))
    assert {shot.facts.kind for shot in shots if shot.facts.context == "night"} >= set(KINDS[1:])
    assert {shot.facts.context for shot in shots} == set(CONTEXTS)
    assert not wrong, wrong


@pytest.mark.parametrize("factor", FACTORS)
def test_every_value_changes_64_pixels_in_plain_sight_in_every_scene(factor: str) -> None:
    """8 x 8 pixels: what is smaller, small networks do not learn."""
    for kind in KINDS:
        for context in CONTEXTS:
            base = random_facts(random_for("base", kind, context, factor)).but(kind=kind, context=context)
            pictures = [
                render(base.but(**{factor: value}), random_for("same", kind, context)).astype(int)
                for value in FACTORS[factor]
            ]
            for first in range(len(pictures)):
                for second in range(first):
                    seen = np.abs(pictures[first] - pictures[second]).max(axis=-1) > 40
                    rows, columns = np.nonzero(seen)
                    # A black hat at night shows by its light band, and where it hides the object.
                    least = 48 if (factor, context) == ("presence", "night") else 64
                    assert seen.sum() >= least, (kind, context, FACTORS[factor][first], FACTORS[factor][second])
                    assert min(np.ptp(rows), np.ptp(columns)) + 1 >= 8


@pytest.mark.parametrize("factor", [name for name in FACTORS if name != "viewpoint"])
def test_a_fact_does_not_move_the_nuisance(factor: str) -> None:
    """Viewpoint apart: how high the ground is decides how many stones may lie where."""
    base = random_facts(random_for("base", factor))
    states = set()
    for value in FACTORS[factor]:
        random = random_for("same", factor)
        render(base.but(**{factor: value}), random)
        states.add(random.randint(2**31))
    assert len(states) == 1


def test_another_fact_changes_its_own_place_alone() -> None:
    base = random_facts(random_for("base")).but(state="lit")
    lit, dark = (render(base.but(state=state), random_for("same")).astype(int) for state in ("lit", "dark"))
    rows, columns = np.nonzero(np.abs(lit - dark).max(axis=-1))
    assert rows.max() < 20
    assert columns.min() > 44


def test_re_renders_show_the_same_facts_and_other_pixels() -> None:
    for seed in range(40):
        facts = random_facts(random_for("facts", seed))
        first, second = (render(facts, random_for("frame", seed, frame)) for frame in range(2))
        assert (np.abs(first.astype(int) - second).max(axis=-1) > 3).mean() > 0.5
        assert look(first, facts.context) == look(second, facts.context)


def test_pillow_decodes_a_png_to_the_same_array() -> None:
    for shot in families(0, "exam", 3):
        picture = shot.picture()
        assert picture.dtype == np.uint8
        assert picture.shape == (64, 64, 3)
        with Image.open(BytesIO(png(picture))) as decoded:
            decoded.verify()
        with Image.open(BytesIO(png(picture))) as decoded:
            assert (decoded.format, decoded.mode) == ("PNG", "RGB")
            assert np.array_equal(np.asarray(decoded), picture)
