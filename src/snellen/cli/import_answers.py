"""`snellen import answers`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snellen.cli import options


def answers(
    study: options.StudyArgument,
    file: Annotated[Path, typer.Argument(help="What the other tool wrote.", show_default=False)],
    benchmark: Annotated[str, typer.Option(help="Name of a benchmark of the study, or a folder.")],
    model: Annotated[str | None, typer.Option(help="Which model answered, where the file does not say.")] = None,
    source: Annotated[
        str | None,
        typer.Option(help="official, lmms-eval, vlmevalkit, inspect or jsonl; by default as the content says."),
    ] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Import although questions have no answer; scores then say so.")
    ] = False,
) -> None:
    """Make a run of answers that another tool has, to be graded here without paying again.

    Exit code 3: answers are missing.
    """
    from snellen.exam.imports import import_answers

    folder = import_answers(study, file, benchmark=benchmark, model=model, source=source, allow_missing=allow_missing)
    typer.echo(f"{folder}: grade it with `snellen grade {study} --run {folder.name}`")
