"""Zip files of strangers: what is wrong with one is said in one sentence."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from snellen.errors import StudyError, UsageError

MAX_BYTES: Final = 1 << 30
"""Of an unpacked sheet."""

ZSTD: Final = 93
"""The number of zstd among the ways of packing a zip file."""


@contextmanager
def archive_errors(path: Path) -> Iterator[None]:
    """Turn what Python raises about a damaged zip file into one sentence."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, LookupError, ValueError) as error:
        # RuntimeError: encrypted, or packed in a way that nobody knows here
        raise StudyError(f"{path} is damaged, or packed in an unusual way ({error}): nothing was imported.") from error


def members(path: Path) -> dict[str, int]:
    """List the files in a zip file with their unpacked sizes in bytes, as the file itself tells them.

    Raises:
        StudyError: it is damaged, or holds one name twice.
        UsageError: it is packed with zstd, and the package that unpacks it is missing.
    """
    with archive_errors(path), zipfile.ZipFile(path) as archive:
        listed = archive.infolist()
    sizes = {one.filename: one.file_size for one in listed}
    if len(sizes) < len(listed):
        raise StudyError(f"{path} holds two files of one name: nothing was imported.")
    if any(one.compress_type == ZSTD for one in listed):
        try:
            import zipfile_zstd  # noqa: F401 - it teaches zipfile to unpack zstd
        except ModuleNotFoundError:
            raise UsageError(f"{path} is packed with zstd: pip install 'snellen[peers]' to read it.") from None
    return sizes


def member(path: Path, name: str, max_bytes: int) -> bytes:
    """Unpack one file.

    Raises:
        StudyError: it is damaged, or larger than `max_bytes`, whatever the zip file says of its size.
    """
    with archive_errors(path), zipfile.ZipFile(path) as archive, archive.open(name) as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise StudyError(f"{path} unpacks to more than {max_bytes:,} bytes: nothing was imported.")
    return data
