"""Whether pair sets are right: against float64, and against one another.

A dot product of float16 rows is exact in float64 whatever the order of its sum, so any library will do as the judge.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.mining_data import Collection, Integers, Rows16

Pairs = tuple[Integers, Integers]
AT_ONCE = 4096
NEAR = 1e-6


class Difference(NamedTuple):
    """Two pair sets compared: how many only one of them has, and how many of those float64 says are wrong.

    farthest: the largest distance of such a pair's float64 cosine from the threshold.
    """

    only_ours: int
    only_theirs: int
    ours_wrong: int
    theirs_wrong: int
    farthest: float


class Truth(NamedTuple):
    """All pairs that pass, by float64, sorted; and how hard they were to tell.

    near, on: how many pairs lie within `NEAR` of the blind threshold, and exactly on it; and how many of the pairs
    above that lie so to the reference threshold.
    """

    pairs: Pairs
    near: tuple[int, int]
    on: tuple[int, int]


def dots(a: Rows16, b: Rows16) -> NDArray[np.float64]:
    """Return the float64 dot product of each row of `a` with that row of `b`."""
    found: NDArray[np.float64] = np.vecdot(a.astype(np.float64), b.astype(np.float64))
    return found


def brute_force(collection: Collection, blind_min: float, reference_max: float) -> Truth:
    """Multiply all pairs of a few thousand rows out."""
    blind, reference = (np.load(path).astype(np.float64) for path in collection)
    blind_cosines, reference_cosines = blind @ blind.T, reference @ reference.T
    upper = np.triu(np.ones(blind_cosines.shape, dtype=bool), 1)
    above = upper & (blind_cosines > blind_min)
    a, b = np.nonzero(above & (reference_cosines < reference_max))
    from_thresholds = (
        np.abs(blind_cosines[upper] - blind_min),
        np.abs(reference_cosines[above] - reference_max),
    )
    near, on = (tuple(int(np.count_nonzero(off <= most)) for off in from_thresholds) for most in (NEAR, 0))
    return Truth((a, b), (near[0], near[1]), (on[0], on[1]))


def cosines(rows: Rows16, pairs: Pairs) -> NDArray[np.float64]:
    """Return the float64 dot product of each pair."""
    a, b = pairs
    found = np.empty(len(a))
    for first in range(0, len(a), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        found[part] = dots(rows[a[part]], rows[b[part]])
    return found


def compare(rows: Rows16, blind_min: float, ours: Pairs, theirs: Pairs) -> Difference:
    """Compare two sets of pairs above `blind_min`; where they differ, float64 says who is right."""
    n = len(rows)
    mine, others = (np.asarray(a * n + b) for a, b in (ours, theirs))
    only_ours, only_theirs = np.setdiff1d(mine, others), np.setdiff1d(others, mine)
    ours_over, theirs_over = (cosines(rows, (only // n, only % n)) - blind_min for only in (only_ours, only_theirs))
    return Difference(
        len(only_ours),
        len(only_theirs),
        ours_wrong=int(np.count_nonzero(ours_over <= 0) + np.count_nonzero(theirs_over > 0)),
        theirs_wrong=int(np.count_nonzero(ours_over > 0) + np.count_nonzero(theirs_over <= 0)),
        farthest=float(np.max(np.abs(np.concatenate([ours_over, theirs_over])), initial=0)),
    )


def wrong_rows(
    collection: Collection, blind_min: float, reference_max: float, found: Pairs, rows: Integers
) -> tuple[int, int]:
    """Compare what was found for some rows with brute force over all rows, in float64.

    Args:
        collection: the rows.
        blind_min: pairs are strictly above it.
        reference_max: and strictly below it.
        found: all pairs that were found, a < b.
        rows: int64 [m], those to look at.

    Returns:
        How many rows have other partners than they should, and how many pairs touch the rows.
    """
    blind, reference = (np.load(path, mmap_mode="r") for path in collection)
    partners: list[list[Integers]] = [[] for _ in rows]
    queries = [np.asarray(side[rows]).astype(np.float64) for side in (blind, reference)]
    for first in range(0, len(blind), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        above = queries[0] @ blind[part].astype(np.float64).T > blind_min
        below = queries[1] @ reference[part].astype(np.float64).T < reference_max
        for place, row in enumerate(rows):
            partner = first + np.flatnonzero(above[place] & below[place])
            partners[place].append(partner[partner != row])
    a, b = found
    wrong = touching = 0
    for row, expected in zip(rows, map(np.concatenate, partners), strict=True):
        have = np.sort(np.concatenate([b[a == row], a[b == row]]))
        wrong += not np.array_equal(have, expected)
        touching += len(expected)
    return wrong, touching


def some_rows(n: int, found: Pairs, count: int, seed: int = 0) -> Integers:
    """Draw rows to check: `count` of all, and as many of those that some pair found touches."""
    random = np.random.default_rng(seed)
    touched = np.unique(np.concatenate(found))
    drawn = [random.choice(those, size=min(count, len(those)), replace=False) for those in (np.arange(n), touched)]
    return np.unique(np.concatenate(drawn))
