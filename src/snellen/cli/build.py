"""`snellen build`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snellen.cli import options
from snellen.cli.progress import progress_for


def build(
    study: options.StudyArgument,
    accepted: Annotated[
        Path | None, typer.Option(help="The accepted pairs, by default the study's own accepted.jsonl.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the benchmark and of its folder.")] = "blind-pairs",
    version: Annotated[str, typer.Option(help="What replaces a benchmark of the same name needs another one.")] = "1",
    option_seed: Annotated[
        int | None,
        typer.Option(min=0, help="Slots, options and lines are drawn by lot from it; by default a random one, stored."),
    ] = None,
    licence: Annotated[str | None, typer.Option(help="Of images and questions, in words.")] = None,
    source: Annotated[str | None, typer.Option(help="Where the images come from, in words.")] = None,
    images: Annotated[
        str | None,
        typer.Option(help="Where the images are now, if not where they were when they were embedded."),
    ] = None,
    quiet: options.QuietOption = False,
) -> None:
    """Make a benchmark of the accepted pairs: questions, images, tags and a datasheet."""
    from snellen.benchmark import build as build_benchmark

    result = build_benchmark(
        study,
        accepted=accepted,
        name=name,
        version=version,
        option_seed=option_seed,
        licence=licence,
        source=source,
        images=images,
        progress=progress_for(quiet),
    )
    typer.echo(
        f"{result.folder}: {result.n_pairs:,} pair{'s' if result.n_pairs > 1 else ''}, version {result.version}, "
        f"content {result.content_sha256[:16]}"
    )
