"""The folder that MMVP or MMVP-VLM lies in: where its table is, and which image has which number.

An image's number is in its name, and nothing else says it. Loaders that list the images give them in the order of their
names, 1, 10, 100 and so on, and whoever takes that for the order of the questions shows the wrong image for 299 of 300.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from snellen.errors import SourceError, UsageError
from snellen.images.paths import IMAGE_EXTENSIONS, extension
from snellen.jsonl import quoted

TABLE: Final = "Questions.csv"

SPELLINGS: Final = ("mmvpimages", "mllmvlmimages", "mmvpvlmimages", "images")
"""What the folder of images is called, in letters and digits: the published `MMVP Images` and `MLLM_VLM Images`, the
underscores that both READMEs and many scripts have, and the bare word."""

LISTINGS: Final = ("parquet", "arrow", "tsv", "json", "jsonl", "csv")
"""What lists of images without `Questions.csv` end in: exports of loaders, in the order of names or of nothing."""

_NUMBERED: Final = re.compile(r"([0-9]{1,6})\.[A-Za-z0-9]+")

TypeOf = Callable[[str], str | None]
"""Which visual pattern a folder's name says; None: it is no such name."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are inside `root`: the table, and by number each image's path and the pattern of its folder."""

    root: Path
    table: str
    images: dict[int, tuple[str, str | None]]


def look(folder: Path, type_of: TypeOf | None = None) -> Layout:
    """Find the table and the images.

    Args:
        folder: as published, or its folder of images.
        type_of: where images lie in one folder for each visual pattern, what the folders' names mean.

    Raises:
        UsageError: there is no such folder, or no table in it.
        SourceError: which image is which cannot be said.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder: name the folder that holds {TABLE} and the images.")
    root, table, inside = folder, _table(folder), None
    if table is None and _images(folder, type_of):
        above = folder.resolve()
        root, table, inside = above.parent, _table(above.parent), above.name
    if table is None:
        raise UsageError(_no_table(folder))
    where = inside if inside is not None else _image_folder(root, type_of)
    found: dict[int, tuple[str, str | None]] = {}
    for path, pattern in _files(root, where, type_of):
        name = path.rpartition("/")[2]
        number = _NUMBERED.fullmatch(name)
        if number is None:
            raise SourceError(
                f"{root / where} holds {quoted(name)}, whose name is no number: images are matched by the number in "
                "their name, 1.jpg and on, never by their place in a list; give each its published name."
            )
        if int(number[1]) in found:
            raise SourceError(
                f"{root} has two images of number {int(number[1])}, {quoted(found[int(number[1])][0])} and "
                f"{quoted(path)}: leave the one that is published."
            )
        found[int(number[1])] = (path, pattern)
    if not found:
        raise SourceError(f"{root} holds no image beside {TABLE}: get the folder of images too, 1.jpg and on.")
    return Layout(root, table, found)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """What is in a folder, sorted by name, but for hidden files such as .git and .DS_Store."""
    try:
        entries = list(os.scandir(folder))
    except OSError as error:
        raise SourceError(f"{folder} cannot be read ({error.strerror}): mend its permissions.") from None
    yield from sorted((one for one in entries if not one.name.startswith(".")), key=lambda one: one.name)


def _table(folder: Path) -> str | None:
    found = [entry.name for entry in _entries(folder) if entry.name.casefold() == TABLE.casefold()]
    if len(found) > 1:
        raise SourceError(f"{folder} holds {' and '.join(found)}: leave the one that is published.")
    return found[0] if found else None


def _no_table(folder: Path) -> str:
    names = [entry.name for at in (folder, folder / "data") if at.is_dir() for entry in _entries(at)]
    listing = next((name for name in names if name.casefold().rpartition(".")[2] in LISTINGS), None)
    if listing is not None:
        return (
            f"{folder} holds {quoted(listing)} and no {TABLE}: a list without the numbers is in the order of names, "
            f"10 before 2, or in no order, and is not taken; get the folder as published, with {TABLE} and images "
            "named 1.jpg and on."
        )
    sheet = f", only {TABLE[:-4]}.xlsx, which is not read" if f"{TABLE[:-4]}.xlsx" in names else ""
    return f"{folder} has no {TABLE}{sheet}: name the folder as published, with {TABLE} and images named 1.jpg and on."


def _image_folder(root: Path, type_of: TypeOf | None) -> str:
    """Name the folder of images inside root: one of the known spellings, the only one with images, or root itself."""
    folders = [entry.name for entry in _entries(root) if Path(entry.path).is_dir()]
    known = [name for name in folders if "".join(filter(str.isalnum, name.casefold())) in SPELLINGS]
    if not known and not _images(root, type_of):
        known = [name for name in folders if not (root / name).is_symlink() and _images(root / name, type_of)]
    if len(known) > 1:
        raise SourceError(
            f"{root} has images in {' and in '.join(map(quoted, known))}: leave the one that is published."
        )
    return known[0] if known else "."


def _images(folder: Path, type_of: TypeOf | None) -> bool:
    """Does a folder hold images, or folders of images by pattern?"""
    return any(
        _is_image(entry) or (type_of is not None and type_of(entry.name) is not None and entry.is_dir())
        for entry in _entries(folder)
    )


def _is_image(entry: os.DirEntry[str]) -> bool:
    return extension(os.fsencode(entry.name)) in IMAGE_EXTENSIONS and not entry.is_dir()


def _files(root: Path, where: str, type_of: TypeOf | None) -> Iterator[tuple[str, str | None]]:
    """Yield the path inside root of every image, and the pattern of its folder."""
    _refuse_link(root / where, root)
    prefix = "" if where == "." else f"{where}/"
    for entry in _entries(root / where):
        if _is_image(entry):
            yield f"{prefix}{entry.name}", None
        elif type_of is not None and entry.is_dir() and (where != "." or type_of(entry.name) is not None):
            pattern = type_of(entry.name)
            images = [one for one in _entries(Path(entry.path)) if _is_image(one)]
            if images and pattern is None:
                raise SourceError(
                    f"{root / where} holds the folder {quoted(entry.name)}, whose name is none of MMVP-VLM's types: "
                    "give it its published name."
                )
            _refuse_link(Path(entry.path), root)
            yield from ((f"{prefix}{entry.name}/{one.name}", pattern) for one in images)


def _refuse_link(path: Path, root: Path) -> None:
    if path != root and path.is_symlink():
        raise SourceError(f"{path} is a link, which is not followed: get the folder with the files themselves in it.")
