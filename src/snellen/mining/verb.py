"""The verb `mine`: find every pair that one encoder cannot tell apart and another can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from snellen import storage
from snellen.defaults import BLIND_ENCODER, BLIND_MIN, REFERENCE_ENCODER, REFERENCE_MAX
from snellen.errors import StudyError, UsageError
from snellen.mining.collection import read_collection
from snellen.mining.copies import collapse
from snellen.mining.exact import Side
from snellen.mining.filters.choose import Backend, choose_filter
from snellen.mining.join import Condition, Join, LabelRule, Labels
from snellen.mining.options import Options
from snellen.mining.parts import Parts
from snellen.mining.pool import cores
from snellen.mining.select import Selection
from snellen.mining.sides import Embedding, find_slug, open_embedding
from snellen.mining.stream import survey_stream
from snellen.mining.stripe import Totals, join_stripes, read_stripes
from snellen.mining.survey import survey
from snellen.mining.thresholds import as_json, resolve_threshold
from snellen.mining.tiles import Filter, Tiling, pairs_of
from snellen.mining.write import write_pairs
from snellen.progress import SILENT, Progress
from snellen.study import Study, software

TILING = Tiling()

QUANTILE_SAMPLE = 10_000_000
"""Pairs drawn for a quantile, above ALL_PAIRS_IMAGES images."""

FORMAT = 2
"""Version of the intermediate files; those of another version are not gone on from."""


@dataclass(frozen=True, slots=True)
class MiningResult:
    """What `mine` wrote.

    `pairs` and `mining` are the files, `details` the content of `mining.json` (keys: `snellen.mining.write`); `reused`
    says that an earlier run with the same inputs and settings had already written them.
    """

    pairs: Path
    mining: Path
    details: Mapping[str, Any]
    reused: bool

    @property
    def counts(self) -> Mapping[str, int]:
        """How many images and pairs every filter left, in order."""
        counts: Mapping[str, int] = self.details["counts"]
        return counts

    @property
    def n_pairs(self) -> int:
        """How many pairs were written."""
        return self.counts["written"]

    @property
    def blind_min(self) -> float:
        """The threshold that blind cosines were compared with."""
        return float(self.details["resolved"]["blind_min"]["value"])

    @property
    def reference_max(self) -> float:
        """The threshold that reference cosines were compared with."""
        return float(self.details["resolved"]["reference_max"]["value"])


def mine(
    study: str | Path,
    *,
    blind: str = BLIND_ENCODER,
    reference: str = REFERENCE_ENCODER,
    blind_min: float | str = BLIND_MIN,
    reference_max: float | str = REFERENCE_MAX,
    max_pairs: int | None = None,
    max_per_image: int | None = None,
    collapse_copies: float | None = None,
    labels: LabelRule = "any",
    seed: int = 0,
    threads: int | None = None,
    backend: Backend = "auto",
    progress: Progress = SILENT,
) -> MiningResult:
    """Find every blind pair of a study, exactly, and write `pairs.parquet` and `mining.json`.

    A pair passes when its blind cosine is above `blind_min` and its reference cosine below `reference_max`, strictly,
    both being float64 dot products of the stored rows. Images that are not ok, and exact duplicates of an earlier
    image, take no part. Run again after a kill, it goes on where it was; run again with nothing changed, it does
    nothing.

    Args:
        study: folder that `embed` wrote to, with both encoders' embeddings.
        blind: name or slug of the encoder under examination.
        reference: name or slug of the encoder that still sees.
        blind_min: a cosine in [-1, 1], or a quantile of this collection's pairs, as "q0.9999".
        reference_max: the same.
        max_pairs: write at most so many, those of the largest gap between the cosines; totals stay exact.
        max_per_image: at most so many pairs of one image, chosen greedily by gap, ties by pair_id; 1: each image in one
            pair only. Applied before `max_pairs`.
        collapse_copies: images whose cosines with an earlier one both exceed this are copies of it, and left out.
        labels: "within": only pairs of one label; "across": only of different ones. Unlabelled images then match
            nothing.
        seed: of the samples that quantiles and surveys of more than 20,000 images are taken from.
        threads: how many; None: as many as there are cores. Changes the time, nothing else.
        backend: "auto", "compiled", "portable" or "torch". Changes the time, nothing else.
        progress: told what goes on.

    Raises:
        UsageError: an option is wrong, or names an encoder that is not embedded.
        StudyError: an artefact is missing, damaged, or made from other inputs; a vector is zero or not finite.
        StorageError: the disk is full, or another process is writing to the study.
    """
    options = Options.checked(
        blind=blind,
        reference=reference,
        blind_min=blind_min,
        reference_max=reference_max,
        max_pairs=max_pairs,
        max_per_image=max_per_image,
        collapse_copies=collapse_copies,
        labels=labels,
        seed=seed,
    )
    opened = Study.existing(study)
    with opened.lock([opened.mining_parts]):
        return _Mining(opened, options, Means(threads or cores(), backend), progress).run()


class Means(NamedTuple):
    """With what it is done: changes the time, nothing else."""

    threads: int
    backend: Backend


class _Mining:
    """One run, step by step."""

    def __init__(self, study: Study, options: Options, means: Means, progress: Progress) -> None:
        self.study = study
        self.options = options
        self.means = means
        self.progress = progress
        self.collection = read_collection(study)
        self.blind, self.reference = self._embeddings()
        self.inputs = {**self.collection.inputs, **self.blind.inputs, **self.reference.inputs}
        self.settings = {
            # By name, however they were named, so that the same question is the same question.
            "asked": options.as_json() | {"blind": self.blind.name, "reference": self.reference.name},
            "blind": self.blind.as_json(),
            "reference": self.reference.as_json(),
        }

    def run(self) -> MiningResult:
        """Do what is not done yet."""
        stored = self._stored()
        if stored is None:
            parts = self._parts()
            details = self._details(parts)
            parts.remove()
            return MiningResult(self.study.pairs, self.study.mining, details, reused=False)
        if self.study.mining_parts.exists():  # killed between the last write and tidying up
            self._parts().remove()
        return MiningResult(self.study.pairs, self.study.mining, stored, reused=True)

    def _parts(self) -> Parts:
        key = {"format": FORMAT, "settings": self.settings, "inputs": self.inputs, "tiling": asdict(TILING)}
        return Parts(self.study.mining_parts, storage.sha256_of_json(key))

    def _embeddings(self) -> tuple[Embedding, Embedding]:
        manifests = self.study.finished_embeddings()
        blind = find_slug(manifests, self.options.blind, "--blind")
        reference = find_slug(manifests, self.options.reference, "--reference")
        if manifests[blind]["settings"]["encoder"] == manifests[reference]["settings"]["encoder"]:
            raise UsageError(
                f"--blind and --reference both mean {blind}: an encoder is compared with another one; "
                f"embedded are {', '.join(manifests)}."
            )
        if not len(self.collection):
            raise StudyError(f"{self.study.images} has no rows: embed a source that holds images.")
        self._check_labels()
        first, second = (
            open_embedding(self.study, slug, manifests[slug], self.collection, self.progress)
            for slug in (blind, reference)
        )
        return first, second

    def _check_labels(self) -> None:
        rule = self.options.labels
        if rule != "any" and not np.any(self.collection.labels[self.collection.distinct()] >= 0):
            raise UsageError(
                f"--labels {rule} compares labels, and no image of this study has one: use --labels any, or embed a "
                "source that gives labels (folders named after classes, or a label column)."
            )

    def _stored(self) -> dict[str, Any] | None:
        """Return `mining.json` where an earlier run wrote all of this, and it is still as it was written."""
        manifest = self.study.read_manifest(self.study.pairs)
        if manifest is None or manifest["settings"] != self.settings or manifest["inputs"] != self.inputs:
            return None
        files = (self.study.pairs, self.study.mining)
        if not all(path.exists() for path in files) or manifest["outputs"] != self._hashes(*files):
            return None
        return storage.read_json(self.study.mining)

    def _hashes(self, *files: Path) -> dict[str, str]:
        return {self.study.relative(path): storage.sha256_of_file(path) for path in files}

    def _details(self, parts: Parts) -> dict[str, Any]:
        """Mine, write everything, and return the content of `mining.json`."""
        options, collection, progress = self.options, self.collection, self.progress
        distinct = collection.distinct()
        rows = distinct
        if options.collapse_copies is not None:
            both = Side(self.blind.vectors, rows), Side(self.reference.vectors, rows)
            copies = collapse(
                *both,
                options.collapse_copies,
                parts,
                TILING,
                lambda side, limit: self._filter(side, limit, parts),
                self.means.threads,
                progress,
            )
            rows = rows[~copies]
        blind, reference = Side(self.blind.vectors, rows), Side(self.reference.vectors, rows)

        resolved = parts.remembered("resolved", lambda: self._resolve(blind, reference))
        rule = Labels(options.labels, collection.labels[rows])
        condition = Condition(resolved["blind_min"]["value"], resolved["reference_max"]["value"], rule)
        chosen = self._filter(blind, condition.blind_min, parts)
        join = Join(blind, reference, chosen, condition, TILING, self.means.threads)
        totals = join_stripes(join, collection, parts, progress)
        surveyed = parts.remembered(
            "survey",
            lambda: survey(
                blind,
                reference,
                condition,
                collection,
                options.seed,
                nothing_passed=totals.after_labels == 0,
                above=totals.above,
                progress=progress,
            ),
        )

        manifest = self.study.manifest_path(self.study.pairs)
        with storage.storage_errors(manifest):
            manifest.unlink(missing_ok=True)  # from here on, what an earlier run wrote is being replaced
        selection = Selection(options.max_per_image, options.max_pairs)
        write_pairs(self.study, collection, selection.pairs(read_stripes(join, parts), len(collection), parts.scratch))
        details = {
            "blind": self.blind.as_json(),
            "reference": self.reference.as_json(),
            # By name, however they were named, so that the same question is the same question.
            "asked": options.as_json() | {"blind": self.blind.name, "reference": self.reference.name},
            "resolved": resolved,
            "counts": self._counts(distinct.size, rows.size, totals, selection),
            "images_without_label": None if options.labels == "any" else int(np.count_nonzero(rule.codes < 0)),
            "truncated": {
                "max_per_image": selection.dropped_per_image,
                "max_pairs": selection.dropped_total,
                "images_capped": selection.images_capped,
            },
            **surveyed,
        }
        self._finish(details)
        return details

    def _filter(self, side: Side, blind_min: float, parts: Parts) -> Filter:
        means = self.means
        return choose_filter(
            side,
            blind_min,
            self.options.seed,
            parts.scratch,
            backend=means.backend,
            threads=means.threads,
            progress=self.progress,
        ).filter

    def _resolve(self, blind: Side, reference: Side) -> dict[str, Any]:
        stream = survey_stream(blind, reference, self.options.seed, QUANTILE_SAMPLE)
        return {
            "blind_min": as_json(
                resolve_threshold(self.options.blind_min, stream, "blind", "--blind-min", self.progress)
            ),
            "reference_max": as_json(
                resolve_threshold(self.options.reference_max, stream, "reference", "--reference-max", self.progress)
            ),
        }

    def _counts(self, distinct: int, mined: int, totals: Totals, selection: Selection) -> dict[str, int]:
        return {
            "images": len(self.collection),
            "ok": int(np.count_nonzero(self.collection.ok)),
            "distinct": distinct,
            "after_collapse": mined,
            "pairs": pairs_of(mined),
            "above_blind_min": totals.above_blind_min,
            "below_reference_max": totals.below_reference_max,
            "after_labels": totals.after_labels,
            "after_max_per_image": totals.after_labels - selection.dropped_per_image,
            "written": selection.written,
        }

    def _finish(self, details: dict[str, Any]) -> None:
        storage.write_json(self.study.mining, details)
        self.study.write_manifest(
            self.study.pairs,
            verb="mine",
            settings=self.settings,
            software=software("numpy", "pyarrow", "scipy"),
            inputs=self.inputs,
            outputs=self._hashes(self.study.pairs, self.study.mining),
            counts=details["counts"],
        )
