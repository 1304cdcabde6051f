"""`snellen report`."""

from __future__ import annotations

from typing import Annotated

import typer

from snellen.cli import options
from snellen.cli.progress import progress_for


def report(
    study: options.StudyArgument,
    images: Annotated[
        str | None,
        typer.Option(help="Where the images are now, if not where they were when they were embedded."),
    ] = None,
    max_shown: Annotated[int, typer.Option(min=1, help="Show at most this many pairs, the largest gaps first.")] = 200,
    quiet: options.QuietOption = False,
) -> None:
    """Write report.html: one file, to look through the pairs."""
    from snellen.report import report as write_report

    path = write_report(study, images=images, max_shown=max_shown, progress=progress_for(quiet))
    typer.echo(str(path))
