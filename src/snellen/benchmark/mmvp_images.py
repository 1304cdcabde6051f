"""The images that an import reads: each opened inside its folder through no link, decoded, and hashed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from snellen import storage
from snellen.benchmark.mmvp_folder import Layout
from snellen.benchmarks.files import IMAGES, read_inside
from snellen.benchmarks.questions import EXTENSIONS
from snellen.errors import SourceError
from snellen.images.base import TooManyBytes
from snellen.images.decode import Limits, decode
from snellen.images.sniff import sniff
from snellen.jsonl import Bad, quoted
from snellen.progress import Progress

LIMITS: Final = Limits(min_side=1)
"""Nothing is too small: what was published is imported."""

_POINTER: Final = b"version https://git-lfs.github.com/spec/"


@dataclass(frozen=True, slots=True)
class Picture:
    """An image that can be decoded: its path inside the folder it comes from, its hash, and its path in a benchmark.

    `pattern` is what its folder's name says, None where it lies in no such folder.
    """

    source: str
    image_id: str
    path: str
    pattern: str | None


def read_all(layout: Layout, progress: Progress) -> dict[int, Picture]:
    """Decode and hash every image, by number.

    Raises:
        SourceError: one cannot be decoded, is a link, or is no image at all.
    """
    found = {}
    progress.start("reading images", len(layout.images), "images")
    for number in sorted(layout.images):
        source, pattern = layout.images[number]
        data = _read(layout.root, source)
        status = decode(data, LIMITS).status
        if data.startswith(_POINTER):
            raise SourceError(
                f"{layout.root / source} holds no image but the address of one in Git LFS: run `git lfs pull` in that "
                "folder first."
            )
        kind = sniff(data)
        if status != "ok" or kind is None or kind == "unsupported":
            raise SourceError(f"{layout.root / source} cannot be decoded ({status}): get the file again.")
        image_id = sha256(data).hexdigest()
        found[number] = Picture(source, image_id, f"{IMAGES}/{image_id}.{EXTENSIONS[kind]}", pattern)
        progress.advance()
    progress.finish()
    return found


def copy_all(layout: Layout, pictures: Mapping[int, Picture], folder: Path) -> None:
    """Copy the bytes of every image into a benchmark's folder, those that are there already left alone.

    Raises:
        SourceError: an image changed in the meantime.
    """
    for picture in pictures.values():
        path = folder / picture.path
        if path.is_symlink() or not path.is_file() or storage.sha256_of_file(path) != picture.image_id:
            data = _read(layout.root, picture.source)
            if sha256(data).hexdigest() != picture.image_id:
                raise SourceError(f"{layout.root / picture.source} changed while it was read: import once more.")
            storage.write_bytes(path, data)


def _read(root: Path, source: str) -> bytes:
    try:
        return read_inside(root, source)
    except (Bad, TooManyBytes) as bad:
        raise SourceError(
            f"The image {quoted(source)} in {root} {bad}: get the folder with the files themselves in it."
        ) from None
