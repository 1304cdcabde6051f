"""`snellen export`: a benchmark in the layouts that other tools read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snellen.cli import options
from snellen.cli.progress import progress_for

app = typer.Typer(help="A benchmark in the layouts that other tools read.", no_args_is_help=True, rich_markup_mode=None)

Benchmark = Annotated[Path, typer.Argument(help="The benchmark's folder, in a study or anywhere.", show_default=False)]
Out = Annotated[Path, typer.Argument(help="The folder to write; empty, or not there yet.", show_default=False)]


@app.command("mmvp")
def mmvp(benchmark: Benchmark, out: Out, quiet: options.QuietOption = False) -> None:
    """Write Questions.csv and MMVP Images/1.jpg and on; slot a has the odd numbers."""
    from snellen.benchmark import export_mmvp

    result = export_mmvp(benchmark, out, progress=progress_for(quiet))
    typer.echo(f"{result.folder}: {result.n_pairs:,} pairs")


@app.command("mmvp-vlm")
def mmvp_vlm(
    benchmark: Benchmark,
    out: Out,
    tagset: Annotated[
        str | None, typer.Option(help="The tagset with the pattern of every question; by default the only one.")
    ] = None,
    quiet: options.QuietOption = False,
) -> None:
    """Write Questions.csv and MLLM_VLM Images/TYPE/1.jpg and on, from a benchmark with statements."""
    from snellen.benchmark import export_mmvp_vlm

    result = export_mmvp_vlm(benchmark, out, tagset=tagset, progress=progress_for(quiet))
    typer.echo(f"{result.folder}: {result.n_pairs:,} pairs")
