"""Names and files: percent-encoded uris, extensions, and reading a file without being fooled by what it is.

Paths are bytes, as the file system has them: `pathlib` takes none, hence `posixpath`.
"""

from __future__ import annotations

import os
import posixpath
import stat
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from snellen.images.base import TooManyBytes

DECODED_EXTENSIONS: Final = frozenset(
    b"jpg jpeg jpe jfif mpo png apng webp gif bmp tif tiff avif".split()  # one line, to be read aloud
)
"""Extensions of the formats that we decode, in lower case."""

IMAGE_EXTENSIONS: Final = DECODED_EXTENSIONS | frozenset(
    b"heic heif hif jp2 j2k jpf jpx jxl psd ico tga qoi dds exr hdr ppm pgm pbm pnm".split()
)
"""Extensions of files that get a row: those that we do not decode get one too, with status `unsupported`."""


def to_uri(path: bytes) -> str:
    r"""Percent-encode a POSIX path, byte by byte: any name a file system allows becomes plain ASCII and comes back.

    >>> to_uri(b"a b/caf\xe9#1.jpg")
    'a%20b/caf%E9%231.jpg'
    """
    return quote(path, safe="/")


def from_uri(uri: str) -> bytes:
    """Undo `to_uri`."""
    return unquote_to_bytes(uri)


def printable(name: bytes) -> str:
    r"""Turn a name into text that any file format can hold; bytes that are not UTF-8 become `\xNN`."""
    return name.decode("utf-8", "backslashreplace")


def extension(name: bytes) -> bytes:
    """What follows the last dot, in lower case; empty where there is none."""
    return posixpath.splitext(name)[1][1:].lower()


def read_file(path: bytes, max_bytes: int, offset: int | None = None, length: int | None = None) -> bytes:
    """Read a regular file, or a range of it, in one go.

    Args:
        path: the file; links are followed.
        max_bytes: the most that may be read.
        offset: first byte, None for the whole file.
        length: number of bytes of the range.

    Raises:
        OSError: it cannot be opened, is a folder, pipe, socket or device, or ends before the range does.
        TooManyBytes: there is more than `max_bytes`; nothing was read.
    """
    if b"\0" in path:
        raise OSError(f"{printable(path)!r} cannot be the name of a file: it holds a zero byte")
    _refuse_special(path, Path(os.fsdecode(path)).stat())
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        # Asked again, of what was really opened: the name may have been given to a pipe in between.
        found = os.fstat(descriptor)
        _refuse_special(path, found)
        size = found.st_size if length is None else length
        if size > max_bytes:
            raise TooManyBytes(f"{printable(path)!r} has {size:,} bytes, the limit is {max_bytes:,}")
        with os.fdopen(os.dup(descriptor), "rb") as file:
            file.seek(offset or 0)
            data = file.read(size)
    finally:
        os.close(descriptor)
    if len(data) < size:
        raise OSError(f"{printable(path)!r} ended after {len(data):,} of {size:,} bytes")
    return data


def _refuse_special(path: bytes, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kinds = {stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket", stat.S_IFDIR: "folder"}
        kind = kinds.get(stat.S_IFMT(found.st_mode), "device")
        raise OSError(f"{printable(path)!r} is a {kind}, not a file: remove it from the source")
