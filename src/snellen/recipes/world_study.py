"""The paper's argument in small: train everything from seeds, mine, examine, and write down what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from snellen import storage
from snellen.benchmark import build
from snellen.diagnosis.correlation import correlate
from snellen.embedding import embed
from snellen.errors import UsageError
from snellen.exam.match import match
from snellen.mining import mine
from snellen.progress import SILENT, Progress
from snellen.recipes.demo import BLIND_MIN, KINDS, REFERENCE_MAX, SOURCE, examined
from snellen.recipes.world_tables import tables
from snellen.runs import Run, read_runs
from snellen.stats import bootstrap_difference
from snellen.study import Study
from snellen.world.accept import accept
from snellen.world.draw import draw
from snellen.world.mined import mined_truth
from snellen.world.scene.captions import MENTION_RATES
from snellen.world.scene.facts import FACTORS
from snellen.world.table import World, read_world
from snellen.world.training.recipe import FULL, Recipe
from snellen.world.training.verb import DEFAULT_VISUAL, Order, mllm_folder, run, train_all

SEEDS: Final = (0, 1, 2)
OTHER_VISUALS: Final = ("global", "all")
FAMILIES: Final = 400
DIETS: Final = ("clip", "additive-0.25", "additive-0.5", "additive-0.75", "vision-only", "interleaved")
"""Of the first seed, for every visual input."""

CONFIRMED: Final = (("pool:4", "global"), ("clip", "interleaved"))
"""Visual inputs and diets of the other seeds: those that the argument hangs on."""


def world_study(
    out: str | Path,
    *,
    seeds: Sequence[int] = SEEDS,
    world: int = 1,
    other_visuals: Sequence[str] = OTHER_VISUALS,
    rates: Mapping[str, float] = MENTION_RATES,
    recipe: Recipe = FULL,
    jobs: int = 2,
    progress: Progress = SILENT,
) -> Path:
    """Reproduce the argument in a world of its own, and write `study.json` and `study.md`.

    Every seed trains its own encoders and language model. The first one trains every diet for every visual input, the
    others those that the argument hangs on (`CONFIRMED`). Settings were chosen on world 0; the default here is another
    world. Run again, it goes on where it stopped.

    Args:
        out: Folder for the world, the models, a study for every seed, and the results.
        seeds: At least one.
        world: Whose scenes to train on and to examine.
        other_visuals: Visual inputs besides `pool:4`.
        rates: How often captions mention each factor: the hypothesis is that what they leave out is not seen.
        recipe: Steps, batches and rates.
        jobs: Processes at a time.
        progress: Told of every finished model, and of every stage's own work.

    Raises:
        UsageError: no seed, or a seed twice.

    Returns:
        The path of `study.md`, tables; `study.json` beside it holds every figure.
    """
    if not seeds or len(set(seeds)) < len(seeds):
        raise UsageError(f"--seed {', '.join(map(str, seeds)) or '(none)'}: give at least one seed, and none twice.")
    folder = Path(out)
    draw(folder / "world", families=FAMILIES, world=world, progress=progress)
    visuals = (DEFAULT_VISUAL, *other_visuals)
    confirmed = tuple(visual for visual in visuals if visual in CONFIRMED[0])
    orders = [
        Order(folder / f"models-{seed}", seed, *((visuals, DIETS) if seed == seeds[0] else (confirmed, CONFIRMED[1])))
        for seed in seeds
    ]
    train_all(orders, folder / "work", world=world, rates=rates, recipe=recipe, jobs=jobs, progress=progress)
    progress.start("examining", len(orders), "seeds")
    run([(examine_seed, (folder, order, world)) for order in orders], jobs, progress)
    progress.finish()
    results = [storage.read_json(folder / f"seed-{order.seed}.json") for order in orders]
    found = {"world": world, "rates": dict(rates), "recipe": recipe.as_dict(), "seeds": results}
    storage.write_json(folder / "study.json", found)
    page = folder / "study.md"
    storage.write_bytes(page, tables(found).encode())
    return page


def examine_seed(folder: Path, order: Order, world: int) -> None:
    """Mine with a seed's encoders, examine all its models, and write `seed-<seed>.json` into the study's folder."""
    known = read_world(folder / "world")
    study = Study(folder / f"study-{order.seed}")
    _examined_pairs(study, folder / "world" / "images", order.out, known)
    found = {
        "seed": order.seed,
        "mined": mined_truth(study, known).as_json(),
        "visuals": {visual: _diets(study, order, visual, world) for visual in order.visuals},
        "correlation": _correlation(study, order.out),
        "curves": {
            mllm_folder(*each): storage.read_json(order.out / f"{mllm_folder(*each)}.curve.json")["held_out"]
            for each in order.mllms
        },
    }
    storage.write_json(folder / f"seed-{order.seed}.json", found)


def _examined_pairs(study: Study, images: Path, models: Path, world: World) -> None:
    """Embed, mine, accept and build: one benchmark a kind of pairs."""
    slugs = [
        embed(study.root, images=images, encoder=f"transformers/{models.resolve() / name}").slug
        for name in ("clip", "vision-only")
    ]
    mine(
        study.root,
        blind=slugs[0],
        reference=slugs[1],
        blind_min=BLIND_MIN,
        reference_max=REFERENCE_MAX,
    )
    for kind in KINDS:
        chosen = accept(study.root, world, kind=kind)
        build(study.root, accepted=chosen.path, name=f"world-{kind}", option_seed=0, licence="CC0-1.0", source=SOURCE)


def _diets(study: Study, order: Order, visual: str, world: int) -> dict[str, Any]:
    """Examine every diet of a visual input on all kinds of pairs, and on general questions."""
    from snellen.world.general import general

    found: dict[str, Any] = {}
    plain = {}
    for diet in order.diets:
        model = order.out / mllm_folder(diet, visual)
        examined(study, f"transformers/{model.resolve()}")
        asked = general(model, diet, world)
        found[diet] = {"plain": asked.plain, "factors": asked.factors}
        plain[diet] = np.array(asked.plain_by_picture)
    runs, _ = read_runs(study)
    by_name = {(run.model.removeprefix("transformers/"), run.benchmark): run for run in runs}
    for diet, figures in found.items():
        name = mllm_folder(diet, visual)
        figures["pairs"] = {
            kind: [asdict(score) for score in by_name[name, f"world-{kind}"].scores if score.group == "all"]
            for kind in KINDS
        }
        figures["patterns"] = {
            kind: {
                score.group: score.value
                for score in by_name[name, f"world-{kind}"].scores
                if score.group in FACTORS and score.metric == "pair_accuracy"
            }
            for kind in KINDS
        }
    blind = {diet: _both_right(by_name[mllm_folder(diet, visual), "world-blind"]) for diet in order.diets}
    names = sorted(blind["clip"])
    pairs = {diet: np.array([right[name] for name in names]) for diet, right in blind.items()}
    contrasts = [(diet, "clip") for diet in order.diets if diet != "clip"]
    if "additive-0.5" in order.diets:
        contrasts.append(("interleaved", "additive-0.5"))
    return {
        "diets": found,
        "differences": [
            {
                "diet": diet,
                "minus": other,
                "blind_pair_accuracy": bootstrap_difference(pairs[other], pairs[diet])._asdict(),
                "plain_accuracy": bootstrap_difference(plain[other], plain[diet])._asdict(),
            }
            for diet, other in contrasts
        ],
    }


def _both_right(run: Run) -> dict[str, float]:
    """Say of every pair whether both questions were answered rightly: 1.0 or 0.0 by pair_id."""
    right: dict[str, float] = {}
    for question_id, verdict in run.verdicts.items():
        pair = question_id.rpartition("-")[0]
        right[pair] = min(right.get(pair, 1.0), float(verdict == "correct"))
    return right


def _correlation(study: Study, models: Path) -> dict[str, Any]:
    """Correlate, over the nine factors, CLIP's image score with the CLIP-fed model's pair accuracy, on random pairs."""
    matching = match(study.root, [f"transformers/{models.resolve() / 'clip'}"], benchmark="world-random")
    runs, _ = read_runs(study)
    fed = next(
        run.run_id
        for run in runs
        if (run.model, run.benchmark) == (f"transformers/{mllm_folder('clip', DEFAULT_VISUAL)}", "world-random")
    )
    result = correlate(study.root, encoder_run=matching.runs[0].folder.name, runs=[fed])
    over = result.found.runs[0].over_patterns
    r = over.pearson
    fisher = (None, None) if r is None or r.fisher is None else r.fisher
    return {
        "factors": [point.pattern for point in over.points],
        "image_score": [point.encoder.value for point in over.points],
        "pair_accuracy": [point.model.value for point in over.points],
        "n_pairs": {point.pattern: point.model.n for point in over.points},
        "pearson": {
            "r": None if r is None else r.value,
            "low": fisher[0],
            "high": fisher[1],
            "p": None if r is None else r.p,
            "n": len(over.points),
        },
    }
