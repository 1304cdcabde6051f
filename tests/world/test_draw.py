"""Drawing a world: the bytes, again, after a kill, and what is refused."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from snellen import storage
from snellen.errors import StorageError, StudyError, UsageError
from snellen.study import Study
from snellen.world.draw import draw, read_world
from snellen.world.scene.captions import MENTION_RATES
from snellen.world.scene.facts import FACTORS
from snellen.world.scene.families import families
from tests.world.worlds import files_of


def test_a_world_is_pictures_and_what_is_true_of_each(tmp_path: Path) -> None:
    result = draw(tmp_path / "w", families=9)
    world = read_world(tmp_path / "w")
    assert len(world.pictures) == 63
    assert sorted(path.name for path in result.images.iterdir()) == sorted(Path(p.file).name for p in world.pictures)
    for picture, shot in zip(world.pictures, families(0, "exam", 9), strict=True):
        data = world.path(picture.image_id).read_bytes()
        assert sha256(data).hexdigest() == picture.image_id
        with Image.open(world.path(picture.image_id)) as shown:
            assert np.array_equal(np.asarray(shown), shot.picture())
        assert (picture.facts, picture.role, picture.changed) == (shot.facts, shot.role, shot.changed)
    assert world.facts[world.pictures[5].image_id] == world.pictures[5].facts
    assert list(world.families) == list(range(9))
    assert [picture.role for picture in world.families[4]][:2] == ["base", "re-render"]
    assert Counter(world.roles.values()) == result.counts["roles"] | Counter()
    assert result.counts["planted"] == dict.fromkeys(FACTORS, 3)
    assert world.settings["rates"] == dict(MENTION_RATES)


def test_drawing_twice_gives_the_same_bytes_and_again_writes_nothing(tmp_path: Path) -> None:
    first = draw(tmp_path / "one", families=6)
    draw(tmp_path / "two", families=6)
    before = files_of(tmp_path / "one")
    assert before == files_of(tmp_path / "two")
    assert not first.reused
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "one").rglob("*.*") if path.name != "study.lock"}
    assert draw(tmp_path / "one", families=6).reused
    assert {path: path.stat().st_mtime_ns for path in times} == times
    for name, data in before.items():
        assert str(tmp_path).encode() not in data, name


def test_what_is_lost_or_damaged_is_drawn_again(tmp_path: Path) -> None:
    draw(tmp_path, families=4)
    before = files_of(tmp_path)
    (tmp_path / "images" / "f0001-3.png").unlink()
    (tmp_path / "images" / "f0002-0.png").write_bytes(b"damaged")
    (tmp_path / "images" / "f0003-0.png.partial").write_bytes(b"half")
    (tmp_path / "world.jsonl").write_bytes(b"{}")
    with pytest.raises(StudyError, match=r"line 1, has no field image_id: run the same"):
        read_world(tmp_path)
    assert not draw(tmp_path, families=4).reused
    assert files_of(tmp_path) == before


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"families": 5}, "--families"),
        ({"world": 1}, "--world"),
        ({"split": "train"}, "--split"),
        ({"rates": {"color": 0.4}}, "--rate:"),
    ],
)
def test_another_world_in_the_same_folder_is_refused(tmp_path: Path, settings: dict[str, Any], said: str) -> None:
    draw(tmp_path, families=4)
    before = files_of(tmp_path)
    with pytest.raises(StudyError, match=f"another {said}.*choose another folder"):
        draw(tmp_path, **{"families": 4, **settings})
    assert files_of(tmp_path) == before
    (tmp_path / "world.jsonl.manifest.json").unlink()
    storage.write_json(
        tmp_path / "world.plan.json", {"settings": json.loads(before["world.jsonl.manifest.json"])["settings"]}
    )
    with pytest.raises(StudyError, match=said):  # nor while it is unfinished
        draw(tmp_path, **{"families": 4, **settings})


def test_strangers_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a" / "images").mkdir(parents=True)
    (tmp_path / "a" / "images" / "cat.png").write_bytes(b"cat")
    with pytest.raises(StudyError, match="did not write: choose another folder"):
        draw(tmp_path / "a", families=1)
    draw(tmp_path / "b", families=1)
    (tmp_path / "b" / "images" / "cat.png").write_bytes(b"cat")
    with pytest.raises(StudyError, match=r"cat\.png is no picture of this world"):
        draw(tmp_path / "b", families=1)


def test_a_world_that_would_be_drawn_otherwise_today_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(tmp_path, families=1)
    before = files_of(tmp_path)
    monkeypatch.setattr(sys.modules["snellen.world.draw"], "caption_of", lambda *_: "other words")
    with pytest.raises(StudyError, match="drawn by another version"):
        draw(tmp_path, families=1)
    assert files_of(tmp_path) == before


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"families": 0}, "--families 0"),
        ({"world": -1}, "--world -1"),
        ({"split": "test"}, "choose train, validation, exam"),
        ({"rates": {"size": 0.1}}, "is no factor: choose orientation"),
        ({"rates": {"color": 1.1}}, "color=1.1 is out of range"),
        ({"rates": {"color": float("nan")}}, "out of range"),
        ({"rates": {"color": True}}, "out of range"),
    ],
)
def test_wrong_usage_is_said_before_anything_is_written(tmp_path: Path, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        draw(tmp_path / "w", **settings)
    assert not (tmp_path / "w").exists()


def test_rates_change_captions_and_nothing_else(tmp_path: Path) -> None:
    draw(tmp_path / "usual", families=5)
    draw(tmp_path / "loud", families=5, rates={"text": 1.0})
    usual, loud = read_world(tmp_path / "usual"), read_world(tmp_path / "loud")
    assert list(usual.by_id) == list(loud.by_id)
    assert all("letter" in picture.caption for picture in loud.pictures)
    assert not all("letter" in picture.caption for picture in usual.pictures)


def test_a_folder_without_a_world_and_an_unfinished_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no world in"):
        read_world(tmp_path)
    draw(tmp_path, families=1)
    (tmp_path / "world.jsonl.manifest.json").unlink()
    with pytest.raises(StudyError, match="not finished"):
        read_world(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"role": "sibling"}, "is not one of base"),
        ({"file": "images/../x.png"}, "where images/f0000-1.png is due"),
        ({"image_id": "first"}, "earlier line shows already"),
        ({"changed": ["color"]}, "which is not how its facts differ"),
        ({"family": 7, "file": "images/f0007-1.png"}, "no base of its family"),
        ({"world": 3}, "another world or split"),
        ({"facts": 1}, "not an object with facts"),
        ({"facts": {"kind": "cat"}}, "has facts .* which has kind 'cat'"),
        ({"colour": "red"}, "not known"),
        ({"caption": " "}, "blank"),
    ],
)
def test_a_line_that_cannot_be_is_named(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    draw(tmp_path, families=1)
    lines = (tmp_path / "world.jsonl").read_text().splitlines()
    if change.get("image_id") == "first":
        change = {"image_id": json.loads(lines[0])["image_id"]}
    lines[1] = json.dumps(json.loads(lines[1]) | change)
    (tmp_path / "world.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.raises(StudyError, match=rf"world\.jsonl, line 2, .*{said}"):
        read_world(tmp_path)


def test_a_table_that_was_changed_is_refused_though_each_line_could_be(tmp_path: Path) -> None:
    draw(tmp_path, families=1)
    path = tmp_path / "world.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"caption": "', b'"caption": "not '))
    with pytest.raises(StudyError, match="was changed after it was written"):
        read_world(tmp_path)


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    with Study(tmp_path).lock(), pytest.raises(StorageError, match="Another process"):
        draw(tmp_path, families=1)


@pytest.mark.slow
def test_kills_leave_no_trace(tmp_path: Path) -> None:
    code = (
        "import sys; from snellen.world.draw import draw; print('ready', flush=True); draw(sys.argv[1], families=150)"
    )
    draw(tmp_path / "whole", families=150)

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "killed")], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    kills = 0
    for tenths in (1, 3, 5, 7, 4, 2, 6):
        shutil.rmtree(tmp_path / "killed", ignore_errors=True) if tenths == 4 else None
        with start() as process:
            time.sleep(tenths / 10)
            process.send_signal(signal.SIGKILL)
            kills += process.wait() == -signal.SIGKILL
    assert kills >= 4
    with start() as process:
        assert process.wait() == 0
    assert files_of(tmp_path / "killed") == files_of(tmp_path / "whole")
