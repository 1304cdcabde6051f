"""Files that are either whole or not there: atomic writes, hashes, one writer at a time.

A file is written under a temporary name in its own folder, flushed to disk, and renamed. Whoever finds the final
name finds the whole content, also after SIGKILL.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from snellen.errors import StorageError, StudyError

TEMPORARY_SUFFIX = ".partial"
"""What a name ends in while its file is being written; such a file is rubbish once its writer is gone."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """Open `path` for writing so that it appears whole, or not at all.

    Raises:
        StorageError: the disk is full or not writable; nothing is left behind.
    """
    temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn the system's errors about `path` into one sentence that says what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _FULL:
            raise StorageError(
                f"No room to write {path} ({reason}): free some space and run the same command again; "
                "what is finished is kept."
            ) from error
        raise StorageError(
            f"Cannot write {path} ({reason}): choose a place that can be written to, or mend its permissions."
        ) from error


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk, so that a rename survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a small file atomically."""
    with writing(path) as file:
        file.write(data)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON file atomically, with a fixed layout, so that equal values are equal bytes."""
    write_bytes(path, json_bytes(value))


def json_bytes(value: Mapping[str, Any]) -> bytes:
    """Encode as indented UTF-8 JSON with a final newline; NaN and infinities are refused."""
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def write_npy(path: Path, array: NDArray[Any]) -> None:
    """Write a `.npy` file atomically."""
    with writing(path) as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
        # not `write_array`: on a full disk that raises an OSError without the system's error number
        file.write(np.ascontiguousarray(array).view(np.uint8).data)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        StudyError: the file is missing or is not a JSON object.
    """
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise StudyError(f"{path} is missing: run the verb that writes it again.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise StudyError(f"{path} is damaged ({error}): delete it and run the verb that writes it again.") from error
    if not isinstance(value, dict):
        raise StudyError(f"{path} does not hold a JSON object: delete it and run the verb that writes it again.")
    return value


def append_line(path: Path, value: Mapping[str, Any]) -> None:
    """Append one JSON line to a log and flush it to disk."""
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write((json.dumps(value, ensure_ascii=False) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())


def sha256_of_file(path: Path, on_bytes: Callable[[int], None] | None = None) -> str:
    """Hash a file's content: 64 hex digits. `on_bytes` is told of progress."""
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 22):
            digest.update(chunk)
            if on_bytes:
                on_bytes(len(chunk))
    return digest.hexdigest()


def sha256_of_json(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Hash a JSON value independently of key order: 64 hex digits."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return sha256(text.encode("ascii")).hexdigest()
