"""`snellen import`: what others made, into a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snellen.cli import import_answers, import_items, options
from snellen.cli.progress import progress_for

app = typer.Typer(help="What others made, into a study.", no_args_is_help=True, rich_markup_mode=None)

Folder = Annotated[
    Path, typer.Argument(help="The folder as published, with Questions.csv and the images.", show_default=False)
]
Version = Annotated[str, typer.Option(help="Version of the benchmark.")]
ByRow = Annotated[
    bool,
    typer.Option("--by-row", help="The table has no numbers, and its rows are 1, 2, 3 and on: only if you are sure."),
]
Licence = Annotated[str | None, typer.Option(help="Of images and questions, in words.")]


@app.command("mmvp")
def mmvp(
    study: options.StudyArgument,
    folder: Folder,
    name: Annotated[str, typer.Option(help="Name of the benchmark and of its folder.")] = "mmvp",
    version: Version = "1",
    licence: Licence = None,
    errata: Annotated[
        str,
        typer.Option(help="known: write MMVP's known label errors beside the questions; none: these data are others."),
    ] = "known",
    by_row: ByRow = False,
    quiet: options.QuietOption = False,
) -> None:
    """Make a benchmark of MMVP's folder, matched by the numbers in file names and never by position."""
    from snellen.benchmark import import_mmvp
    from snellen.benchmark.verb_import import ERRATA

    chosen = options.one_of("errata", errata, *ERRATA)
    result = import_mmvp(
        study,
        folder,
        name=name,
        version=version,
        licence=licence,
        errata=chosen,
        by_row=by_row,
        progress=progress_for(quiet),
    )
    said = f", {result.n_errata} known errata beside them" if result.n_errata else ""
    typer.echo(f"{result.folder}: {result.n_pairs:,} pairs{said}, content {result.content_sha256[:16]}")


@app.command("mmvp-vlm")
def mmvp_vlm(
    study: options.StudyArgument,
    folder: Folder,
    name: Annotated[str, typer.Option(help="Name of the benchmark and of its folder.")] = "mmvp-vlm",
    version: Version = "1",
    licence: Licence = None,
    by_row: ByRow = False,
    quiet: options.QuietOption = False,
) -> None:
    """Make a benchmark of MMVP-VLM's folder: statements, with the visual pattern of each."""
    from snellen.benchmark import import_mmvp_vlm

    result = import_mmvp_vlm(
        study, folder, name=name, version=version, licence=licence, by_row=by_row, progress=progress_for(quiet)
    )
    typer.echo(f"{result.folder}: {result.n_pairs:,} pairs, content {result.content_sha256[:16]}")


app.command("answers")(import_answers.answers)
app.command("pope")(import_items.pope)
app.command("llava-bench")(import_items.llava_bench)
