"""One encoder's vectors on disk: the plan made once, and shards that are whole or not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snellen import storage
from snellen.embedding.catalogue import Catalogue
from snellen.errors import StudyError
from snellen.records import Image
from snellen.vectors import HalfArray

REUSED = ("device", "dtype", "batch_size", "software")
"""Settings that change the last bits of vectors: resolved by the first run, and the same for every later one."""


class EmbeddingShards:
    """The folder `embeddings/<slug>/`: `plan.json`, and for each shard `part-00000.npy` and its record."""

    def __init__(self, folder: Path, plan: Mapping[str, Any], catalogue: Catalogue) -> None:
        self.folder = folder
        self.plan = plan
        self._catalogue = catalogue
        self._plan_sha256 = storage.sha256_of_json(plan)
        self._dim = int(plan["encoder"]["dim"])

    @classmethod
    def stored_plan(cls, folder: Path) -> dict[str, Any] | None:
        """The plan with which an earlier run began this folder."""
        path = folder / "plan.json"
        return storage.read_json(path) if path.exists() else None

    def begin(self, stored: Mapping[str, Any] | None, manifest: Path) -> None:
        """Write the plan down, or compare it with the one that earlier shards were made by.

        Args:
            stored: the plan of an earlier run, if there is one.
            manifest: the embedding's manifest: one that outlived its folder vouches for nothing, and is removed.

        Raises:
            StudyError: the folder was begun with other settings or other versions of the software.
        """
        if stored is None:
            manifest.unlink(missing_ok=True)
            storage.write_json(self.folder / "plan.json", self.plan)
            return
        for key in ("encoder", *REUSED):
            if stored.get(key) != self.plan[key]:
                raise StudyError(
                    f"{self.folder} was begun with {key} {_brief(stored.get(key), self.plan[key])}, which could change "
                    f"its vectors: use the same as then, or delete that folder to embed afresh."
                )

    def finished(self, shard: int) -> bool:
        """Whether the shard is there and is what its record says."""
        path = self._part(shard)
        record = path.with_suffix(".json")
        if not (path.exists() and record.exists()):
            return False
        if storage.read_json(record).get("sha256") != storage.sha256_of_file(path):
            return False
        shape = (len(self._catalogue.rows(shard)), self._dim)
        values = np.load(path, mmap_mode="r", allow_pickle=False)
        return bool(values.shape == shape and values.dtype == np.float16)

    def write(self, shard: int, vectors: Mapping[int, NDArray[np.float32]], images: Sequence[Image]) -> None:
        """Write a shard: the given rows' unit vectors, copies for duplicates, zeros where an image is not ok."""
        rows = self._catalogue.rows(shard)
        values: HalfArray = np.zeros((len(rows), self._dim), dtype=np.float16)
        for row, vector in vectors.items():
            values[row - rows.start] = vector
        for image in images:
            if image.duplicate_of is not None and image.status == "ok":
                values[image.row - rows.start] = self._vector(image.duplicate_of, rows.start, values)
        path = self._part(shard)
        storage.write_npy(path, values)
        storage.write_json(
            path.with_suffix(".json"),
            {
                "first_row": rows.start,
                "rows": len(rows),
                "sha256": storage.sha256_of_file(path),
                "inputs": self.inputs(images),
            },
        )

    def inputs(self, images: Sequence[Image]) -> str:
        """Hash what a shard is made from: the plan and its images."""
        return storage.sha256_of_json([self._plan_sha256, [(image.image_id, image.status) for image in images]])

    def check_inputs(self, shard: int, images: Sequence[Image]) -> None:
        """Check that a finished shard was made from these images and this plan.

        Raises:
            StudyError: it was not.
        """
        path = self._part(shard)
        if storage.read_json(path.with_suffix(".json")).get("inputs") != self.inputs(images):
            raise StudyError(
                f"{path} was made from other images or settings than its study holds now: delete the folder "
                f"{self.folder} to embed afresh."
            )

    def outputs(self) -> dict[str, str]:
        """Return sha256 of every shard, by file name."""
        return {
            self._part(shard).name: storage.read_json(self._part(shard).with_suffix(".json"))["sha256"]
            for shard in range(self._catalogue.shards)
        }

    def _vector(self, row: int, first_row: int, values: HalfArray) -> HalfArray:
        if row >= first_row:
            vector: HalfArray = values[row - first_row]
            return vector
        shard, line = divmod(row, self._catalogue.shard_rows)
        earlier: HalfArray = np.load(self._part(shard), mmap_mode="r", allow_pickle=False)[line]
        return earlier

    def _part(self, shard: int) -> Path:
        return self.folder / f"part-{shard:05d}.npy"


def _brief(then: object, now: object) -> str:
    """Say how two settings differ; of two mappings, only the entries that do."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        keys = [key for key in {**then, **now} if then.get(key) != now.get(key)]
        return ", ".join(f"{key} {then.get(key)} (now {now.get(key)})" for key in keys)
    return f"{then} (now {now})"
