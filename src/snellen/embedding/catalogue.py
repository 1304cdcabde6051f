"""The images of a study: what earlier runs found out about them, and what this run adds.

The first `embed` of a study writes the table of images shard by shard into `images.parts/`, beside its own vectors, so
that every image is decoded once. When all shards are there they become `images.parquet`. Later runs compare what they
read with it: a study whose images have changed is refused, never mixed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from snellen import image_table, storage
from snellen.errors import StudyError
from snellen.images.base import ImageSource
from snellen.images.decode import Limits
from snellen.records import Image, ImageRef
from snellen.study import Study, software

SHARD_ROWS = 2048
"""Rows of a shard: what a killed run loses at most."""


class Catalogue:
    """The study's rows, fixed by the source's listing and cut into shards."""

    def __init__(self, study: Study, refs: Sequence[ImageRef], settings: dict[str, Any]) -> None:
        self.refs = refs
        self.shard_rows: int = settings["shard_rows"]
        self.shards = -(-len(refs) // self.shard_rows)
        self._study = study
        self._settings = settings
        self._finished: list[Image] | None = None

    @classmethod
    def open(
        cls, study: Study, source: ImageSource, refs: Sequence[ImageRef], limits: Limits, shard_rows: int | None
    ) -> Catalogue:
        """Begin the study's table of images, or go on with it.

        Raises:
            StudyError: the source lists other images than the study began with, or the settings differ.
        """
        plan = study.images_plan
        manifest = study.read_manifest(study.images)
        if manifest is None and study.images.is_dir():  # killed after the parts were moved, before the manifest
            study.images.replace(study.images_parts)
        stored = storage.read_json(plan) if plan.exists() and manifest is None else (manifest or {}).get("settings")
        settings = {
            "source": source.kind,
            "listing_sha256": storage.sha256_of_json([(ref.uri, ref.label, ref.orientation) for ref in refs]),
            "rows": len(refs),
            "shard_rows": shard_rows or (stored or {}).get("shard_rows", SHARD_ROWS),
            "limits": asdict(limits),
            "software": software("pillow"),
            "skipped": dict(source.skipped),
        }
        self = cls(study, refs, settings)
        if stored is None:
            storage.write_json(plan, settings)
            return self
        if manifest is not None:
            self._finished = image_table.read(study)
        self._refuse_changes(stored)
        self._settings = stored  # counts of skipped files and software as they were when the study began
        return self

    def _refuse_changes(self, stored: dict[str, Any]) -> None:
        for key, what in (("source", "kind of source"), ("limits", "image limits"), ("shard_rows", "shard rows")):
            if stored.get(key) != self._settings[key]:
                raise StudyError(
                    f"The study {self._study.root} was begun with another {what} ({json.dumps(stored.get(key))}, now "
                    f"{json.dumps(self._settings[key])}): use the same as then, or begin a new study."
                )
        if stored.get("listing_sha256") != self._settings["listing_sha256"]:
            raise StudyError(
                f"The images are not those that the study {self._study.root} was begun with: {stored.get('rows')} "
                f"then, {len(self.refs)} now{self._first_difference()}; put them back as they were, or begin a new "
                "study with another --out folder."
            )

    def _first_difference(self) -> str:
        for image, ref in zip(self._finished or (), self.refs, strict=False):
            if (image.uri, image.label) != (ref.uri, ref.label):
                return f", the first difference at row {image.row} ({image.uri} then, {ref.uri} now)"
        return ""

    # -- shards -----------------------------------------------------------------------------------------------------

    def rows(self, shard: int) -> range:
        """The rows of a shard."""
        first = shard * self.shard_rows
        return range(first, min(first + self.shard_rows, len(self.refs)))

    def known(self, shard: int) -> list[Image] | None:
        """What earlier runs found out about a shard's images; None if nothing yet."""
        if self._finished is not None:
            rows = self.rows(shard)
            return self._finished[rows.start : rows.stop]
        part = self._part(shard)
        return image_table.read_file(part) if part.exists() else None

    def add(self, shard: int, images: Sequence[Image]) -> None:
        """Keep what was found out about a shard's images, unless it is known already."""
        if self._finished is None and not self._part(shard).exists():
            image_table.write(self._part(shard), images)

    def finish(self, images: list[Image]) -> dict[str, str]:
        """Make `images.parquet` of the shards, once all are there.

        Args:
            images: all rows, as the shards hold them.

        Returns:
            sha256 by path relative to the study.
        """
        study = self._study
        if self._finished is None:
            parts = [self._part(shard) for shard in range(self.shards)]
            hashes = image_table.assemble(study, parts, len(self.refs))
            study.write_manifest(
                study.images,
                verb="embed",
                settings={key: value for key, value in self._settings.items() if key != "software"},
                software=self._settings["software"],
                inputs={},
                outputs=hashes,
                counts={**image_table.counts(images), "skipped": self._settings["skipped"]},
            )
            self._finished = images
        self._sweep()
        manifest = study.read_manifest(study.images)
        assert manifest is not None  # written above, or found by `open`
        outputs: dict[str, str] = manifest["outputs"]
        return outputs

    def _sweep(self) -> None:
        shutil.rmtree(self._study.images_parts, ignore_errors=True)
        self._study.images_plan.unlink(missing_ok=True)

    def _part(self, shard: int) -> Path:
        return self._study.images_parts / f"part-{shard:05d}.parquet"
