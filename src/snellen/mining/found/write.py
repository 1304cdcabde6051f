"""Pairs written to `pairs.parquet`, the same bytes for the same pairs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from snellen import storage
from snellen.mining.found.parts import PAIR, Records
from snellen.mining.inputs.collection import Collection
from snellen.study import Study

if TYPE_CHECKING:
    import pyarrow

ROW_GROUP = 65_536
"""Pairs written at once: part of the format, so that equal pairs are equal bytes."""


def schema() -> pyarrow.Schema:
    """Return the Arrow schema of `pairs.parquet`."""
    import pyarrow as pa

    types = {
        "pair_id": pa.string(),
        "image_a": pa.string(),
        "image_b": pa.string(),
        "row_a": pa.int64(),
        "row_b": pa.int64(),
        "blind_cosine": pa.float64(),
        "reference_cosine": pa.float64(),
    }
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in types.items()])


def write_pairs(study: Study, collection: Collection, pairs: Iterable[Records]) -> None:
    """Write `pairs.parquet`, atomically and streaming.

    Args:
        study: where to.
        collection: the images.
        pairs: PAIR records in row order, in chunks of any size.

    Raises:
        StorageError: the disk is full or not writable.
    """
    import pyarrow.parquet as pq

    with storage.writing(study.pairs) as file, pq.ParquetWriter(file, schema(), compression="zstd") as writer:
        for chunk in regroup(pairs, ROW_GROUP):
            writer.write_table(_table(chunk, collection.ids), row_group_size=ROW_GROUP)


def regroup(chunks: Iterable[Records], size: int) -> Iterator[Records]:
    """Cut a stream of records into chunks of exactly `size`, the last one shorter."""
    held: list[Records] = []
    count = 0
    for chunk in chunks:
        held.append(chunk)
        count += len(chunk)
        if count >= size:
            joined = np.concatenate(held)
            whole = count - count % size
            for start in range(0, whole, size):
                yield joined[start : start + size]
            held, count = [joined[whole:]], count - whole
    if count:
        yield np.concatenate(held)


def _table(chunk: Records, ids: NDArray[np.bytes_]) -> pyarrow.Table:
    import pyarrow as pa

    assert chunk.dtype == PAIR
    columns = [
        _strings(chunk["pair_id"].astype(">u8").tobytes().hex().encode(), 16),
        _strings(ids[chunk["row_a"]].tobytes(), 64),
        _strings(ids[chunk["row_b"]].tobytes(), 64),
        *(
            pa.array(np.ascontiguousarray(chunk[name]))
            for name in ("row_a", "row_b", "blind_cosine", "reference_cosine")
        ),
    ]
    return pa.Table.from_arrays(columns, schema=schema())


def _strings(data: bytes, width: int) -> pyarrow.StringArray:
    import pyarrow as pa

    count = len(data) // width
    offsets = np.arange(count + 1, dtype=np.int32) * np.int32(width)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets.tobytes()), pa.py_buffer(data))
