"""A study of a world's pictures, with what is true of each: where mining and the known facts meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from snellen import image_table, storage
from snellen.errors import StudyError
from snellen.study import Study
from snellen.vectors import Vectors
from snellen.world.scene.facts import CONTEXTS, FACTORS, KINDS
from snellen.world.table import Picture, World

Positions = NDArray[np.int64]
Cosines = NDArray[np.float64]

FACTOR_NAMES: Final = tuple(FACTORS)

BLOCK: Final = 1024
"""Rows, or thousands of pairs, that are multiplied at once."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of positions, a < b, in rising order; cosines float64, or None where the study is not mined."""

    a: Positions
    b: Positions
    blind: Cosines | None
    reference: Cosines | None

    def __len__(self) -> int:
        return len(self.a)

    def where(self, chosen: NDArray[np.bool_]) -> Pairs:
        """Return the chosen pairs only: bool [pairs]."""
        blind, reference = (None if side is None else side[chosen] for side in (self.blind, self.reference))
        return Pairs(self.a[chosen], self.b[chosen], blind, reference)


@dataclass(frozen=True)
class Mined:
    """What mining knows: both encoders' float16 rows by position [n, dim], the thresholds, and the pairs found."""

    blind: NDArray[np.float16]
    reference: NDArray[np.float16]
    blind_min: float
    reference_max: float
    pairs: Pairs


@dataclass(frozen=True)
class Known:
    """The study's pictures that are ok and no duplicates, numbered by position 0 to n - 1 in row order.

    scene: int64 [n], a number for kind and context together; kinds: int64 [n] and contexts: int64 [n];
    values: int64 [n, 9], the number of each factor's value; inputs: sha256 by path relative to the study.
    """

    pictures: tuple[Picture, ...]
    kinds: NDArray[np.int64]
    contexts: NDArray[np.int64]
    values: NDArray[np.int64]
    mined: Mined | None
    inputs: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def scene(self) -> NDArray[np.int64]:
        """A number for kind and context together: int64 [n]."""
        return self.kinds * len(CONTEXTS) + self.contexts

    def differs(self, pairs: Pairs) -> NDArray[np.bool_]:
        """Say in which factors each pair differs: bool [pairs, 9], in the order of `FACTORS`."""
        found: NDArray[np.bool_] = self.values[pairs.a] != self.values[pairs.b]
        return found

    def same_scene(self, pairs: Pairs) -> NDArray[np.bool_]:
        """Say which pairs have one kind and one context: bool [pairs]."""
        same: NDArray[np.bool_] = self.scene[pairs.a] == self.scene[pairs.b]
        return same

    def with_cosines(self, a: Positions, b: Positions) -> Pairs:
        """Make pairs of positions, in rising order, with their cosines where the study is mined."""
        low, high = np.minimum(a, b), np.maximum(a, b)
        order = np.lexsort((high, low))
        low, high = low[order], high[order]
        if self.mined is None:
            return Pairs(low, high, None, None)
        return Pairs(low, high, dots(self.mined.blind, low, high), dots(self.mined.reference, low, high))

    def scene_pairs(self) -> Pairs:
        """Make all pairs of one kind and context."""
        pieces = []
        for number in np.unique(self.scene):
            members = np.flatnonzero(self.scene == number)
            first, second = np.triu_indices(len(members), 1)
            pieces.append((members[first], members[second]))
        a, b = (np.concatenate([piece[side] for piece in pieces] or [np.empty(0, np.int64)]) for side in (0, 1))
        return self.with_cosines(a, b)

    def sibling_pairs(self, role: str) -> Pairs:
        """Make the pairs of each family's base and its members of one role."""
        bases = {picture.family: at for at, picture in enumerate(self.pictures) if picture.role == "base"}
        pairs = [
            (bases[picture.family], at)
            for at, picture in enumerate(self.pictures)
            if picture.role == role and picture.family in bases
        ]
        both = np.array(pairs, np.int64).reshape(-1, 2)
        return self.with_cosines(both[:, 0], both[:, 1])

    def passing(self, pairs: Pairs) -> NDArray[np.bool_]:
        """Say which pairs pass both thresholds, strictly: bool [pairs]; only where the study is mined."""
        assert self.mined is not None
        assert pairs.blind is not None
        assert pairs.reference is not None
        found: NDArray[np.bool_] = (pairs.blind > self.mined.blind_min) & (pairs.reference < self.mined.reference_max)
        return found

    def blind_alone(self) -> Pairs:
        """Make all pairs, of any scenes, whose blind cosine is above the threshold; every pair is tried."""
        assert self.mined is not None
        rows = self.mined.blind.astype(np.float64)
        pieces = []
        for start in range(0, len(rows), BLOCK):
            found = rows[start : start + BLOCK] @ rows[start:].T > self.mined.blind_min
            first, second = np.nonzero(np.triu(found, 1))
            pieces.append((first + start, second + start))
        a, b = (np.concatenate([piece[side] for piece in pieces] or [np.empty(0, np.int64)]) for side in (0, 1))
        return self.with_cosines(a, b)


