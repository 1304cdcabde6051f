"""Writes valid studies from arrays, without images or encoders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snellen import image_table, storage
from snellen.records import Image, Status
from snellen.study import Study, slug, software


def image_ids(rows: int) -> list[str]:
    """A different, valid image_id for each row."""
    return [sha256(f"image {row}".encode()).hexdigest() for row in range(rows)]


def images(
    rows: int,
    *,
    statuses: Mapping[int, Status] | None = None,
    duplicates: Mapping[int, int] | None = None,
    labels: Sequence[str | None] | None = None,
) -> list[Image]:
    """Rows of `images.parquet`: ok, and different, unless told otherwise."""
    result = [
        Image(
            row=row,
            image_id=image_id,
            uri=f"photos/{row:06d}.jpg",
            status="ok",
            width=640,
            height=480,
            label=labels[row] if labels else None,
        )
        for row, image_id in enumerate(image_ids(rows))
    ]
    for row, status in (statuses or {}).items():
        result[row] = replace(result[row], status=status)
    for row, first in (duplicates or {}).items():
        result[row] = replace(result[row], image_id=result[first].image_id, duplicate_of=first)
    return result


def write_images(study: Study, table: Sequence[Image], *, parts: int | None = None) -> dict[str, str]:
    """Write `images.parquet`, one file or a folder of parts, and its manifest; return sha256 by relative path."""
    if parts is None:
        image_table.write(study.images, table)
    else:
        for part, rows in enumerate(np.array_split(np.arange(len(table)), parts)):
            image_table.write(study.images / f"part-{part:05d}.parquet", [table[row] for row in rows])
    hashes = {study.relative(path): storage.sha256_of_file(path) for path in image_table.files(study)}
    study.write_manifest(
        study.images,
        verb="embed",
        settings={},
        software=software(),
        inputs={},
        outputs=hashes,
        counts=image_table.counts(table),
    )
    return hashes


def write_embedding(
    study: Study,
    name: str,
    values: NDArray[Any],
    inputs: Mapping[str, str],
    *,
    shard_rows: int = 1000,
    fingerprint: str | None = None,
) -> Path:
    """Write `embeddings/<slug>/` and its manifest; values are stored as they are, so give float16 unit rows."""
    fingerprint = fingerprint or sha256(name.encode()).hexdigest()
    folder = study.embedding(slug(name, fingerprint))
    outputs = {}
    for number, start in enumerate(range(0, len(values), shard_rows)):
        path = folder / f"part-{number:05d}.npy"
        storage.write_npy(path, values[start : start + shard_rows])
        outputs[study.relative(path)] = storage.sha256_of_file(path)
        record = {
            "first_row": start,
            "rows": len(values[start : start + shard_rows]),
            "sha256": outputs[study.relative(path)],
            "inputs": "",
        }
        storage.write_json(path.with_suffix(".json"), record)
    study.write_manifest(
        folder,
        verb="embed",
        settings={"encoder": {"name": name, "fingerprint": fingerprint, "dim": int(values.shape[1])}},
        software=software(),
        inputs=inputs,
        outputs=outputs,
        counts={"rows": len(values)},
    )
    return folder


def write_study(
    root: Path,
    blind: NDArray[Any],
    reference: NDArray[Any],
    table: Sequence[Image] | None = None,
    *,
    blind_name: str = "control/blind",
    reference_name: str = "control/reference",
    shard_rows: int = 1000,
    parts: int | None = None,
) -> Study:
    """Write a study of two embeddings; rows of images that are not ok should be zero."""
    study = Study(root)
    inputs = write_images(study, table if table is not None else images(len(blind)), parts=parts)
    write_embedding(study, blind_name, blind, inputs, shard_rows=shard_rows)
    write_embedding(study, reference_name, reference, inputs, shard_rows=shard_rows)
    return study


def unit_rows(values: NDArray[Any]) -> NDArray[np.float16]:
    """Rows divided by their lengths, stored as `embed` stores them."""
    lengths = np.linalg.norm(values.astype(np.float64), axis=1, keepdims=True)
    result: NDArray[np.float16] = (values / lengths).astype(np.float16)
    return result


def spectrum_rows(
    rng: np.random.Generator, rows: int, dim: int, *, mean: float = 0.5, alpha: float = 1.0, classes: int = 50
) -> NDArray[np.float64]:
    """Unit rows like an encoder's: a common direction, class centres, and a power-law spectrum.

    `mean` is the share of energy along the common direction; `alpha` the exponent of the spectrum.
    """
    scales = np.arange(1, dim + 1) ** (-alpha / 2)
    centres = rng.standard_normal((classes, dim)) * scales
    noise = rng.standard_normal((rows, dim)) * scales
    values = centres[rng.integers(0, classes, rows)] + noise
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    common = np.zeros(dim)
    common[-1] = 1
    result: NDArray[np.float64] = np.sqrt(1 - mean) * values + np.sqrt(mean) * common
    for mirror in rng.standard_normal((4, dim)):  # off the axes, by reflections: cheaper than a random rotation
        mirror /= np.linalg.norm(mirror)
        result -= 2 * np.outer(result @ mirror, mirror)
    result /= np.linalg.norm(result, axis=1, keepdims=True)
    return result


def with_copies(
    rng: np.random.Generator, values: NDArray[np.float64], share: float, low: float, high: float
) -> NDArray[np.float64]:
    """Replace a share of the rows by near-copies of others, at cosines uniform in [low, high]."""
    rows, dim = values.shape
    result = values.copy()
    chosen = rng.permutation(rows)[: int(share * rows)]
    sources = values[rng.integers(0, rows, len(chosen))]
    cosines = rng.uniform(low, high, (len(chosen), 1))
    side = rng.standard_normal((len(chosen), dim))
    side -= np.sum(side * sources, axis=1, keepdims=True) * sources
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    result[chosen] = cosines * sources + np.sqrt(1 - cosines**2) * side
    return result
