"""The miner's benchmark, the verb: `snellen mine` on a study of as many images as ImageNet has, as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tests import studies

from benchmarks.mining_check import Pairs
from benchmarks.mining_data import Collection
from benchmarks.mining_run import ROOT, SAMPLE_EVERY, anonymous_mb
from snellen.image_table import ONE_FILE_ROWS

SHARD_ROWS = 2048
PART_ROWS = 100_000
BLIND, REFERENCE = "control/blind", "control/reference"
SNELLEN = "from snellen.cli.main import app; app()"


class VerbRun(NamedTuple):
    """Seconds of the whole process and all its threads, the peak of its anonymous memory in MB, and the pairs."""

    wall: float
    cpu: float
    memory: float
    pairs: Pairs


def write_study(root: Path, collection: Collection) -> None:
    """Write a study of the rows, in shards as `embed` writes them; the images need not exist."""
    blind, reference = (np.load(path, mmap_mode="r") for path in collection)
    parts = -(-len(blind) // PART_ROWS) if len(blind) > ONE_FILE_ROWS else None
    studies.write_study(
        root, blind, reference, blind_name=BLIND, reference_name=REFERENCE, shard_rows=SHARD_ROWS, parts=parts
    )


def run_verb(root: Path, blind_min: float, reference_max: float) -> VerbRun:
    """Run the verb in a process of its own, on all cores, and read what it wrote.

    Raises:
        SystemExit: it failed; what it said is above.
    """
    command = [sys.executable, "-c", SNELLEN, "mine", str(root), "--quiet", "--blind", BLIND, "--reference", REFERENCE]
    command += ["--blind-min", str(blind_min), "--reference-max", str(reference_max)]
    began, peak = time.perf_counter(), 0.0
    process = subprocess.Popen(command, cwd=ROOT)
    while True:  # its entry in /proc is there until wait4 has reaped it
        peak = max(peak, anonymous_mb(process.pid))
        ended, status, used = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        time.sleep(SAMPLE_EVERY)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"snellen mine ended with status {process.returncode}: see what it wrote above")
    return VerbRun(wall, used.ru_utime + used.ru_stime, peak, _pairs(root))


def _pairs(root: Path) -> Pairs:
    """Return int64 rows a < b of `pairs.parquet`, sorted by (a, b)."""
    import pyarrow.parquet as pq

    table = pq.read_table(root / "pairs.parquet", columns=["row_a", "row_b"])
    a, b = (table[name].to_numpy().astype(np.int64) for name in ("row_a", "row_b"))
    order = np.lexsort((b, a))
    return a[order], b[order]
