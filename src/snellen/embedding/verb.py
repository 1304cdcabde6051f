"""The verb `embed`: images to unit rows, shard by shard."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from snellen.embedding.batching import auto_batch_size
from snellen.embedding.catalogue import Catalogue
from snellen.embedding.decoding import DecodePool, Prepared
from snellen.embedding.forward import LoadedEncoder, embed_batch, in_order, load, torch_threads_kept
from snellen.embedding.rows import Row, RowReader, to_image
from snellen.embedding.shards import EmbeddingShards
from snellen.encoders.base import FloatArray
from snellen.errors import StorageError, UsageError
from snellen.images.decode import Limits
from snellen.images.open import open_source
from snellen.progress import SILENT, Progress
from snellen.providers import recorded_name
from snellen.records import Image
from snellen.study import Study, slug, software

PACKAGES = {
    "control": ("numpy", "pillow"),
    "onnx": ("numpy", "pillow", "onnxruntime"),
    "open_clip": ("numpy", "pillow", "torch", "open_clip_torch", "timm"),
    "timm": ("numpy", "pillow", "torch", "timm"),
    "transformers": ("numpy", "pillow", "torch", "torchvision", "transformers"),
}
"""Whose versions can change the last bits of a provider's vectors."""

ALL_PACKAGES = tuple(sorted({package for packages in PACKAGES.values() for package in packages}))
"""The same for an encoder of the user's own, of which nothing is known."""


@dataclass(frozen=True)
class EmbedResult:
    """What `embed` made: the embedding's slug, its dimension, and how many images had which status."""

    slug: str
    dim: int
    counts: dict[str, Any]


@dataclass
class _Batch:
    """Images of one shard that go through the network together; `ends` holds the shard's rows once it is complete."""

    shard: int
    rows: list[int] = field(default_factory=list)
    uris: list[str] = field(default_factory=list)
    values: list[FloatArray] = field(default_factory=list)
    ends: list[Image] | None = None


def embed(
    study: str | Path,
    *,
    images: str | Path | None = None,
    encoder: str | LoadedEncoder,
    device: str = "auto",
    dtype: str = "float32",
    batch_size: int | None = None,
    workers: int | None = None,
    column: str | None = None,
    follow_links: bool = False,
    limits: Limits | None = None,
    shard_rows: int | None = None,
    progress: Progress = SILENT,
) -> EmbedResult:
    """Embed every image of a source with one encoder, into the study folder.

    A killed run goes on where it stopped, and its files are byte-identical to those of an undisturbed run. Run again on
    a finished embedding, it reads all images once more and checks that they are still the same.

    Args:
        study: the study folder; made if it is not there.
        images: the source: a folder, a list (text, CSV, Parquet column), WebDataset tars, or Parquet with image bytes.
            None: where the study's images were last found on this machine.
        encoder: `provider/model[@weights]`, or a `LoadedEncoder`: any `ImageEncoder` of your own with a picklable
            `preprocess`.
        device: `auto` (CUDA or MPS where there is one, else the CPU), `cpu`, `cuda`, `cuda:1`, `mps`.
        dtype: what the network computes in: `float32`, `float16`, `bfloat16`. Rows are stored as float16 always.
        batch_size: images at a time; None: 2 on a CPU, else what fits. Stored, and the same for every later run.
        workers: processes that decode; None: one for each core.
        column: name of the column that holds paths or image bytes, for tables.
        follow_links: whether to follow symbolic links that lead out of a folder.
        limits: bounds on bytes and pixels that hold before decoding.
        shard_rows: images in one shard, which is what a kill loses at most; fixed by the study's first run.
        progress: told what is done.

    Raises:
        UsageError: no such source, encoder, device or dtype.
        StudyError: the images or settings are not those that the study was begun with.
        EncoderError: the model cannot be loaded, or gives an image no direction.
        StorageError: the disk is full, or another process writes to this study.
    """
    for option, value in (("batch_size", batch_size), ("workers", workers), ("shard_rows", shard_rows)):
        if value is not None and value < 1:
            raise UsageError(f"{option} {value} is too small: give a whole number from 1, or leave it out.")
    root = Study(Path(study))
    location, options = _source(root, images, column, follow_links)
    check_place(root.root, location)
    source = open_source(location, **options)
    refs = source.refs()
    if not refs:
        raise UsageError(f"{location} lists no images: give a source that holds some.")
    loaded = encoder if isinstance(encoder, LoadedEncoder) else load(encoder, device=device, dtype=dtype)
    model = loaded.encoder
    name = slug(recorded_name(model.name), model.fingerprint)
    folder = root.embedding(name)
    limits = limits or Limits()
    with root.lock((root.images_parts, folder)):
        catalogue = Catalogue.open(root, source, refs, limits, shard_rows)
        stored = EmbeddingShards.stored_plan(folder)
        plan: dict[str, Any] = {
            "encoder": {"name": recorded_name(model.name), "fingerprint": model.fingerprint, "dim": model.dim},
            "device": loaded.device.partition(":")[0],
            "dtype": loaded.dtype,
            "batch_size": batch_size or (stored or {}).get("batch_size") or auto_batch_size(model, loaded.device),
            "software": software(*PACKAGES.get(model.name.partition("/")[0], ALL_PACKAGES)),
        }
        shards = EmbeddingShards(folder, plan, catalogue)
        shards.begin(stored, root.manifest_path(folder))
        root.log_source(location, options)
        _check_room(folder, len(refs), model.dim)
        reader = RowReader(source, catalogue, limits)
        progress.start(f"embedding with {model.name}", len(refs), "images")
        with (
            DecodePool(model.preprocess, limits, workers or os.cpu_count() or 1) as pool,
            ThreadPoolExecutor(loaded.streams, thread_name_prefix="forward") as forward,
            torch_threads_kept(1 if loaded.streams > 1 else None),
        ):
            rows = _run(loaded, catalogue, shards, reader, pool, forward, progress)
        progress.finish()
        inputs = catalogue.finish(rows)
        counts = _counts(rows)
        root.write_manifest(
            folder,
            verb="embed",
            settings={key: value for key, value in plan.items() if key != "software"},
            software=plan["software"],
            inputs=inputs,
            outputs={root.relative(folder / file): sha256 for file, sha256 in shards.outputs().items()},
            counts=counts,
        )
    if counts["not_ok"]:
        progress.note(f"{counts['not_ok']:,} of {len(rows):,} images could not be used: {_by_status(rows)}")
    return EmbedResult(name, model.dim, counts)


