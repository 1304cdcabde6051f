"""The miner's benchmark, speed: all of ours and both peers in turns on one thread; and how exact the peers are."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from dataclasses import dataclass, replace

import numpy as np

from benchmarks import mining_check as check
from benchmarks import mining_data as data
from benchmarks.mining_run import PREPARATION, ROOT, Place, Run, Setting, environment, load_pairs, run
from snellen.mining import kernels

COMPILED = tuple(f"compiled:{kernel.name}" for kernel in kernels.available())
"""Ours, on each instruction set of this machine, the fastest first."""
OURS = (*COMPILED, "portable")
METHODS = (*COMPILED, "flat", "portable", "panorama")
NAMES = {method: f"ours, {method.replace(':', ', ')}" for method in COMPILED} | {
    "portable": "ours, portable (NumPy)",
    "flat": "FAISS IndexFlatIP",
    "panorama": "FAISS IndexFlatL2Panorama",
}


@dataclass(frozen=True)
class Target:
    """How many times as fast as `theirs` `ours` is to be."""

    ours: str
    theirs: str
    must: int | None = None
    aim: int | None = None

    def verdict(self, ratio: float) -> str:
        """Say in a word whether it is met."""
        if self.must is None or self.aim is None:
            return "-"
        return "aim reached" if ratio >= self.aim else "reached" if ratio >= self.must else "**missed**"


TARGETS = (
    *(Target(method, "flat", 30, 60) for method in COMPILED),
    *(Target(method, "panorama", 8, 20) for method in COMPILED),
    Target("portable", "flat", 10, 12),
    Target("portable", "panorama"),
)


def spread(values: list[float], digits: int = 1) -> str:
    """The median, and the range of several."""
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def speed(
    place: Place, collection: data.Collection, label: str, repeats: int, *, targets: bool, blind_min: float = 0.95
) -> list[str]:
    """Measure every method on one thread, in turns; the ratios are of CPU time, each within one turn.

    Args:
        place: where rows and pairs are kept.
        collection: the rows.
        label: what they are, for the heading.
        repeats: how many turns.
        targets: whether the targets are for this case.
        blind_min: the blind threshold.

    Returns:
        Lines of Markdown.
    """
    n, dim = np.load(collection.blind, mmap_mode="r").shape
    print(f"{label}, blind cosine > {blind_min}", flush=True)
    levels = best_levels(collection, blind_min)
    setting = Setting(OURS[0], collection, blind_min=blind_min, levels=levels)
    turns = [{method: run(replace(setting, method=method), place.pairs) for method in METHODS} for _ in range(repeats)]
    lines = [
        f"### {label}: {n:,} x {dim}, thresholds {blind_min} and {setting.reference_max}, one thread",
        "",
        "| method | CPU s | wall s | not counted: preparation, CPU s | pairs |",
        "|---|---|---|---|---|",
    ]
    for method in METHODS:
        runs = [turn[method] for turn in turns]
        name = NAMES[method] + (f", {levels} levels" if method == "panorama" else "")
        cpu, wall = spread([each.cpu for each in runs], 2), spread([each.wall for each in runs], 2)
        before = [each.timings[PREPARATION] for each in runs if PREPARATION in each.timings]
        lines.append(f"| {name} | {cpu} | {wall} | {spread(before, 2) if before else '-'} | {runs[0].found:,} |")
    lines += ["", *ratios(turns, targets), "", *same_pairs(turns), ""]
    return [*lines, *peers_sets(place, setting, [turns[0]["flat"], turns[0]["panorama"]]), ""]


def ratios(turns: list[dict[str, Run]], targets: bool) -> list[str]:
    """Put the ratios of CPU time in a table, beside the targets where these are for this case."""
    lines = ["| times as fast, by CPU time | median (range) |" + (" must | aim | median |" if targets else "")]
    lines.append("|---|---|" + ("---|---|---|" if targets else ""))
    for target in TARGETS:
        times = [turn[target.theirs].cpu / turn[target.ours].cpu for turn in turns]
        line = f"| {NAMES[target.ours]}, against {NAMES[target.theirs]} | {spread(times)} |"
        if targets:
            line += f" {target.must or '-'} | {target.aim or '-'} | {target.verdict(statistics.median(times))} |"
        lines.append(line)
    return lines


def same_pairs(turns: list[dict[str, Run]]) -> list[str]:
    """Say whether all of ours agree, and what the time of the fastest went to."""
    sets = {turn[method].sha256 for turn in turns for method in OURS}
    phases = ", ".join(f"{name} {seconds:.2f}" for name, seconds in turns[0][OURS[0]].timings.items())
    agree = "gave the same pairs every time" if len(sets) == 1 else "**gave different pairs**"
    filters = "; ".join(f"{method}: {turns[0][method].filter}" for method in OURS)
    return [f"All of ours {agree}. Filters: {filters}. Wall s of {OURS[0]} by phase, first time: {phases}."]


def best_levels(collection: data.Collection, blind_min: float) -> int:
    """Find the number of levels with which Panorama is quickest on these rows, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.mining_peers", str(collection.blind), str(blind_min)]
    text = subprocess.run(command, env=environment(1), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    seconds = {int(levels): float(value) for levels, value in json.loads(text).items()}
    print("  Panorama, CPU s by levels: " + ", ".join(f"{levels}: {value:.2f}" for levels, value in seconds.items()))
    return min(seconds, key=lambda levels: seconds[levels])


def peers_sets(place: Place, setting: Setting, peers: list[Run]) -> list[str]:
    """Compare what the peers found with all pairs above the blind threshold, and settle differences in float64."""
    blind = np.load(setting.collection.blind)
    # no two of these are alike, so every pair passes the reference condition, which the peers do not have
    every = setting.collection._replace(reference=data.unlike(place.rows, len(blind)))
    ours = load_pairs(run(replace(setting, collection=every), place.pairs))
    texts = [f"Blind condition alone: ours finds {len(ours[0]):,} pairs."]
    for outcome in peers:
        found = check.compare(blind, setting.blind_min, ours, load_pairs(outcome))
        differ = found.only_ours + found.only_theirs
        texts.append(
            f"{NAMES[outcome.method]} differs in {differ}, none farther than {found.farthest:.1e} from the threshold: "
            f"by float64, {found.theirs_wrong} are its errors and {found.ours_wrong} are ours."
            if differ
            else f"{NAMES[outcome.method]} finds the same."
        )
    return [" ".join(texts)]
