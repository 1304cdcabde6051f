"""SIGKILL while a benchmark is built: what is left, once `build` has run again, is as if nothing had happened."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from snellen import accepted, storage
from snellen.benchmark import build, validate
from tests.accepted_pairs import study_with_pairs
from tests.benchmark.test_build import files_of

BUILD = """
import sys
from snellen.benchmark import build
print("ready", flush=True)
build(sys.argv[1], version=sys.argv[2])
"""


def start(study: Path, version: str = "1") -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", BUILD, str(study), version], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def killed_until_done(base: Path, study: Path, version: str, kills: int) -> None:
    """Build in a copy of `base`, killed so many times; a run that is quicker than its kill begins again."""
    shutil.copytree(base, study)
    began = time.monotonic()
    with start(study, version) as process:
        assert process.wait() == 0
    whole = time.monotonic() - began
    shutil.rmtree(study)
    shutil.copytree(base, study)
    moments = random.Random(0)
    while kills:
        with start(study, version) as process:
            time.sleep(moments.uniform(0, 0.6) * whole)
            process.send_signal(signal.SIGKILL)
            killed = process.wait() == -signal.SIGKILL
        kills -= killed
        if not killed:
            shutil.rmtree(study)
            shutil.copytree(base, study)
    with start(study, version) as process:
        assert process.wait() == 0


@pytest.mark.slow
def test_kills_leave_no_trace(tmp_path: Path) -> None:
    base = study_with_pairs(tmp_path, 150)
    shutil.copytree(base, tmp_path / "first")
    build(tmp_path / "first", option_seed=5)
    # The seed is drawn once, by the first run, and kept in the plan: let it be 5.
    manifest = storage.read_json(tmp_path / "first" / "benchmarks" / "blind-pairs.manifest.json")
    plan = {"settings": manifest["settings"], "inputs": manifest["inputs"]}
    storage.write_json(base / "benchmarks" / "blind-pairs.plan.json", plan)
    killed_until_done(base, tmp_path / "killed", "1", 8)
    assert files_of(tmp_path / "killed" / "benchmarks") == files_of(tmp_path / "first" / "benchmarks")
    assert validate(tmp_path / "killed" / "benchmarks" / "blind-pairs").problems == ()

    # A new version that replaces the first: fewer pairs, so some images must go.
    pairs = accepted.read(base / "accepted.jsonl")[:100]
    accepted.write(tmp_path / "first" / "accepted.jsonl", pairs)
    killed_until_done(tmp_path / "first", tmp_path / "again", "2", 8)
    build(tmp_path / "first", version="2")
    assert files_of(tmp_path / "again" / "benchmarks") == files_of(tmp_path / "first" / "benchmarks")
    assert validate(tmp_path / "again" / "benchmarks" / "blind-pairs").problems == ()


@pytest.mark.parametrize("at", range(9))
def test_a_stop_before_any_write_leaves_no_trace(tmp_path: Path, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every write in turn is the one before which the process ends: plan, images, four files, manifest."""
    study = study_with_pairs(tmp_path, 1)
    expected_study = tmp_path / "other"
    shutil.copytree(study, expected_study)
    build(expected_study, option_seed=5)
    whole, calls = storage.write_bytes, [0]

    def stopped(path: Path, data: bytes) -> None:
        calls[0] += 1
        if calls[0] > at:
            raise KeyboardInterrupt
        whole(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(storage, "write_bytes", stopped)
        if at < 8:
            with pytest.raises(KeyboardInterrupt):
                build(study, option_seed=5)
        else:
            build(study, option_seed=5)  # eight writes are all there are
    if at:
        assert build(study).option_seed == 5  # whoever goes on need not say the seed again
    else:
        build(study, option_seed=5)
    assert files_of(study / "benchmarks") == files_of(expected_study / "benchmarks")


def test_a_stop_between_manifest_and_tidying_is_tidied(tmp_path: Path) -> None:
    study = study_with_pairs(tmp_path, 1)
    build(study)
    before = files_of(study / "benchmarks")
    (study / "benchmarks" / "blind-pairs.plan.json").write_text('{"settings": {}, "inputs": {}}')
    seed = json.loads((study / "benchmarks" / "blind-pairs" / "benchmark.json").read_text())["option_seed"]
    assert build(study, option_seed=seed).reused
    assert files_of(study / "benchmarks") == before
