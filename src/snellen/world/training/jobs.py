"""The models of one seed, each a job of its own: one thread, one folder written whole.

A job takes paths and numbers alone, so that it can run in another process; what it needs it finds in the folder.
"""

# ruff: noqa: TID253 - this module is imported only where something is trained
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from snellen import storage
from snellen.world.nets import load
from snellen.world.training import clip, language, mllm, vision_only
from snellen.world.training.optimiser import begin
from snellen.world.training.pictures import Pictures, pictures
from snellen.world.training.recipe import Recipe

HELD_OUT_FAMILIES = 150


@dataclass(frozen=True)
class Place:
    """Where a world's models are made, and by what.

    Attributes:
        folder: The models of one seed.
        work: Pictures and visual tokens, shared by all seeds of a world; rubbish afterwards.
    """

    folder: Path
    work: Path
    world: int
    seed: int
    recipe: Recipe
    rates: Mapping[str, float]

    def train_pictures(self) -> Pictures:
        """The pictures to train on."""
        return pictures(self.work, self.world, "train", self.recipe.families)

    def held_out(self) -> Pictures:
        """Pictures to validate on; they are in no exam."""
        return pictures(self.work, self.world, "validation", HELD_OUT_FAMILIES)


def make_encoder(place: Place, name: str) -> None:
    """Train `clip`, `vision-only` or `language` into its folder, unless it is there."""
    folder = place.folder / name
    if folder.exists():
        return
    losses: list[float] = []
    if name == "clip":
        model = clip.train(place.train_pictures(), place.recipe, place.rates, place.seed, losses.append)
    elif name == "vision-only":
        model = vision_only.train(place.train_pictures(), place.recipe, place.seed, losses.append)
    else:
        model = language.train(place.recipe, place.seed, losses.append)
    storage.write_json(place.folder / f"{name}.curve.json", {"loss": thinned(losses)})
    load.save(model, folder)


def visual_tokens(place: Place, visual: str) -> tuple[Path, ...]:
    """Compute what both encoders give of all pictures, once; returns the files: two for training, two held out."""
    paths = tuple(
        place.work / f"{place.seed}-{visual.replace(':', '')}-{split}-{name}.npy"
        for split in ("train", "held-out")
        for name in ("clip", "vision-only")
    )
    if all(path.exists() for path in paths):
        return paths
    begin(place.seed)
    towers = (load.clip(place.folder / "clip").vision_model, load.vision_only(place.folder / "vision-only"))
    for split, images in enumerate((place.train_pictures().first, place.held_out().first)):
        for index, (tower, layer) in enumerate(zip(towers, (-2, -1), strict=True)):
            storage.write_npy(paths[2 * split + index], mllm.eat(tower, layer, images, visual).numpy())
    return paths


def make_mllm(place: Place, diet: mllm.Diet, visual: str, name: str) -> None:
    """Train one multimodal LLM into the folder `name`, unless it is there; its curve lies beside it."""
    folder = place.folder / name
    if folder.exists():
        return
    train_clip, train_ssl, held_clip, held_ssl = (_mapped(path) for path in visual_tokens(place, visual))
    losses: list[float] = []
    model, curve = mllm.train(
        diet,
        load.clip(place.folder / "clip"),
        load.vision_only(place.folder / "vision-only"),
        load.language(place.folder / "language"),
        facts=place.train_pictures().facts,
        tokens=(train_clip, train_ssl),
        held_out=(place.held_out().facts, (held_clip, held_ssl)),
        visual=visual,
        recipe=place.recipe.of_visual(visual),
        seed=place.seed,
        on_step=losses.append,
    )
    storage.write_json(place.folder / f"{name}.curve.json", {"loss": thinned(losses), "held_out": curve})
    load.save(model, folder)


def thinned(losses: list[float], points: int = 50) -> list[float]:
    """Average a curve over `points` stretches of equal length."""
    return [round(float(np.mean(part)), 4) for part in np.array_split(losses, min(points, len(losses)))]


def _mapped(path: Path) -> Tensor:
    return torch.from_numpy(np.load(path, allow_pickle=False))
