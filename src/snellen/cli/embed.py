"""`snellen embed`."""

from __future__ import annotations

from typing import Annotated

import typer

from snellen.cli import options
from snellen.cli.progress import progress_for


def embed(
    study: options.StudyArgument,
    encoder: Annotated[
        str, typer.Option(help="provider/model[@weights]; a local folder or file is a model too.", show_default=False)
    ],
    images: Annotated[
        str | None,
        typer.Option(
            help="A folder; a list of paths (.txt, .csv, .tsv, .parquet); WebDataset tars; or Parquet with image "
            "bytes. By default where the study's images were last found."
        ),
    ] = None,
    device: options.DeviceOption = "auto",
    dtype: options.DtypeOption = "float32",
    batch_size: options.BatchSizeOption = None,
    workers: options.WorkersOption = None,
    column: options.ColumnOption = None,
    follow_links: options.FollowLinksOption = False,
    shard_rows: Annotated[
        int | None, typer.Option(min=1, help="Images in one shard, by default 2048; fixed when the study begins.")
    ] = None,
    quiet: options.QuietOption = False,
) -> None:
    """Embed a source's images with one encoder; run it again to go on after a stop."""
    from snellen.embedding import embed as embed_images

    result = embed_images(
        study,
        images=images,
        encoder=encoder,
        device=device,
        dtype=dtype,
        batch_size=batch_size,
        workers=workers,
        column=column,
        follow_links=follow_links,
        shard_rows=shard_rows,
        progress=progress_for(quiet),
    )
    typer.echo(f"{study / 'embeddings' / result.slug}: {describe_counts(result.counts)}, {result.dim} numbers each")


def describe_counts(counts: dict[str, int]) -> str:
    """Say how many of a source's images were embedded, and what became of the rest."""
    text = f"{counts['embedded']:,} of {counts['rows']:,} images embedded"
    if counts["duplicates"]:
        text += f", {counts['duplicates']:,} exact duplicates"
    if counts["not_ok"]:
        text += f", {counts['not_ok']:,} that could not be used (see images.parquet, column status)"
    return text