def check_place(study: Path, images: Path) -> None:
    """Check that a study's own files will not be listed among its images.

    Raises:
        UsageError: the study would lie inside the images' folder.
    """
    if images.is_dir() and study.resolve().is_relative_to(images.resolve()):
        raise UsageError(
            f"The study {study} would lie inside the images' folder {images}, and be listed with them: choose a "
            "folder outside."
        )


def _run(
    loaded: LoadedEncoder,
    catalogue: Catalogue,
    shards: EmbeddingShards,
    reader: RowReader,
    pool: DecodePool,
    forward: ThreadPoolExecutor,
    progress: Progress,
) -> list[Image]:
    """Read, decode, embed, write; every step in row order, with the slow steps running ahead of one another."""
    batch_size = int(shards.plan["batch_size"])
    model = loaded.encoder
    seen: list[Image] = []

    def decode(row: Row) -> Future[Prepared] | None:
        return None if row.data is None else pool.submit(row.data, row.ref.orientation)

    def compute(batch: _Batch) -> Future[FloatArray] | None:
        return forward.submit(embed_batch, model, batch.values, batch.uris) if batch.values else None

    rows = in_order(_rows(catalogue, shards, reader), decode, ahead=2 * batch_size + 64)
    vectors: dict[int, FloatArray] = {}
    for batch, result in in_order(_batches(rows, seen, catalogue, batch_size), compute, ahead=loaded.streams + 1):
        if result is not None:
            vectors.update(zip(batch.rows, np.asarray(result), strict=True))
        progress.advance(len(batch.rows))
        if batch.ends is not None:
            progress.advance(len(batch.ends) - len(vectors))
            catalogue.add(batch.shard, batch.ends)
            if shards.finished(batch.shard):
                shards.check_inputs(batch.shard, batch.ends)
            else:
                shards.write(batch.shard, vectors, batch.ends)
            vectors = {}
    return seen


def _rows(catalogue: Catalogue, shards: EmbeddingShards, reader: RowReader) -> Iterator[Row]:
    for shard in range(catalogue.shards):
        done = catalogue.known(shard) is not None and shards.finished(shard)
        yield from reader.shard(shard, decode=not done)


def _batches(
    rows: Iterator[tuple[Row, Prepared | None]], seen: list[Image], catalogue: Catalogue, batch_size: int
) -> Iterator[_Batch]:
    """Gather rows into batches; none crosses a shard, so that a shard's vectors depend on its own rows only."""
    batch = _Batch(0)
    for row, prepared in rows:
        first = None if row.duplicate_of is None else seen[row.duplicate_of]
        image = to_image(row, prepared, first)
        seen.append(image)
        if prepared is not None and prepared.values is not None:
            batch.rows.append(row.row)
            batch.uris.append(row.ref.uri)
            batch.values.append(prepared.values)
        span = catalogue.rows(row.shard)
        if row.row == span.stop - 1:
            batch.ends = seen[span.start :]
            yield batch
            batch = _Batch(row.shard + 1)
        elif len(batch.rows) == batch_size:
            yield batch
            batch = _Batch(row.shard)


def _source(
    study: Study, images: str | Path | None, column: str | None, follow_links: bool
) -> tuple[Path, dict[str, Any]]:
    if images is not None:
        return Path(images).absolute(), {"column": column, "follow_links": follow_links}
    last = study.last_source()
    if last is None:
        raise UsageError(f"The study {study.root} has no images yet: say where they are with --images.")
    return Path(last["source"]), last["options"]


def _check_room(folder: Path, rows: int, dim: int) -> None:
    """Refuse to begin what the disk cannot hold."""
    needed, free = rows * dim * 2, shutil.disk_usage(folder).free
    if needed > free:
        raise StorageError(
            f"{folder} needs {needed / 1e6:,.1f} MB for {rows:,} vectors and the disk has {free / 1e6:,.1f} MB free: "
            "make room, or choose another --out folder."
        )


def _counts(images: list[Image]) -> dict[str, int]:
    ok = sum(image.status == "ok" for image in images)
    duplicates = sum(image.status == "ok" and image.duplicate_of is not None for image in images)
    return {"rows": len(images), "embedded": ok - duplicates, "duplicates": duplicates, "not_ok": len(images) - ok}


def _by_status(images: list[Image]) -> str:
    found = Counter(image.status for image in images if image.status != "ok")
    return ", ".join(f"{n:,} {status}" for status, n in found.most_common())
