"""`images.parquet`: one row an image. Written shard by shard by `embed`, read by every other verb."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snellen import storage
from snellen.errors import StudyError
from snellen.records import Image
from snellen.study import Study

if TYPE_CHECKING:
    import pyarrow

ROW_GROUP = 65_536
ONE_FILE_ROWS = 1_000_000
"""Up to this many rows the table is one file, above it a folder of parts."""


def schema() -> pyarrow.Schema:
    """Return the Arrow schema of the table."""
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("row", pa.int64(), nullable=False),
            pa.field("image_id", pa.string()),
            pa.field("uri", pa.string(), nullable=False),
            pa.field("offset", pa.int64()),
            pa.field("length", pa.int64()),
            pa.field("width", pa.int32()),
            pa.field("height", pa.int32()),
            pa.field("label", pa.string()),
            pa.field("caption", pa.string()),
            pa.field("meta", pa.string()),
            pa.field("status", pa.string(), nullable=False),
            pa.field("flags", pa.list_(pa.string()), nullable=False),
            pa.field("duplicate_of", pa.int64()),
        ]
    )


def write(path: Path, images: Iterable[Image]) -> None:
    """Write images as one Parquet file, atomically and with equal bytes for equal images."""
    import pyarrow as pa

    rows = list(images)
    columns = {field.name: [getattr(image, field.name) for image in rows] for field in schema()}
    _write_table(path, pa.table(columns, schema=schema()))


def _write_table(path: Path, table: pyarrow.Table) -> None:
    import pyarrow.parquet as pq

    with storage.writing(path) as file:
        pq.write_table(table, file, compression="zstd", row_group_size=ROW_GROUP)


def read_file(path: Path) -> list[Image]:
    """Read one file or one part.

    Raises:
        StudyError: the file is missing, damaged, or has other columns.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, schema=schema())
    except FileNotFoundError:
        raise StudyError(f"{path} is missing: run `snellen embed` again.") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise _damaged(path, error) from error
    return _images(table)


def _damaged(path: Path, error: Exception) -> StudyError:
    return StudyError(f"{path} is not a table of images ({error}): delete the study and run `snellen embed` again.")


def _images(table: pyarrow.Table) -> list[Image]:
    names = [field.name for field in fields(Image)]
    columns = table.select(names).to_pydict()
    columns["flags"] = [tuple(flags) for flags in columns["flags"]]
    return [Image(*values) for values in zip(*(columns[name] for name in names), strict=True)]


def read(study: Study) -> list[Image]:
    """Read the whole table, rows 0 to n - 1 in order.

    Raises:
        StudyError: the table is unfinished, damaged, or its rows are not 0 to n - 1.
    """
    if study.read_manifest(study.images) is None:
        raise StudyError(f"{study.images} is not finished: run `snellen embed` again to complete it.")
    images = [image for path in files(study) for image in read_file(path)]
    for expected, image in enumerate(images):
        if image.row != expected:
            raise StudyError(f"{study.images} has row {image.row} in place {expected}: begin a new study.")
    return images


def files(study: Study) -> list[Path]:
    """Return the table's file, or its parts in order."""
    return sorted(study.images.glob("part-*.parquet")) if study.images.is_dir() else [study.images]


def assemble(study: Study, parts: Sequence[Path], rows: int) -> dict[str, str]:
    """Turn the parts, all of them there, into `images.parquet`; return sha256 by path relative to the study."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if rows > ONE_FILE_ROWS:
        with storage.storage_errors(study.images):
            study.images_parts.replace(study.images)
    else:
        _write_table(study.images, pa.concat_tables([pq.read_table(part, schema=schema()) for part in parts]))
    return {study.relative(path): storage.sha256_of_file(path) for path in files(study)}


def take(study: Study, rows: Sequence[int]) -> dict[int, Image]:
    """Read the given rows only, with memory for those and one part of the table; return them by row.

    Raises:
        StudyError: the table is damaged, or has no such row.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = np.array(sorted(set(rows)), dtype=np.int64)
    taken: dict[int, Image] = {}
    first = 0
    for path in files(study):
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(batch_size=ROW_GROUP):
                    here = wanted[(wanted >= first) & (wanted < first + len(batch))] - first
                    if len(here):
                        taken |= {image.row: image for image in _images(pa.Table.from_batches([batch.take(here)]))}
                    first += len(batch)
        except (pa.ArrowInvalid, OSError) as error:
            raise _damaged(path, error) from error
    if len(taken) != len(wanted):
        raise StudyError(f"{study.images} has no row {next(row for row in wanted if row not in taken)}.")
    return taken


def counts(images: Iterable[Image]) -> dict[str, Any]:
    """Count rows by status and flag, and exact duplicates."""
    rows = duplicates = 0
    by_status: dict[str, int] = {}
    by_flag: dict[str, int] = {}
    for image in images:
        rows += 1
        duplicates += image.duplicate_of is not None
        by_status[image.status] = by_status.get(image.status, 0) + 1
        for flag in image.flags:
            by_flag[flag] = by_flag.get(flag, 0) + 1
    return {
        "rows": rows,
        "duplicates": duplicates,
        "status": dict(sorted(by_status.items())),
        "flags": dict(sorted(by_flag.items())),
    }
