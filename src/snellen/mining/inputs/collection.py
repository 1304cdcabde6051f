"""The images of a study as the miner needs them: a few arrays, not a list of objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import NDArray

from snellen import image_table, storage
from snellen.errors import StudyError
from snellen.mining.join.tiles import Positions
from snellen.study import Study

if TYPE_CHECKING:
    import pyarrow

HASHED = 1 << 15
"""Pairs that are named at once: Python objects are large."""

COLUMNS = ["row", "image_id", "uri", "label", "status", "duplicate_of"]


class Names(Sequence[str]):
    """The images' URIs, left in Arrow's memory until one is asked for."""

    def __init__(self, column: pyarrow.ChunkedArray) -> None:
        self._column = column

    def __len__(self) -> int:
        return len(self._column)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...

    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return Names(self._column[index])
        return str(self._column[index].as_py())


@dataclass(frozen=True)
class Collection:
    """All rows of `images.parquet`.

    ids: bytes S64 [rows], image_id in hex, empty where the bytes could not be read; ok: bool [rows], whether the image
    was embedded; duplicate: bool [rows], whether an earlier row has the same bytes; labels: int32 [rows], a number for
    each different label, -1 without one; names: URIs; inputs: sha256 of each file, by path relative to the study.
    """

    ids: NDArray[np.bytes_]
    ok: NDArray[np.bool_]
    duplicate: NDArray[np.bool_]
    labels: NDArray[np.int32]
    names: Sequence[str]
    inputs: dict[str, str]

    def __len__(self) -> int:
        return len(self.ids)

    def distinct(self) -> Positions:
        """Return the rows that are ok and no exact duplicate: int64, increasing."""
        return np.flatnonzero(self.ok & ~self.duplicate)


def read_collection(study: Study) -> Collection:
    """Read `images.parquet`, a file or a folder of parts.

    Raises:
        StudyError: it is unfinished, damaged, changed since it was written, or has rows out of place.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    manifest = study.read_manifest(study.images)
    if manifest is None:
        raise StudyError(f"{study.images} is not finished: run `snellen embed` again to complete it.")
    files = image_table.files(study)
    inputs = {}
    try:
        for path in files:
            inputs[study.relative(path)] = storage.sha256_of_file(path)
        if inputs != manifest["outputs"]:
            raise StudyError(
                f"{study.images} was changed after it was written (its sha256 is not that of its manifest): "
                "begin a new study, since the embeddings no longer belong to it."
            )
        table = pa.concat_tables([pq.read_table(path, columns=COLUMNS) for path in files])
    except FileNotFoundError as error:
        raise StudyError(f"{error.filename} is missing: run `snellen embed` again.") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise StudyError(f"{study.images} is damaged ({error}): begin a new study.") from error
    rows = table["row"].to_numpy()
    if not np.array_equal(rows, np.arange(len(rows))):
        raise StudyError(f"{study.images} has rows out of place: begin a new study.")
    status = pc.equal(table["status"], "ok").to_numpy()
    ids = np.asarray(table["image_id"].fill_null("").to_numpy(zero_copy_only=False)).astype("S64")
    if bool(np.any(status & (np.char.str_len(ids) != 64))):
        raise StudyError(f"{study.images} has an ok image without an image_id: begin a new study.")
    encoded = table["label"].combine_chunks().dictionary_encode()
    return Collection(
        ids=ids,
        ok=status,
        duplicate=pc.is_valid(table["duplicate_of"]).to_numpy(),
        labels=encoded.indices.fill_null(-1).to_numpy().astype(np.int32),
        names=Names(table["uri"]),
        inputs=inputs,
    )


def pair_ids(ids: NDArray[np.bytes_], row_a: Positions, row_b: Positions) -> NDArray[np.uint64]:
    """Name pairs as `snellen.records.pair_id` does, as numbers: the 16 hex digits read as one integer.

    Args:
        ids: bytes S64 [rows].
        row_a: int64 [m], rows.
        row_b: int64 [m], rows.

    Returns:
        uint64 [m]; numeric order is the order of the hex texts.
    """
    names = np.empty(len(row_a), dtype=np.uint64)
    for start in range(0, len(names), HASHED):
        part = slice(start, start + HASHED)
        digests = b"".join(
            sha256(a + b if a < b else b + a).digest()[:8]
            for a, b in zip(ids[row_a[part]].tolist(), ids[row_b[part]].tolist(), strict=True)
        )
        names[part] = np.frombuffer(digests, dtype=">u8")
    return names


def pair_id_text(value: int) -> str:
    """Return a pair_id, held as a number, as its 16 hex digits."""
    return f"{value:016x}"
