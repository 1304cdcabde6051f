"""What is asked of which study: everything that what is found depends on, opened and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from snellen import storage
from snellen.errors import StudyError, UsageError
from snellen.mining.asked.options import Options
from snellen.mining.earlier.opened import open_earlier
from snellen.mining.earlier.study import Earlier
from snellen.mining.inputs.collection import Collection, read_collection
from snellen.mining.inputs.sides import Embedding, find_slug, open_embedding
from snellen.mining.join import order
from snellen.mining.join.tiles import Tiling
from snellen.progress import SILENT, Progress
from snellen.study import Study, software

TILING = Tiling()

FORMAT = 4
"""Version of the intermediate files; those of another version are not gone on from."""


@dataclass(frozen=True)
class Question:
    """A study's images and two embeddings, what is asked about them, and what an earlier study knows of it."""

    study: Study
    options: Options
    collection: Collection
    blind: Embedding
    reference: Embedding
    earlier: Earlier | None = None

    @property
    def inputs(self) -> dict[str, str]:
        """Return sha256 of every file that the answer depends on, by path relative to the study."""
        return {**self.collection.inputs, **self.blind.inputs, **self.reference.inputs}

    @property
    def settings(self) -> dict[str, Any]:
        """Return the settings of the manifest; encoders by name, however they were named: one question, one answer."""
        names = {"blind": self.blind.name, "reference": self.reference.name}
        return {
            "asked": self.options.as_json() | names,
            "blind": self.blind.as_json(),
            "reference": self.reference.as_json(),
            "earlier": None if self.earlier is None else self.earlier.as_json(),
        }

    @property
    def key(self) -> str:
        """Return a hash of all that finished stripes depend on."""
        return storage.sha256_of_json(
            {
                "format": FORMAT,
                "settings": self.settings | {"asked": self.options.of_stripes()},
                "inputs": self.inputs,
                "tiling": asdict(TILING),
                "sample": order.SAMPLE_ROWS,
            }
        )

    def answer(self, artefact: Path, *files: Path) -> dict[str, Any] | None:
        """Return the content of the last of some files, where an earlier run wrote all of them in answer to this.

        Args:
            artefact: whose manifest vouches for them.
            files: a JSON file last.

        Returns:
            None where something else was asked, an input has changed, or a file is not as it was written.
        """
        manifest = self.study.read_manifest(artefact)
        if manifest is None or manifest["settings"] != self.settings or manifest["inputs"] != self.inputs:
            return None
        if not all(path.exists() for path in files) or manifest["outputs"] != self._hashes(*files):
            return None
        return storage.read_json(files[-1])

    def vouch(self, artefact: Path, *files: Path, counts: Mapping[str, int]) -> None:
        """Write the manifest that says that these files answer this question; write it last."""
        self.study.write_manifest(
            artefact,
            verb="mine",
            settings=self.settings,
            software=software("numpy", "pyarrow", "scipy"),
            inputs=self.inputs,
            outputs=self._hashes(*files),
            counts=counts,
        )

    def _hashes(self, *files: Path) -> dict[str, str]:
        return {self.study.relative(path): storage.sha256_of_file(path) for path in files}


def open_question(study: Study, options: Options, progress: Progress = SILENT) -> Question:
    """Open all that is asked about.

    Raises:
        UsageError: an encoder is not embedded, or both are the same; labels are compared and there are none; the
            earlier study was mined with another question, or has images that this one has not.
        StudyError: an artefact is missing, damaged, or made from other inputs; a vector is zero or not finite.
    """
    collection = read_collection(study)
    manifests = study.finished_embeddings()
    blind = find_slug(manifests, options.blind, "--blind")
    reference = find_slug(manifests, options.reference, "--reference")
    if manifests[blind]["settings"]["encoder"] == manifests[reference]["settings"]["encoder"]:
        raise UsageError(
            f"--blind and --reference both mean {blind}: an encoder is compared with another one; "
            f"embedded are {', '.join(manifests)}."
        )
    if not len(collection):
        raise StudyError(f"{study.images} has no rows: embed a source that holds images.")
    if options.labels != "any" and not np.any(collection.labels[collection.distinct()] >= 0):
        raise UsageError(
            f"--labels {options.labels} compares labels, and no image of this study has one: use --labels any, or "
            "embed a source that gives labels (folders named after classes, or a label column)."
        )
    first, second = (open_embedding(study, slug, manifests[slug], collection, progress) for slug in (blind, reference))
    earlier = None
    if options.earlier is not None:
        earlier = open_earlier(options.earlier, options.absolute, study, collection, first, second, progress)
    return Question(study, options, collection, first, second, earlier)
