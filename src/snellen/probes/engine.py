"""Grouped, nested cross-validation of the probe, for any number of labellings at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snellen.probes.folds import folds_of
from snellen.probes.ridge import Floats, contrasts

INNER: Final = 4
"""Folds of the training pairs, among which the strength of regularisation is chosen."""

Places = NDArray[np.int64]

Rows = Callable[[Places, Places], tuple[Floats, Floats, Floats]]
"""Training pairs, held-out pairs -> rows [n, d] and [m, d], and variants of the held-out pairs [m, v, d]."""


class Held(NamedTuple):
    """Held-out contrasts of n pairs, and of their variants under the first labelling.

    margins: [labellings, n]; variants: [n, v]; seen: bool [n], whether other pairs show both of a pair's classes.
    """

    margins: Floats
    variants: Floats
    seen: NDArray[np.bool_]


def held_out(
    rows: Rows, classes: Sequence[tuple[str, str]], units: Sequence[int], signs: Floats, *, folds: int, seed: int
) -> Held:
    """Hold every fold out in turn, train a probe on the others for each labelling, and read the fold's pairs.

    Args:
        rows: gives the rows of a fold; it is told which pairs are trained on, and knows no labels.
        classes: the class of image a and of image b, [n].
        units: what is never torn apart, [n].
        signs: [n, labellings], 1 or -1: -1 where the labelling swaps a pair's two images.
        folds: how many, at least 2.
        seed: of the folds.
    """
    targets = _targets(classes)
    fold = folds_of(units, folds, seed)
    margins, seen = np.zeros(signs.shape[::-1]), np.zeros(len(classes), bool)
    of_variants = []
    for number in range(folds):
        out, left = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        train, test, others = rows(left, out)
        known = targets[left].any(axis=0)
        seen[out] = ~(targets[out].astype(bool) & ~known).any(axis=1)
        inner = folds_of([units[int(at)] for at in left], INNER, seed)
        gram, count = train @ train.T, others.shape[1]
        found = contrasts(gram, test @ train.T, targets[left], targets[out], inner, signs[left])
        margins[:, out] = found * signs[out].T
        if count:
            flat = others.reshape(len(out) * count, -1) @ train.T
            wanted = targets[out].repeat(count, axis=0)
            values = contrasts(gram, flat, targets[left], wanted, inner, signs[left][:, :1])[0]
            of_variants.append((out, values.reshape(len(out), count) * signs[out][:, :1]))
    variants = np.zeros((len(classes), of_variants[0][1].shape[1] if of_variants else 0))
    for out, values in of_variants:
        variants[out] = values
    return Held(margins, variants, seen)


def _targets(classes: Sequence[tuple[str, str]]) -> Floats:
    """Return the one-hot class of image a minus that of image b: [n, classes]."""
    names = {name: at for at, name in enumerate(sorted({name for both in classes for name in both}))}
    targets = np.zeros((len(classes), len(names)))
    for row, (first, second) in zip(targets, classes, strict=True):
        row[names[first]] += 1
        row[names[second]] -= 1
    return targets


def coins(units: Sequence[int], count: int, seed: int) -> Floats:
    """Toss a coin for every unit, `count` times over: 1 or -1, [n, count], the same for all pairs of a unit."""
    names, codes = np.unique(np.asarray(units), return_inverse=True)
    tossed = np.random.Generator(np.random.PCG64(seed)).integers(0, 2, (len(names), count))
    return np.where(tossed[codes] == 1, 1.0, -1.0)
