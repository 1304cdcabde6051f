"""`snellen validate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def validate(
    folder: Annotated[Path, typer.Argument(help="The benchmark's folder, in a study or anywhere.", show_default=False)],
) -> None:
    """Say whether a benchmark can be trusted, and list everything that is wrong with it."""
    from snellen.benchmark import validate as validate_benchmark
    from snellen.errors import StudyError

    result = validate_benchmark(folder)
    for note in result.notes:
        typer.echo(f"note: {note}")
    for problem in result.problems:
        typer.echo(problem)
    if result.problems:
        count = len(result.problems)
        raise StudyError(
            f"{folder} has {count:,} problem{'s' if count > 1 else ''}, listed above: mend it, or get a whole copy."
        )
    found = result.benchmark
    assert found is not None  # it had no problems
    typer.echo(
        f"{folder}: {found.name} version {found.version}, {len(found.pairs):,} pairs, content "
        f"{found.content_sha256}; nothing is wrong"
    )
