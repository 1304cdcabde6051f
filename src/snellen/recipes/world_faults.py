"""Is the right organ blamed? Faults are planted in tiny models, and every verdict is compared with what was done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from snellen import accepted, storage
from snellen.benchmark import build
from snellen.diagnosis.verdicts import ORGANS, UNSURE, VERDICTS
from snellen.embedding import embed
from snellen.mining import mine
from snellen.mllms.base import Decoding
from snellen.progress import SILENT, Progress
from snellen.providers import load_mllm
from snellen.recipes.demo import BLIND_MIN, FAMILIES, LETTER_TOKENS, REFERENCE_MAX, SOURCE, TINY
from snellen.recipes.diagnose import examine_and_diagnose
from snellen.recipes.world_faults_table import table
from snellen.runs import Run
from snellen.runs.find import find_run
from snellen.study import Study
from snellen.world.accept import Kind, accept
from snellen.world.draw import draw
from snellen.world.faults import FAULTS, fault
from snellen.world.table import World, read_world
from snellen.world.training.recipe import FULL, Recipe
from snellen.world.training.verb import Order, train_all

SEEDS: Final = (3, 4)
"""Fresh: no setting was chosen on them, nor on the world."""

WORLD: Final = 2
DIET: Final = "vision-only"
STRENGTHS: Final = (1.0, 0.5)
FACTORS: Final = (("text", "position"), ("state", "presence"))
"""Which are damaged, those of odd seeds last; pairs of both are asked in every exam of the seed."""

PAIRS: Final[dict[str, Kind]] = {"siblings": "planted", "mined": "blind"}
PER_PATTERN: Final = 60

HEALTHY: Final = 0.6
"""A model that has fewer of its pairs right is at fault itself, before anything is damaged, and is left out by name."""


@dataclass(frozen=True, slots=True)
class Planted:
    """One fault: which organ, which factor (None: all), how strong, and in which model's name."""

    organ: str
    factor: str | None
    strength: float

    @property
    def name(self) -> str:
        """Of the damaged model's folder."""
        return "-".join(part for part in (self.organ, self.factor, f"{self.strength:g}") if part)


def world_faults(
    out: str | Path,
    *,
    seeds: Sequence[int] = SEEDS,
    world: int = WORLD,
    recipe: Recipe = FULL,
    per_pattern: int = PER_PATTERN,
    strengths: Sequence[float] = STRENGTHS,
    jobs: int = 2,
    progress: Progress = SILENT,
) -> Path:
    """Train models of fresh seeds, damage one organ of each copy, diagnose all copies, and count the verdicts.

    Affected pairs are of the damaged factor (of any, where the language model is damaged), right before and wrong
    after, as the questions were published. Healthy pairs are right before and after; an organ that is blamed for one
    is a wrong one, unless it is the damaged organ and the pair is of the damaged factor. `unsure` about an affected
    pair is a miss.

    Args:
        out: Folder for the world, the models, a study a seed, and the results. Run again, it goes on.
        seeds: Of encoders, language models and diets.
        world: Whose scenes to train on and to ask about.
        recipe: How the models are trained.
        per_pattern: Pairs of each damaged factor, of siblings and of mined pairs each.
        strengths: Of every fault.
        jobs: Processes at a time, in training.
        progress: Told of everything.

    Returns:
        The path of `faults.md`; `faults.json` beside it has every count.
    """
    folder = Path(out)
    draw(folder / "world", families=FAMILIES, world=world, progress=progress)
    orders = [Order(folder / f"models-{seed}", seed, ("pool:4",), (DIET,)) for seed in seeds]
    train_all(orders, folder / "work", world=world, recipe=recipe, jobs=jobs, progress=progress)
    known = read_world(folder / "world")
    found: list[dict[str, Any]] = []
    left_out: dict[str, float] = {}
    for order, seed in zip(orders, seeds, strict=True):
        factors = FACTORS[seed % len(FACTORS)]
        study = _study(folder, order, known, factors, per_pattern)
        faults = [
            Planted(organ, factor, strength)
            for organ in FAULTS
            for factor in (factors if organ in ("encoder", "projector") else (None,))
            for strength in strengths
        ]
        whole = order.out / f"mllm-{DIET}"
        before = {name: _diagnosed(study, whole, name, progress)[0] for name in PAIRS}
        share = len(right_pairs(before["siblings"])) / (len(before["siblings"].verdicts) / 2)
        if share < HEALTHY:
            left_out[str(seed)] = share
            continue
        for each in faults:
            copy = folder / f"faults-{seed}" / each.name
            if not copy.exists():
                copy.parent.mkdir(exist_ok=True)
                fault(whole, copy, organ=each.organ, factor=each.factor, strength=each.strength, world=world, seed=seed)
            for pairs in PAIRS:
                after, verdicts = _diagnosed(study, copy, pairs, progress)
                counted = _counted(study, pairs, each, before[pairs], after, verdicts)
                found.append({"seed": seed, "pairs": pairs, **vars_of(each), **counted})
    results = {
        "world": world,
        "seeds": list(seeds),
        "diet": DIET,
        "per_pattern": per_pattern,
        "left_out": left_out,
        "found": found,
    }
    storage.write_json(folder / "faults.json", results)
    page = folder / "faults.md"
    storage.write_bytes(page, table(results).encode())
    return page