def dots(rows: NDArray[np.float16], a: Positions, b: Positions) -> Cosines:
    """Return the cosines of pairs: float64 dot products of stored rows, exact in any order of summation."""
    found = np.empty(len(a), np.float64)
    for start in range(0, len(a), 16 * BLOCK):
        part = slice(start, start + 16 * BLOCK)
        found[part] = np.einsum("ij,ij->i", rows[a[part]].astype(np.float64), rows[b[part]].astype(np.float64))
    return found


def know(study: Study, world: World) -> Known:
    """Join a study's images with a world's facts, and with what was mined, where it was.

    Raises:
        StudyError: the study is unfinished or damaged, shows images that are not of this world, or was mined from
            other embeddings than it has now.
    """
    images = image_table.read(study)
    inputs = _unchanged(study, study.images, "embed")
    rows, pictures = [], []
    for image in images:
        if image.status == "ok" and image.duplicate_of is None:
            picture = world.by_id.get(str(image.image_id))
            if picture is None:
                raise StudyError(
                    f"{study.images}, row {image.row}, shows {image.uri}, which is no picture of the world in "
                    f"{world.folder}: name the world whose images/ were embedded."
                )
            rows.append(image.row)
            pictures.append(picture)
    mined, more = _mined(study, np.array(rows, np.int64), len(images))
    return Known(
        pictures=tuple(pictures),
        kinds=np.array([KINDS.index(picture.facts.kind) for picture in pictures], np.int64),
        contexts=np.array([CONTEXTS.index(picture.facts.context) for picture in pictures], np.int64),
        values=np.array(
            [[values.index(getattr(picture.facts, name)) for name, values in FACTORS.items()] for picture in pictures],
            np.int64,
        ).reshape(len(pictures), len(FACTORS)),
        mined=mined,
        inputs=inputs | more,
    )


def _mined(study: Study, rows: Positions, n_rows: int) -> tuple[Mined | None, dict[str, str]]:
    """Read what `mine` wrote, if it has finished, and the embeddings that it was made from."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    manifest = study.read_manifest(study.pairs)
    if manifest is None:
        return None, {}
    inputs = _unchanged(study, study.pairs, "mine")
    details = storage.read_json(study.mining)
    sides = [_rows(study, details[side]["slug"], manifest["inputs"], n_rows)[rows] for side in ("blind", "reference")]
    places = np.full(n_rows, -1, np.int64)
    places[rows] = np.arange(len(rows))
    try:
        table = pq.read_table(study.pairs, columns=["row_a", "row_b", "blind_cosine", "reference_cosine"])
    except (pa.ArrowInvalid, OSError) as error:
        raise StudyError(f"{study.pairs} cannot be read ({error}): run `snellen mine` again.") from error
    row_a, row_b, blind, reference = (column.to_numpy() for column in table.columns)
    pairs = Pairs(places[row_a], places[row_b], blind, reference)
    blind_min, reference_max = (float(details["resolved"][name]["value"]) for name in ("blind_min", "reference_max"))
    return Mined(sides[0], sides[1], blind_min, reference_max, pairs), inputs


def _rows(study: Study, slug: str, mined_from: Mapping[str, Any], n_rows: int) -> NDArray[np.float16]:
    vectors = Vectors.open(study.embedding(slug), n_rows)
    for path, sha256 in vectors.shard_hashes().items():
        if mined_from.get(study.relative(path)) != sha256:
            raise StudyError(f"{path} is not what the pairs were mined from: run `snellen mine` again.")
    return vectors.block(0, n_rows)


def _unchanged(study: Study, artefact: Path, verb: str) -> dict[str, str]:
    """Return sha256 of an artefact's files by path, after comparing them with its manifest."""
    manifest = study.read_manifest(artefact)
    assert manifest is not None
    outputs: dict[str, str] = manifest["outputs"]
    for path, expected in outputs.items():
        file = study.root / path
        if not file.is_file() or storage.sha256_of_file(file) != expected:
            raise StudyError(f"{file} was changed after it was written: run `snellen {verb}` again.")
    return outputs
