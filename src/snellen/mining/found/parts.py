"""What a killed `mine` leaves behind and the next one goes on from: finished stripes, kept under `mining.parts/`.

A stripe is a file of fixed-width records and a JSON with its counts, written last. All are keyed by a hash of inputs
and settings but the caps. Other settings begin afresh; other caps go on from stripes that hold what they need.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snellen import storage

PAIR = np.dtype(
    [
        ("row_a", "<i8"),
        ("row_b", "<i8"),
        ("blind_cosine", "<f8"),
        ("reference_cosine", "<f8"),
        ("pair_id", "<u8"),
    ]
)
"""One pair as stored between steps: 40 bytes."""

Records = NDArray[np.void]

READ_RECORDS = 1 << 18

KEY = "key.json"


class Parts:
    """The folder of intermediate files of one mining run.

    Args:
        folder: `mining.parts`.
        key: hash of everything that the files depend on; files of another key are deleted.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self.folder = folder
        self.scratch = folder / "scratch"
        keyed = folder / KEY
        if folder.exists() and not (keyed.exists() and storage.read_json(keyed) == {"key": key}):
            self.remove()
        if not keyed.exists():
            storage.write_json(keyed, {"key": key})
        with storage.storage_errors(self.scratch):
            shutil.rmtree(self.scratch, ignore_errors=True)
            self.scratch.mkdir(parents=True)

    def remove(self) -> None:
        """Delete the folder; the key first, so that half a deletion is never gone on from."""
        with storage.storage_errors(self.folder):
            (self.folder / KEY).unlink(missing_ok=True)
            shutil.rmtree(self.folder)

    def remembered(self, name: str, compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return a small result: as stored by an earlier run, or computed and stored now."""
        path = self.folder / f"{name}.json"
        if not path.exists():
            storage.write_json(path, compute())
        return storage.read_json(path)

    def finished(self, name: str) -> dict[str, Any] | None:
        """Return a stripe's counts, or None while it is unfinished."""
        path = self.folder / f"{name}.json"
        return storage.read_json(path) if path.exists() else None

    def write(self, name: str, chunks: Iterable[Records], counts: Callable[[], Mapping[str, Any]]) -> None:
        """Write a stripe: records as they come, then its counts, asked for after the last record.

        One of that name is unfinished from the beginning: its counts would not belong to these records.
        """
        finished = self.folder / f"{name}.json"
        if finished.exists():
            with storage.storage_errors(finished):
                finished.unlink()
            storage.sync_folder(self.folder)
        with storage.writing(self.folder / f"{name}.bin") as file:
            for chunk in chunks:
                file.write(chunk.tobytes())
        storage.write_json(finished, counts())

    def read(self, name: str, dtype: np.dtype[np.void]) -> Iterator[Records]:
        """Yield a finished stripe's records, some at a time."""
        yield from read_records(self.folder / f"{name}.bin", dtype)


def read_records(path: Path, dtype: np.dtype[np.void]) -> Iterator[Records]:
    """Yield a file's records, READ_RECORDS at a time."""
    with path.open("rb") as file:
        while data := file.read(READ_RECORDS * dtype.itemsize):
            yield np.frombuffer(data, dtype=dtype)
