"""Ask, grade and diagnose in one go: whatever a diagnosis needs is asked, and nothing twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from snellen.diagnosis import DiagnoseResult, diagnose
from snellen.exam import ask, grade
from snellen.mllms.base import Compute, Decoding, MultimodalModel, Traffic
from snellen.profiles import DEFAULT, profile_named
from snellen.progress import SILENT, Progress
from snellen.providers import load_mllm
from snellen.records import Control

VARIANTS: Final = ("crop-0", "jpeg-0", "pad-0", "resize-0", "resize-1")
"""Label-preserving variants that every pair is asked with, beside the picture as it is."""

CONTROLS: Final[tuple[Control, ...]] = ("no_image", "blank_image")


def examine_and_diagnose(
    study: str | Path,
    model: str | MultimodalModel,
    *,
    benchmark: str,
    profile: str | None = None,
    tagset: str | None = None,
    variants: Sequence[str] = VARIANTS,
    controls: Sequence[Control] = CONTROLS,
    flagged: Mapping[str, str] | None = None,
    encoder_run: str | None = None,
    lessons: Sequence[str] = (),
    swaps: Sequence[str] = (),
    every_stop: bool = False,
    compute: Compute | None = None,
    traffic: Traffic | None = None,
    seed: int = 0,
    progress: Progress = SILENT,
) -> DiagnoseResult:
    """Ask a benchmark in every way that a diagnosis needs, grade the answers, and say where each pair fails.

    Args:
        study: The study that holds the benchmark.
        model: `provider/model[@endpoint]`, or a model that is loaded already.
        benchmark: Its name, or the path of its folder.
        profile: How questions are worded; None: as for `ask`.
        tagset: Whose tags say which pattern a pair belongs to.
        variants: Of every picture; fewer than five prove nothing.
        controls: Without the picture, too.
        flagged: Pairs that people call bad items, with why.
        encoder_run: A run of `match` on the same benchmark, whose image-text margin goes along as evidence.
        lessons: More benchmarks of the study whose pairs teach the probes, too.
        swaps: Runs of the same benchmark by models that were trained alike with another encoder.
        every_stop: Probe every layer too, with controls.
        compute: Where and in what a model in this process computes.
        traffic: How an endpoint is treated.
        seed: Of probes.
        progress: Told of every answer.

    Raises:
        UsageError, ModelError, StudyError, Incomplete, StorageError: as `ask`, `grade` and `diagnose`.
    """
    name = model if isinstance(model, str) else model.name
    wording = profile_named(profile or ("official" if name.startswith("world/") else DEFAULT))
    loaded = model
    if isinstance(loaded, str):
        decoding = Decoding(max_tokens=wording.max_tokens)
        loaded = load_mllm(loaded, decoding=decoding, compute=compute, traffic=traffic)
    asked = ask(
        study,
        benchmark=benchmark,
        model=loaded,
        profile=wording.name,
        both_orders=True,
        variants=variants,
        controls=controls,
        progress=progress,
    )
    folder = Path(benchmark) if "/" in benchmark else None
    grade(study, asked.folder, benchmark=folder, progress=progress)
    return diagnose(
        study,
        asked.folder.name,
        model=loaded,
        benchmark=folder,
        tagset=tagset,
        flagged=flagged,
        encoder_run=encoder_run,
        lessons=lessons,
        swaps=swaps,
        every_stop=every_stop,
        seed=seed,
        progress=progress,
    )
