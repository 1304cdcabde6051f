"""The verb `world train`: all models of one seed, from random weights."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from snellen import storage
from snellen.errors import StudyError, UsageError
from snellen.progress import SILENT, Progress
from snellen.study import Study, software
from snellen.world.draw import checked_rates
from snellen.world.scene.captions import MENTION_RATES
from snellen.world.training.recipe import FULL, Recipe

SHIPPED_DIETS: Final = ("clip", "vision-only", "additive-0.5", "interleaved")
"""The diets that `world train` makes a multimodal LLM of."""

ENCODERS: Final = ("vision-only", "clip", "language")
DEFAULT_VISUAL: Final = "pool:4"

Job = tuple[Callable[..., None], tuple[Any, ...]]


@dataclass(frozen=True)
class TrainResult:
    """The folder, and the names of the models in it."""

    folder: Path
    models: tuple[str, ...]


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
    from snellen.world.training.jobs import Place, make_encoder, make_mllm, see
    from snellen.world.training.mllm import DIETS

    known = {diet.name: diet for diet in DIETS}
    wanted = tuple(diets)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise UsageError(f"unknown diet {unknown[0]!r}; choose among {', '.join(known)}")
    if visual not in ("all", "global", "pool:1", "pool:4", "pool:16"):
        raise UsageError(f"unknown visual input {visual!r}; choose all, global, pool:1, pool:4 or pool:16")
    folder = Path(out)
    place = Place(folder, folder / "work", world, seed, recipe, checked_rates(rates))
    names = {name: mllm_folder(name, visual) for name in wanted}
    made_by = {"seed": seed, "world": world, "recipe": recipe.as_dict(), "rates": dict(place.rates)}
    with Study(folder).lock():
        _claim(folder, made_by)
        encoders = [name for name in ENCODERS if not (folder / name).exists()]
        diets_left = [name for name in wanted if not (folder / names[name]).exists()]
        if encoders or diets_left:
            progress.start("training", len(encoders) + len(diets_left), "models")
            place.train_pictures()
            place.held_out()
            run([(make_encoder, (place, name)) for name in encoders], jobs, progress)
            if diets_left:
                run([(see, (place, visual))], jobs, SILENT)
            run([(make_mllm, (place, known[name], visual, names[name])) for name in diets_left], jobs, progress)
            progress.finish()
        shutil.rmtree(place.work, ignore_errors=True)
    return TrainResult(folder, (*ENCODERS, *names.values()))


def mllm_folder(diet: str, visual: str) -> str:
    """Name the folder of a multimodal LLM: its diet, and its visual input where that is not the default."""
    return f"mllm-{diet}" + ("" if visual == DEFAULT_VISUAL else f"-{visual.replace(':', '')}")


def run(todo: Iterable[Job], jobs: int, progress: Progress) -> None:
    """Run jobs, so many at a time, each in a process of its own that is new to the world."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for finished in as_completed([pool.submit(function, *arguments) for function, arguments in todo]):
            finished.result()
            progress.advance()


def _claim(folder: Path, settings: dict[str, Any]) -> None:
    """Write down by what the models are made; refuse a folder made by something else."""
    path = folder / "training.json"
    made_by = {**settings, "software": software("torch", "transformers", "numpy")}
    if not path.exists():
        storage.write_json(path, made_by)
    elif storage.read_json(path) != made_by:
        raise StudyError(f"{folder} holds models made by other settings or software: choose another folder.")
