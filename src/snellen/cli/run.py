"""`snellen run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snellen import defaults
from snellen.cli import options
from snellen.cli.mine import describe_pairs, describe_suggestions
from snellen.cli.progress import progress_for


def run(
    source: Annotated[
        str,
        typer.Argument(
            help="The images: a folder; a list of paths (.txt, .csv, .tsv, .parquet); WebDataset tars; or Parquet with "
            "image bytes.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="The study folder to write.", show_default=False)],
    blind: Annotated[str, typer.Option(help="The encoder under examination.")] = defaults.BLIND_ENCODER,
    reference: Annotated[str, typer.Option(help="The encoder that still sees.")] = defaults.REFERENCE_ENCODER,
    blind_min: options.BlindMinOption = str(defaults.BLIND_MIN),
    reference_max: options.ReferenceMaxOption = str(defaults.REFERENCE_MAX),
    max_pairs: options.MaxPairsOption = None,
    max_per_image: options.MaxPerImageOption = None,
    top_k: options.TopKOption = None,
    collapse_copies: options.CollapseCopiesOption = None,
    labels: options.LabelsOption = "any",
    seed: options.SeedOption = 0,
    device: options.DeviceOption = "auto",
    dtype: options.DtypeOption = "float32",
    batch_size: options.BatchSizeOption = None,
    workers: options.WorkersOption = None,
    column: options.ColumnOption = None,
    follow_links: options.FollowLinksOption = False,
    threads: options.ThreadsOption = None,
    backend: options.BackendOption = "auto",
    max_shown: Annotated[int, typer.Option(min=1, help="Pairs shown in the report.")] = 200,
    quiet: options.QuietOption = False,
) -> None:
    """From a folder of photographs to a page of blind pairs: embed twice, mine, report."""
    from snellen.recipes.run import run as run_recipe

    result = run_recipe(
        source,
        out,
        blind=blind,
        reference=reference,
        blind_min=blind_min,
        reference_max=reference_max,
        max_pairs=max_pairs,
        max_per_image=max_per_image,
        top_k=top_k,
        collapse_copies=collapse_copies,
        labels=options.one_of("labels", labels, "any", "within", "across"),
        seed=seed,
        device=device,
        dtype=dtype,
        batch_size=batch_size,
        workers=workers,
        column=column,
        follow_links=follow_links,
        threads=threads,
        backend=options.one_of("backend", backend, "auto", "compiled", "portable", "torch"),
        max_shown=max_shown,
        progress=progress_for(quiet),
    )
    if quiet and result.note:
        typer.echo(result.note, err=True)
    text = describe_pairs(result.pairs, result.embedded, result.images, result.truncated)
    typer.echo(f"{result.report}: {text}")
    if not quiet:
        for line in describe_suggestions(result.suggestions):
            typer.echo(line)
