"""`snellen power`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from snellen.cli.columns import aligned

if TYPE_CHECKING:
    from snellen.exam.power import Observed, Plan, Shown


def power(
    pairs: Annotated[int | None, typer.Option(help="What can so many pairs show?")] = None,
    accuracy: Annotated[
        float | None, typer.Option(help="Percent: how many pairs tell this pair accuracy from chance?")
    ] = None,
    half_width: Annotated[
        float | None, typer.Option(help="Points: how many pairs give --accuracy an interval of at most ± this?")
    ] = None,
    difference: Annotated[
        float | None, typer.Option(help="Points: how many pairs show this difference of two models?")
    ] = None,
    discordance: Annotated[
        float | None,
        typer.Option(
            help="Percent of pairs that one of the two models alone has right; by default several are tabled."
        ),
    ] = None,
    observed: Annotated[
        str | None, typer.Option(help="Percent as printed, with --pairs: its interval, and can it be one run?")
    ] = None,
    chance: Annotated[float, typer.Option(help="Percent.")] = 25.0,
    target: Annotated[float, typer.Option("--power", help="Probability of a significant result.")] = 0.8,
    level: Annotated[float, typer.Option(help="Level of the tests.")] = 0.05,
    confidence: Annotated[float, typer.Option(help="Confidence of the intervals.")] = 0.95,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Say how many pairs are needed, and what a number of pairs can show."""
    from snellen.exam.power import power as plan

    result = plan(
        pairs=pairs,
        accuracy=accuracy,
        half_width=half_width,
        difference=difference,
        discordance=discordance,
        observed=observed,
        chance=chance,
        power=target,
        level=level,
        confidence=confidence,
    )
    if as_json:
        import json

        from snellen.plain import plain

        typer.echo(json.dumps(plain(result), indent=2, allow_nan=False))
        return
    for line in described(result):
        typer.echo(line)


def described(plan: Plan) -> list[str]:
    """Say a plan in words, a line or a table each."""
    lines = []
    interval, tests = f"{100 * plan.confidence:g} % interval", f"power {plan.power:g}, level {plan.level:g}"
    if plan.observed is not None:
        lines += _observed(plan.observed, interval)
    if plan.precision is not None:
        found = plan.precision
        lines.append(
            f"{found.n_pairs:,} pairs give a pair accuracy of {found.accuracy_percent:g} % a {interval} (Wilson) of at "
            f"most ± {found.half_width_points:g} points."
        )
    if plan.from_chance is not None:
        told = plan.from_chance
        lines.append(
            f"{told.n_pairs:,} pairs tell {told.accuracy_percent:g} % from {told.chance_percent:g} % by chance "
            f"({tests}; exact binomial test, one-sided)."
        )
    if plan.two_models:
        lines.append(
            f"Pairs that show a difference of {plan.two_models[0].difference_points:g} points between two models "
            f"({tests}; exact McNemar test), by how many pairs one of them alone has right:"
        )
        rows: list[tuple[str, ...]] = [("one alone right", "pairs needed", "power of yours")]
        rows += [
            (
                f"{row.discordance_percent:g} %",
                f"{row.n_pairs:,}",
                "" if row.power_of_pairs is None else f"{row.power_of_pairs:.3f}",
            )
            for row in plan.two_models
        ]
        if plan.shown is None:
            rows = [row[:2] for row in rows]
        lines += aligned(rows)
    if plan.shown is not None:
        lines += _shown(plan.shown, interval, tests, plan.level)
    return lines


def _observed(found: Observed, interval: str) -> list[str]:
    reach = f"[{found.low_percent:.1f}, {found.high_percent:.1f}]"
    n = f"{found.n_pairs:,} pairs"
    if found.between is None:
        counts = " to ".join(f"{count:,}" for count in sorted({found.counts[0], found.counts[-1]}))
        return [f"{found.printed} % of {n}: {counts} right; {interval} (Wilson) {reach} %."]
    below, above = found.between
    return [
        f"{found.printed} % is no share of {n}: it lies between {below:,} ({100 * below / found.n_pairs:.2f} %) and "
        f"{above:,} ({100 * above / found.n_pairs:.2f} %), so it is not one run scored by pair.",
        f"  {interval} (Wilson), from the lower end of the one to the upper end of the other: {reach} %.",
    ]


def _shown(found: Shown, interval: str, tests: str, level: float) -> list[str]:
    of = "any pair accuracy, at most" if found.accuracy_percent is None else f"{found.accuracy_percent:g} %"
    least = found.least_above_chance
    above = "not even all of them" if least is None else f"{least:,} ({100 * least / found.n_pairs:.1f} %)"
    lines = [
        f"{found.n_pairs:,} pairs:",
        f"  {interval} (Wilson) of {of}: ± {found.half_width_points:.1f} points",
        f"  right pairs that are more than {found.chance_percent:g} % by chance (exact binomial, one-sided, level "
        f"{level:g}): {above}",
        f"  smallest difference of two models that they show ({tests}; exact McNemar test):",
    ]
    rows = [("one alone right", "points")]
    rows += [
        # Rounded up: a smaller difference would not be shown.
        (f"{row.discordance_percent:g} %", "none" if row.difference_points is None else _up(row.difference_points))
        for row in found.differences
    ]
    return lines + aligned(rows, "    ")


def _up(points: float) -> str:
    return f"{math.ceil(10 * points) / 10:.1f}"
