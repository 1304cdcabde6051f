"""`snellen encoders`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snellen.cli import options
from snellen.cli.columns import shown
from snellen.cli.progress import progress_for
from snellen.errors import UsageError


def encoders(
    study: options.StudyArgument,
    listed: Annotated[
        str | None, typer.Option("--list", help="A list of encoders: paper, newer, or a .toml file.", metavar="LIST")
    ] = None,
    encoder: Annotated[
        list[str] | None, typer.Option(help="provider/model[@weights]; may be given for several.", metavar="NAME")
    ] = None,
    benchmark: Annotated[
        str | None, typer.Option(help="What to match on: its name in the study, or its folder.")
    ] = None,
    zeroshot: Annotated[
        Path | None, typer.Option(help="Labelled images for zero-shot accuracy; needs --classes and --templates.")
    ] = None,
    classes: Annotated[str | None, typer.Option(help="Class names: labels, imagenet, or a file.")] = None,
    templates: Annotated[str | None, typer.Option(help="Templates: openai-80, openai-7, plain, or a file.")] = None,
    name: Annotated[
        str | None, typer.Option(help="What to call the labelled images; by default as their folder or file.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="Which labelled set is shown, where zero-shot was measured on several.")
    ] = None,
    template: Annotated[str | None, typer.Option(help="What a statement is put into, at {statement}.")] = None,
    tagset: Annotated[str | None, typer.Option(help="Whose visual patterns, where there are several tagsets.")] = None,
    base: Annotated[
        str | None, typer.Option(help="The encoder that others are compared with, and whose partner is looked for.")
    ] = None,
    run: Annotated[
        list[str] | None, typer.Option(help="A run_id, or how it begins, where an encoder has several runs.")
    ] = None,
    latency: Annotated[bool, typer.Option("--latency/--no-latency", help="Time the encoders on this machine.")] = True,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Go on without encoders that cannot be had, and name them.")
    ] = False,
    device: options.DeviceOption = "auto",
    dtype: options.DtypeOption = "float32",
    batch_size: options.BatchSizeOption = None,
    seed: options.SeedOption = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Encoders side by side: the paper's Table 1 and its figure, costs, who separates whose blind pairs, partners.

    Encoders that are named, or listed, are examined first, as far as that is not done yet. All that the study knows of
    is shown, and written to STUDY/diagnosis.
    """
    from snellen.exam.match.texts import TEMPLATE
    from snellen.recipes.encoders import LabelledImages, survey

    labelled = None
    if zeroshot is not None:
        if classes is None or templates is None:
            raise UsageError(
                "--zeroshot needs --classes and --templates, for example --classes labels --templates plain."
            )
        labelled = LabelledImages(zeroshot, classes, templates, name)
    elif classes is not None or templates is not None:
        raise UsageError("--classes and --templates are for labelled images: say where those are with --zeroshot.")
    result = survey(
        study,
        encoder or (),
        listed=listed,
        benchmark=benchmark,
        labelled=labelled,
        template=template or TEMPLATE,
        tagset=tagset,
        base=base,
        runs=run or (),
        dataset=dataset,
        latency=latency,
        skip_missing=skip_missing,
        device=device,
        dtype=dtype,
        batch_size=batch_size,
        seed=seed,
        progress=progress_for(quiet),
    )
    typer.echo(result.side_by_side.text)
    for line in (*result.side_by_side.latencies, *([""] if result.side_by_side.latencies else [])):
        typer.echo(line)
    for name, why in result.skipped:
        typer.echo(f"skipped {shown(name)}: {shown(why)}")
    for path in (result.side_by_side.folder / "encoders.md", *result.side_by_side.figures):
        typer.echo(f"written: {path}")
