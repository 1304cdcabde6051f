"""The pictures that training sees, drawn once and kept as arrays that every process maps."""

# ruff: noqa: TID253 - this module is imported only where something is trained
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snellen.world.nets.build import PIXEL_MEAN, PIXEL_STD
from snellen.world.scene.canvas import SIZE
from snellen.world.scene.facts import Facts
from snellen.world.scene.families import Shot, families

MEMBERS_DRAWN = 6
"""Scenes of a family: all but its re-render, since every scene is drawn twice."""


@dataclass(frozen=True)
class Pictures:
    """Scenes in the order of their families, each drawn twice.

    Attributes:
        first: uint8 [scenes, 64, 64, 3].
        second: The same scenes with other nuisance.
        shots: What each shows.
    """

    first: NDArray[np.uint8]
    second: NDArray[np.uint8]
    shots: list[Shot]

    @property
    def facts(self) -> list[Facts]:
        """What is true of each scene."""
        return [shot.facts for shot in self.shots]


def scenes(world: int, split: str, count: int) -> list[Shot]:
    """List the scenes of `count` families, without their re-renders."""
    return [shot for shot in families(world, split, count) if shot.role != "re-render"]


def draw_frame(
    folder: Path, world: int, split: str, count: int, frame: int, advance: Callable[[], None] | None = None
) -> Path:
    """Draw one of the two drawings of every scene of `count` families, unless it lies in `folder` already."""
    path = folder / f"{split}-{world}-{count}-{frame}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        shots = scenes(world, split, count)
        partial = path.with_suffix(".partial.npy")
        drawn = np.lib.format.open_memmap(partial, "w+", np.uint8, (len(shots), SIZE, SIZE, 3))
        for index, shot in enumerate(shots):
            drawn[index] = replace(shot, frame=frame).picture()
            if advance:
                advance()
        drawn.flush()
        partial.rename(path)
    return path


def pictures(folder: Path, world: int, split: str, count: int, advance: Callable[[], None] | None = None) -> Pictures:
    """Draw `count` families of a split, or map what an earlier call has drawn into `folder`."""
    paths = [draw_frame(folder, world, split, count, frame, advance) for frame in (0, 1)]
    first, second = (np.load(path, mmap_mode="r", allow_pickle=False) for path in paths)
    return Pictures(first, second, scenes(world, split, count))


def pixels(images: NDArray[np.uint8]) -> Tensor:
    """Bring pictures to what the encoders take: float32 [n, 3, 64, 64], as the image processor does."""
    scaled = torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float() / 255
    return ((scaled - PIXEL_MEAN) / PIXEL_STD).contiguous()
