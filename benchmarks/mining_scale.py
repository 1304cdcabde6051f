"""The miner's benchmark, beyond ratios: whether all methods agree, memory in a burst, 1.28 million rows."""

from __future__ import annotations

import os
import statistics
from dataclasses import replace

import numpy as np

from benchmarks import mining_check as check
from benchmarks import mining_data as data
from benchmarks.mining_run import Place, Setting, load_pairs, run
from benchmarks.mining_speed import OURS, spread
from benchmarks.mining_verb import run_verb, write_study

CORES = os.cpu_count() or 1
CHECKED_ROWS = 300
BURST_MB_A_THREAD = 256
LARGE_CPU_S = (700, 300)
LARGE_MB = (1500, 800)
DIMS = (768, 384)


def agreement(place: Place, n: int) -> list[str]:
    """Run every way of ours on the same rows, and check some of these against brute force."""
    print(f"all methods, {n:,} rows", flush=True)
    setting = Setting("portable", data.synthetic(place.rows, n), threads=CORES)
    runs = [run(replace(setting, method=way), place.pairs) for way in (*OURS, "torch")]
    lines = [
        f"### All methods, the same {n:,} rows, {CORES} threads",
        "",
        "| method | filter | CPU s | pairs | sha256 |",
        "|---|---|---|---|---|",
    ]
    lines += [f"| {each.method} | {each.filter} | {each.cpu:.1f} | {each.found:,} | {each.sha256} |" for each in runs]
    same = len({each.sha256 for each in runs}) == 1
    verdict = "All sets are the same." if same else "**The sets differ.**"
    return [*lines, "", f"{verdict} Of the first: {brute_force(setting, load_pairs(runs[0]))}", ""]


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
        checks.append(f"{method}: {brute_force(setting, load_pairs(runs[0]))}")
    return [*lines, "", *checks, ""]


def large(place: Place, n: int, repeats: int) -> list[str]:
    """As many rows as ImageNet has pictures: CPU time and memory of all threads together; some rows by brute force."""
    lines = [
        "| rows | CPU s | must, aim | wall s | MB beyond mapped files | must, aim | above blind_min | pairs |",
        "|---|---|---|---|---|---|---|---|",
    ]
    checks: list[str] = []
    whole: list[str] = []
    for dim in DIMS:
        print(f"{n:,} x {dim}", flush=True)
        setting = Setting("compiled", data.synthetic(place.rows, n, blind_dim=dim), threads=CORES, mapped=True)
        runs = [run(setting, place.pairs) for _ in range(repeats)]
        cpu, peaks = [each.cpu for each in runs], [each.memory or 0 for each in runs]
        lines.append(
            f"| {n:,} x {dim}, reference 384 | {spread(cpu)} | {_verdict(statistics.median(cpu), LARGE_CPU_S)} | "
            f"{spread([each.wall for each in runs])} | {spread(peaks, 0)} | {_verdict(max(peaks), LARGE_MB)} | "
            f"{runs[0].counts['above_blind_min']:,} | {runs[0].found:,} |"
        )
        filters = sorted({each.filter for each in runs})
        same = "" if len({each.sha256 for each in runs}) == 1 else "**the runs gave different pairs**; "
        checks += [f"At {dim}: {', '.join(filters)}; {same}{brute_force(setting, load_pairs(runs[0]))}", ""]
        if dim == DIMS[0]:
            whole = verb(place, setting, load_pairs(runs[0]))
    title = f"### {n:,} rows, {CORES} threads, median of {repeats} (range)"
    return [title, "", *lines, "", *checks, *whole]


def verb(place: Place, setting: Setting, expected: check.Pairs) -> list[str]:
    """Run `snellen mine` once, and compare what it wrote with the arrays' join and with brute force."""
    print("snellen mine", flush=True)
    root = place.pairs / "study"
    write_study(root, setting.collection)
    outcome = run_verb(root, setting.blind_min, setting.reference_max)
    print(f"  {outcome.cpu:.2f} CPU s, {outcome.wall:.2f} s, {outcome.memory:.0f} MB", flush=True)
    same = all(np.array_equal(*sides) for sides in zip(outcome.pairs, expected, strict=True))
    text = (
        f"`snellen mine` itself on a study of these rows, once, as a process from its start to `pairs.parquet` and "
        f"`mining.json`: {outcome.cpu:.1f} CPU s ({_verdict(outcome.cpu, LARGE_CPU_S)}), {outcome.wall:.1f} wall s, at "
        f"most {outcome.memory:.0f} MB of anonymous memory, imports and all ({_verdict(outcome.memory, LARGE_MB)}). "
        f"It wrote {len(outcome.pairs[0]):,} pairs, {'the same' if same else '**not the same**'} as above; "
    )
    return [text + brute_force(setting, outcome.pairs, seed=1), ""]


def _verdict(value: float, bounds: tuple[float, float]) -> str:
    word = "aim reached" if value <= bounds[1] else "reached" if value <= bounds[0] else "**missed**"
    return f"{bounds[0]}, {bounds[1]}: {word}"


def brute_force(setting: Setting, pairs: check.Pairs, seed: int = 0) -> str:
    """Check some rows against all others in float64, and say what came of it."""
    n = len(np.load(setting.collection.blind, mmap_mode="r"))
    rows = check.some_rows(n, pairs, CHECKED_ROWS, seed)
    wrong, touching = check.wrong_rows(setting.collection, setting.blind_min, setting.reference_max, pairs, rows)
    verdict = "no row differs" if wrong == 0 else f"**{wrong} rows differ**"
    return f"{len(rows)} rows against float64 brute force: {touching:,} pairs touch them, {verdict}."
