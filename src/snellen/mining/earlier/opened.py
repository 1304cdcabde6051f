"""Opening an earlier study: checked as `mine` checks its own, and refused where it cannot stand for old pairs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from snellen import storage
from snellen.errors import StudyError, UsageError
from snellen.mining.earlier.grown import compare_vectors, match_images
from snellen.mining.earlier.study import Earlier, check_thresholds
from snellen.mining.found.stripe import Totals
from snellen.mining.inputs.collection import Collection, read_collection
from snellen.mining.inputs.sides import Embedding, open_embedding
from snellen.mining.join.cells import CellCounts
from snellen.progress import SILENT, Progress
from snellen.study import Study


def open_earlier(
    folder: Path,
    thresholds: Mapping[str, float],
    study: Study,
    collection: Collection,
    blind: Embedding,
    reference: Embedding,
    progress: Progress = SILENT,
) -> Earlier:
    """Open an earlier study, check all of it as `mine` checks its own, and find its images in this one.

    Args:
        folder: the earlier study.
        thresholds: this one's, by name; those that are known already, so that all that may be refused early is.
        study: this one.
        collection: the images of this one.
        blind: this one's vectors of the encoder under examination.
        reference: this one's vectors of the encoder that still sees.
        progress: told of rows.

    Raises:
        UsageError: it was mined with another question (encoders, thresholds, labels, copies), or did not write all its
            pairs, or has an image that is missing here, or has another vector here.
        StudyError: it was not mined to the end, is damaged, or has changed since.
    """
    earlier = Study.existing(folder)
    if earlier.root.resolve() == study.root.resolve():
        raise UsageError(f"--earlier {folder} is the study itself: name the one that it has grown from.")
    manifest = earlier.read_manifest(earlier.pairs)
    if manifest is None:
        raise StudyError(f"{earlier.root} is not mined to the end: run `snellen mine {earlier.root}` first.")
    _check_question(earlier, manifest, blind, reference)
    details = _details(earlier, manifest)
    check_thresholds(earlier, details["resolved"], thresholds)
    there = read_collection(earlier)
    theirs = [_embedding(earlier, manifest, side, there, progress) for side in ("blind", "reference")]
    if manifest["inputs"] != {**there.inputs, **theirs[0].inputs, **theirs[1].inputs}:
        raise StudyError(
            f"{earlier.pairs} was mined from other images or vectors than {earlier.root} has now: run `snellen mine "
            f"{earlier.root}` again."
        )
    grown = match_images(collection, there, study.root, earlier.root)
    for here, other in zip((blind, reference), theirs, strict=True):
        compare_vectors(grown, here, other, collection, earlier.root, progress)
    counts = details["counts"]
    rows_here = np.full(len(there), -1, dtype=np.int64)
    rows_here[grown.there] = grown.here
    return Earlier(
        study=earlier,
        manifest=manifest,
        resolved=details["resolved"],
        totals=Totals(
            above_blind_min=counts["above_blind_min"],
            below_reference_max=counts["below_reference_max"],
            after_labels=counts["after_labels"],
            above=CellCounts.from_json(details["above_cells"]),
        ),
        order=grown.order,
        n_new=grown.n_new,
        rows_here=rows_here,
    )


def _check_question(earlier: Study, manifest: Mapping[str, Any], blind: Embedding, reference: Embedding) -> None:
    settings = manifest["settings"]
    for side, here in (("blind", blind), ("reference", reference)):
        there = settings[side]
        if there["fingerprint"] != here.fingerprint:
            raise UsageError(
                f"--earlier {earlier.root} was mined with --{side} {there['name']} (fingerprint "
                f"{there['fingerprint'][:8]}), and here --{side} is {here.name} ({here.fingerprint[:8]}): mine both "
                "with the same encoders, or run `snellen mine` without --earlier."
            )
    asked, counts = settings["asked"], manifest["counts"]
    for option, given in (("--labels", asked["labels"]), ("--collapse-copies", asked["collapse_copies"])):
        if given not in ("any", None):
            raise UsageError(
                f"--earlier {earlier.root} was mined with {option} {given}, which may judge its pairs otherwise in "
                "another collection: mine it again without, or run `snellen mine` without --earlier."
            )
    if counts["written"] != counts["after_labels"]:
        raise UsageError(
            f"--earlier {earlier.root} wrote {counts['written']:,} of its {counts['after_labels']:,} pairs, and all of "
            "them are needed: mine it again without caps, or run `snellen mine` without --earlier."
        )


def _details(earlier: Study, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return `mining.json`, of which the manifest vouches, as for `pairs.parquet`."""
    for path in (earlier.pairs, earlier.mining):
        if not path.exists() or storage.sha256_of_file(path) != manifest["outputs"][earlier.relative(path)]:
            raise StudyError(
                f"{path} is missing or was changed after it was written: run `snellen mine {earlier.root}` again."
            )
    details = storage.read_json(earlier.mining)
    if "above_cells" not in details:
        raise StudyError(
            f"{earlier.mining} has no above_cells, which Snellen did not always write: run `snellen mine "
            f"{earlier.root}` again."
        )
    return details


def _embedding(
    earlier: Study, manifest: Mapping[str, Any], side: str, there: Collection, progress: Progress
) -> Embedding:
    slug = manifest["settings"][side]["slug"]
    stored = earlier.finished_embeddings().get(slug)
    if stored is None:
        raise StudyError(
            f"{earlier.embedding(slug)} is missing or unfinished: run `snellen embed` again, or `snellen mine` without "
            "--earlier."
        )
    return open_embedding(earlier, slug, stored, there, progress)
