"""SIGKILL at random moments of `zeroshot`: the files in the end are those of an undisturbed run."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.exam.zeroshot.colours import painted
from tests.exam.zeroshot.test_verb import files

REPOSITORY = Path(__file__).resolve().parents[3]

CODE = """
import sys, time
from snellen.exam.zeroshot import predicting, zeroshot
from tests.exam.zeroshot.colours import Colours
predicting.PART_IMAGES = 8
predicting.PART_CLASSES = 1

class Slow(Colours):
    def embed(self, batch):
        time.sleep(0.01)
        return super().embed(batch)

zeroshot(sys.argv[1], [Slow()], images=sys.argv[2], classes="labels", templates="plain")
"""


@pytest.mark.slow
def test_killed_and_gone_on_with(tmp_path: Path) -> None:
    shades = [(shade, shade) for shade in ("red", "green", "blue") for _ in range(60)]
    source = painted(tmp_path / "shades", shades)

    def begin(study: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", CODE, str(tmp_path / study), str(source)]
        return subprocess.Popen(command, cwd=REPOSITORY)

    def parts() -> int:
        return len(list((tmp_path / "stormy").glob("zeroshot/*.parts/*")))

    assert begin("calm").wait() == 0
    rng = random.Random(4)
    killed = most = 0
    for _ in range(6):
        with begin("stormy") as run:
            there = parts()
            while run.poll() is None:
                if parts() > there + 1:
                    time.sleep(rng.uniform(0, 0.03))
                    run.kill()
                    break
                time.sleep(0.001)
        killed += run.returncode != 0
        most = max(most, len(list((tmp_path / "stormy").glob("zeroshot/*.parts/images-*.jsonl"))))
    assert killed >= 3
    assert most >= 3
    assert begin("stormy").wait() == 0
    assert files(tmp_path / "stormy") == files(tmp_path / "calm")