def vars_of(planted: Planted) -> dict[str, Any]:
    """Return a fault's fields."""
    return {"organ": planted.organ, "factor": planted.factor, "strength": planted.strength}


def _study(folder: Path, order: Order, known: World, factors: Sequence[str], per_pattern: int) -> Study:
    """Embed, mine, and build two benchmarks of the damaged factors: siblings, and mined pairs."""
    study = Study(folder / f"study-{order.seed}")
    names = [f"transformers/{(order.out / name).resolve()}" for name in ("clip", "vision-only")]
    slugs = [embed(study.root, images=known.folder / "images", encoder=name).slug for name in names]
    mine(study.root, blind=slugs[0], reference=slugs[1], blind_min=BLIND_MIN, reference_max=REFERENCE_MAX)
    for name, kind in PAIRS.items():
        all_of_them = folder / f"accepted-{order.seed}-{name}.jsonl"
        accept(study.root, known, kind=kind, per_pattern=per_pattern, per_image=7, out=all_of_them)
        chosen = all_of_them.with_name(f"chosen-{order.seed}-{name}.jsonl")
        accepted.write(chosen, [pair for pair in accepted.read(all_of_them) if pair.patterns[0] in factors])
        build(study.root, accepted=chosen, name=name, option_seed=0, licence="CC0-1.0", source=SOURCE)
    return study


def _diagnosed(study: Study, model: Path, pairs: str, progress: Progress) -> tuple[Run, dict[str, str]]:
    """Ask, grade and diagnose; returns the run, and the verdicts by pair_id."""
    loaded = load_mllm(f"transformers/{model.resolve()}", decoding=Decoding(max_tokens=LETTER_TOKENS), compute=TINY)
    result = examine_and_diagnose(
        study.root,
        loaded,
        benchmark=pairs,
        profile="official",
        controls=(),
        lessons=[name for name in PAIRS if name != pairs],
        progress=progress,
    )
    return find_run(study, result.path.stem), {pair.pair_id: pair.verdict for pair in result.pairs}


def right_pairs(run: Run) -> set[str]:
    """Return the pairs whose questions were both answered rightly, as published."""
    wrong = {question.rpartition("-")[0] for question, verdict in run.verdicts.items() if verdict != "correct"}
    return {question.rpartition("-")[0] for question in run.verdicts} - wrong


def _counted(
    study: Study, pairs: str, planted: Planted, before: Run, after: Run, verdicts: Mapping[str, str]
) -> dict[str, Any]:
    from snellen import benchmarks

    tags = {
        tag.question_id.rpartition("-")[0]: tag.patterns[0] for tag in benchmarks.read(study.benchmark(pairs)).tags()
    }
    sighted, still = right_pairs(before), right_pairs(after)
    affected = {pair for pair in sighted - still if planted.factor is None or tags[pair] == planted.factor}
    healthy = sighted & still
    # what is right by luck where the fault is at work is no wrong organ if that one is blamed
    damaged = {(pair, FAULTS[planted.organ]) for pair in healthy if planted.factor in (None, tags[pair])}
    organ = FAULTS[planted.organ]
    named = Counter(verdicts[pair] for pair in affected)
    spared = Counter(verdicts[pair] for pair in healthy)
    return {
        "verdict": organ,
        "affected": {name: named[name] for name in VERDICTS},
        "n_affected": len(affected),
        "right": named[organ],
        "unsure": named[UNSURE],
        "healthy": {name: spared[name] for name in VERDICTS},
        "n_healthy": len(healthy),
        "wrongly_blamed": sum(verdicts[pair] in ORGANS and (pair, verdicts[pair]) not in damaged for pair in healthy),
    }
