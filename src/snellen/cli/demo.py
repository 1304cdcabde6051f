"""`snellen demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snellen.cli import options
from snellen.cli.mine import describe_pairs
from snellen.cli.progress import progress_for


def demo(
    out: Annotated[Path, typer.Option(help="The study folder to write.")] = Path("demo"),
    quiet: options.QuietOption = False,
) -> None:
    """Draw 300 simple scenes and run the whole way on them, with two encoders that need no weights."""
    from snellen.recipes.demo import demo as run_demo

    result = run_demo(out, progress=progress_for(quiet))
    typer.echo(f"{result.report}: {describe_pairs(result.pairs, result.embedded, result.images)}")
