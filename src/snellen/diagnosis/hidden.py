"""What a model holds of every picture at its stops, as it is and in label-preserving variants, kept on disk.

Blocks that are there are not computed again, so that a kill loses one block at most.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from snellen import storage, variants
from snellen.errors import StudyError
from snellen.mllms.base import Transparent
from snellen.progress import Progress
from snellen.records import Ask

FloatArray = NDArray[np.float32]

BLOCK: Final = 32
"""Asks whose vectors are written together."""

MOST: Final = 8192
"""Numbers of one vector; what has more is averaged over squares of its grid first."""

SIDE: Final = 4
"""Squares along each side of that grid."""

SETTINGS: Final = "settings.json"


@dataclass(frozen=True)
class Held:
    """Vectors of one stop: `vectors[name]` is float32 [1 + variants, d], the picture as it is first."""

    vectors: Mapping[str, FloatArray]

    @property
    def plain(self) -> dict[str, FloatArray]:
        """Of the pictures as they are: float32 [d]."""
        return {name: rows[0] for name, rows in self.vectors.items()}

    @property
    def varied(self) -> dict[str, FloatArray]:
        """The pictures as they are and their variants: float32 [1 + variants, d]."""
        return dict(self.vectors)


def collect(
    folder: Path,
    model: Transparent,
    asks: Mapping[str, Ask],
    names: Sequence[str],
    stops: Sequence[str],
    progress: Progress,
) -> dict[str, Held]:
    """Compute, or read, the vectors of every ask at every stop.

    Args:
        folder: Where blocks lie, for this model and these asks alone.
        model: Who is asked.
        asks: By the image_id of their pictures, which are as they are.
        names: Variants.
        stops: Where to look.
        progress: Told of every block.

    Raises:
        StudyError: the folder holds vectors of something else, or a picture cannot be decoded.
        Unsupported: the model has no such stop.
    """
    settings: dict[str, Any] = {
        "model": model.fingerprint,
        "asks": storage.sha256_of_json({name: [asks[name].prompt, name] for name in sorted(asks)}),
        "variants": list(names),
        "stops": list(stops),
    }
    path = folder / SETTINGS
    if path.exists() and storage.read_json(path) != settings:
        raise StudyError(f"{folder} holds what another model or benchmark gave: delete that folder.")
    storage.write_json(path, settings)
    order = sorted(asks)
    blocks = [order[start : start + BLOCK] for start in range(0, len(order), BLOCK)]
    found: dict[str, dict[str, FloatArray]] = {stop: {} for stop in stops}
    progress.start(f"looking into {model.name}", len(order), "pictures")
    for number, block in enumerate(blocks):
        files = {stop: folder / f"{stop}-{number:05d}.npy" for stop in stops}
        if not all(file.exists() for file in files.values()):
            rows = _looked(model, [asks[name] for name in block], block, names, stops)
            for stop, file in files.items():
                storage.write_npy(file, np.stack([row[stop] for row in rows]))
        for stop, file in files.items():
            held = np.load(file, allow_pickle=False)
            found[stop] |= {name: held[at] for at, name in enumerate(block)}
        progress.advance(len(block))
    progress.finish()
    return {stop: Held(vectors) for stop, vectors in found.items()}


def _looked(
    model: Transparent, asks: Sequence[Ask], image_ids: Sequence[str], names: Sequence[str], stops: Sequence[str]
) -> list[dict[str, FloatArray]]:
    """Look at pictures and their variants: float32 [1 + variants, d] for each picture and stop."""
    shown: list[Ask] = []
    for ask, image_id in zip(asks, image_ids, strict=True):
        assert ask.image is not None
        pictures = [ask.image, *(variants.variant(ask.image, name, image_id) for name in names)]
        shown += [Ask(ask.question_id, ask.prompt, picture, letters=ask.letters) for picture in pictures]
    seen = model.hidden(shown, stops)
    each = 1 + len(names)
    return [
        {stop: np.stack([vector(stop, one[stop]) for one in seen[start : start + each]]) for stop in stops}
        for start in range(0, len(seen), each)
    ]


def vector(stop: str, tokens: FloatArray) -> FloatArray:
    """Make one vector of a stop's tokens, float32 [tokens, width]: all of them, or averages over their grid.

    Inside the language model the prompt has words too: there it is the last token, where the answer begins, beside the
    mean of all.
    """
    if stop.startswith("language."):
        return np.concatenate([tokens[-1], tokens.mean(0)])
    count, width = tokens.shape
    extra = count - math.isqrt(count) ** 2
    if count * width > MOST and extra in (0, 1):
        side = math.isqrt(count)
        grid = tokens[extra:].reshape(side, side, width)
        edges = [round(side * at / SIDE) for at in range(SIDE + 1)]
        tokens = np.stack(
            [
                grid[top:bottom, left:right].mean((0, 1))
                for top, bottom in pairwise(edges)
                for left, right in pairwise(edges)
            ]
        )
    elif count * width > MOST:
        tokens = np.stack([part.mean(0) for part in np.array_split(tokens, SIDE * SIDE)])
    return np.ascontiguousarray(tokens.reshape(-1), dtype=np.float32)
