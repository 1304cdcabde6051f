"""Stored embeddings, read as one matrix: memory-mapped shards of unit rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snellen import storage
from snellen.errors import StudyError

HalfArray = NDArray[np.float16]
RowArray = NDArray[np.int64]

UNIT_TOLERANCE = 0.02
"""How far a stored row's length may be from 1: float16 rounding moves it by less than 0.001."""


class Shard(NamedTuple):
    """One `.npy` file: rows `first_row` to `first_row + len(values) - 1` of the matrix."""

    first_row: int
    values: HalfArray
    path: Path | None


class Vectors:
    """Rows of all images under one encoder: float16 [rows, dim], all zero where an image has no vector.

    Nothing is read until asked for. Values are never renormalised: a cosine is the float64 dot product of two stored
    rows, which float16 makes exact in any order of summation.
    """

    def __init__(self, shards: Sequence[Shard]) -> None:
        self._shards = list(shards)
        self._starts = np.array([shard.first_row for shard in shards], dtype=np.int64)
        self.dim = int(shards[0].values.shape[1])
        self.rows = shards[-1].first_row + len(shards[-1].values)

    @classmethod
    def from_array(cls, values: NDArray[Any]) -> Vectors:
        """Wrap an array of float16 [rows, dim] in memory.

        Raises:
            ValueError: another dtype or number of dimensions.
        """
        if values.dtype != np.float16 or values.ndim != 2:
            raise ValueError(f"expected float16 [rows, dim], got {values.dtype} {list(values.shape)}")
        return cls([Shard(0, values, None)])

    @classmethod
    def open(cls, folder: Path, rows: int, dim: int | None = None) -> Vectors:
        """Map the shards of `embeddings/<slug>/`, and check their records, shapes and dtypes.

        Args:
            folder: holds `part-00000.npy`, `part-00000.json` and so on.
            rows: how many rows `images.parquet` has.
            dim: how long the encoder's vectors are; None: as long as those of the first shard.

        Raises:
            StudyError: a shard is missing, or has another dtype or shape than its record says; names the file.
        """
        shards: list[Shard] = []
        expected = 0
        while expected < rows:
            path = folder / f"part-{len(shards):05d}.npy"
            record = storage.read_json(path.with_suffix(".json"))
            values = _map(path)
            if record.get("first_row") != expected or record.get("rows") != len(values):
                raise StudyError(
                    f"{path} has {len(values)} rows where its record says rows {record.get('first_row')} onwards, "
                    f"{record.get('rows')} of them: delete the folder {folder} and run `snellen embed` again."
                )
            dim = dim or int(values.shape[1])
            if values.shape[1] != dim:
                raise StudyError(
                    f"{path}, row {expected} and on: the vectors have length {values.shape[1]} where {dim} is "
                    f"expected; delete the folder {folder} and run `snellen embed` again."
                )
            shards.append(Shard(expected, values, path))
            expected += len(values)
        if expected != rows:
            raise StudyError(
                f"{folder} holds {expected} rows where images.parquet has {rows}: "
                "delete the folder and run `snellen embed` again."
            )
        return cls(shards)

    def addresses(self) -> tuple[NDArray[np.uint64], RowArray] | None:
        """Return where the shards lie in memory, for compiled code, and which rows they hold.

        Returns:
            Addresses uint64 [shards], which hold as long as this object lives, and first rows int64 [shards + 1].
            None where rows are not contiguous in memory.
        """
        if not all(shard.values.flags.c_contiguous and shard.values.flags.aligned for shard in self._shards):
            return None
        places = np.array([shard.values.ctypes.data for shard in self._shards], dtype=np.uint64)
        return places, np.append(self._starts, self.rows)

    def block(self, start: int, stop: int) -> HalfArray:
        """Return rows `start` to `stop - 1`, float16 [stop - start, dim]; a view where one shard holds them all."""
        pieces = []
        for shard in self._shards:
            low, high = max(start, shard.first_row), min(stop, shard.first_row + len(shard.values))
            if low < high:
                pieces.append(shard.values[low - shard.first_row : high - shard.first_row])
        if not pieces:
            return np.empty((0, self.dim), dtype=np.float16)
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def gather(self, rows: RowArray) -> HalfArray:
        """Return the given rows in the given order, float16 [len(rows), dim]."""
        if len(self._shards) == 1:
            return self._shards[0].values[rows]
        result = np.empty((len(rows), self.dim), dtype=np.float16)
        owners = np.searchsorted(self._starts, rows, side="right") - 1
        for owner in np.unique(owners):
            mine = owners == owner
            shard = self._shards[owner]
            result[mine] = shard.values[rows[mine] - shard.first_row]
        return result

    def check(self, eligible: NDArray[np.bool_], uris: Sequence[str] | None = None) -> None:
        """Check that every eligible row is a unit vector.

        Args:
            eligible: bool [rows]; images that are ok, duplicates included.
            uris: names of the images, for the message.

        Raises:
            StudyError: a row is zero, not finite, or not of length 1; names file and row.
        """
        for shard in self._shards:
            for first in range(0, len(shard.values), 8192):
                values = np.asarray(shard.values[first : first + 8192], dtype=np.float64)
                squared = np.einsum("ij,ij->i", values, values)
                low, high = (1 - UNIT_TOLERANCE) ** 2, (1 + UNIT_TOLERANCE) ** 2
                good = (squared > low) & (squared < high)  # false for NaN too
                start = shard.first_row + first
                bad = np.flatnonzero(~good & eligible[start : start + len(values)])
                if len(bad):
                    row = start + int(bad[0])
                    raise StudyError(_bad_row(shard, row, float(squared[bad[0]]), uris))

    def shard_hashes(self) -> dict[Path, str]:
        """Return sha256 of every shard file, after comparing it with the shard's record.

        Raises:
            StudyError: a file is not the one that its record describes.
        """
        hashes = {}
        for shard in self._shards:
            if shard.path is None:
                continue
            found = storage.sha256_of_file(shard.path)
            if storage.read_json(shard.path.with_suffix(".json")).get("sha256") != found:
                raise StudyError(
                    f"{shard.path} was changed after it was written (its sha256 is not that of its record): "
                    f"delete it and run `snellen embed` again."
                )
            hashes[shard.path] = found
        return hashes


def _map(path: Path) -> HalfArray:
    try:
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise StudyError(f"{path} is missing: run `snellen embed` again.") from None
    except (ValueError, EOFError, OSError) as error:
        raise StudyError(f"{path} is damaged ({error}): delete it and run `snellen embed` again.") from error
    if values.dtype != np.float16 or values.ndim != 2 or values.shape[1] == 0:
        raise StudyError(
            f"{path} holds {values.dtype} {list(values.shape)} from row 0 on where float16 [rows, dim] is expected: "
            "delete it and run `snellen embed` again."
        )
    half: HalfArray = values
    return half


def _bad_row(shard: Shard, row: int, squared_length: float, uris: Sequence[str] | None) -> str:
    where = f"{shard.path or 'the array'}, row {row}"
    if shard.path is not None:
        where += f" (line {row - shard.first_row} of the file)"
    if uris is not None:
        where += f", image {uris[row]}"
    if not np.isfinite(squared_length):
        what = "holds NaN or infinity"
    elif squared_length == 0:
        what = "is all zero though its image is ok"
    else:
        what = f"has length {squared_length**0.5:.4f} where 1 is expected"
    mend = "leave the row out or mend it" if shard.path is None else "delete that file and run `snellen embed` again"
    return f"{where}: the vector {what}; {mend}."
