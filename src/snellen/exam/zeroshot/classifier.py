"""From class names to weights: one unit row a class, the mean direction of its sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from snellen.encoders.base import ImageTextEncoder
from snellen.errors import EncoderError
from snellen.exam.zeroshot.templates import filled
from snellen.jsonl import quoted

Doubles = NDArray[np.float64]

TEXT_BATCH = 256
"""Sentences that go through the text tower together."""


def class_rows(encoder: ImageTextEncoder, names: Sequence[Sequence[str]], templates: Sequence[str]) -> Doubles:
    """Return the rows of classes: float64 [n, dim], each of length 1.

    Every name is put into every template; the sentences' unit rows are averaged, and the mean scaled to length 1, as
    in CLIP's zero-shot evaluation (arXiv 2103.00020, section 3.1.4) and in open_clip. A class of several names has the
    mean over all of them.

    Args:
        encoder: the image-text encoder.
        names: of each class, one or several.
        templates: sentences with `{}`.

    Raises:
        EncoderError: the sentences of a class have no direction, or none in common.
    """
    texts = [filled(template, name) for each in names for name in each for template in templates]
    try:
        rows = np.concatenate(
            [
                np.asarray(encoder.embed_text(texts[start : start + TEXT_BATCH]), dtype=np.float64)
                for start in range(0, len(texts), TEXT_BATCH)
            ]
        )
    except FloatingPointError as error:
        raise EncoderError(
            f"{encoder.name} gives a sentence no direction (zeros or NaN): use another dtype."
        ) from error
    made = []
    first = 0
    for each in names:
        mean = rows[first : first + len(each) * len(templates)].mean(axis=0)
        first += len(each) * len(templates)
        length = float(np.linalg.norm(mean))
        if not length > 0:
            raise EncoderError(f"{encoder.name} gives the class {quoted(each[0])} no direction: change its names.")
        made.append(mean / length)
    return np.stack(made)


def cosines(images: Doubles, classes: Doubles) -> Doubles:
    """Return the cosine of every image with every class: float64 [n, classes]; equal rows have equal cosines.

    The product is taken with the different rows alone: in a matrix product one row can come out in two ways, which
    differ in the last bit.

    Args:
        images: float64 [n, dim], unit rows.
        classes: float64 [classes, dim], unit rows.
    """
    different, back = np.unique(classes, axis=0, return_inverse=True)
    found: Doubles = (images @ different.T)[:, back.reshape(-1)]
    return found
