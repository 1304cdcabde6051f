"""`pairs.parquet`, read with bounded memory: the pairs with the largest gaps."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from snellen.errors import StudyError
from snellen.records import Pair


def top_pairs(path: Path, limit: int) -> tuple[list[Pair], int]:
    """Read the pairs with the largest gaps, ties by pair_id, with bounded memory.

    Returns:
        At most `limit` pairs, the largest gap first, and how many pairs the table has in all.

    Raises:
        StudyError: the file is missing or damaged.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    names = [field.name for field in fields(Pair)]
    order = [("gap", "descending"), ("pair_id", "ascending")]
    best = None
    try:
        with pq.ParquetFile(path) as file:
            total: int = file.metadata.num_rows
            for batch in file.iter_batches(columns=names):
                table = pa.Table.from_batches([batch])
                gap = pc.subtract(table["blind_cosine"], table["reference_cosine"])
                table = table.append_column("gap", gap)
                best = table if best is None else pa.concat_tables([best, table])
                best = best.take(pc.sort_indices(best, sort_keys=order)).slice(0, limit)
    except (pa.ArrowInvalid, OSError) as error:
        raise StudyError(f"{path} cannot be read ({error}): run `snellen mine` again.") from error
    if best is None:
        return [], total
    columns = best.to_pydict()
    return [Pair(*values) for values in zip(*(columns[name] for name in names), strict=True)], total
