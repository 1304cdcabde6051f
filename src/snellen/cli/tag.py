"""`snellen tag`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snellen.cli import options
from snellen.cli.progress import progress_for
from snellen.errors import UsageError


def tag(
    study: options.StudyArgument,
    benchmark: Annotated[str, typer.Argument(help="A benchmark of the study, or a folder.", show_default=False)],
    taxonomy: Annotated[str, typer.Option(help="nine, or a JSON file of your own (docs/patterns.md).")] = "nine",
    judge: Annotated[
        list[str] | None, typer.Option(help="A model, by name, that tags; may be given for several.", metavar="MODEL")
    ] = None,
    hand: Annotated[str | None, typer.Option(help="Tag by hand, here, under this pseudonym.", metavar="NAME")] = None,
    images: Annotated[
        bool, typer.Option("--images", help="Show the pictures, too; by default question and options alone.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Ask everything anew; by default only what has no tag by this tagger.")
    ] = False,
    tagset: Annotated[
        str | None, typer.Option(help="Another name for the tags of one tagger: nine@1/anything.")
    ] = None,
    beside: Annotated[
        list[str] | None,
        typer.Option(help="Another tagset to compare with, such as accepted; may be given for several."),
    ] = None,
    propose: Annotated[
        Path | None,
        typer.Option(help="Tag nothing: have the one --judge propose a taxonomy from the questions, in this new file."),
    ] = None,
    name: Annotated[str, typer.Option(help="With --propose: the taxonomy's name and version.")] = "proposed@1",
    temperature: Annotated[float, typer.Option(min=0, help="0 is greedy.")] = 0.0,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="Of a reply; by default 1,024, and 8,192 with --propose.")
    ] = None,
    device: options.DeviceOption = "auto",
    dtype: options.ComputeDtypeOption = "float32",
    concurrency: options.ConcurrencyOption = 8,
    per_minute: options.PerMinuteOption = None,
    timeout: options.TimeoutOption = 120.0,
    retries: options.RetriesOption = 6,
    price_in: options.PriceInOption = None,
    price_out: options.PriceOutOption = None,
    budget: options.BudgetOption = None,
    key_variable: options.KeyVariableOption = None,
    quiet: options.QuietOption = False,
) -> None:
    """Tag a benchmark's questions with visual patterns, by models and by hand, and say how far taggers agree.

    Exit code 3: a model has not replied about all pairs.
    """
    from snellen.mllms.base import Compute, Decoding, Traffic
    from snellen.patterns import propose as propose_taxonomy
    from snellen.patterns import tag as tag_benchmark
    from snellen.patterns.propose import TOKENS as PROPOSAL_TOKENS
    from snellen.patterns.summary import described
    from snellen.patterns.verb_tag import TOKENS, TagResult

    compute = Compute(device, dtype)
    traffic = Traffic(concurrency, per_minute, timeout, retries, price_in, price_out, budget, key_variable)
    if propose is not None:
        if len(judge or ()) != 1 or hand is not None:
            raise UsageError("--propose takes one --judge, who proposes, and no --hand.")
        made = propose_taxonomy(
            study,
            benchmark,
            propose,
            model=(judge or [""])[0],
            name=name,
            again=again,
            decoding=Decoding(temperature, max_tokens or PROPOSAL_TOKENS),
            compute=compute,
            traffic=traffic,
            progress=progress_for(quiet),
        )
        typer.echo(
            f"{made.path}: {len(made.taxonomy.patterns)} patterns ({', '.join(made.taxonomy.ids)}) proposed from "
            f"{made.n_shown:,} of {made.n_pairs:,} pairs; edit the rules, and put your name as confirmed_by before use"
        )
        return

    def say(result: TagResult) -> None:
        for line in described(result):
            typer.echo(line)

    tag_benchmark(
        study,
        benchmark,
        taxonomy=taxonomy,
        judges=judge or (),
        hand=hand,
        person=(_read_line, typer.echo),
        tagset=tagset,
        images=images,
        again=again,
        beside=beside or (),
        decoding=Decoding(temperature, max_tokens or TOKENS),
        compute=compute,
        traffic=traffic,
        progress=progress_for(quiet),
        report=say,
    )


def _read_line(question: str) -> str:
    """Ask the person; an input that is closed means that they go."""
    try:
        return input(question)
    except EOFError:
        return "q"
