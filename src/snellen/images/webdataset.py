"""WebDataset shards: tar files as img2dataset writes them."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from snellen.errors import SourceError, UsageError
from snellen.images import tables
from snellen.images.exif import valid
from snellen.images.paths import printable, read_file, to_uri
from snellen.images.tar_index import Member, Sample, index_tar
from snellen.records import ImageRef

_EXIFREAD: Final = {
    "horizontal (normal)": 1,
    "mirrored horizontal": 2,
    "rotated 180": 3,
    "mirrored vertical": 4,
    "mirrored horizontal then rotated 90 ccw": 5,
    "rotated 90 cw": 6,
    "mirrored horizontal then rotated 90 cw": 7,
    "rotated 90 ccw": 8,
}
_BRACES: Final = re.compile(r"\{(?:(\d+)\.\.(\d+)|([^{}]*,[^{}]*))\}")
_MAX_SHARDS: Final = 1_000_000


class WebDatasetSource:
    """Images in tar files, in the order of the shards' names, then of the members.

    A sample is what shares a key (the member's name up to the first dot of its last part): an image, its caption
    (`txt`), its metadata (`json`), its label (`cls`). What the tar lacks is taken from the Parquet file of the same
    name beside it, joined on its column `key`: img2dataset lists failed downloads there as well, so its rows are not
    those of the tar. Where img2dataset kept the EXIF orientation in the metadata, it comes along.

    A tar that is compressed, damaged, or without its end mark is an error, not a source with fewer images.

    `skipped` counts `other_files`, `hidden`, `oversized_metadata`, `bad_json`, `extra_images` (such as `0.seg.png`
    beside `0.jpg`), `sidecars_without_key` and `keys_without_image` (rows of a sidecar whose download failed).

    Args:
        location: one `.tar`, a folder of them (searched through its sub-folders), or a pattern such as
            `shards/{00000..00012}.tar`.

    Raises:
        UsageError: there is no such tar.
    """

    kind = "webdataset"

    def __init__(self, location: Path | str) -> None:
        self._base, shards = find_shards(location)
        self._shards = {to_uri(os.fsencode(shard)): shard for shard in shards}
        self._refs: list[ImageRef] | None = None
        self.skipped: Counter[str] = Counter()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_refs": None}

    def refs(self) -> Sequence[ImageRef]:
        """List the images, reading headers and metadata.

        Raises:
            SourceError: a tar is compressed, damaged or ends early, or has two images under one key.
        """
        if self._refs is None:
            self.skipped.clear()
            self._refs = [ref for uri, name in self._shards.items() for ref in self._shard_refs(uri, self._base / name)]
        return self._refs

    def read(self, ref: ImageRef, max_bytes: int) -> bytes:
        """Read the image's byte range.

        Raises:
            OSError: it cannot be read, or the tar is none of this source's.
            TooManyBytes: it has more than `max_bytes`.
        """
        shard = self._shards.get(ref.uri.partition("#")[0])
        if shard is None or ref.offset is None or ref.length is None:
            raise PermissionError(f"{ref.uri!r} is not an image in a tar of this source")
        return read_file(os.fsencode(self._base / shard), max_bytes, ref.offset, ref.length)

    def _shard_refs(self, uri: str, path: Path) -> Iterator[ImageRef]:
        samples = [sample for sample in index_tar(path, self.skipped).values() if sample.images]
        images = [(sample, self._image(sample, path)) for sample in samples]
        self._count_lost_keys(path, {sample.key for sample in samples})
        sidecar = self._sidecar(path) if any({"txt", "json"} - sample.texts.keys() for sample in samples) else {}
        for sample, image in images:
            beside = sidecar.get(sample.key, {})
            meta = self._json(sample)
            meta = dict(beside) if meta is None else meta
            caption = _decode(sample.texts.get("txt")) or tables.text(meta.get("caption") or beside.get("caption"))
            label = _decode(sample.texts.get("cls"))
            rest = {name: value for name, value in meta.items() if name != "caption"}
            yield ImageRef(
                uri=f"{uri}#{to_uri(image.name)}",
                offset=image.offset,
                length=image.length,
                label=label.strip() if label else None,
                caption=caption,
                meta=rest or None,
                orientation=orientation_from(rest.get("exif")),
            )

    def _image(self, sample: Sample, path: Path) -> Member:
        """Choose the sample's image: the only one, or the only one without a second dot in its name."""
        plain = [image for image in sample.images if image.name.rpartition(b"/")[2].count(b".") == 1]
        chosen = sample.images if len(sample.images) == 1 else plain
        if len(chosen) != 1:
            names = ", ".join(repr(printable(image.name)) for image in sample.images[:5])
            raise SourceError(
                f"{path.name} has more than one image under the key {_decode(sample.key.encode('utf-8', 'replace'))!r} "
                f"({names}): the key is the name up to its first dot, so write the tar with one image for each"
            )
        self.skipped["extra_images"] += len(sample.images) - 1
        return chosen[0]

    def _json(self, sample: Sample) -> dict[str, Any] | None:
        if "json" not in sample.texts:
            return None
        try:
            found = json.loads(sample.texts["json"])
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            self.skipped["bad_json"] += 1
            return None
        return found

    def _count_lost_keys(self, path: Path, there: set[str]) -> None:
        """Count what img2dataset lists beside a tar and could not download: it has a row there, and no image here."""
        beside = path.with_suffix(".parquet")
        if beside.is_file() and "key" in (file := tables.open_parquet(beside)).schema_arrow.names:
            for batch in tables.batches(file, ["key"], beside.name):
                self.skipped["keys_without_image"] += sum(str(key) not in there for key in batch["key"].to_pylist())

    def _sidecar(self, path: Path) -> dict[str, dict[str, Any]]:
        """Read the Parquet file beside a tar, by key; empty where there is none."""
        beside = path.with_suffix(".parquet")
        if not beside.is_file():
            return {}
        file = tables.open_parquet(beside)
        columns = [field.name for field in file.schema_arrow if tables.is_scalar(field.type)]
        if "key" not in columns:
            self.skipped["sidecars_without_key"] += 1
            return {}
        rows = (row for batch in tables.batches(file, columns, beside.name) for row in batch.to_pylist())
        return {str(row["key"]): {name: tables.scalar(value) for name, value in row.items()} for row in rows}


def find_shards(location: Path | str) -> tuple[Path, list[str]]:
    """Resolve a location to a base folder and the tars in it, relative to it, sorted by the bytes of their names.

    Raises:
        UsageError: there is none.
    """
    path = Path(location)
    if path.is_file():
        return path.parent, [path.name]
    if path.is_dir():
        found = [tar.relative_to(path) for tar in path.rglob("*") if tar.suffix.lower() == ".tar" and tar.is_file()]
        names = [str(name) for name in found if not any(part.startswith(".") for part in name.parts)]
        if not names:
            raise UsageError(f"the folder {str(path)!r} holds no .tar: give the folder that holds the shards")
        return path, sorted(names, key=os.fsencode)
    pattern = os.fspath(location)
    paths = expand_braces(pattern)
    missing = [name for name in paths if not Path(name).is_file()]
    if missing:
        raise UsageError(
            f"{missing[0]!r} is missing"
            + (f" and so are {len(missing) - 1} more of the {len(paths)} tars" if len(missing) > 1 else "")
            + f" that {pattern!r} stands for: correct the range, or give the folder that holds the tars"
        )
    folder, slash, _ = pattern[: pattern.find("{")].rpartition("/")
    base = Path(folder + slash)
    return base, sorted({os.path.relpath(name, base) for name in paths}, key=os.fsencode)


def expand_braces(pattern: str) -> list[str]:
    """Expand `{000..012}` (with its leading zeros) and `{a,b}`.

    >>> expand_braces("{08..10}.tar")
    ['08.tar', '09.tar', '10.tar']

    Raises:
        UsageError: a range runs backwards, or there are more than a million names.
    """
    parts: list[list[str]] = []
    end, count = 0, 1
    for match in _BRACES.finditer(pattern):
        first, last, words = match.groups()
        if words is None and int(last) < int(first):
            raise UsageError(f"the range {match[0]} runs backwards: write the smaller number first")
        count *= words.count(",") + 1 if words is not None else int(last) - int(first) + 1
        if count > _MAX_SHARDS:
            raise UsageError(
                f"{pattern!r} stands for more than {_MAX_SHARDS:,} files: give a folder, or a smaller range"
            )
        width = len(first) if words is None else 0
        numbers = range(int(first), int(last) + 1) if words is None else ()
        parts += [
            [pattern[end : match.start()]],
            [str(number).zfill(width) for number in numbers] if words is None else words.split(","),
        ]
        end = match.end()
    return ["".join(choice) for choice in itertools.product(*parts, [pattern[end:]])]


def orientation_from(exif: object) -> int | None:
    """Find the orientation in img2dataset's `exif`: a mapping, or JSON of one, with the names of the exifread package.

    >>> orientation_from('{"Image Orientation": "Rotated 90 CW"}')
    6
    """
    if isinstance(exif, str):
        try:
            exif = json.loads(exif)
        except (ValueError, RecursionError):
            return None
    found = exif.get("Image Orientation") if isinstance(exif, Mapping) else None
    if isinstance(found, str):
        return valid(int(found)) if found.isdecimal() else _EXIFREAD.get(found.strip().lower())
    return valid(found)


def _decode(text: bytes | None) -> str | None:
    return None if text is None else text.decode("utf-8", "replace").removesuffix("\n")
