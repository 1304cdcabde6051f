"""The verb `zeroshot`: encoders on a labelled collection of images."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from snellen import jsonl, storage
from snellen.encoders import size
from snellen.encoders.base import ImageTextEncoder
from snellen.errors import StudyError, UsageError
from snellen.exam.zeroshot import metrics
from snellen.exam.zeroshot.classes import Classes, read_classes
from snellen.exam.zeroshot.contrasts import Contrast, contrasts
from snellen.exam.zeroshot.dataset import Dataset, read_dataset
from snellen.exam.zeroshot.files import (
    PREDICTIONS,
    ZEROSHOT,
    Prediction,
    ZeroShot,
    folder_of_all,
    is_finished,
    read_predictions,
    read_zeroshot,
    write_zeroshot,
)
from snellen.exam.zeroshot.loading import Loaded, loaded
from snellen.exam.zeroshot.predicting import Work
from snellen.exam.zeroshot.templates import Templates, read_templates
from snellen.images.decode import Limits
from snellen.images.open import open_source
from snellen.jsonl import quoted
from snellen.progress import SILENT, Progress
from snellen.providers import recorded_name
from snellen.runs import run_id
from snellen.study import BENCHMARK_NAME, Study, software

PACKAGES = ("numpy", "pillow", "torch", "open_clip_torch", "timm", "transformers")
"""Whose versions can change what is predicted."""


@dataclass(frozen=True)
class ZeroShotResult:
    """What `zeroshot` found: a measurement an encoder, in the order asked, and all pairs of encoders compared.

    `folders` are where each lies; `kept` says of each whether it was there already. `not_ok` are images that could not
    be decoded, `(uri, status)`, which no score counts.
    """

    measured: tuple[ZeroShot, ...]
    folders: tuple[Path, ...]
    kept: tuple[bool, ...]
    contrasts: tuple[Contrast, ...]
    not_ok: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Asked:
    """What all encoders are asked."""

    study: Study
    dataset: Dataset
    classes: Classes
    templates: Templates
    batch_size: int | None
    workers: int
    progress: Progress


def zeroshot(
    study: str | Path,
    encoders: Sequence[str | ImageTextEncoder],
    *,
    images: str | Path,
    classes: str | Path,
    templates: str | Path,
    name: str | None = None,
    device: str = "auto",
    dtype: str = "float32",
    batch_size: int | None = None,
    workers: int | None = None,
    column: str | None = None,
    follow_links: bool = False,
    limits: Limits | None = None,
    progress: Progress = SILENT,
) -> ZeroShotResult:
    """Measure the zero-shot accuracy of image-text encoders on a labelled collection, ImageNet's way.

    An image's prediction is the class whose row (the mean of its sentences' unit rows, scaled to length 1; CLIP, arXiv
    2103.00020, section 3.1.4) has the largest cosine, taken in float64; a tie is wrong, and counted. A killed run goes
    on where it stopped. What is finished is kept; what was changed since is measured again.

    Args:
        study: the study folder; made if it is not there.
        encoders: names, `provider/model[@weights]`, or `ImageTextEncoder`s of your own.
        images: any source; its labels are the classes. In a folder an image's label is the name of the folder it is in.
        classes: `labels`, `imagenet`, or a file; see `classes.read_classes`.
        templates: `openai-80`, `openai-7`, `plain`, or a text file; see `templates.read_templates`.
        name: what the dataset is to be called; by default as its folder or file.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        dtype: what the network computes in.
        batch_size: images at a time; None: 2 on a CPU, else 64.
        workers: threads that decode; None: one for each core.
        column: of paths or image bytes, for tables.
        follow_links: whether to follow symbolic links that lead out of a folder.
        limits: bounds on bytes and pixels that hold before decoding.
        progress: told what is done.

    Raises:
        UsageError: an argument is wrong: no such source, file, encoder or device; images without a label.
        Unsupported: an encoder has no text tower.
        EncoderError: a model cannot be loaded, or gives an image or a sentence no direction.
        StudyError: a file of classes or templates is damaged, or no image can be decoded.
        StorageError: the disk is full, or another process writes to the same measurement.
    """
    for option, value in (("batch_size", batch_size), ("workers", workers)):
        if value is not None and value < 1:
            raise UsageError(f"{option} {value} is too small: give a whole number from 1, or leave it out.")
    _refuse_twice(encoders)
    named = _named(name, images)
    sentences = read_templates(templates)
    cores = workers or os.cpu_count() or 1
    source = open_source(images, column=column, follow_links=follow_links)
    dataset = read_dataset(named, source, limits or Limits(), cores, progress)
    listed = read_classes(classes, {image.label for image in dataset.images})
    asked = _Asked(Study(Path(study)), dataset, listed, sentences, batch_size, cores, progress)
    measured, folders, kept = [], [], []
    lines: dict[str, tuple[Prediction, ...]] = {}
    for encoder in encoders:
        with loaded(encoder, device, dtype) as one:
            folder, was_there = _measure(asked, one)
        measured.append(read_zeroshot(folder / ZEROSHOT))
        folders.append(folder)
        kept.append(was_there)
        lines[measured[-1].encoder] = read_predictions(folder / PREDICTIONS)
    right = {
        encoder: {place: line.rank == 1 for place, line in enumerate(found) if line.status == "ok"}
        for encoder, found in lines.items()
    }
    first = next(iter(lines.values()))
    return ZeroShotResult(
        measured=tuple(measured),
        folders=tuple(folders),
        kept=tuple(kept),
        contrasts=contrasts(right),
        not_ok=tuple((line.uri, line.status) for line in first if line.status != "ok"),
    )


def _refuse_twice(encoders: Sequence[str | ImageTextEncoder]) -> None:
    if not encoders:
        raise UsageError("No encoder is named: give one or several, such as world/clip.")
    names = [recorded_name(encoder if isinstance(encoder, str) else encoder.name) for encoder in encoders]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"The encoder {quoted(name)} is given twice: give each once, under names that differ.")


def _named(name: str | None, images: str | Path) -> str:
    path = Path(images).resolve()
    found = name if name is not None else path.name if path.is_dir() else path.stem
    if not BENCHMARK_NAME.fullmatch(found):
        raise UsageError(
            f"A dataset cannot be called {quoted(found)}: say what to call it with --name, at most 100 of A-Z a-z 0-9 "
            ". _ -, not a dot first, and no .json or .partial last."
        )
    return found


def _measure(asked: _Asked, one: Loaded) -> tuple[Path, bool]:
    """Measure one encoder; return the measurement's folder, and whether it was there already."""
    study, model = asked.study, one.encoder
    encoder = recorded_name(model.name)
    settings: dict[str, Any] = {
        "content_sha256": asked.dataset.content_sha256,
        "listing_sha256": asked.dataset.listing_sha256,
        "classes_sha256": asked.classes.sha256,
        "templates_sha256": asked.templates.sha256,
        "dtype": one.dtype,
        "limits": asdict(asked.dataset.limits),
    }
    folder = folder_of_all(study) / run_id(encoder, model.fingerprint, asked.dataset.name, settings)
    batch_size = asked.batch_size or one.batch_size
    plan = {
        "encoder": {"name": encoder, "fingerprint": model.fingerprint, "dim": model.dim},
        "dataset": {"name": asked.dataset.name, "source": asked.dataset.source.kind},
        "classes": asked.classes.source,
        "templates": asked.templates.name,
        **settings,
        "device": one.device,
        "batch_size": batch_size,
        "software": software(*PACKAGES),
    }
    with study.lock_run(folder):
        if is_finished(study, folder):
            return folder, True
        study.manifest_path(folder).unlink(missing_ok=True)
        work = Work(
            folder.with_name(folder.name + ".parts"),
            one,
            asked.dataset,
            asked.classes,
            asked.templates,
            batch_size,
            asked.workers,
            asked.progress,
        )
        work.begin(plan)
        lines = work.predictions()
        found = _scored(asked, one, lines, batch_size)
        storage.write_bytes(folder / PREDICTIONS, jsonl.lines_of(lines))
        write_zeroshot(folder / ZEROSHOT, found)
        study.write_manifest(
            folder,
            verb="zeroshot",
            settings={key: value for key, value in plan.items() if key != "software"},
            software=plan["software"],
            inputs={},
            outputs={
                study.relative(folder / file): storage.sha256_of_file(folder / file) for file in (ZEROSHOT, PREDICTIONS)
            },
            counts={**found.counts, "ties": found.n_ties, "duplicates": found.n_duplicates},
        )
        work.end()
    return folder, False


