"""Files of a benchmark that others made: opened inside its folder only, through no link, and hashed.

The content hash is what `sha256sum questions.jsonl images/* | sha256sum` prints inside the folder.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO

from snellen.images.base import TooManyBytes
from snellen.images.decode import DEFAULT_LIMITS
from snellen.jsonl import Bad

BENCHMARK, QUESTIONS, IMAGES = "benchmark.json", "questions.jsonl", "images"


def content_sha256(questions_sha256: str, images: Mapping[str, str], name: str = QUESTIONS) -> str:
    """Hash what is asked: 64 hex digits over `questions.jsonl`, or a file of another name, and every image.

    Example:
        >>> content_sha256("0" * 64, {"images/b.png": "2" * 64, "images/a.png": "1" * 64})[:16]
        '8378483a166dfc6a'

    Args:
        questions_sha256: sha256 of the file `questions.jsonl`.
        images: sha256 by path inside the benchmark (`images/<image_id>.png`).
        name: what that file is called.
    """
    lines = [f"{questions_sha256}  {name}\n", *(f"{images[path]}  {path}\n" for path in sorted(images))]
    return sha256("".join(lines).encode()).hexdigest()


@contextmanager
def opened(folder: Path, relative: str) -> Iterator[IO[bytes]]:
    """Open a regular file inside a folder, following no link below the folder.

    Raises:
        Bad: it is not there, or it is a link, a folder or a device, or it leads out; the end of a sentence.
    """
    parts = relative.split("/")
    if any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts):
        raise Bad("leads out of the benchmark's folder")
    descriptors: list[int] = []
    try:
        try:
            descriptors.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
            for part in parts:
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
                descriptors.append(os.open(part, flags, dir_fd=descriptors[-1]))
        except OSError as error:
            raise Bad(_why(error, folder / relative)) from None
        if not stat.S_ISREG(os.fstat(descriptors[-1]).st_mode):
            raise Bad("is not a regular file")
        with os.fdopen(descriptors.pop(), "rb") as file:
            yield file
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _why(error: OSError, path: Path) -> str:
    if isinstance(error, FileNotFoundError):
        return "is missing"
    if any(part.is_symlink() for part in (path, path.parent)):
        return "is, or lies behind, a link, which is not followed"
    return f"cannot be read ({error.strerror})"


def hash_inside(folder: Path, relative: str) -> tuple[str, bytes]:
    """Hash a file inside the folder.

    Returns:
        sha256 in hex, and the file's first bytes, to tell its format by.

    Raises:
        Bad: see `opened`.
    """
    digest, head = sha256(), b""
    with opened(folder, relative) as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            head = head or chunk
    return digest.hexdigest(), head


def read_inside(folder: Path, relative: str, max_bytes: int = DEFAULT_LIMITS.max_bytes) -> bytes:
    """Read a file inside the folder.

    Raises:
        Bad: see `opened`.
        TooManyBytes: it is larger than `max_bytes`; nothing was read.
    """
    with opened(folder, relative) as file:
        if os.fstat(file.fileno()).st_size > max_bytes:
            raise TooManyBytes(f"{relative} has more than {max_bytes:,} bytes")
        return file.read(max_bytes)
