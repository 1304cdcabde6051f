"""Pictures for people: what is where on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from snellen.world.asking import accepted_pair
from snellen.world.sheets import SCENE, pairs_sheet, world_sheet
from tests.world.looking import look
from tests.world.worlds import world_in


def test_the_sheet_shows_every_topic_in_a_row(tmp_path: Path) -> None:
    sheet = np.asarray(world_sheet(1))
    assert world_sheet(2).size > world_sheet(1).size
    rows = 2 + 9 + 1
    top, left, step = 24, 24 + 132, 64 + 24 + 10
    assert sheet.shape == (2 * 24 + rows * step - 10, left + 24 + 6 * 74 - 10, 3)
    first = sheet[top : top + 64, left : left + 64]
    assert look(first, "beach") == {name: getattr(SCENE, name) for name in look(first, "beach")}
    dark = sheet[top + 4 * step : top + 4 * step + 64, left + 74 : left + 74 + 64]
    lit = sheet[top + 4 * step : top + 4 * step + 64, left : left + 64]
    assert (look(lit, "beach")["state"], look(dark, "beach")["state"]) == ("lit", "dark")


def test_pairs_are_shown_side_by_side_with_words_beside(tmp_path: Path) -> None:
    world = world_in(tmp_path / "w", 2)
    pairs = [
        accepted_pair(members[0], members[2], members[2].changed[0], blind_cosine=blind, reference_cosine=None)
        for members, blind in zip(world.families.values(), (0.97, None), strict=True)
    ]
    sheet = np.asarray(pairs_sheet(pairs, world, scale=1))
    assert np.asarray(pairs_sheet([], world)).shape[0] < sheet.shape[0]
    for line, pair in enumerate(pairs):
        for column, image in enumerate((pair.image_a, pair.image_b)):
            y, x = 24 + line * 84, 24 + column * 74
            facts = world.facts[image]
            seen = look(sheet[y : y + 64, x : x + 64], facts.context)
            assert seen[pair.patterns[0]] == getattr(facts, pair.patterns[0])
        assert (sheet[24 + line * 84 : 24 + line * 84 + 64, 200:] < 128).any()
