"""Which images of a study are old: an earlier study has mined them, with the very same vectors."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from snellen.errors import UsageError
from snellen.mining.inputs.collection import Collection
from snellen.mining.inputs.sides import Embedding
from snellen.mining.join.tiles import Positions
from snellen.progress import SILENT, Progress

COMPARED_ROWS = 4096
"""Vectors of each study that are compared at once."""


class Grown(NamedTuple):
    """How a study has grown from an earlier one.

    order: int64 [n], rows of the study that are mined: the new ones, then the old ones, each part in row order; n_new:
    how many of them are new; here, there: int64 [n - n_new], rows of each old image in the study and in the earlier
    one, in the order of the earlier one.
    """

    order: Positions
    n_new: int
    here: Positions
    there: Positions


def match_images(here: Collection, there: Collection, study: Path, folder: Path) -> Grown:
    """Find the images of the earlier study by image_id; rows, order and URIs may differ.

    Args:
        here: the images of the study.
        there: those of the earlier one.
        study: the study's folder, for the message.
        folder: the earlier study's.

    Raises:
        UsageError: the study lacks one of them, or cannot use it any more; says how many, and names the first.
    """
    rows, wanted = here.distinct(), there.distinct()
    by_id = np.argsort(here.ids[rows])
    ids = here.ids[rows][by_id]
    at = np.minimum(np.searchsorted(ids, there.ids[wanted]), max(len(ids) - 1, 0))
    found = ids[at] == there.ids[wanted] if len(ids) else np.zeros(len(wanted), dtype=np.bool_)
    missing = wanted[~found]
    if len(missing):
        raise UsageError(
            f"{_images(len(missing))} of --earlier {folder} cannot be mined in {study}, where they are missing or not "
            f"ok (the first is {there.names[int(missing[0])]}, image_id {there.ids[missing[0]].decode()}): run "
            "`snellen mine` without --earlier, since the earlier totals count their pairs."
        )
    old = by_id[at]
    is_new = np.ones(len(rows), dtype=np.bool_)
    is_new[old] = False
    return Grown(np.concatenate([rows[is_new], rows[~is_new]]), int(np.count_nonzero(is_new)), rows[old], wanted)


def compare_vectors(
    grown: Grown, here: Embedding, there: Embedding, collection: Collection, folder: Path, progress: Progress = SILENT
) -> None:
    """Check that every old image's vector is the same in both studies, byte for byte; memory for some of them.

    Args:
        grown: the old images.
        here: one encoder's vectors in the study.
        there: the same encoder's in the earlier one.
        collection: the study's images, for the message.
        folder: the earlier study's, for the message.
        progress: told of rows.

    Raises:
        UsageError: a vector differs; says how many do, and names the first.
    """
    count, first = 0, -1
    progress.start(f"comparing {here.slug}", len(grown.here), "rows")
    for start in range(0, len(grown.here), COMPARED_ROWS):
        part = slice(start, start + COMPARED_ROWS)
        ours, theirs = here.vectors.gather(grown.here[part]), there.vectors.gather(grown.there[part])
        differ = np.flatnonzero(np.any(ours.view(np.uint16) != theirs.view(np.uint16), axis=1))
        if len(differ) and not count:
            first = int(grown.here[part][differ[0]])
        count += len(differ)
        progress.advance(len(ours))
    progress.finish()
    if count:
        raise UsageError(
            f"{_images(count)} of --earlier {folder} got another vector from {here.name} there than here (the first is "
            f"{collection.names[first]}, row {first}): run `snellen mine` without --earlier, since their cosines are "
            "others."
        )


def _images(count: int) -> str:
    return f"{count:,} image{'s' if count > 1 else ''}"
