"""`snellen match`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from snellen.cli import options
from snellen.cli.columns import aligned, p_value
from snellen.cli.progress import progress_for

if TYPE_CHECKING:
    from snellen.exam.match import ImageScoreContrast, MatchResult

TEMPLATE = "a photo of {statement}"


def match(
    study: options.StudyArgument,
    encoder: Annotated[
        list[str],
        typer.Option(
            help="An image-text encoder, provider/model[@weights]; may be given for several.", show_default=False
        ),
    ],
    benchmark: Annotated[
        str, typer.Option(help="A benchmark of the study, or the path of its folder.", show_default=False)
    ],
    template: Annotated[str, typer.Option(help="What a statement is put into; part of the run.")] = TEMPLATE,
    statements: Annotated[
        str,
        typer.Option(
            help="published: the benchmark's own; confirmed: those that a person has confirmed, too; all: unconfirmed "
            "ones, too."
        ),
    ] = "confirmed",
    allow_incomplete: Annotated[
        bool, typer.Option("--allow-incomplete", help="Match although pairs lack statements; they are left out.")
    ] = False,
    patterns: Annotated[bool, typer.Option("--patterns", help="Print scores by visual pattern, too.")] = False,
    device: options.DeviceOption = "auto",
    dtype: Annotated[
        str, typer.Option(help="What the network computes in: float32, float16 or bfloat16; part of the run.")
    ] = "float32",
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Images at a time; by default 2 on a CPU, else 32.")
    ] = None,
    quiet: options.QuietOption = False,
) -> None:
    """Match images with statements: image score (MMVP-VLM's rule), text score, group score of image-text encoders.

    Exit code 3: pairs lack statements.
    """
    from snellen.exam.match import match as match_encoders
    from snellen.exam.match.words import described

    found = match_encoders(
        study,
        encoder,
        benchmark=benchmark,
        template=template,
        statements=options.one_of("statements", statements, "published", "confirmed", "all"),
        allow_incomplete=allow_incomplete,
        device=device,
        dtype=dtype,
        batch_size=batch_size,
        progress=progress_for(quiet),
    )
    for result in found.runs:
        for line in (*described(result), *(_patterns(result) if patterns else ())):
            typer.echo(line)
    for line in _contrasts(found.contrasts):
        typer.echo(line)


def _patterns(result: MatchResult) -> list[str]:
    """Say the scores by visual pattern, in a table; chance stands in its heading."""
    from snellen.exam.match.words import few_patterns, pattern_rows

    rows = pattern_rows(result)
    if not rows:
        return ["  no visual patterns: the benchmark has no tags"]
    few = few_patterns(result)
    return ["  by visual pattern (chance in brackets):", *aligned(rows, "    "), *([] if few is None else [f"  {few}"])]


def _contrasts(contrasts: tuple[ImageScoreContrast, ...]) -> list[str]:
    """Say how the image scores of several encoders differ, a line each; of one encoder, nothing."""
    from snellen.exam.match.words import contrast_row

    if not contrasts:
        return []
    rows: list[tuple[str, ...]] = [("", "pairs", "points", "only first", "only second", "p", "p, Holm")]
    rows += [(*contrast_row(one), p_value(one.p), p_value(one.p_holm)) for one in contrasts]
    return [
        "",
        "image scores, paired differences on the same pairs; 95 % intervals: paired bootstrap; exact McNemar",
        *aligned(rows),
        *(
            ["  fewer than 30 pairs are few: bootstrap intervals are too short, read p instead"]
            if any(one.n_pairs < 30 for one in contrasts)
            else []
        ),
    ]
