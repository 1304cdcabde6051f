"""A burst of near-duplicates: 32 million pairs on the blind side pass through 256 megabytes a thread."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from snellen.mining import kernels
from tests.conftest import REPOSITORY

PROGRAM = """
import json, sys, threading
import numpy as np
from snellen.mining import arrays, find_pairs
from snellen.mining.join.exact import Side
from snellen.mining.filters.choose import Chosen
from snellen.mining.join.two_sided import Condition, Join
from snellen.mining.join.tiles import Tiling, stripes
from snellen.vectors import Vectors
from tests.mining.conftest import FILTERS

threads, what, name = int(sys.argv[1]), sys.argv[2], sys.argv[3]
rng = np.random.default_rng(0)
blind = rng.standard_normal((20_000, 64))
blind[4_000:12_000] = blind[4_000] + 0.02 * rng.standard_normal((8_000, 64))
blind = (blind / np.linalg.norm(blind, axis=1, keepdims=True)).astype(np.float16)
reference = np.zeros((20_000, 8), dtype=np.float16)
reference[:, 0] = 1
if what == "few pass":  # the reference encoder tells three images of the burst from all others
    reference[[4_000, 7_000, 11_999]] = np.eye(8, dtype=np.float16)[1:4]
if name in FILTERS:  # the choice would be to multiply everything out
    arrays.choose_filter = lambda side, blind_min, *_, **__: Chosen(FILTERS[name](side, blind_min), name)

def search():
    if what == "few pass":
        return find_pairs(blind, reference, threads=threads, backend=backend).counts["below_reference_max"]
    blind_side, reference_side = (Side(Vectors.from_array(rows), np.arange(20_000)) for rows in (blind, reference))
    condition = Condition(0.95, 2.0)
    join = Join(blind_side, reference_side, FILTERS[name](blind_side, 0.95), condition, Tiling(), threads)
    return sum(len(found.a) for _, found in join.blocks(stripes(20_000, join.tiling)))

def anonymous():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon")) * 1024

backend = name if name not in FILTERS else "auto"
find_pairs(blind[:300], reference[:300], threads=threads, backend=backend)  # what is loaded once
before, most, done = anonymous(), 0, threading.Event()

def watch():
    global most
    while not done.wait(0.002):
        most = max(most, anonymous())

watcher = threading.Thread(target=watch)
watcher.start()
passed = search()
done.set()
watcher.join()
print(json.dumps({"passed": passed, "grown": most - before}))
"""

NEAR = 8_000
APART = 3

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc"),
]


def measured(threads: int, what: str, name: str) -> dict[str, Any]:
    one_each = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, "-c", PROGRAM, str(threads), what, name]
    environment = {**os.environ, **one_each}
    done = subprocess.run(command, env=environment, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


NAMES = ["none", "prefix 31", "product", *(kernel.name for kernel in kernels.available()[:1])]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", [*NAMES, "auto", "portable", "torch"])
def test_few_of_32_million_pairs_pass(name: str, threads: int) -> None:
    found = measured(threads, "few pass", name)
    assert found["passed"] == APART * (NEAR - APART) + APART * (APART - 1) // 2
    assert 0 < found["grown"] <= threads * 256 << 20


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_all_of_32_million_pairs_pass(name: str, threads: int) -> None:
    found = measured(threads, "all pass", name)
    assert found["passed"] == NEAR * (NEAR - 1) // 2
    assert 0 < found["grown"] <= threads * 256 << 20
