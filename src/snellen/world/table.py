"""`world.jsonl`: what is true of every picture of a world, a line a picture. Written by `draw`, read by who scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from snellen import jsonl, storage
from snellen.errors import StudyError, UsageError
from snellen.jsonl import Bad
from snellen.study import Study
from snellen.world.scene.facts import CONTEXTS, FACTORS, KINDS, Facts
from snellen.world.scene.families import MEMBERS, SPLITS, Role

TABLE: Final = "world.jsonl"
IMAGES: Final = "images"
PLAN: Final = "world.plan.json"  # beside an unfinished world

MOST: Final = 2**31 - 1
"""The largest number that a world or a family may have."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One line of `world.jsonl`.

    `image_id` is the sha256 of the file's bytes, `file` its path inside the world's folder; `changed` names the
    factors in which the picture differs from its family's base, in the order of `FACTORS`.
    """

    image_id: str
    file: str
    world: int
    split: str
    family: int
    member: int
    role: Role
    changed: tuple[str, ...]
    facts: Facts
    caption: str


@dataclass(frozen=True)
class World:
    """A world that was drawn: its folder, its pictures in the order of the lines, and what it was drawn with."""

    folder: Path
    pictures: tuple[Picture, ...]
    settings: Mapping[str, Any]

    @cached_property
    def by_id(self) -> Mapping[str, Picture]:
        """Pictures by image_id."""
        return {picture.image_id: picture for picture in self.pictures}

    @cached_property
    def facts(self) -> Mapping[str, Facts]:
        """Facts by image_id."""
        return {picture.image_id: picture.facts for picture in self.pictures}

    @cached_property
    def roles(self) -> Mapping[str, Role]:
        """Roles by image_id."""
        return {picture.image_id: picture.role for picture in self.pictures}

    @cached_property
    def families(self) -> Mapping[int, tuple[Picture, ...]]:
        """The pictures of each family, the base first, by the family's number."""
        found: dict[int, list[Picture]] = {}
        for picture in self.pictures:
            found.setdefault(picture.family, []).append(picture)
        return {number: tuple(pictures) for number, pictures in found.items()}

    def path(self, image_id: str) -> Path:
        """Where a picture's file lies."""
        return self.folder / self.by_id[image_id].file


def file_of(family: int, member: int) -> str:
    """Name a picture's file inside the world's folder: by numbers alone, which tell no fact."""
    return f"{IMAGES}/f{family:04d}-{member}.png"


def read_world(folder: str | Path) -> World:
    """Read a world that `draw` has finished, every line checked.

    Raises:
        UsageError: there is no world in that folder.
        StudyError: the world is unfinished, or a line is not what `draw` writes; names file and line.
    """
    root = Study(Path(folder))
    table = root.root / TABLE
    manifest = root.read_manifest(table)
    if manifest is None and not table.exists() and not (root.root / PLAN).exists():
        raise UsageError(f"There is no world in {folder}: name a folder that `snellen world draw` wrote to.")
    if manifest is None:
        raise StudyError(f"{table} is not finished: run the same `snellen world draw` again to complete it.")
    reader = _Reader()
    try:
        with table.open("rb") as file:
            for number, picture in jsonl.read(file, reader.picture):
                if isinstance(picture, Bad):
                    raise StudyError(f"{table}, line {number}, {picture}: run the same `snellen world draw` again.")
    except OSError as error:
        raise StudyError(
            f"{table} cannot be read ({error.strerror}): run the same `snellen world draw` again."
        ) from error
    if manifest["outputs"].get(TABLE) != storage.sha256_of_file(table):
        raise StudyError(f"{table} was changed after it was written: run the same `snellen world draw` again.")
    return World(root.root, tuple(reader.pictures), manifest["settings"])


def _facts(value: object) -> Facts:
    if not isinstance(value, dict):
        raise Bad("is not an object with facts")
    checks = {"kind": jsonl.one_of(*KINDS), "context": jsonl.one_of(*CONTEXTS)}
    return Facts(**jsonl.fields(value, checks | {name: jsonl.one_of(*values) for name, values in FACTORS.items()}))


_CHECKS: Final[dict[str, jsonl.Check]] = {
    "image_id": jsonl.digits(64),
    "file": jsonl.text,
    "world": jsonl.integer(0, MOST),
    "split": jsonl.one_of(*SPLITS),
    "family": jsonl.integer(0, MOST),
    "member": jsonl.integer(0, MOST),
    "role": jsonl.one_of(*dict.fromkeys(MEMBERS)),
    "changed": jsonl.texts,
    "facts": _facts,
    "caption": jsonl.text,
}


class _Reader:
    """Reads line after line, and compares each with those before it."""

    def __init__(self) -> None:
        self.pictures: list[Picture] = []
        self._bases: dict[int, Picture] = {}
        self._ids: set[str] = set()
        self._files: set[str] = set()

    def picture(self, value: dict[str, Any]) -> Picture:
        """Make the picture of one line.

        Raises:
            Bad: the line contradicts itself or an earlier one.
        """
        picture = Picture(**jsonl.fields(value, _CHECKS))
        if picture.file != file_of(picture.family, picture.member):
            raise Bad(f"has file {jsonl.quoted(picture.file)} where {file_of(picture.family, picture.member)} is due")
        if picture.image_id in self._ids or picture.file in self._files:
            raise Bad("shows a picture that an earlier line shows already")
        if picture.role == "base":
            self._bases.setdefault(picture.family, picture)
        base = self._bases.get(picture.family)
        if base is None:
            raise Bad("has no base of its family before it")
        if (picture.world, picture.split) != (base.world, base.split):
            raise Bad("is of another world or split than its base")
        if not picture.facts.same_scene(base.facts) or picture.changed != base.facts.differing(picture.facts):
            raise Bad(f"has changed {list(picture.changed)}, which is not how its facts differ from its base's")
        self._ids.add(picture.image_id)
        self._files.add(picture.file)
        self.pictures.append(picture)
        return picture


def counts(pictures: Sequence[Picture]) -> dict[str, Any]:
    """Count pictures, families, roles, and the single-factor pairs planted of each factor."""
    single = [picture.changed[0] for picture in pictures if picture.role == "one-factor"]
    roles = [picture.role for picture in pictures]
    return {
        "pictures": len(pictures),
        "families": len({picture.family for picture in pictures}),
        "roles": {role: roles.count(role) for role in dict.fromkeys(MEMBERS)},
        "planted": {name: single.count(name) for name in FACTORS},
    }
