"""The probe itself: ridge regression of answers on the differences within pairs, in its dual form.

A pair is one row, d = x_a - x_b, and its target the difference of two one-hot classes, y = e_a - e_b. That is the
one-vs-rest ridge classifier with an intercept for every pair, which takes away all that the two images share. The
score of class c is w_c . x, so the contrast of a held-out pair,

    m = [s_a(x_a) - s_b(x_a)] - [s_a(x_b) - s_b(x_b)] = (w_a - w_b) . (x_a - x_b),

is linear in the training labels: m_i = sum over k of R_ik (y_i . y_k), R = D D_train' (K + alpha)^-1. Calling image a
of pair k "b" and b "a" changes the sign of y_k and nothing else: one decomposition serves any number of shuffles.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ALPHAS: Final = 10.0 ** np.arange(-4, 4)
"""Strengths of regularisation to choose from, in units of the mean squared length of a training row."""


def scales(images: Floats) -> Floats:
    """Return what to multiply each feature with, one over its deviation, and 0 where it does not vary: [d].

    Means cancel within pairs, so that this is all that standardising does.

    Args:
        images: [images, d], of the training fold, each image once.
    """
    deviation = images.std(axis=0)
    varies = deviation > 1e-7 * np.abs(images).max(axis=0)  # what float32 can tell apart
    return np.where(varies, 1 / np.where(varies, deviation, 1.0), 0.0)


def contrasts(
    gram: Floats, test: Floats, targets: Floats, wanted: Floats, inner: NDArray[np.int64], signs: Floats
) -> Floats:
    """Train one probe for each labelling, and return the contrasts of held-out rows: float64 [labellings, m].

    The strength is chosen for each labelling by itself, as the one that reads most training pairs right when each of
    the inner folds is held out in turn; among equals the strongest.

    Args:
        gram: [n, n], products of training rows.
        test: [m, n], products of held-out with training rows.
        targets: [n, classes], e_a - e_b of the training pairs.
        wanted: [m, classes], e_a - e_b of the held-out rows.
        inner: [n], the inner fold of each training pair.
        signs: [n, labellings], 1 or -1: -1 where a labelling swaps the two images of a pair. The contrasts returned are
            those of the held-out rows as they stand, not swapped.
    """
    size = float(np.trace(gram)) / len(gram)
    if size == 0:  # no two images differ: nothing can be told
        return np.zeros((signs.shape[1], len(test)))
    score = np.zeros((len(ALPHAS), signs.shape[1]), np.int64)
    for fold in np.unique(inner):
        out, left = np.flatnonzero(inner == fold), np.flatnonzero(inner != fold)
        seen = np.abs(targets[left]).sum(axis=0) > 0
        out = out[~((np.abs(targets[out]) > 0) & ~seen).any(axis=1)]
        found = _each_strength(
            gram[np.ix_(left, left)], gram[np.ix_(out, left)], targets[out] @ targets[left].T, signs[left], size
        )
        score += ((found * signs[out]) > 0).sum(axis=1)
    best = len(ALPHAS) - 1 - score[::-1].argmax(axis=0)
    found = _each_strength(gram, test, wanted @ targets.T, signs, size)
    chosen: Floats = found[best, :, np.arange(signs.shape[1])]
    return chosen


def _each_strength(gram: Floats, test: Floats, agree: Floats, signs: Floats, size: float) -> Floats:
    """Return contrasts for each of `ALPHAS`: [alphas, m, labellings]; `agree` is y_i . y_k, [m, n]."""
    values, vectors = np.linalg.eigh(gram)
    values = np.maximum(values, 0.0)
    seen_from = test @ vectors
    return np.stack([((seen_from / (values + alpha * size)) @ vectors.T * agree) @ signs for alpha in ALPHAS])
