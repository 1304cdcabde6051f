"""Which pairs belong together, and which fold they are in: what shares an image or a scene is never torn apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from snellen.probes.nouns import ProbePair


def units_of(pairs: Sequence[ProbePair]) -> list[int]:
    """Number the units that pairs belong to, from 0 in order of appearance: one a pair.

    Two pairs are of one unit if they share an image or a `group`, or are linked so by others.
    """
    parent: dict[tuple[str, str], tuple[str, str]] = {}

    def root(node: tuple[str, str]) -> tuple[str, str]:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for pair in pairs:
        links = [("image", pair.image_b)] + ([] if pair.group is None else [("group", pair.group)])
        for link in links:
            parent[root(link)] = root(("image", pair.image_a))
    numbers: dict[tuple[str, str], int] = {}
    return [numbers.setdefault(root(("image", pair.image_a)), len(numbers)) for pair in pairs]


def folds_of(units: Sequence[int], folds: int, seed: int) -> NDArray[np.int64]:
    """Deal units into folds of nearly equal numbers of pairs: int64 [n], the fold of each pair.

    Larger units first, each to the fold with the fewest pairs so far; among equals by lot. Labels play no part.

    Args:
        units: [n], the unit of each pair.
        folds: how many, at least 2.
        seed: of the lots.
    """
    names, codes, sizes = np.unique(np.asarray(units), return_inverse=True, return_counts=True)
    rng = np.random.Generator(np.random.PCG64(seed))
    order = rng.permutation(len(names))
    order = order[np.argsort(-sizes[order], kind="stable")]
    fold_of, filled = np.empty(len(names), np.int64), np.zeros(folds, np.int64)
    for unit in order:
        fold_of[unit] = fold = int(filled.argmin())
        filled[fold] += sizes[unit]
    result: NDArray[np.int64] = fold_of[codes]
    return result
