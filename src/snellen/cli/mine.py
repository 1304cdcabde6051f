"""`snellen mine`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from snellen import defaults
from snellen.cli import options
from snellen.cli.progress import progress_for
from snellen.errors import UsageError


def mine(
    study: options.StudyArgument,
    blind: Annotated[
        str, typer.Option(help="The encoder under examination, embedded before.")
    ] = defaults.BLIND_ENCODER,
    reference: Annotated[
        str, typer.Option(help="The encoder that still sees, embedded before.")
    ] = defaults.REFERENCE_ENCODER,
    blind_min: options.BlindMinOption = str(defaults.BLIND_MIN),
    reference_max: options.ReferenceMaxOption = str(defaults.REFERENCE_MAX),
    max_pairs: options.MaxPairsOption = None,
    max_per_image: options.MaxPerImageOption = None,
    top_k: options.TopKOption = None,
    collapse_copies: options.CollapseCopiesOption = None,
    labels: options.LabelsOption = "any",
    seed: options.SeedOption = 0,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Only say about how many pairs there are and how long they take.")
    ] = False,
    count_only: Annotated[
        bool, typer.Option("--count-only", help="Only count, exactly: write counts.json, and no pairs.")
    ] = False,
    earlier: options.EarlierOption = None,
    threads: options.ThreadsOption = None,
    backend: options.BackendOption = "auto",
    quiet: options.QuietOption = False,
) -> None:
    """Find every pair that the blind encoder cannot tell apart and the reference encoder can."""
    asked: dict[str, Any] = {
        "blind": blind,
        "reference": reference,
        "blind_min": blind_min,
        "reference_max": reference_max,
        "labels": options.one_of("labels", labels, "any", "within", "across"),
        "seed": seed,
        "earlier": earlier,
        "threads": threads,
        "backend": options.one_of("backend", backend, "auto", "compiled", "portable", "torch"),
        "progress": progress_for(quiet),
    }
    changes: dict[str, Any] = {
        "max_pairs": max_pairs,
        "max_per_image": max_per_image,
        "top_k": top_k,
        "collapse_copies": collapse_copies,
        "count_only": count_only,
    }
    if estimate:
        _estimate(study, asked, changes, quiet)
        return
    from snellen.mining import mine as mine_pairs

    result = mine_pairs(study, **asked, **changes)
    if quiet and result.note:
        typer.echo(result.note, err=True)
    if count_only:
        typer.echo(f"{result.mining}: {describe_counts(result.counts, labels)}")
    else:
        counts = result.counts
        text = describe_pairs(counts["written"], counts["ok"], counts["images"], result.details["truncated"])
        misses = "" if counts["written"] else "; `snellen report` shows the nearest misses"
        typer.echo(f"{study / 'pairs.parquet'}: {text}{misses}")
    if not quiet:
        for line in describe_suggestions(result.details["suggestions"]):
            typer.echo(line)


def _estimate(study: Path, asked: Mapping[str, Any], changes: Mapping[str, Any], quiet: bool) -> None:
    """Print an estimate.

    Raises:
        UsageError: one of `changes` is given, which an estimate knows nothing of.
    """
    for name, value in changes.items():
        if value not in (None, False):
            option = name.replace("_", "-")
            raise UsageError(f"--estimate is about all pairs that pass the thresholds: leave out --{option}.")
    from snellen.mining import estimate as estimate_pairs

    found = estimate_pairs(study, **asked)
    if quiet and found.note:
        typer.echo(found.note, err=True)
    typer.echo(found.text_with_time(found.seconds_in_all))


CAPS = ("max_per_image", "top_k", "max_pairs")


def describe_pairs(pairs: int, embedded: int, images: int, truncated: Mapping[str, int]) -> str:
    """Say how many pairs were found among how many images; that there are none is a normal first result.

    Args:
        pairs: how many were written.
        embedded: images that both encoders could use.
        images: of the study.
        truncated: pairs that each cap dropped, as in `mining.json`; those are said, too.
    """
    among = f"among {embedded:,} images" + (
        f" ({images - embedded:,} more could not be used)" if embedded < images else ""
    )
    if pairs == 0:
        return f"no pair passes both thresholds {among}"
    dropped = {cap: truncated.get(cap, 0) for cap in CAPS if truncated.get(cap, 0)}
    by = ", ".join(f"{count:,} dropped by --{cap.replace('_', '-')}" for cap, count in dropped.items())
    of = f" (of {pairs + sum(dropped.values()):,} that pass; {by})" if dropped else ""
    return f"{pairs:,} blind pair{'s' if pairs > 1 else ''}{of} {among}"


def describe_counts(counts: Mapping[str, int], labels: str) -> str:
    """Say what was counted where no pairs were written; `labels` is the label rule."""
    text = (
        f"{counts['below_reference_max']:,} of {counts['pairs']:,} pairs of {counts['after_collapse']:,} images pass "
        f"both thresholds; {counts['above_blind_min']:,} are above the blind one alone"
    )
    return text if labels == "any" else f"{text}, and {counts['after_labels']:,} pass both {labels} labels"


def describe_suggestions(suggestions: Sequence[Mapping[str, Any]] | None) -> Iterator[str]:
    """Yield a line for each pair of thresholds that would give about a hundred pairs; none where pairs were found."""
    for one in suggestions or ():
        number = f"{one['n_pairs']:,} pair{'' if one['n_pairs'] == 1 else 's'}"
        if one["sampled"]:
            number = f"about {number} (95 % interval {one['low']:,} to {one['high']:,})"
        yield f"  try --blind-min {one['blind_min']} --reference-max {one['reference_max']}: {number}"
