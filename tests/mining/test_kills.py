"""Killed at any moment and run again, with any threads and backend, `mine` leaves what an undisturbed run leaves."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from snellen.study import Study
from tests import studies
from tests.mining.mine_study import files

PROGRAM = """
import sys
from snellen.mining import mine
from snellen.mining.join import order
from snellen.mining.asked import prepare
from snellen.mining.asked import question
from snellen.mining.survey import entries, stream
from snellen.mining.filters import choose
from snellen.mining.join.tiles import Tiling
question.TILING = Tiling(rows=32, columns=64, stripe_pairs=30_000, buffer_pairs=500)
order.SAMPLE_ROWS = 300
prepare.QUANTILE_SAMPLE = entries.HISTOGRAM_PAIRS = 50_000
choose.WORTH_CHOOSING = 0
stream.ALL_PAIRS_IMAGES = 100
mine(sys.argv[1], blind="control/blind", reference="control/reference", blind_min="q0.999", reference_max="q0.9",
     max_per_image=3, top_k=2, max_pairs=400, collapse_copies=0.98, threads=int(sys.argv[2]), backend=sys.argv[3])
"""


def start(root: Path, threads: int = 1, backend: str = "auto") -> subprocess.Popen[bytes]:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    arguments = [os.fspath(root), str(threads), backend]
    return subprocess.Popen([sys.executable, "-W", "error", "-c", PROGRAM, *arguments], env=environment)


def stages(study: Study) -> int:
    """How far a run has come: files that are there."""
    parts = len(list(study.mining_parts.glob("*.json"))) if study.mining_parts.exists() else 0
    return parts + 1000 * study.mining.exists() + 1000 * study.pairs.exists()


def killed(study: Study, at: int, delay: float, threads: int, backend: str) -> bool:
    """Run until `at` files are there, and kill after a moment; False if it ended by itself."""
    process = start(study.root, threads, backend)
    while process.poll() is None and stages(study) < at:
        time.sleep(0.001)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def kill_again_and_again(tmp_path: Path, kills: int, seed: int) -> None:
    rng = np.random.default_rng(0)
    values = studies.with_copies(rng, studies.spectrum_rows(rng, 1500, 32), 0.2, 0.9, 1)
    blind, reference = studies.unit_rows(values), studies.unit_rows(studies.spectrum_rows(rng, 1500, 16))
    reference[700:720], blind[700:720] = reference[700], blind[700]
    study = studies.write_study(tmp_path / "killed", blind, reference)
    calm, fresh = Study(tmp_path / "calm"), Study(tmp_path / "fresh")
    shutil.copytree(study.root, calm.root)
    shutil.copytree(study.root, fresh.root)
    assert start(calm.root).wait() == 0
    expected = files(calm)
    assert len(expected) > 8

    chance = random.Random(seed)
    happened = 0
    while happened < kills:
        at = chance.choice([*range(1, 85, 6), 1000, 2000])
        # Every run with other threads and another backend: what one has finished, the next goes on from.
        means = chance.choice([1, 2, 3]), chance.choice(["auto", "portable"])
        if killed(study, at, chance.random() * 0.02, *means):
            happened += 1
        else:  # it was quicker than the kill: begin again
            assert files(study) == expected
            shutil.rmtree(study.root)
            shutil.copytree(fresh.root, study.root)
    assert start(study.root, threads=2).wait() == 0
    assert files(study) == expected


def test_killed_at_random_moments(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path, kills=5, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 5))
def test_killed_at_ten_random_moments(tmp_path: Path, seed: int) -> None:
    kill_again_and_again(tmp_path, kills=10, seed=seed)
