"""From vectors of images to the rows that a probe is trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snellen.probes.engine import Places, Rows
from snellen.probes.nouns import ProbePair
from snellen.probes.ridge import Floats, scales

Features = Mapping[str, NDArray[Any]]


def image_rows(pairs: Sequence[ProbePair], features: Features, variants: Features | None) -> Rows:
    """Return what gives a fold its rows: differences within pairs, each feature over its deviation in training images.

    Raises:
        ValueError: an image has no vector, or vectors do not fit together or are not finite; or a pair's images have
            not equally many variants.
    """
    ids = sorted({image for pair in pairs for image in (pair.image_a, pair.image_b)})
    matrix = np.stack([_vector(features, image, 1) for image in ids]) if _alike(features, ids, 1) else np.empty((0, 0))
    place = {image: at for at, image in enumerate(ids)}
    a = np.array([place[pair.image_a] for pair in pairs])
    b = np.array([place[pair.image_b] for pair in pairs])
    differences = matrix[a] - matrix[b]
    changed = np.zeros((len(pairs), 0, matrix.shape[1])) if variants is None else _variants(pairs, variants, matrix)

    def rows(left: Places, out: Places) -> tuple[Floats, Floats, Floats]:
        weights = scales(matrix[np.unique([a[left], b[left]])])
        return differences[left] * weights, differences[out] * weights, changed[out] * weights

    return rows


def _variants(pairs: Sequence[ProbePair], variants: Features, matrix: Floats) -> Floats:
    """Return differences of variant k of image a and variant k of image b: [n, v, d]."""
    ids = sorted({image for pair in pairs for image in (pair.image_a, pair.image_b)})
    _alike(variants, ids, 2)
    found = {image: _vector(variants, image, 2) for image in ids}
    if found[ids[0]].shape[1] != matrix.shape[1]:
        raise ValueError(
            f"variants have {found[ids[0]].shape[1]} features where images have {matrix.shape[1]}: give the same"
        )
    return np.stack([found[pair.image_a] - found[pair.image_b] for pair in pairs])


def _alike(features: Features, ids: Sequence[str], axes: int) -> bool:
    shapes: dict[tuple[int, ...], str] = {}
    for image in ids:
        shapes.setdefault(np.shape(_vector(features, image, axes)), image)
    if len(shapes) > 1:
        (one, first), (other, second) = list(shapes.items())[:2]
        raise ValueError(
            f"all images need vectors of one shape, got {list(one)} of {first!r}, {list(other)} of {second!r}"
        )
    return True


def _vector(features: Features, image: str, axes: int) -> Floats:
    if image not in features:
        raise ValueError(f"image {image!r} has no vector: give one for both images of every pair")
    vector = np.asarray(features[image], dtype=np.float64)
    if vector.ndim != axes or not vector.size or not np.isfinite(vector).all():
        wanted = "[d]" if axes == 1 else "[v, d]"
        raise ValueError(f"image {image!r} must have finite numbers of shape {wanted}, got shape {list(vector.shape)}")
    return vector
