"""What `mine` leaves in the study: `pairs.parquet`, `mining.json`, and one manifest that vouches for both.

`mining.json` has exactly these keys, always all of them:

    {"blind":     {"name": str, "slug": str, "fingerprint": str},
     "reference": {"name": str, "slug": str, "fingerprint": str},
     "asked":     {"blind": str, "reference": str,              names, as studies record them
                   "blind_min": float | "q0.9999", "reference_max": float | "q0.5",
                   "max_pairs": int | "all" | null, "max_per_image": int | null, "top_k": int | null,
                   "collapse_copies": float | null, "labels": "any" | "within" | "across", "seed": int},
     "resolved":  {"blind_min":     {"value": float,            what the pairs were compared with
                                     "method": "absolute" | "all pairs" | "sample",
                                     "quantile": float | null,  what was asked, if it was a quantile
                                     "n_pairs": int | null,     pairs that the quantile was taken over
                                     "low": float | null, "high": float | null},   95 % interval, "sample" only
                   "reference_max": {the same}},
     "counts":    {"images": int, "ok": int, "distinct": int, "after_collapse": int,        images
                   "pairs": int, "above_blind_min": int, "below_reference_max": int,        pairs, each of those before
                   "after_labels": int, "after_max_per_image": int, "after_top_k": int, "written": int},
     "images_without_label": int | null,                        among after_collapse; null where labels is "any"
     "truncated": {"max_per_image": int, "top_k": int, "max_pairs": int,    pairs dropped by each cap; 0 without
                   "images_capped": int},                       images at max_per_image that had more pairs
     "histogram": {"blind_edges": [float] * (nb + 1), "reference_edges": [float] * (nr + 1),     nb <= 81, nr <= 80
                   "counts": [[int] * nr] * nb,                 row: blind bin, column: reference bin
                   "exact_from": int,                           blind bins from this index on count all pairs
                   "sampled": bool,                             whether those before it count a sample
                   "scale": float,                              of which each pair stands for so many; 1 if not sampled
                   "n_pairs": int},                             sum of counts
     "near_misses": null | {"sampled": bool, "n_pairs": int,    null unless after_labels is 0; n_pairs looked at
                   "pairs": [{"pair_id", "image_a", "image_b", "row_a", "row_b", "blind_cosine", "reference_cosine",
                              "miss": float}]},                 up to 50, smallest miss first; 0 = exactly on it
     "suggestions": null | [{"change": "blind_min" | "reference_max" | "both",
                   "blind_min": float, "reference_max": float,  both given, also where one is unchanged
                   "n_pairs": int,                              pairs they give before caps: exact, or an estimate
                   "sampled": bool, "low": int | null, "high": int | null}],     95 % interval where sampled
     "above_cells": {"cells": [int], "counts": [int]}}          all pairs above blind_min by fine cell

Bins are [low, high), and edges multiples of 1/256, so that binning float64 cosines is exact. Where the histogram is
sampled, the blind minimum is an edge as well: the bin before it is [low, minimum], the one after it (minimum, high).
A fine cell is 1/256 wide on either side; its number is 544 i + j for blind bin i and reference bin j, bin 0 beginning
at -1.0625. A suggestion that cannot be made (no pair at all is above blind_min, say) is left out.

`counts.json`, of `mine --count-only`, has the same keys but `truncated`, and in `counts` nothing after `after_labels`.
"""

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
