"""What the cells of a table become in a row of ours: label, caption, meta. Shared by lists and Parquet."""

from __future__ import annotations

import datetime
import decimal
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snellen.errors import SourceError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

LABEL, CAPTION = "label", "caption"


def scalar(value: object) -> str | int | float | bool | None:
    """Turn a cell into something JSON can hold: dates and decimals as text, NaN and infinity as None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, (datetime.date, datetime.time, datetime.timedelta, decimal.Decimal)):
        return str(value)
    return repr(value)


def text(value: object) -> str | None:
    """Turn a cell into a label or caption; an empty one is none."""
    return None if value is None or value == "" else str(scalar(value))


def meta(cells: Mapping[str, object]) -> dict[str, Any] | None:
    """Gather the remaining cells; None where there are none."""
    return {name: scalar(value) for name, value in cells.items()} or None


def is_scalar(kind: pa.DataType) -> bool:
    """Tell whether a pyarrow type holds single values that belong into meta (not bytes, lists or structs)."""
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(kind):
        return is_scalar(kind.value_type)
    return bool(types.is_primitive(kind) or is_string(kind) or types.is_decimal(kind) or types.is_null(kind))


def is_string(kind: pa.DataType) -> bool:
    """Tell whether a pyarrow type holds text."""
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(kind):
        return is_string(kind.value_type)
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def is_bytes(kind: pa.DataType) -> bool:
    """Tell whether a pyarrow type holds bytes."""
    import pyarrow as pa

    types = pa.types
    return bool(types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind))


def is_image(kind: pa.DataType) -> bool:
    """Tell whether a pyarrow type can hold image files: bytes, or the Hugging Face struct of bytes and path."""
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return any(field.name == "bytes" and is_bytes(field.type) for field in kind)
    return is_bytes(kind)


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a Parquet file for reading by row groups.

    Raises:
        SourceError: it is not Parquet, or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{path.name} cannot be read as Parquet: {error}") from error


def batches(file: pq.ParquetFile, columns: list[str], name: str) -> Iterator[pa.RecordBatch]:
    """Read some columns of an open Parquet file, batch by batch.

    Raises:
        SourceError: the file is damaged.
    """
    import pyarrow as pa

    try:
        yield from file.iter_batches(columns=columns)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{name} is damaged: {error}") from error


def class_names(schema: pa.Schema, column: str) -> list[str] | None:
    """Find the names of a Hugging Face ClassLabel column, by class number; None where the column is none."""
    found = (schema.metadata or {}).get(b"huggingface")
    try:
        feature = json.loads(found)["info"]["features"][column] if found else {}
        names = feature.get("names")
    except (ValueError, KeyError, TypeError, AttributeError):  # somebody else's use of the key
        return None
    if isinstance(names, dict):
        names = [names[key] for key in sorted(names, key=int)] if all(key.isdigit() for key in names) else None
    return [str(name) for name in names] if isinstance(names, list) else None


def class_name(value: object, names: list[str] | None) -> str | None:
    """Turn a class number into its name; -1, by which Hugging Face marks unlabelled rows, becomes None."""
    if names is not None and isinstance(value, int):
        return names[value] if 0 <= value < len(names) else None
    return text(value)
