"""Writing an item set: images named after their hashes, begun by a plan, finished by a manifest, never over another."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from snellen import jsonl, storage
from snellen.benchmarks.files import IMAGES, content_sha256, read_inside
from snellen.benchmarks.questions import EXTENSIONS
from snellen.errors import SourceError, StudyError
from snellen.images.base import TooManyBytes
from snellen.images.sniff import sniff
from snellen.itemsets.nouns import ITEMS, ITEMSET, Item, Kind
from snellen.jsonl import Bad
from snellen.progress import Progress
from snellen.study import Study, software

VERB: Final = "import"

NAME: Final = re.compile(r"[^/\\\0]+")


@dataclass(frozen=True, slots=True)
class ItemSetResult:
    """What an import wrote; `reused` says that an earlier one had written this very item set already."""

    folder: Path
    kind: Kind
    n_items: int
    content_sha256: str
    reused: bool


@dataclass(frozen=True, slots=True)
class Source:
    """Where images come from: files of a folder, by the names that the questions give."""

    folder: Path

    def bytes_of(self, name: str) -> tuple[str, bytes]:
        """Return an image's path inside the item set, and its bytes.

        Raises:
            SourceError: there is no such image, it lies elsewhere, or it is none.
        """
        try:
            if not NAME.fullmatch(name):
                raise Bad("is no plain file name")
            data = read_inside(self.folder, name)
            kind = sniff(data)
            if kind is None or kind == "unsupported":
                raise Bad("is not an image in a format that is decoded")
        except (Bad, TooManyBytes) as bad:
            raise SourceError(f"The image {jsonl.quoted(name)} in {self.folder} {bad}: get a whole copy.") from None
        return f"{IMAGES}/{sha256(data).hexdigest()}.{EXTENSIONS[kind]}", data


def write_itemset(
    study: Study,
    settings: Mapping[str, Any],
    source: Source,
    drafts: Sequence[tuple[str, Mapping[str, Any]]],
    inputs: Mapping[str, str],
    progress: Progress,
) -> ItemSetResult:
    """Write `itemsets/<name>/`, or make sure that this very item set is there.

    Args:
        study: which need not exist yet.
        settings: name, kind, version, licence, source, and what else the manifest should say.
        source: where the images are.
        drafts: for each item its image's file name, and its fields but `image` and `image_id`.
        inputs: sha256 of what was read, by name.
        progress: told of every image.

    Raises:
        SourceError: an image is missing or is none.
        StudyError: there is another item set of this name.
        StorageError: the disk is full, or another process is writing to the study.
    """
    folder = study.itemset(settings["name"])
    plan = folder.with_name(folder.name + ".plan.json")
    with study.lock([study.itemsets, folder, folder / IMAGES]):
        there = study.read_manifest(folder)
        if there is None and folder.exists() and any(folder.iterdir()) and not plan.exists():
            raise StudyError(f"{folder} holds files that `snellen import` did not write: choose another --name.")
        if there is not None and (there["settings"] != settings or there["inputs"] != inputs):
            raise StudyError(f"{folder} is there already, from other files or settings: choose another --name.")
        if there is None:
            storage.write_json(plan, {"settings": settings})
        paths = _copied(source, folder, [name for name, _ in drafts], progress)
        items = [
            Item(image=paths[name], image_id=Path(paths[name]).stem, **fields)  # the stem is the hash
            for name, fields in drafts
        ]
        lines = jsonl.lines_of(items)
        images = {one.image: one.image_id for one in items}
        content = content_sha256(sha256(lines).hexdigest(), images, ITEMS)
        header = {
            **{key: settings[key] for key in ("name", "kind", "version")},
            "content_sha256": content,
            **{key: settings[key] for key in ("licence", "source")},
            "n_items": len(items),
        }
        storage.write_bytes(folder / ITEMS, lines)
        storage.write_json(folder / ITEMSET, header)
        study.write_manifest(
            folder,
            verb=VERB,
            settings=settings,
            software=software(),
            inputs=inputs,
            outputs={
                study.relative(folder / name): storage.sha256_of_file(folder / name)
                for name in (ITEMSET, ITEMS, *sorted(images))
            },
            counts={"items": len(items), "images": len(images)},
        )
        plan.unlink(missing_ok=True)
    return ItemSetResult(folder, settings["kind"], len(items), content, there is not None)


def _copied(source: Source, folder: Path, names: Sequence[str], progress: Progress) -> dict[str, str]:
    """Copy every image once; return its path inside the item set by its name."""
    paths: dict[str, str] = {}
    wanted = dict.fromkeys(names)
    progress.start("copying images", len(wanted), "images")
    for name in wanted:
        paths[name], data = source.bytes_of(name)
        target = folder / paths[name]
        if target.is_symlink() or not target.is_file() or target.read_bytes() != data:
            storage.write_bytes(target, data)
        progress.advance()
    progress.finish()
    return paths
