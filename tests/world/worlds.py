"""Worlds for the tests, and studies of them with vectors of our own making."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snellen.mining import mine
from snellen.records import Image
from snellen.study import Study
from snellen.world.draw import draw, read_world
from snellen.world.scene.facts import CONTEXTS, FACTORS, KINDS
from snellen.world.table import Picture, World
from tests.studies import unit_rows, write_study

NAMES: dict[str, Any] = {"blind": "control/blind", "reference": "control/reference"}


def files_of(folder: Path) -> dict[str, bytes]:
    """Everything in a folder but the lock."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "study.lock"
    }


def hot(picture: Picture, names: tuple[str, ...], noise: float) -> NDArray[np.float64]:
    """A vector that tells the named facts and no other, with a little noise of the picture's own."""
    topics = {"kind": KINDS, "context": CONTEXTS, **FACTORS}
    pieces = [[float(getattr(picture.facts, name) == value) for value in topics[name]] for name in names]
    own = np.random.default_rng(list(sha256(picture.image_id.encode()).digest()[:4])).standard_normal(12)
    return np.concatenate([*map(np.array, pieces), noise * own])


def rows_of(world: World, *names: str, noise: float = 0.05) -> NDArray[np.float16]:
    """A row for each picture, in the order of the table."""
    return unit_rows(np.stack([hot(picture, names, noise) for picture in world.pictures]))


def table_of(world: World) -> list[Image]:
    """`images.parquet` as `embed` would write it."""
    return [
        Image(row, picture.image_id, picture.file.split("/")[1], "ok", 64, 64)
        for row, picture in enumerate(world.pictures)
    ]


def study_of(world: World, root: Path, **mining: Any) -> Study:
    """A study whose blind encoder sees kind, context and color alone, and whose reference encoder sees everything."""
    blind = rows_of(world, "kind", "context", "color")
    reference = rows_of(world, *FACTORS)
    study = write_study(root, blind, reference, table_of(world))
    if mining:
        mine(study.root, **NAMES, **mining)
    return study


def world_in(folder: Path, families: int = 60) -> World:
    """A small world."""
    draw(folder, families=families)
    return read_world(folder)
