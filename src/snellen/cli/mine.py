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
    text = describe_pairs(result.counts["written"], result.counts["ok"], result.counts["images"])
    typer.echo(f"{study / 'pairs.parquet'}: {text}{'' if result.counts['written'] else '; see `snellen report`'}")


def describe_pairs(pairs: int, embedded: int, images: int) -> str:
    """Say how many pairs were found among how many images; that there are none is a normal first result."""
    among = f"among {embedded:,} images" + (
        f" ({images - embedded:,} more could not be used)" if embedded < images else ""
    )
    if pairs == 0:
        return f"no pair passes both thresholds {among}"
    return f"{pairs:,} blind pair{'s' if pairs > 1 else ''} {among}"
