"""`snellen zeroshot`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from snellen.cli import options
from snellen.cli.columns import aligned, p_value, shown
from snellen.cli.progress import progress_for

if TYPE_CHECKING:
    from snellen.exam.zeroshot import ZeroShot, ZeroShotResult, ZeroShotScore

FEW = 100
"""With fewer images than this the intervals are wider than most differences between encoders."""

ONE_SIDED = 10
"""With fewer right or wrong images than this a percentile bootstrap has too few to draw from."""

NAMED = 5


def zeroshot(
    study: options.StudyArgument,
    images: Annotated[
        str,
        typer.Option(
            help="Labelled images: a folder of one folder a class, a table with a column `label`, WebDataset tars, "
            "Parquet.",
            show_default=False,
        ),
    ],
    classes: Annotated[
        str,
        typer.Option(
            help="What labels are called: a .json, .jsonl or .tsv file; labels (the labels themselves, underscores as "
            "spaces); imagenet.",
            show_default=False,
        ),
    ],
    templates: Annotated[
        str,
        typer.Option(
            help="Sentences for the names: openai-80, openai-7, plain ('a photo of a {}.'), or a file, one a line.",
            show_default=False,
        ),
    ],
    encoder: Annotated[
        list[str] | None, typer.Option(help="An image-text encoder, by name; may be given for several.")
    ] = None,
    listed: Annotated[
        str | None, typer.Option("--list", help="A list of encoders: paper, newer, or a .toml file.", metavar="LIST")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What to call the dataset; by default as its folder or file.")
    ] = None,
    device: options.DeviceOption = "auto",
    dtype: options.ComputeDtypeOption = "float32",
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Images at a time; by default 2 on a CPU, else 64.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Threads that decode images; by default one for each core.")
    ] = None,
    column: options.ColumnOption = None,
    follow_links: options.FollowLinksOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Measure image-text encoders' zero-shot accuracy on labelled images; several are compared image by image."""
    from snellen.encoder_lists import encoder_list
    from snellen.exam.zeroshot import zeroshot as measure

    names = [*(encoder or ()), *(encoder_list(listed).names if listed is not None else ())]
    result = measure(
        study,
        names,
        images=images,
        classes=classes,
        templates=templates,
        name=name,
        device=device,
        dtype=dtype,
        batch_size=batch_size,
        workers=workers,
        column=column,
        follow_links=follow_links,
        progress=progress_for(quiet),
    )
    if as_json:
        import json

        from snellen.plain import plain

        typer.echo(json.dumps(plain(result), indent=2, allow_nan=False))
        return
    for line in described(result):
        typer.echo(line)


def described(result: ZeroShotResult) -> list[str]:
    """Say in words and tables what was found, a line each."""
    first = result.measured[0]
    lines = [
        f"{shown(first.dataset)}: {first.n_images:,} images, {first.n_classes:,} classes; templates "
        f"{shown(first.templates['name'])}; content {first.content_sha256[:16]}",
        "zero-shot accuracy in percent, 95 % intervals: Wilson; recall over classes: bootstrap over images",
    ]
    rows: list[tuple[str, ...]] = [
        ("", "images", "top-1", "top-5", "mean per-class recall", "ties", "parameters", "pixels")
    ]
    rows += [_row(measured) for measured in result.measured]
    lines += aligned(rows)
    lines.append(f"  chance: {_chances(first)}")
    if result.contrasts:
        lines += ["", "the same images: top-1 of b minus a, paired bootstrap, exact McNemar, Holm over all pairs"]
        table: list[tuple[str, ...]] = [("a, b", "images", "b - a, points", "only a", "only b", "p", "p, Holm")]
        for one in result.contrasts:
            found = one.difference_points
            table.append(
                (
                    f"{shown(one.a)}, {shown(one.b)}",
                    f"{found.n:,}",
                    f"{found.value:+.1f} [{found.low:+.1f}, {found.high:+.1f}]",
                    f"{one.a_only:,}",
                    f"{one.b_only:,}",
                    p_value(one.p),
                    p_value(one.p_holm),
                )
            )
        lines += aligned(table)
    lines += ["", *_notes(result), *(f"{shown(str(folder))}" for folder in result.folders)]
    return lines


def _row(measured: ZeroShot) -> tuple[str, ...]:
    size = measured.image_size
    return (
        shown(measured.encoder),
        f"{measured.n_images:,}",
        *(_share(measured.score(metric)) for metric in ("top1", "top5", "mean_per_class_recall")),
        f"{measured.n_ties:,}",
        "not known" if measured.parameters is None else f"{measured.parameters / 1e6:,.1f} M",
        "vary" if size is None else f"{size[0]} x {size[1]}",
    )


def _share(score: ZeroShotScore | None) -> str:
    if score is None:
        return "-"
    return f"{100 * score.value:.1f} [{100 * score.low:.1f}, {100 * score.high:.1f}]"


def _chances(measured: ZeroShot) -> str:
    names = {"top1": "top-1", "top5": "top-5", "mean_per_class_recall": "recall"}
    return ", ".join(f"{names[score.metric]} {100 * score.chance:.1f} %" for score in measured.scores)


def _notes(result: ZeroShotResult) -> list[str]:
    first = result.measured[0]
    notes = []
    if result.not_ok:
        named = ", ".join(f"{shown(uri)} ({status})" for uri, status in result.not_ok[:NAMED])
        more = f" and {len(result.not_ok) - NAMED:,} more, in predictions.jsonl" if result.not_ok[NAMED:] else ""
        notes.append(f"{len(result.not_ok):,} images could not be used and count nowhere: {named}{more}.")
    if first.n_images < FEW:
        notes.append(f"{first.n_images:,} images are few: intervals are wide, and say so.")
    for one in result.measured:
        wrong = sum(each.n - each.correct for each in one.per_class)
        if 0 < min(wrong, one.n_images - wrong) < ONE_SIDED:
            side = "wrong" if wrong < ONE_SIDED else "right"
            notes.append(
                f"{shown(one.encoder)} has fewer than {ONE_SIDED} images {side}: the interval of its recall is too "
                "short; that of top-1 is not."
            )
    empty = sum(each.n == 0 for each in first.per_class)
    if empty:
        notes.append(f"{empty:,} classes have no image: they are candidates, and are in no mean over classes.")
    if first.n_duplicates:
        notes.append(f"{first.n_duplicates:,} images have the bytes of another; each counts.")
    if any(one.n_ties for one in result.measured):
        notes.append("Ties: two classes are equally close first of all; counted as wrong.")
    if any(result.kept):
        names = ", ".join(shown(one.encoder) for one, kept in zip(result.measured, result.kept, strict=True) if kept)
        notes.append(f"Measured before, and kept: {names}.")
    return notes
