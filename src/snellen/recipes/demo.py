"""The demo: the whole way in the miniature world, where every answer is known, with the models that come along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from snellen.benchmark import build
from snellen.diagnosis import DiagnoseResult
from snellen.exam import ask, grade
from snellen.exam.match import match
from snellen.mllms.base import Compute, Decoding
from snellen.progress import SILENT, Progress
from snellen.providers import load_mllm
from snellen.recipes.diagnose import examine_and_diagnose
from snellen.recipes.run import run
from snellen.report import report
from snellen.runs import Run, Score, read_runs
from snellen.study import Study
from snellen.world.accept import Kind, accept
from snellen.world.draw import draw
from snellen.world.mined import MinedTruth, mined_truth
from snellen.world.table import read_world

BLIND: Final = "world/clip"
REFERENCE: Final = "world/vision-only"
BLIND_MIN: Final = 0.95
REFERENCE_MAX: Final = 0.85
"""The tiny vision-only encoder gives two drawings of one scene about 0.98, and siblings 0.7 to 0.85."""

FAMILIES: Final = 400
KINDS: Final[tuple[Kind, ...]] = ("blind", "control", "random")
TINY: Final = Compute(device="cpu", batch_size=64)
"""The tiny models are quickest in large batches, also on a CPU."""

LETTER_TOKENS: Final = 4
"""Room for the one letter that they answer with."""

PLANTED: Final = 100
"""Pairs of each pattern that differ in it alone: they teach the diagnosis' probes."""

LESSONS: Final = ("world-control", "world-random", "world-planted")

DIAGNOSED: Final = "clip"
"""The diet of which every failure on blind pairs is traced."""

DIETS: Final = ("clip", "vision-only", "additive-0.5", "interleaved")
SOURCE: Final = "drawn by `snellen world draw`; the facts are the generator's"


@dataclass(frozen=True)
class DemoResult:
    """What the demo found.

    Attributes:
        report: The page.
        pairs: Blind pairs mined, of `images` pictures.
        truth: What is true of them.
        scores: Pair accuracy by kind of pairs and diet: `scores["blind"]["clip"]`.
        matched: The blind encoder's image score by kind of pairs.
        diagnosis: Where the CLIP-fed model fails on blind pairs: `diagnosis/<run_id>.json`.
        absent: Visual patterns that no blind pair has, and control pairs have.
    """

    report: Path
    pairs: int
    images: int
    truth: MinedTruth
    scores: dict[str, dict[str, Score]]
    matched: dict[str, Score]
    diagnosis: Mapping[str, Any]
    absent: tuple[str, ...]


def demo(out: str | Path = "demo", *, progress: Progress = SILENT) -> DemoResult:
    """Draw a world, embed, mine, build benchmarks from the known facts, examine four tiny MLLMs, and write the page.

    Everything lies in `out`: the world in `out/world`, the study in `out/study`. Run again, it goes on where it
    stopped.
    """
    folder = Path(out)
    drawn = draw(folder / "world", families=FAMILIES, progress=progress)
    world = read_world(folder / "world")
    study = Study(folder / "study")
    mined = run(
        drawn.images,
        study.root,
        blind=BLIND,
        reference=REFERENCE,
        blind_min=BLIND_MIN,
        reference_max=REFERENCE_MAX,
        progress=progress,
    )
    counts: dict[str, Mapping[str, int]] = {}
    for kind in KINDS:
        chosen = accept(study.root, world, kind=kind)
        counts[kind] = chosen.counts
        build(
            study.root,
            accepted=chosen.path,
            name=f"world-{kind}",
            option_seed=0,
            licence="CC0-1.0",
            source=SOURCE,
            progress=progress,
        )
    taught = accept(study.root, world, kind="planted", per_pattern=PLANTED, per_image=7)
    build(study.root, accepted=taught.path, name="world-planted", option_seed=0, licence="CC0-1.0", source=SOURCE)
    for diet in DIETS:
        examined(study, f"world/mllm-{diet}", progress)
    matched: dict[str, Score] = {kind: _image_score(study, f"world-{kind}", progress) for kind in KINDS}
    diagnosed = diagnosed_on_blind(study, f"world/mllm-{DIAGNOSED}", progress)
    page = report(study.root, progress=progress)
    absent = tuple(name for name, count in counts["blind"].items() if not count and counts["control"][name])
    truth, scores = mined_truth(study, world), _pair_accuracy(study)
    return DemoResult(page, mined.pairs, mined.images, truth, scores, matched, diagnosed.summary, absent)


def examined(study: Study, model: str, progress: Progress = SILENT) -> None:
    """Put the benchmarks of all kinds of pairs to a tiny multimodal LLM, as MMVP's own script words them, and grade."""
    loaded = load_mllm(model, decoding=Decoding(max_tokens=LETTER_TOKENS), compute=TINY)
    for kind in KINDS:
        asked = ask(study.root, benchmark=f"world-{kind}", model=loaded, profile="official", progress=progress)
        grade(study.root, asked.folder)


def _image_score(study: Study, benchmark: str, progress: Progress) -> Score:
    """Match pictures with their statements by the blind encoder, as MMVP-VLM does."""
    (run,) = match(study.root, [BLIND], benchmark=benchmark, device="cpu", progress=progress).runs
    return next(score for score in run.scores if (score.metric, score.group) == ("image_score", "all"))


def diagnosed_on_blind(study: Study, model: str, progress: Progress = SILENT) -> DiagnoseResult:
    """Say of every blind pair where a tiny multimodal LLM fails."""
    loaded = load_mllm(model, decoding=Decoding(max_tokens=LETTER_TOKENS), compute=TINY)
    return examine_and_diagnose(
        study.root,
        loaded,
        benchmark="world-blind",
        profile="official",
        controls=(),
        encoder_run=next((run.run_id for run in read_runs(study)[0] if _blinds(run)), None),
        lessons=LESSONS,
        progress=progress,
    )


def _blinds(run: Run) -> bool:
    return run.kind == "encoder" and run.benchmark == "world-blind"


def _pair_accuracy(study: Study) -> dict[str, dict[str, Score]]:
    runs, _ = read_runs(study)
    found: dict[str, dict[str, Score]] = {kind: {} for kind in KINDS}
    for each in runs:
        for score in each.scores:
            if (score.metric, score.group, score.order) == ("pair_accuracy", "all", "ab"):
                found[each.benchmark.removeprefix("world-")][each.model.removeprefix("world/mllm-")] = score
    return found
