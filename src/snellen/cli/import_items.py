"""`snellen import pope` and `snellen import llava-bench`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snellen.cli import options
from snellen.cli.progress import progress_for

Version = Annotated[str, typer.Option(help="Version of the item set.")]
Licence = Annotated[str | None, typer.Option(help="Of images and questions, in words.")]


def pope(
    study: options.StudyArgument,
    files: Annotated[
        list[Path], typer.Argument(help="POPE's files, JSON lines; each is a category.", show_default=False)
    ],
    images: Annotated[Path, typer.Option(help="The folder of images.", show_default=False)],
    name: Annotated[str, typer.Option(help="Name of the item set and of its folder.")] = "pope",
    version: Version = "1",
    licence: Licence = None,
    quiet: options.QuietOption = False,
) -> None:
    """Make an item set of yes/no questions, images found by their file names."""
    from snellen.benchmark.verb_import_items import import_pope

    result = import_pope(
        study, files, images=images, name=name, version=version, licence=licence, progress=progress_for(quiet)
    )
    typer.echo(f"{result.folder}: {result.n_items:,} yes/no items, content {result.content_sha256[:16]}")


def llava_bench(
    study: options.StudyArgument,
    folder: Annotated[
        Path,
        typer.Argument(help="With questions.jsonl, context.jsonl, reference answers and images/.", show_default=False),
    ],
    name: Annotated[str, typer.Option(help="Name of the item set and of its folder.")] = "llava-bench",
    version: Version = "1",
    licence: Licence = None,
    reference: Annotated[str, typer.Option(help="The file of reference answers.")] = "answers_gpt4.jsonl",
    quiet: options.QuietOption = False,
) -> None:
    """Make an item set of questions that are answered freely and rated against references."""
    from snellen.benchmark.verb_import_items import import_llava_bench

    result = import_llava_bench(
        study,
        folder,
        name=name,
        version=version,
        licence=licence,
        reference=reference,
        progress=progress_for(quiet),
    )
    typer.echo(f"{result.folder}: {result.n_items:,} free items, content {result.content_sha256[:16]}")
