"""`snellen mine`."""

from __future__ import annotations

from typing import Annotated

import typer

from snellen import defaults
from snellen.cli import options
from snellen.cli.progress import progress_for


def mine(
    study: options.StudyArgument,
    blind: Annotated[
        str, typer.Option(help="The encoder under examination, embedded before.")
    ] = defaults.BLIND_ENCODER,
    reference: Annotated[
        str, typer.Option(help="The encoder that still sees, embedded before.")
    ] = defaults.REFERENCE_ENCODER,
    blind_min: options.BlindMinOption = str(defaults.BLIND_MIN),
    reference_max: options.ReferenceMaxOption = str(defaults.REFERENCE_MAX),
    max_pairs: options.MaxPairsOption = None,
    max_per_image: options.MaxPerImageOption = None,
    collapse_copies: options.CollapseCopiesOption = None,
    labels: options.LabelsOption = "any",
    seed: options.SeedOption = 0,
    quiet: options.QuietOption = False,
) -> None:
    """Find every pair that the blind encoder cannot tell apart and the reference encoder can."""
    from snellen.mining import mine as mine_pairs

    result = mine_pairs(
        study,
        blind=blind,
        reference=reference,
        blind_min=blind_min,
        reference_max=reference_max,
        max_pairs=max_pairs,
        max_per_image=max_per_image,
        collapse_copies=collapse_copies,
        labels=options.one_of("labels", labels, "any", "within", "across"),
        seed=seed,
        progress=progress_for(quiet),
    )
    typer.echo(describe_pairs(str(study / "pairs.parquet"), result.counts["written"]))


def describe_pairs(path: str, written: int) -> str:
    """Say how many pairs were found; that there are none is a normal first result."""
    if written == 0:
        return f"{path}: no pair passes both thresholds; `snellen report` shows the nearest, and thresholds to try"
    return f"{path}: {written:,} blind pair{'s' if written > 1 else ''}"
