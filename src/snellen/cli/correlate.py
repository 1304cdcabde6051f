"""`snellen correlate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from snellen.cli import options
from snellen.cli.columns import aligned, p_value, shown

if TYPE_CHECKING:
    from snellen.diagnosis.correlation.nouns import Accuracy, AgainstEncoder, Correlated
    from snellen.stats.association import Association, Coefficient
    from snellen.stats.hierarchy import Interaction
    from snellen.stats.over_patterns import Interval, PatternCorrelation


def correlate(
    study: Annotated[Path | None, typer.Argument(help="The study folder.", show_default=False)] = None,
    encoder_run: Annotated[
        str | None, typer.Option(help="The run_id of an image-text encoder's run (`snellen match`), or how it begins.")
    ] = None,
    run: Annotated[
        list[str] | None, typer.Option(help="A run_id to set beside it, or how it begins; may be given for several.")
    ] = None,
    tagset: Annotated[str | None, typer.Option(help="Whose visual patterns, where there are several.")] = None,
    encoder_tagset: Annotated[
        str | None, typer.Option(help="What that is called on the encoder's benchmark, where it is another one.")
    ] = None,
    metric: Annotated[str, typer.Option(help="What is right for the encoder: image, text or group score.")] = "image",
    allow_incomplete: Annotated[
        bool, typer.Option("--allow-incomplete", help="Leave out pairs that lack an answer.")
    ] = False,
    published: Annotated[
        bool, typer.Option("--published", help="Recompute the paper's table 1 and correlations; needs no study.")
    ] = False,
    seed: options.SeedOption = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Say whether an encoder's failures and those of multimodal LLMs go together, and how little so few points say."""
    from snellen.errors import UsageError
    from snellen.plain import plain

    if published:
        if study is not None or encoder_run is not None or run:
            raise UsageError("--published is about the paper: give it without a study and without runs.")
        from snellen.cli.correlate_published import described as published_lines
        from snellen.diagnosis.correlation.published import published as recompute

        paper = recompute(seed)
        lines, value = published_lines(paper), plain(paper)
    else:
        if study is None or encoder_run is None or not run:
            raise UsageError("Give a study, --encoder-run and at least one --run; or --published alone.")
        from snellen.diagnosis.correlation.verb import correlate as correlate_runs

        result = correlate_runs(
            study,
            encoder_run=encoder_run,
            runs=run,
            tagset=tagset,
            encoder_tagset=encoder_tagset,
            metric=options.one_of("metric", metric, "image", "text", "group"),
            allow_incomplete=allow_incomplete,
            seed=seed,
        )
        lines, value = [*described(result.found), "", f"written to {result.path}"], plain(result.found)
    if as_json:
        import json

        lines = [json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)]
    for line in lines:
        typer.echo(line)


def described(found: Correlated) -> list[str]:
    """Say in words and tables what was found, a line each."""
    encoder = found.encoder
    lines = [
        f"encoder: {shown(encoder.model)} on {shown(encoder.benchmark)}, {encoder.metric} ({shown(encoder.run_id)}); "
        + _covered(encoder.n_pairs, encoder.left_out)
    ]
    for against in found.runs:
        lines += ["", *_against(against, found.tagset, encoder.metric)]
    if found.interaction is not None:
        lines += ["", *_interaction(found.interaction)]
    return [*lines, "", *map(shown, found.says)]


def _covered(n: int, left_out: int) -> str:
    return f"n = {n:,} pairs" + (f", {left_out:,} left out" if left_out else "")


def _against(against: AgainstEncoder, tagset: str | None, metric: str) -> list[str]:
    run, over = against.run, against.over_patterns
    where = "the same benchmark" if against.same_pairs else f"{shown(run.benchmark)}, other pairs than the encoder's"
    lines = [
        f"against: {shown(run.model)} on {where}, {run.metric} ({shown(run.run_id)}); "
        + _covered(run.n_pairs, run.left_out)
    ]
    if over.points and tagset is not None:
        rows: list[tuple[str, ...]] = [(f"tagged by {shown(tagset)}", "pairs", metric, "pairs", "pair accuracy")]
        rows += [
            (
                shown(each.pattern),
                f"{each.encoder.n:,}",
                _accuracy(each.encoder),
                f"{each.model.n:,}",
                _accuracy(each.model),
            )
            for each in over.points
        ]
        lines += aligned(rows)
    if over.pearson is not None and over.spearman is not None:
        lines += correlations([("Pearson r", over.pearson), ("Spearman rho", over.spearman)])
    if against.over_pairs is not None:
        lines += _pairs(against.over_pairs)
    return lines + ["  " + shown(line) for line in against.says]


def correlations(found: list[tuple[str, PatternCorrelation]], digits: int = 2) -> list[str]:
    """Show correlations over patterns under one another, every interval beside them."""
    intervals = ["Fisher", "over patterns", "and their pairs"]
    if all(each.two_level is None for _, each in found):
        intervals.pop()  # there are no pairs to draw from
    rows: list[tuple[str, ...]] = [("", "n", "value", *intervals, "permutation p", "without one pattern")]
    for name, each in found:
        left = each.leave_one_out
        without = (
            "-"
            if left is None
            else f"{left.low:.{digits}f} ({shown(left.low_without)}) to {left.high:.{digits}f} "
            f"({shown(left.high_without)})"
        )
        reach = [_interval(one) for one in (each.fisher, each.bootstrap, each.two_level)][: len(intervals)]
        value = "-" if each.value is None else f"{each.value:.{digits}f}"
        rows.append((name, f"{each.n}", value, *reach, p_value(each.p), without))
    return aligned(rows)


def _pairs(found: Association) -> list[str]:
    table = found.table
    lines = [
        f"  same pairs, n = {found.n:,}: both wrong {table.both_wrong:,}, encoder alone {table.first_only:,}, model "
        f"alone {table.second_only:,}, both right {table.neither:,}"
    ]
    if found.phi is not None and found.kappa is not None:
        lines.append(
            f"  phi {_coefficient(found.phi)} (at most {found.phi_most:.2f} at these error rates), "
            f"kappa {_coefficient(found.kappa)}; exact p: Fisher {p_value(found.p_fisher)}, "
            f"McNemar {p_value(found.p_mcnemar)}"
        )
    return lines


def _interaction(found: Interaction) -> list[str]:
    lines = [
        f"all together: {len(found.models)} models, {len(found.patterns)} patterns, {found.n:,} scores, "
        f"{found.n_clusters:,} independent pairs or clusters of pairs"
    ]
    if found.odds and found.within is not None:
        lines.append(f"  odds of being right, by those of the encoder (working correlation {found.within:.2f}):")
        lines += aligned(
            [(shown(each.model), f"{each.ratio:.2f} [{each.low:.2f}, {each.high:.2f}]") for each in found.odds], "    "
        )
    return lines


def _accuracy(share: Accuracy) -> str:
    return f"{100 * share.value:.1f} % [{100 * share.low:.1f}, {100 * share.high:.1f}]"


def _interval(interval: Interval | None) -> str:
    return "-" if interval is None else f"[{interval.low:.2f}, {interval.high:.2f}]"


def _coefficient(found: Coefficient) -> str:
    reach = "(no interval)" if found.low is None or found.high is None else f"[{found.low:.2f}, {found.high:.2f}]"
    return f"{found.value:.2f} {reach}"
