"""One measurement in a process of its own: `python -m benchmarks.mining_run SETTING FOLDER`.

SETTING is JSON, the fields of `Setting`; the pairs go to FOLDER. Memory and threads are then the measurement's own. The
rows are read into memory first, or mapped if `mapped`; what is measured goes from there to the pairs. For FAISS,
training and adding come before. Prints one line of JSON, the fields of `Run`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Literal, NamedTuple, cast
from unittest import mock

import numpy as np

from benchmarks.mining_data import Collection, Integers, Rows16
from snellen.mining.filters.choose import Backend

ROOT = Path(__file__).resolve().parents[1]
BACKENDS = ("compiled", "portable", "torch")
WARM_ROWS = 256
PREPARATION = "preparation"
"""Name of the time, CPU seconds, that a peer takes before what is measured: training, rotating, adding."""
SAMPLE_EVERY = 0.05
FILTER_PAYS = {"WORTH_CHOOSING": 0.0, "MULTIPLY": 1.0}
"""Costs in `snellen.mining.filters.choose`, nanoseconds, with which a filter is chosen for few and short rows, too."""


class Place(NamedTuple):
    """Folders: where rows are kept, and where the pairs of this run go."""

    rows: Path
    pairs: Path


@dataclass(frozen=True)
class Setting:
    """What is measured: a backend of ours, `compiled:NAME` for one instruction set, or a peer, `flat` or `panorama`.

    rows: only the first so many; None is all. mapped: rows stay in their files, and memory is measured. filtered: a
    filter is used even where multiplying everything out costs less.
    """

    method: str
    collection: Collection
    blind_min: float = 0.95
    reference_max: float = 0.6
    threads: int = 1
    rows: int | None = None
    levels: int = 0
    mapped: bool = False
    filtered: bool = False


@dataclass(frozen=True)
class Run:
    """What came out: seconds, the pairs' number and sha256 and file, and memory in MB where it was measured.

    memory is the peak of anonymous memory, which mapped files are no part of, beyond what there was with everything
    imported. For a peer, `found` is without the reference condition.
    """

    method: str
    wall: float
    cpu: float
    found: int
    sha256: str
    pairs: str
    memory: float | None = None
    counts: dict[str, int] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    filter: str = ""


def run(setting: Setting, folder: Path) -> Run:
    """Measure in a process of its own, with the given number of threads in every library; pairs go to the folder."""
    command = [sys.executable, "-m", "benchmarks.mining_run", json.dumps(asdict(setting), default=str), str(folder)]
    done = subprocess.run(
        command, env=environment(setting.threads), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{setting.method} ended with status {done.returncode}: see what it wrote above")
    outcome = Run(**json.loads(done.stdout.splitlines()[-1]))
    memory = "" if outcome.memory is None else f", {outcome.memory:.0f} MB"
    print(
        f"  {setting.method}: {outcome.cpu:.2f} CPU s, {outcome.wall:.2f} s, {outcome.found:,} pairs{memory}",
        flush=True,
    )
    return outcome


def environment(threads: int) -> dict[str, str]:
    """This process's environment, with so many threads for every library that reads one of the usual variables."""
    return os.environ | {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


def load_pairs(outcome: Run) -> tuple[Integers, Integers]:
    """Return int64 a and b of the pairs that a run found, sorted."""
    pairs: Integers = np.load(outcome.pairs)
    return pairs[0], pairs[1]


class Result(NamedTuple):
    """Pairs a < b, int64 [m] each and sorted, and what the miner says about them."""

    a: Integers
    b: Integers
    counts: dict[str, int]
    timings: dict[str, float]
    filter: str


class Memory:
    """The peak of this process's anonymous memory in MB while the block runs, above what it was at its start."""

    def __enter__(self) -> Memory:
        self.start = self.peak = anonymous_mb()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.peak = max(self.peak, anonymous_mb())

    def _sample(self) -> None:
        while not self._stop.wait(SAMPLE_EVERY):
            self.peak = max(self.peak, anonymous_mb())


def anonymous_mb(process: int | Literal["self"] = "self") -> float:
    """Return how much memory of a process is backed by no file, in MB (Linux); 0 for a child that has just ended."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024 / 1e6
    if process != "self":  # its memory is given back, and it is not reaped yet
        return 0.0
    raise SystemExit("/proc/self/status has no RssAnon: the memory of a run can be measured on Linux only")


def cpu_seconds() -> float:
    """CPU seconds of this process, all its threads, and of its ended children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def mine(setting: Setting, blind: Rows16, reference: Rows16) -> Result:
    """Call the miner."""
    from snellen.mining import find_pairs, kernels
    from snellen.mining.filters import choose

    backend, _, instructions = setting.method.partition(":")
    some = tuple(kernel for kernel in kernels.available() if kernel.name == (instructions or kernel.name))
    if backend == "compiled" and not some:
        names = ", ".join(kernel.name for kernel in kernels.available()) or "none: they were not built"
        raise SystemExit(f"there is no compiled kernel {instructions!r} on this machine: choose from {names}")
    with ExitStack() as changed:
        changed.enter_context(mock.patch.object(kernels, "available", lambda: some))
        for name, nanoseconds in FILTER_PAYS.items() if setting.filtered else ():
            changed.enter_context(mock.patch.object(choose, name, nanoseconds))
        found = find_pairs(
            blind,
            reference,
            blind_min=setting.blind_min,
            reference_max=setting.reference_max,
            threads=setting.threads,
            backend=cast(Backend, backend),
        )
    return Result(found.a, found.b, dict(found.counts), dict(found.timings), found.filter)


def prepared(setting: Setting) -> Callable[[], Callable[[], Result]]:
    """Load the rows and warm up; return what is to be measured, which returns what unpacks its result."""
    if setting.mapped:
        blind, reference = (np.load(path, mmap_mode="r")[: setting.rows] for path in setting.collection)
        import_module("snellen.mining")
    else:
        blind, reference = (np.load(path)[: setting.rows] for path in setting.collection)
    if setting.method.partition(":")[0] in BACKENDS:
        if not setting.mapped:
            mine(setting, blind[:WARM_ROWS], reference[:WARM_ROWS])

        def ours() -> Callable[[], Result]:
            result = mine(setting, blind, reference)
            return lambda: result

        return ours
    from benchmarks import mining_peers as peers

    peer: peers.Peer = "panorama" if setting.method == "panorama" else "flat"
    began = cpu_seconds()
    search = peers.prepare(peer, blind, setting.levels, setting.threads)
    preparation = cpu_seconds() - began

    def theirs() -> Callable[[], Result]:
        answer = search(setting.blind_min)
        return lambda: Result(*answer.pairs(), {}, {PREPARATION: preparation}, "")

    return theirs


def main() -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("setting", type=json.loads, help="the fields of `Setting`, JSON")
    parser.add_argument("folder", type=Path, help="where the pairs go")
    arguments = parser.parse_args()
    collection = Collection(*map(Path, arguments.setting["collection"]))
    setting = Setting(**(arguments.setting | {"collection": collection}))
    work = prepared(setting)
    with Memory() if setting.mapped else nullcontext() as memory:
        wall, cpu = time.perf_counter(), cpu_seconds()
        unpack = work()
        wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
    result = unpack()
    pairs = np.stack([result.a, result.b]).astype(np.int64)
    digest = sha256(pairs.tobytes()).hexdigest()[:16]
    file = arguments.folder / f"pairs-{digest}.npy"
    np.save(file, pairs)
    peak = memory.peak - memory.start if memory else None
    outcome = Run(setting.method, wall, cpu, pairs.shape[1], digest, str(file), peak, *result[2:])
    print(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    main()
