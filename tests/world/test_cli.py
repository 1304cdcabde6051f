"""`snellen world` as users meet it."""

from __future__ import annotations

from pathlib import Path

from tests.cli.test_cli import assert_one_sentence, snellen
from tests.world.worlds import study_of, world_in


def test_draw_and_accept(tmp_path: Path) -> None:
    drawn = snellen(
        "world", "draw", tmp_path / "w", "--families", "2", "--rate", "color=1", "--rate", "text=0", "--quiet"
    )
    assert drawn.returncode == 0, drawn.stderr
    assert drawn.stdout.startswith(f"{tmp_path / 'w' / 'world.jsonl'}: 14 pictures of 2 families")
    assert drawn.stderr == ""
    assert_one_sentence(snellen("world", "draw", tmp_path / "w", "--families", "2", "-q"), 1, "another --rate")
    assert_one_sentence(snellen("world", "draw", tmp_path / "x", "--rate", "color"), 2, "color=0.5")
    assert_one_sentence(snellen("world", "draw", tmp_path / "x", "--rate", "size=1"), 2, "no factor")
    assert_one_sentence(snellen("world", "accept", tmp_path / "x", tmp_path / "w"), 2, "no study in")

    study = study_of(world_in(tmp_path / "v", 20), tmp_path / "s")
    made = snellen("world", "accept", study.root, tmp_path / "v", "--kind", "planted", "--per-pattern", "9")
    assert made.returncode == 0, made.stderr
    assert "planted pairs (orientation " in made.stdout
    assert "; fewer than 9 of orientation" in made.stdout
    assert_one_sentence(snellen("world", "accept", study.root, tmp_path / "v", "--kind", "all"), 2, "blind, control")
    assert_one_sentence(snellen("world", "accept", study.root, tmp_path / "v"), 1, "not mined")
