"""The miner's benchmark, exactness: rows made to be hard, every backend and kernel against float64 brute force.

Most rows are synthetic ones. Planted among them are partners whose blind cosine, reference cosine, or both, lie within
a millionth of the thresholds; groups of equal rows in which hundreds of pairs lie exactly on a threshold, and hundreds
one step of a float16 number above it; exact duplicates; and a tight cluster. A filter is used even where multiplying
everything out would cost less, as it does for so few rows.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import mining_check as check
from benchmarks import mining_data as data
from benchmarks.mining_check import NEAR
from benchmarks.mining_data import Collection, Integers, Rows16
from benchmarks.mining_run import Place, Setting, load_pairs, run
from snellen.mining import kernels

DIMS = (64, 768)
BLIND_AIM, REFERENCE_AIM = 0.95, 0.6
PARTNERS = 400
"""Planted partners of each of three kinds."""
ALIKE = 20
"""Copies of each of the three rows of a group."""
DUPLICATES = 100
CLUSTER = 200
ROUNDS = 12


class Hard(NamedTuple):
    """Rows that were made to be hard, and thresholds that are cosines of some of their pairs."""

    collection: Collection
    blind_min: float
    reference_max: float


def hard(folder: Path, n: int, dim: int) -> Hard:
    """Make n hard rows of `dim` numbers for the blind encoder and half as many for the reference, from synthetic ones.

    Args:
        folder: where they go.
        n: at least 3,000.
        dim: for the blind encoder.
    """
    base = data.synthetic(folder, n, blind_dim=dim, reference_dim=dim // 2)
    blind, reference = (np.load(path) for path in base)
    random = np.random.default_rng([n, dim])
    free = iter(random.permutation(n))

    def take(count: int) -> Integers:
        return np.fromiter(free, np.int64, count)

    # One origin and two rows near it, for each encoder: the thresholds are the origin's cosines with the first of them,
    # and the second's are a little above.
    blind_trio = trio(blind[take(1)], BLIND_AIM, random)
    reference_trio = trio(reference[take(1)], REFERENCE_AIM, random)
    blind_min, reference_max = (float(check.dots(rows[:1], rows[1:2])[0]) for rows in (blind_trio, reference_trio))

    # Pairs on the blind threshold or a step above it; the reference rows stay as they are, mostly far apart.
    blind[take(3 * ALIKE)] = np.repeat(blind_trio, ALIKE, axis=0)
    # The same for the reference threshold, alike to the blind encoder.
    group = take(3 * ALIKE)
    blind[group], reference[group] = blind[group[0]], np.repeat(reference_trio, ALIKE, axis=0)

    for blind_is_near, reference_is_near in ((True, False), (False, True), (True, True)):
        origins, partners = take(PARTNERS), take(PARTNERS)
        aims = blind_min + NEAR * random.uniform(-1, 1, PARTNERS) if blind_is_near else np.full(PARTNERS, 0.97)
        blind[partners] = at(blind[origins], aims, random)
        if reference_is_near:
            reference[partners] = at(reference[origins], reference_max + NEAR * random.uniform(-1, 1, PARTNERS), random)

    copies, sources = take(DUPLICATES), take(DUPLICATES)
    blind[copies], reference[copies] = blind[sources], reference[sources]
    reference[copies[::2]] = reference[take(DUPLICATES // 2)]
    cluster = take(CLUSTER)
    blind[cluster] = at(blind[np.repeat(cluster[:1], CLUSTER)], random.uniform(0.96, 0.9999, CLUSTER), random)

    files = Collection(*(path.with_name(path.name.replace("synthetic", "hard")) for path in base))
    for path, rows in zip(files, (blind, reference), strict=True):
        np.save(path, rows)
    return Hard(files, blind_min, reference_max)


def trio(origin: Rows16, cosine: float, random: np.random.Generator) -> Rows16:
    """Return float16 [3, d]: the origin, a row at about a cosine with it, and one of a slightly larger cosine."""
    first = at(origin, np.array([cosine]), random)
    second = first.copy()
    effects = steps(first) * origin.astype(np.float64)
    effects[effects <= 0] = np.inf
    direction, place = np.unravel_index(int(effects[:, 0].argmin()), effects[:, 0].shape)
    second[0, place] += steps(first)[direction, 0, place].astype(np.float16)
    return np.concatenate([origin, first, second])


def at(origins: Rows16, cosines: NDArray[np.float64], random: np.random.Generator) -> Rows16:
    """Return a row for each origin, float16 [m, d], with a float64 dot product as near to that asked for as it gets.

    One float16 number after the other is moved by a step, whichever brings the product nearest.
    """
    wide = origins.astype(np.float64)
    unit = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    noise = random.standard_normal(wide.shape)
    across = noise - np.vecdot(noise, unit)[:, None] * unit
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    rows: Rows16 = (cosines[:, None] * unit + np.sqrt(1 - cosines[:, None] ** 2) * across).astype(np.float16)
    every = np.arange(len(rows))
    for _ in range(ROUNDS):
        moves = steps(rows)
        missing = cosines - np.vecdot(rows.astype(np.float64), wide)
        left = np.abs(missing[:, None] - moves * wide)  # [2, m, d]
        best = left.min(axis=0).argmin(axis=1)
        direction = left[:, every, best].argmin(axis=0)
        better = left[direction, every, best] < np.abs(missing)
        move = np.where(better, moves[direction, every, best], 0)
        rows[every, best] += move.astype(np.float16)
    return rows


def steps(rows: Rows16) -> NDArray[np.float64]:
    """Return what a step up and a step down of each number adds to it: float64 [2, m, d]."""
    return np.stack(
        [np.nextafter(rows, np.float16(end)).astype(np.float64) - rows.astype(np.float64) for end in (np.inf, -np.inf)]
    )


def oracle(place: Place, n: int) -> list[str]:
    """Compare what every backend and kernel finds among hard rows with float64 brute force."""
    methods = [*(f"compiled:{kernel.name}" for kernel in kernels.available()), "portable", "torch"]
    print(f"hard rows, {n:,}", flush=True)
    texts = []
    lines = ["| rows | method | filter | pairs | missing | too many | float64 |", "|---|---|---|---|---|---|---|"]
    for dim in DIMS:
        made = hard(place.rows, n, dim)
        truth = check.brute_force(*made)
        for count, least in ((truth.near, 2 * ALIKE**2), (truth.on, ALIKE**2)):
            if min(count) < least:
                raise AssertionError(f"hard rows are too easy: {truth.near} near the thresholds, {truth.on} on them")
        setting = Setting(methods[0], *made, filtered=True)
        for method, filtered in [*((method, True) for method in methods), (methods[0], False), ("portable", False)]:
            outcome = run(replace(setting, method=method, filtered=filtered), place.pairs)
            found, expected = (a * n + b for a, b in (load_pairs(outcome), truth.pairs))
            missing, extra = len(np.setdiff1d(expected, found)), len(np.setdiff1d(found, expected))
            same = "identical" if np.array_equal(found, expected) else "**differs**"
            lines.append(
                f"| {n:,} x {dim} | {method} | {outcome.filter} | {outcome.found:,} | {missing} | {extra} | {same} |"
            )
        texts.append(
            f"x {dim}: {truth.near[0]:,} pairs within {NEAR:g} of the blind threshold and {truth.near[1]:,} of those "
            f"above it within {NEAR:g} of the reference threshold; exactly on them {truth.on[0]:,} and {truth.on[1]:,}."
        )
    heading = "### Rows made to be hard, against float64 brute force over all pairs"
    return [heading, "", *lines, "", "Pairs on a threshold do not pass. " + " ".join(texts), ""]