def _scored(asked: _Asked, one: Loaded, lines: Sequence[Prediction], batch_size: int) -> ZeroShot:
    classes, templates = asked.classes, asked.templates
    index = {label: place for place, label in enumerate(classes.labels)}
    ranks = [line.rank for line in lines if line.rank is not None]
    own = [index[line.label] for line in lines if line.rank is not None]
    counts: dict[str, int] = dict(sorted(Counter(line.status for line in lines).items()))
    if not ranks:
        raise StudyError(f"None of the {len(lines):,} images can be decoded ({counts}): give others.")
    ids = [line.image_id for line in lines if line.image_id is not None]
    return ZeroShot(
        encoder=recorded_name(one.encoder.name),
        fingerprint=one.encoder.fingerprint,
        dim=one.encoder.dim,
        parameters=size.parameters(one.encoder),
        image_size=size.image_size(one.encoder),
        dataset=asked.dataset.name,
        content_sha256=asked.dataset.content_sha256,
        classes={"source": classes.source, "sha256": classes.sha256},
        templates={"name": templates.name, "sha256": templates.sha256, "lines": list(templates.lines)},
        device=one.device,
        dtype=one.dtype,
        batch_size=batch_size,
        n_images=len(ranks),
        n_classes=len(classes.labels),
        counts=counts,
        n_ties=sum(line.tie for line in lines),
        n_duplicates=len(ids) - len(set(ids)),
        scores=metrics.scores(ranks, own, len(classes.labels)),
        per_class=metrics.per_class([rank == 1 for rank in ranks], own, classes.labels, classes.names),
    )
