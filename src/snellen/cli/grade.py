"""`snellen grade`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snellen.cli import options
from snellen.cli.progress import progress_for


def grade(
    study: options.StudyArgument,
    run: Annotated[
        list[str] | None, typer.Option(help="A run_id, or how it begins; may be given for several. By default all.")
    ] = None,
    benchmark: Annotated[
        Path | None, typer.Option(help="Where the benchmark's folder is, if it is not in the study.")
    ] = None,
    judge: Annotated[
        str | None, typer.Option(help="A model, by name, that reads answers which the rules cannot.")
    ] = None,
    hand: Annotated[
        str | None, typer.Option(help="Grade what is unparsed by hand, here, under this pseudonym.", metavar="NAME")
    ] = None,
    allow_incomplete: Annotated[
        bool, typer.Option("--allow-incomplete", help="Score although answers are missing; their pairs are left out.")
    ] = False,
    patterns: Annotated[bool, typer.Option("--patterns", help="Print scores by visual pattern, too.")] = False,
    concurrency: options.ConcurrencyOption = 8,
    per_minute: options.PerMinuteOption = None,
    timeout: options.TimeoutOption = 120.0,
    retries: options.RetriesOption = 6,
    price_in: options.PriceInOption = None,
    price_out: options.PriceOutOption = None,
    budget: options.BudgetOption = None,
    key_variable: options.KeyVariableOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Turn raw answers into verdicts and scores, each with its unit, chance, interval and n.

    Exit code 3: answers are missing. Options from --concurrency on are for the judge.
    """
    from snellen.exam import grade_runs
    from snellen.mllms.base import Traffic

    for line in grade_runs(
        study,
        run or (),
        benchmark=benchmark,
        judge=judge,
        traffic=Traffic(concurrency, per_minute, timeout, retries, price_in, price_out, budget, key_variable),
        hand=hand,
        ask_person=(_read_line, typer.echo),
        allow_incomplete=allow_incomplete,
        patterns=patterns,
        progress=progress_for(quiet),
    ):
        typer.echo(line)


def _read_line(question: str) -> str:
    """Ask the person; an input that is closed means that they go."""
    try:
        return input(question)
    except EOFError:
        return "q"
