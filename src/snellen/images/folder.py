"""A folder of image files, searched through all its sub-folders."""

from __future__ import annotations

import os
import posixpath
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from snellen.errors import SourceError, UsageError
from snellen.images.paths import IMAGE_EXTENSIONS, extension, from_uri, printable, read_file, to_uri
from snellen.records import ImageRef


class FolderSource:
    """Images of a folder, in the byte order of their relative paths.

    Every file with an image extension, in any case, is listed, whatever it holds; formats that we do not decode (HEIC,
    JPEG 2000 and so on) are listed too, to get a row that says so. The label is the name of the folder that holds the
    image (the ImageFolder layout); images at the top have none.

    `skipped` counts `other_files`, `hidden` (names that begin with a dot, such as the `._*.jpg` of macOS; a hidden
    folder counts once) and `links_not_followed` (links to folders).

    Links: a link to a file is listed, and read if it leads to somewhere inside the folder; one that leads out is
    listed, and `read` refuses it. A link to a folder is not followed. With `follow_links` all are followed, each folder
    being listed once however many links lead to it, under its own name if it has one here.

    Args:
        root: the folder.
        follow_links: follow links to folders, and out of this one.

    Raises:
        UsageError: there is no such folder.
    """

    kind = "folder"

    def __init__(self, root: Path | str, *, follow_links: bool = False) -> None:
        self._root = os.path.realpath(os.fsencode(root))
        self._follow = follow_links
        self._refs: list[ImageRef] | None = None
        self._targets: dict[bytes, bytes] = {}
        self.skipped: Counter[str] = Counter()
        if not posixpath.isdir(self._root):
            raise UsageError(f"there is no folder {str(root)!r}: give the folder that holds the images")

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_refs": None}

    def refs(self) -> Sequence[ImageRef]:
        """List the images.

        Raises:
            SourceError: a sub-folder cannot be listed, so that images would be missing without a trace.
        """
        if self._refs is None:
            self.skipped.clear()
            self._refs = [_ref(path) for path in sorted(self._walk())]
        return self._refs

    def read(self, ref: ImageRef, max_bytes: int) -> bytes:
        """Return the file's bytes.

        Raises:
            OSError: it cannot be read, is not a regular file, or lies outside the folder.
            TooManyBytes: it has more than `max_bytes`.
        """
        relative = from_uri(ref.uri)
        if relative.startswith(b"/") or b".." in relative.split(b"/"):
            raise PermissionError(f"{ref.uri!r} leads out of the folder")
        path = posixpath.join(self._root, relative)
        if not self._follow and b"\0" not in path:
            target = self._target(path)
            if not target.startswith(self._root.rstrip(b"/") + b"/"):
                raise PermissionError(
                    f"{ref.uri!r} is a link that leads out of the folder, to {printable(target)!r}: "
                    "copy the image into the folder, or allow it with follow_links"
                )
        return read_file(path, max_bytes)

    def _target(self, path: bytes) -> bytes:
        """Return where a path leads; its folder is looked up once for all the images in it."""
        folder, name = posixpath.split(path)
        if folder not in self._targets:
            self._targets[folder] = os.path.realpath(folder)
        path = posixpath.join(self._targets[folder], name)
        return os.path.realpath(path) if posixpath.islink(path) else path

    def _walk(self) -> Iterator[bytes]:
        """Yield relative paths of images, real folders before links, so that a folder keeps its own name."""
        seen = {_identity(self._root)}
        folders, links = [b""], list[bytes]()
        while folders or links:
            if not folders:
                link = links.pop(0)
                if not self._first_visit(link, seen):
                    continue
                folders.append(link)
            here = folders.pop()
            for entry in self._scan(here):
                path = posixpath.join(here, entry.name)
                if entry.name.startswith(b"."):
                    self.skipped["hidden"] += 1
                elif entry.is_dir(follow_symlinks=False):
                    if self._first_visit(path, seen):
                        folders.append(path)
                elif entry.is_symlink() and posixpath.isdir(entry.path):
                    if self._follow:
                        links.append(path)
                    else:
                        self.skipped["links_not_followed"] += 1
                elif extension(entry.name) in IMAGE_EXTENSIONS:
                    yield path
                else:
                    self.skipped["other_files"] += 1

    def _scan(self, folder: bytes) -> list[os.DirEntry[bytes]]:
        try:
            with os.scandir(posixpath.join(self._root, folder)) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            raise SourceError(
                f"the folder {printable(folder or self._root)!r} cannot be listed ({error.strerror}): "
                "make it readable, or move it out of the source"
            ) from error

    def _first_visit(self, path: bytes, seen: set[tuple[int, int]]) -> bool:
        identity = _identity(posixpath.join(self._root, path))
        if identity in seen:
            return False
        seen.add(identity)
        return True


def _identity(folder: bytes) -> tuple[int, int]:
    found = Path(os.fsdecode(folder)).stat()
    return found.st_dev, found.st_ino


def _ref(path: bytes) -> ImageRef:
    parent = posixpath.dirname(path)
    return ImageRef(to_uri(path), label=printable(posixpath.basename(parent)) if parent else None)
