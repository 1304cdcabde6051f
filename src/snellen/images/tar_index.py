"""What lies where in one tar file: its members with their byte ranges, grouped by WebDataset's keys."""

from __future__ import annotations

import os
import tarfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from snellen.errors import SourceError
from snellen.images.paths import IMAGE_EXTENSIONS

TEXTS: Final = ("txt", "json", "cls")
"""The extensions, besides images, that are read: caption, metadata, label."""

_MAX_TEXT: Final = 16 * 2**20
_COMPRESSED: Final = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a tar: its name and its byte range."""

    name: bytes
    offset: int
    length: int


@dataclass(slots=True)
class Sample:
    """All that a tar holds under one key."""

    key: str
    images: list[Member] = field(default_factory=list)
    texts: dict[str, bytes] = field(default_factory=dict)


def index_tar(path: Path, skipped: Counter[str]) -> dict[str, Sample]:
    """Read the headers and the small text members of a tar, and no image.

    A key is the member's name up to the first dot of its last part, folders included; its members need not be
    adjacent. Samples come in the order of their first member.

    Args:
        path: the tar, uncompressed: only then can an image be read without all before it.
        skipped: counts `hidden`, `other_files` (members that are neither image nor text of ours, links, devices) and
            `oversized_metadata` (texts over 16 MiB).

    Raises:
        SourceError: it is compressed, damaged, or ends early.
    """
    samples: dict[str, Sample] = {}
    with path.open("rb") as file:
        _refuse_compressed(path, file.read(8))
        try:
            for member, content in _members(path, file.fileno(), skipped):
                folder, _, base = member.name.decode("utf-8", "surrogateescape").rpartition("/")
                stem, _, extension = base.partition(".")
                key = f"{folder}/{stem}" if folder else stem
                sample = samples.setdefault(key, Sample(key))
                if content is None:
                    sample.images.append(member)
                else:
                    sample.texts.setdefault(extension.lower(), content)
        except tarfile.TarError as error:
            raise SourceError(f"{path.name} is damaged or ends early ({error}): fetch or write it again") from error
    return samples


def _members(path: Path, descriptor: int, skipped: Counter[str]) -> Iterator[tuple[Member, bytes | None]]:
    """Yield images (without content) and texts (with it)."""
    with tarfile.open(path, "r:", encoding="utf-8", errors="surrogateescape") as tar:
        for info in tar:
            name = info.name.encode("utf-8", "surrogateescape")
            base = name.rpartition(b"/")[2]
            suffixes = base.lower().split(b".")[1:]
            if info.isdir():
                continue
            if base.startswith(b"."):
                skipped["hidden"] += 1
            elif not info.isreg() or info.issparse() or not suffixes:
                skipped["other_files"] += 1
            elif suffixes[-1] in IMAGE_EXTENSIONS:
                yield Member(name, info.offset_data, info.size), None
            elif b".".join(suffixes).decode("utf-8", "replace") not in TEXTS:
                skipped["other_files"] += 1
            elif info.size > _MAX_TEXT:
                skipped["oversized_metadata"] += 1
            else:
                content = os.pread(descriptor, info.size, info.offset_data)
                yield Member(name, info.offset_data, info.size), content
        _check_end(path, descriptor, tar.offset)


def _check_end(path: Path, descriptor: int, end: int) -> None:
    """Make sure that the end mark was reached: `tarfile` takes a cut-off or damaged header for the end as well."""
    mark = os.pread(descriptor, 1024, end)
    if len(mark) < 512 or any(mark):
        reason = "it has no end mark" if not any(mark) else f"there is no valid header at byte {end:,}"
        raise SourceError(f"{path.name} is damaged or ends early ({reason}): fetch or write it again")
    at = end
    while block := os.pread(descriptor, 2**20, at):
        if any(block):
            raise SourceError(
                f"{path.name} goes on behind its end mark at byte {end:,}, as tars do that were joined with `cat`: "
                "give the parts as tars of their own"
            )
        at += len(block)


def _refuse_compressed(path: Path, start: bytes) -> None:
    for magic, name in _COMPRESSED.items():
        if start.startswith(magic):
            raise SourceError(
                f"{path.name} is compressed ({name}), so that no image in it can be read by itself: "
                "unpack it to a plain .tar (images hardly shrink anyway)"
            )
