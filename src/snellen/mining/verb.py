"""The verb `mine`: find every pair that one encoder cannot tell apart and another can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snellen import storage
from snellen.defaults import BLIND_ENCODER, BLIND_MIN, REFERENCE_ENCODER, REFERENCE_MAX
from snellen.mining.asked.options import Options
from snellen.mining.asked.prepare import said_of_backend
from snellen.mining.asked.question import Question, open_question
from snellen.mining.counted import count
from snellen.mining.filters.choose import Backend
from snellen.mining.found.parts import Parts
from snellen.mining.found.select import Selection
from snellen.mining.found.sinks import Counting, Storing
from snellen.mining.found.write import write_pairs
from snellen.mining.join.two_sided import LabelRule
from snellen.progress import SILENT, Progress
from snellen.study import Study


@dataclass(frozen=True, slots=True)
class MiningResult:
    """What `mine` wrote.

    `pairs` and `mining` are the files (with `count_only`: None, and `counts.json`), `details` the content of the latter
    (keys: `snellen.mining.counted`); `reused` says that an earlier run with the same inputs and settings had
    already written them; `note` is what the user should know of how it was done, if anything.
    """

    pairs: Path | None
    mining: Path
    details: Mapping[str, Any]
    reused: bool
    note: str | None = None

    @property
    def counts(self) -> Mapping[str, int]:
        """How many images and pairs every filter left, in order."""
        counts: Mapping[str, int] = self.details["counts"]
        return counts

    @property
    def n_pairs(self) -> int:
        """How many pairs were written."""
        return self.counts.get("written", 0)

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
    max_pairs: int | str | None = None,
    max_per_image: int | None = None,
    top_k: int | None = None,
    collapse_copies: float | None = None,
    labels: LabelRule = "any",
    seed: int = 0,
    count_only: bool = False,
    earlier: str | Path | None = None,
    threads: int | None = None,
    backend: Backend = "auto",
    progress: Progress = SILENT,
) -> MiningResult:
    """Find every blind pair of a study, exactly, and write `pairs.parquet` and `mining.json`.

    A pair passes when its blind cosine is above `blind_min` and its reference cosine below `reference_max`, strictly,
    both being float64 dot products of the stored rows. Images that are not ok, and exact duplicates of an earlier
    image, take no part. Run again after a kill, it goes on where it was; run again with nothing changed, it does
    nothing. Caps apply in the order of the parameters `max_per_image`, `top_k`, `max_pairs`; totals before them are
    exact, and what they drop is counted.

    Args:
        study: folder that `embed` wrote to, with both encoders' embeddings.
        blind: name or slug of the encoder under examination.
        reference: name or slug of the encoder that still sees.
        blind_min: a cosine in [-1, 1], or a quantile of this collection's pairs, as "q0.9999".
        reference_max: the same.
        max_pairs: write at most so many, those of the largest gap between the cosines. "all": write all, however many.
            None: write all, but stop with an error where more than `defaults.MAX_PAIRS` would be written.
        max_per_image: at most so many pairs of one image, chosen greedily by gap, ties by pair_id; 1: each image in one
            pair only.
        top_k: only pairs that are among the k largest gaps of at least one of their two images, ties by pair_id.
        collapse_copies: images whose cosines with an earlier one both exceed this are copies of it, and left out.
        labels: "within": only pairs of one label; "across": only of different ones. Unlabelled images then match
            nothing.
        seed: of the samples that estimates, and quantiles and surveys of more than 20,000 images, are taken from.
        count_only: only count, and write `counts.json`; `pairs.parquet` and `mining.json` stay as they are.
        earlier: a study that this one has grown from, mined with the same encoders and thresholds: only pairs with a
            new image are joined, the others taken from there. What is written is the same. Not for label rules, nor
            with `collapse_copies`.
        threads: how many; None: as many as there are cores. Changes the time, nothing else.
        backend: "auto", "compiled", "portable" or "torch". Changes the time, nothing else.
        progress: told what goes on.

    Raises:
        UsageError: an option is wrong, or names an encoder that is not embedded; far more pairs pass than can be meant
            (see `max_pairs`); the earlier study cannot stand for old pairs.
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
        top_k=top_k,
        collapse_copies=collapse_copies,
        labels=labels,
        seed=seed,
        count_only=count_only,
        threads=threads,
        backend=backend,
        earlier=earlier,
    )
    opened = Study.existing(study)
    folder = opened.counts_parts if options.count_only else opened.mining_parts
    with opened.lock([folder]):
        question = open_question(opened, options, progress)
        pairs = None if options.count_only else opened.pairs
        written = opened.counts if options.count_only else opened.mining
        files = [written] if pairs is None else [pairs, written]
        stored = question.answer(files[0], *files)
        if stored is not None:
            if folder.exists():  # killed between the last write and tidying up
                Parts(folder, question.key).remove()
            return MiningResult(pairs, written, stored, reused=True)
        note = said_of_backend(options)
        if note:
            progress.note(note)
        parts = Parts(folder, question.key)
        details = _counted(question, parts, progress) if options.count_only else _mined(question, parts, progress)
        question.vouch(files[0], *files, counts=details["counts"])
        parts.remove()
        return MiningResult(pairs, written, details, reused=False, note=note)


def _mined(question: Question, parts: Parts, progress: Progress) -> dict[str, Any]:
    """Mine, write both files, and return the content of `mining.json`."""
    study, options, collection = question.study, question.options, question.collection
    counted = count(question, parts, Storing(collection, options.pruning), progress)
    _being_replaced(study, study.pairs)
    selection = Selection(options.max_per_image, options.top_k, options.max_pairs)
    write_pairs(study, collection, selection.pairs(counted.records(), len(collection), parts.scratch))
    counts = counted.counts()
    details = counted.details(
        counts | selection.counts(counts["after_labels"]), selection.truncated(counts["after_labels"])
    )
    storage.write_json(study.mining, details)
    return details


def _counted(question: Question, parts: Parts, progress: Progress) -> dict[str, Any]:
    """Count, write `counts.json`, and return its content."""
    counted = count(question, parts, Counting(), progress)
    _being_replaced(question.study, question.study.counts)
    details = counted.details(counted.counts(), None)
    storage.write_json(question.study.counts, details)
    return details


def _being_replaced(study: Study, artefact: Path) -> None:
    """Say that what an earlier run wrote no longer stands."""
    manifest = study.manifest_path(artefact)
    with storage.storage_errors(manifest):
        manifest.unlink(missing_ok=True)
