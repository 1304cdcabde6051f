"""Which pairs are asked about, and what: as many of every pattern as there may be, and no image too often."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

PLENTY = 2
"""A pattern with fewer candidates than so many fair shares takes its fair share before the others."""


def balanced(
    differs: NDArray[np.bool_],
    images: NDArray[np.int64],
    lots: Sequence[bytes],
    *,
    per_pattern: int,
    per_image: int,
) -> dict[int, int]:
    """Choose pairs, and for each one of the patterns in which it differs.

    The pattern with the fewest pairs so far takes the one with the lowest lot that it can still have, and so on until
    none can take any. Patterns with few candidates take their fair share before that, so that common patterns do not
    use them up.

    Example:
        >>> table = np.array([[True, True], [False, True]])
        >>> balanced(table, np.array([[0, 1], [2, 3]]), [b"a", b"b"], per_pattern=1, per_image=1)
        {0: 0, 1: 1}

    Args:
        differs: bool [pairs, patterns], where each pair differs.
        images: int64 [pairs, 2], the two images of each.
        lots: by what candidates of one pattern are ordered, one for each pair, all different.
        per_pattern: pairs of each pattern at most.
        per_image: pairs of one image at most.

    Returns:
        Pattern by pair, in the order in which they were chosen.
    """
    order = np.array(sorted(range(len(lots)), key=lots.__getitem__), np.int64)
    queues = [iter(order[differs[order, pattern]].tolist()) for pattern in range(differs.shape[1])]
    chosen: dict[int, int] = {}
    taken = [0] * differs.shape[1]
    used: dict[int, int] = {}

    def take(pattern: int) -> bool:
        if taken[pattern] == per_pattern:
            return False
        for pair in queues[pattern]:  # a pair that cannot be had now never can be: nothing is given back
            first, second = (int(image) for image in images[pair])
            if pair not in chosen and max(used.get(first, 0), used.get(second, 0)) < per_image:
                chosen[pair] = pattern
                taken[pattern] += 1
                used[first], used[second] = used.get(first, 0) + 1, used.get(second, 0) + 1
                return True
        return False

    candidates = differs.sum(axis=0).tolist()
    patterns = sorted(range(differs.shape[1]), key=lambda pattern: (candidates[pattern], pattern))
    fair = min(per_pattern, _capacity(images, per_image) // max(len(patterns), 1))
    for pattern in patterns:
        while candidates[pattern] < PLENTY * fair and taken[pattern] < fair and take(pattern):
            pass
    while patterns:
        pattern = min(patterns, key=lambda pattern: (taken[pattern], candidates[pattern], pattern))
        if not take(pattern):
            patterns.remove(pattern)
    return chosen


def _capacity(images: NDArray[np.int64], per_image: int) -> int:
    """Return a number of pairs that no choice exceeds."""
    _, uses = np.unique(images, return_counts=True)
    return min(len(images), int(np.minimum(uses, per_image).sum()) // 2)
