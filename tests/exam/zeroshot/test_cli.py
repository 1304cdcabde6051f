"""`snellen zeroshot` as users see it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from snellen.cli.zeroshot import described
from snellen.cli.zeroshot import zeroshot as command
from snellen.errors import UsageError
from snellen.exam.zeroshot import zeroshot
from tests.exam.zeroshot.colours import Colours, RedForBlue, painted
from tests.world.worlds import world_in


def run(*arguments: str) -> str:
    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_words_and_numbers(tmp_path: Path) -> None:
    images = painted(tmp_path / "shades", [("red", "red")] * 4 + [("green", "red")] + [("blue", "blue")] * 5)
    (images / "blue" / "bad\x1b.png").write_text("no picture")
    result = zeroshot(tmp_path / "s", [Colours(), RedForBlue()], images=images, classes="labels", templates="plain")
    lines = described(result)
    text = "\n".join(lines)
    assert "shades: 10 images, 3 classes; templates plain" in lines[0]
    row = next(line for line in lines if line.startswith("  own/colours "))
    assert "90.0 [59.6, 98.2]" in row  # Wilson, 9 of 10
    assert "not known" in row
    assert "1 x 1" in row
    contrast = next(line for line in lines if "own/colours, own/red-for-blue" in line)
    assert "-50.0 [" in contrast
    assert "0.0625" in contrast  # 5 of 5 one way: 2 / 32
    assert "1 images could not be used and count nowhere: blue/bad%1B.png (not_an_image)." in lines
    assert "10 images are few" in text
    assert "chance: top-1 33.3 %, recall 33.3 %" in text
    assert "\x1b" not in text
    assert "own/colours has fewer than 10 images wrong" in text


def test_from_the_command_line(tmp_path: Path) -> None:
    world = world_in(tmp_path / "w", 5)
    rows = "".join(f"{world.folder / one.file},{one.facts.kind}\n" for one in world.pictures)
    (tmp_path / "kinds.csv").write_text("path,label\n" + rows)
    (tmp_path / "mine.toml").write_text(
        'title = "mine"\nsource = "me"\n[[encoder]]\nname = "world/clip"\nlabel = "the world\'s"\n'
    )
    arguments = [str(tmp_path / "s"), "--images", str(tmp_path / "kinds.csv"), "--classes", "labels"]
    arguments += ["--templates", "openai-7", "--list", str(tmp_path / "mine.toml"), "--quiet"]
    said = run(*arguments)
    assert "  world/clip" in said
    assert "0.3 M" in said
    assert "64 x 64" in said
    found = json.loads(run(*arguments, "--json"))
    assert found["kept"] == [True]
    assert found["measured"][0]["n_images"] == 35
    assert "Measured before, and kept: world/clip." in run(*arguments)
    with pytest.raises(UsageError, match="given twice"):
        run(*arguments, "--encoder", "world/clip")
