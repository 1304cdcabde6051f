"""Choosing the source that fits a path."""

from __future__ import annotations

import difflib
import os
import posixpath
from collections import Counter
from pathlib import Path
from typing import Final

from snellen.errors import UsageError
from snellen.images import tables
from snellen.images.base import ImageSource
from snellen.images.file_list import PATH, FileListSource
from snellen.images.folder import FolderSource
from snellen.images.parquet import ParquetSource
from snellen.images.paths import IMAGE_EXTENSIONS, extension
from snellen.images.webdataset import WebDatasetSource, expand_braces

CHOICES: Final = (
    "a folder of images, of .tar shards or of .parquet files; a .tar; a pattern such as '{00000..00012}.tar'; "
    "a list of paths (.txt, .csv, .tsv, .parquet); or a .parquet with image bytes"
)


def open_source(location: str | Path, *, column: str | None = None, follow_links: bool = False) -> ImageSource:
    """Open a collection of images, by what lies at its path.

    Args:
        location: a folder of images, of tar shards or of Parquet files; a `.tar`, or a pattern of them with braces; a
            list of paths (`.txt`, `.csv`, `.tsv`, or `.parquet` with a column of strings); a `.parquet` with image
            bytes.
        column: the column of paths or of images, for tables alone.
        follow_links: in a folder of images, follow links to folders and out of it. What a list names is always
            followed.

    Raises:
        UsageError: nothing is there, it holds no images, images of several kinds, or something else altogether.
        SourceError: the file is not what its extension says.
    """
    path = Path(location)
    if not os.fspath(location) or "://" in os.fspath(location):
        raise UsageError(f"{str(location)!r} is not a path on this machine: give {CHOICES}")
    if path.is_dir():
        return _open_folder(path, column, follow_links)
    if not path.exists():
        if expand_braces(os.fspath(location)) == [os.fspath(location)]:
            raise UsageError(_missing(path))
        _refuse_column(path.name, column)
        return WebDatasetSource(location)
    if path.is_file():
        return _open_file(path, column)
    raise UsageError(f"{str(path)!r} is neither a file nor a folder: give {CHOICES}")


def _open_file(path: Path, column: str | None) -> ImageSource:
    suffix = path.suffix.lower()
    if suffix in (".txt", ".csv", ".tsv"):
        return FileListSource(path, column=column)
    if suffix == ".parquet":
        return _open_parquet(path, column)
    if suffix == ".tar" or ".tar" in [part.lower() for part in path.suffixes] or suffix == ".tgz":
        _refuse_column(path.name, column)
        return WebDatasetSource(path)
    if extension(os.fsencode(path.name)) in IMAGE_EXTENSIONS:
        raise UsageError(f"{path.name} is one image: give the folder it lies in, {str(path.parent)!r}")
    raise UsageError(f"{path.name} is no source of images that is known by its extension: give {CHOICES}")


def _open_parquet(path: Path, column: str | None) -> ImageSource:
    """Tell a list of paths from a column of bytes, by the column's type."""
    schema = tables.open_parquet(path).schema_arrow
    kinds = {field.name: field.type for field in schema}
    if column is not None and column not in kinds:
        raise UsageError(f"{path.name} has no column {column!r}: choose one of {', '.join(map(repr, kinds)) or 'none'}")
    holds_bytes = any(map(tables.is_image, kinds.values()))
    wanted = column or (None if holds_bytes else PATH)
    if wanted in kinds and tables.is_string(kinds[wanted]):
        return FileListSource(path, column=wanted)
    return ParquetSource(path, column=column)


def _open_folder(path: Path, column: str | None, follow_links: bool) -> ImageSource:
    found = _survey(path, follow_links)
    kinds = sorted(found)
    if not kinds:
        raise UsageError(f"the folder {str(path)!r} holds no images: give {CHOICES}")
    if len(kinds) > 1:
        counts = " and ".join(f"{found[kind]:,} {kind}" for kind in kinds)
        raise UsageError(
            f"the folder {str(path)!r} mixes {counts}: give a sub-folder with one kind, or one of its files"
        )
    if kinds == [".parquet files"]:
        return ParquetSource(path, column=column)
    _refuse_column(str(path), column)
    return WebDatasetSource(path) if kinds == [".tar shards"] else FolderSource(path, follow_links=follow_links)


def _survey(root: Path, follow_links: bool) -> Counter[str]:
    """Count what a folder holds, by kind; Parquet files that describe a tar or a folder beside them do not count."""
    found: Counter[str] = Counter()
    seen: set[tuple[int, int]] = set()
    for here, folders, files in os.walk(os.fsencode(root), followlinks=follow_links):
        status = Path(os.fsdecode(here)).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = [name for name in folders if not name.startswith(b".")]
        described = {posixpath.splitext(name)[0] for name in files if extension(name) == b"tar"} | set(folders)
        for name in files:
            kind = extension(name)
            if name.startswith(b"."):
                continue
            if kind in IMAGE_EXTENSIONS:
                found["images"] += 1
            elif kind == b"tar":
                found[".tar shards"] += 1
            elif kind == b"parquet" and posixpath.splitext(name)[0] not in described:
                found[".parquet files"] += 1
    return found


def _missing(path: Path) -> str:
    """Say that a path is missing, and what is near it."""
    parent = path.parent
    while not parent.is_dir() and parent != parent.parent:
        path, parent = parent, parent.parent
    try:
        names = sorted(entry.name for entry in parent.iterdir())
    except OSError:
        names = []
    near = difflib.get_close_matches(path.name, names, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(repr(str(parent / name)) for name in near)}?" if near else f"give {CHOICES}"
    return f"there is no {str(path)!r}: {hint}"


def _refuse_column(name: str, column: str | None) -> None:
    if column is not None:
        raise UsageError(f"{name} has no columns: leave out {column!r}, which is for .csv, .tsv and .parquet")
