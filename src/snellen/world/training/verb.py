"""The verb `world train`: all models of one seed, from random weights; `train_all` makes those of several at once."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from threading import Thread
from typing import Any, Final

from snellen import storage
from snellen.errors import StudyError, UsageError
from snellen.progress import SILENT, Progress
from snellen.study import Study, software
from snellen.world.draw import checked_rates
from snellen.world.scene.captions import MENTION_RATES
from snellen.world.table import MOST
from snellen.world.training.recipe import FULL, Recipe

SHIPPED_DIETS: Final = ("clip", "vision-only", "additive-0.5", "interleaved")
"""The diets that `world train` makes a multimodal LLM of."""

ENCODERS: Final = ("vision-only", "language", "clip")
DEFAULT_VISUAL: Final = "pool:4"
VISUALS: Final = ("all", "global", "pool:1", "pool:4", "pool:16")

Job = tuple[Callable[..., object], tuple[Any, ...]]


@dataclass(frozen=True)
class TrainResult:
    """The folder, and the names of the models in it."""

    folder: Path
    models: tuple[str, ...]


@dataclass(frozen=True)
class Order:
    """The models of one seed that are wanted.

    Attributes:
        out: Folder for the models, each in transformers' own format.
        seed: Weights and batches.
        visuals: What multimodal LLMs see of a picture: `all`, `pool:k` with k = 1, 4 or 16, or `global`.
        diets: Names among those of `training.mllm.DIETS`, each for every visual input.
    """

    out: Path
    seed: int = 0
    visuals: Sequence[str] = (DEFAULT_VISUAL,)
    diets: Sequence[str] = SHIPPED_DIETS

    @property
    def mllms(self) -> list[tuple[str, str]]:
        """Diet and visual input of every multimodal LLM."""
        return [(diet, visual) for visual in self.visuals for diet in self.diets]


def train(
    out: str | Path,
    *,
    seed: int = 0,
    world: int = 0,
    visual: str = DEFAULT_VISUAL,
    diets: Iterable[str] = SHIPPED_DIETS,
    rates: Mapping[str, float] = MENTION_RATES,
    recipe: Recipe = FULL,
    jobs: int = 2,
    progress: Progress = SILENT,
) -> TrainResult:
    """Train the image-text encoder, the vision-only encoder, the language model, and a multimodal LLM for every diet.

    Finished models are kept: a killed training goes on with the next model. The same seed gives the same weights on
    the same machine with the same software. It starts processes: call it from a script behind
    `if __name__ == "__main__":`.

    Args:
        out: Folder for the models, each in transformers' own format.
        seed: Weights and batches.
        world: Which world's training scenes to use.
        visual: What multimodal LLMs see of a picture: `all`, `pool:k` with k = 1, 4 or 16, or `global`.
        diets: Names among those of `training.mllm.DIETS`.
        rates: How often captions mention each factor.
        recipe: Steps, batches and rates of everything.
        jobs: Processes at a time, each with one thread.
        progress: Told of every finished model.

    Raises:
        UsageError: an unknown diet or visual input, or a rate outside 0 to 1.
        StudyError: the folder holds models made by other settings.
        StorageError: another training is at work in the folder, or the disk is full.
    """
    order = Order(Path(out), seed, (visual,), tuple(diets))
    work = order.out / "work"
    train_all([order], work, world=world, rates=rates, recipe=recipe, jobs=jobs, progress=progress)
    return TrainResult(order.out, (*ENCODERS, *(mllm_folder(*each) for each in order.mllms)))


def train_all(
    orders: Sequence[Order],
    work: Path,
    *,
    world: int,
    rates: Mapping[str, float] = MENTION_RATES,
    recipe: Recipe = FULL,
    jobs: int = 2,
    progress: Progress = SILENT,
) -> None:
    """Make the models of several seeds: all encoders first, then all multimodal LLMs, so that no process waits long.

    Args:
        orders: What is wanted; every one has a folder of its own.
        work: Folder for pictures and visual tokens, shared by all; it is deleted at the end.
        world: As for `train`, like all that follow; and so are the errors.
        rates: How often captions mention each factor.
        recipe: Steps, batches and rates of everything.
        jobs: Processes at a time.
        progress: Told of every finished model.
    """
    from snellen.world.training.jobs import HELD_OUT_FAMILIES, Place, make_encoder, make_mllm, visual_tokens
    from snellen.world.training.mllm import DIETS
    from snellen.world.training.pictures import draw_frame

    if not 0 <= world <= MOST:
        raise UsageError(f"--world {world} is out of range: give a whole number from 0 to {MOST}.")
    known = {diet.name: diet for diet in DIETS}
    for order in orders:
        _check(order, known)
    places = [Place(order.out, work, world, order.seed, recipe, checked_rates(rates)) for order in orders]
    with ExitStack() as locks:
        for order, place in zip(orders, places, strict=True):
            locks.enter_context(Study(order.out).lock())
            made_by = {"seed": order.seed, "world": world, "recipe": recipe.as_dict(), "rates": dict(place.rates)}
            _claim(order.out, made_by)
        encoders = [(place, name) for name in ENCODERS for place in places if not (place.folder / name).exists()]
        mllms = [
            (place, known[diet], visual, mllm_folder(diet, visual))
            for order, place in zip(orders, places, strict=True)
            for diet, visual in order.mllms
            if not (place.folder / mllm_folder(diet, visual)).exists()
        ]
        if encoders or mllms:
            progress.start("training", len(encoders) + len(mllms), "models")
            splits = (("train", recipe.families), ("validation", HELD_OUT_FAMILIES))
            run([(draw_frame, (work, world, *split, frame)) for split in splits for frame in (0, 1)], jobs, SILENT)
            run([(make_encoder, each) for each in encoders], jobs, progress)
            seen = {(place.seed, visual): (place, visual) for place, _, visual, _ in mllms}
            run([(visual_tokens, each) for each in seen.values()], jobs, SILENT)
            # the longest first, so that all processes end at about the same time
            mllms.sort(key=lambda each: (each[2] != "all", each[1].mixture != "interleaved"))
            run([(make_mllm, each) for each in mllms], jobs, progress)
            progress.finish()
        shutil.rmtree(work, ignore_errors=True)


def mllm_folder(diet: str, visual: str) -> str:
    """Name the folder of a multimodal LLM: its diet, and its visual input where that is not the default."""
    return f"mllm-{diet}" + ("" if visual == DEFAULT_VISUAL else f"-{visual.replace(':', '')}")


def run(todo: Iterable[Job], jobs: int, progress: Progress) -> None:
    """Run jobs, so many at a time, in processes that are new to the world and end with this one."""
    workers = get_context("spawn")
    with ProcessPoolExecutor(jobs, workers, initializer=_end_with, initargs=(os.getpid(),)) as pool:
        for finished in as_completed([pool.submit(function, *arguments) for function, arguments in todo]):
            finished.result()
            progress.advance()


def _end_with(parent: int) -> None:
    """Watch the parent, and end when it is gone: a training whose parent was killed shall not go on unseen."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def _check(order: Order, known: Collection[str]) -> None:
    unknown = [name for name in order.diets if name not in known]
    if unknown:
        raise UsageError(f"unknown diet {unknown[0]!r}; choose among {', '.join(known)}")
    for visual in order.visuals:
        if visual not in VISUALS:
            raise UsageError(f"unknown visual input {visual!r}; choose all, global, pool:1, pool:4 or pool:16")


def _claim(folder: Path, settings: dict[str, Any]) -> None:
    """Write down by what the models are made; refuse a folder made by something else."""
    path = folder / "training.json"
    made_by = {**settings, "software": software("torch", "transformers", "numpy")}
    if not path.exists():
        storage.write_json(path, made_by)
    elif storage.read_json(path) != made_by:
        raise StudyError(f"{folder} holds models made by other settings or software: choose another folder.")
