"""The miner's benchmark, beyond ratios: whether all methods agree, memory in a burst, 1.28 million rows."""

from __future__ import annotations

import os
import statistics
from dataclasses import replace

import numpy as np

from benchmarks import mining_check as check
from benchmarks import mining_data as data
from benchmarks.mining_run import Place, Run, Setting, load_pairs, run
from benchmarks.mining_speed import spread
from snellen.mining import kernels

CORES = os.cpu_count() or 1
CHECKED_ROWS = 300
BURST_MB_A_THREAD = 256
LARGE_CPU_S = (700, 300)
LARGE_MB = (1500, 800)


def agreement(place: Place, n: int, torch_rows: int) -> list[str]:
    """Run every way of ours on the same rows; torch, slow without a GPU, on the first rows only."""
    print(f"all methods, {n:,} rows", flush=True)
    setting = Setting("portable", data.synthetic(place.rows, n), threads=CORES)
    ways = [*(f"compiled:{kernel.name}" for kernel in kernels.available()), "portable"]
    runs = [run(replace(setting, method=way), place.pairs) for way in ways]
    few = [run(replace(setting, method=way, rows=torch_rows), place.pairs) for way in (ways[0], "torch")]
    lines = [
        f"### All methods, the same rows, {CORES} threads",
        "",
        "| rows | method | filter | CPU s | pairs | sha256 |",
        "|---|---|---|---|---|---|",
    ]
    for rows, group in ((n, runs), (torch_rows, few)):
        lines += [
            f"| {rows:,} | {each.method} | {each.filter} | {each.cpu:.1f} | {each.found:,} | {each.sha256} |"
            for each in group
        ]
    same = all(len({each.sha256 for each in group}) == 1 for group in (runs, few))
    return [*lines, "", "All sets are the same." if same else "**The sets differ.**", ""]


def burst(place: Place, n: int, alike: int, repeats: int) -> list[str]:
    """Rows with very many near-duplicates: time and memory."""
    print(f"{alike:,} near-duplicates among {n:,}", flush=True)
    setting = Setting("compiled", data.burst(place.rows, n, alike), threads=CORES, mapped=True)
    lines = [
        f"### {alike:,} near-duplicates among {n:,} rows, {CORES} threads",
        "",
        "| method | CPU s | wall s | MB beyond mapped files | a thread (must: 256) | above blind_min | pairs |",
        "|---|---|---|---|---|---|---|",
    ]
    checks = []
    for method in ("compiled", "portable"):
        runs = [run(replace(setting, method=method), place.pairs) for _ in range(repeats)]
        cpu, wall = spread([each.cpu for each in runs]), spread([each.wall for each in runs])
        peak = max(each.memory or 0 for each in runs)
        share = f"{peak / CORES:.0f}" + ("" if peak / CORES <= BURST_MB_A_THREAD else ", **missed**")
        above = runs[0].counts["above_blind_min"]
        lines.append(f"| {method} | {cpu} | {wall} | {peak:.0f} | {share} | {above:,} | {runs[0].found:,} |")
        checks.append(f"{method}: {brute_force(setting, runs[0])}")
    return [*lines, "", *checks, ""]


def large(place: Place, n: int, repeats: int) -> list[str]:
    """As many rows as ImageNet has pictures: CPU time and memory of all threads together; some rows by brute force."""
    lines = [
        "| rows | CPU s | must, aim | wall s | MB beyond mapped files | must, aim | above blind_min | pairs |",
        "|---|---|---|---|---|---|---|---|",
    ]
    checks = []
    for dim in (768, 384):
        print(f"{n:,} x {dim}", flush=True)
        setting = Setting("compiled", data.synthetic(place.rows, n, blind_dim=dim), threads=CORES, mapped=True)
        runs = [run(setting, place.pairs) for _ in range(repeats)]
        cpu, peaks = [each.cpu for each in runs], [each.memory or 0 for each in runs]
        lines.append(
            f"| {n:,} x {dim}, reference 384 | {spread(cpu)} | {_verdict(statistics.median(cpu), LARGE_CPU_S)} | "
            f"{spread([each.wall for each in runs])} | {spread(peaks, 0)} | {_verdict(max(peaks), LARGE_MB)} | "
            f"{runs[0].counts['above_blind_min']:,} | {runs[0].found:,} |"
        )
        checks.append(f"At {dim}: " + brute_force(setting, runs[0]))
    return [f"### {n:,} rows, {CORES} threads, {repeats} run{'s' * (repeats > 1)} each", "", *lines, "", *checks, ""]


def _verdict(value: float, bounds: tuple[float, float]) -> str:
    word = "aim reached" if value <= bounds[1] else "reached" if value <= bounds[0] else "**missed**"
    return f"{bounds[0]}, {bounds[1]}: {word}"


def brute_force(setting: Setting, outcome: Run) -> str:
    """Check some rows against all others in float64, and say what came of it."""
    pairs = load_pairs(outcome)
    n = len(np.load(setting.collection.blind, mmap_mode="r"))
    rows = check.some_rows(n, pairs, CHECKED_ROWS)
    wrong, touching = check.wrong_rows(setting.collection, setting.blind_min, setting.reference_max, pairs, rows)
    verdict = "no row differs" if wrong == 0 else f"**{wrong} rows differ**"
    return f"{len(rows)} rows against float64 brute force: {touching:,} pairs touch them, {verdict}."
