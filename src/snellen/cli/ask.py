"""`snellen ask`."""

from __future__ import annotations

from typing import Annotated

import typer

from snellen.cli import options
from snellen.cli.progress import progress_for


def ask(
    study: options.StudyArgument,
    model: options.ModelOption,
    benchmark: Annotated[
        str | None, typer.Option(help="Name of a benchmark of the study, or a folder (with a slash in it).")
    ] = None,
    itemset: Annotated[
        str | None, typer.Option(help="In the place of a benchmark: an item set, yes/no or free answers.")
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(
            help="How questions are worded: letter (the default), official, lmms-eval, vlmevalkit; for items yes-no, "
            "yes-no-bare, free.",
            show_default=False,
        ),
    ] = None,
    both_orders: Annotated[
        bool, typer.Option("--both-orders", help="Ask every question with its options the other way round, too.")
    ] = False,
    repeats: Annotated[int, typer.Option(min=1, help="How often every question is asked.")] = 1,
    variant: Annotated[
        list[str] | None,
        typer.Option(help="Ask with a slightly changed image, too: crop-0, pad-0, resize-0, jpeg-0 and other seeds."),
    ] = None,
    control: Annotated[
        list[str] | None, typer.Option(help="Ask without the image, too: no_image or blank_image.")
    ] = None,
    temperature: Annotated[float, typer.Option(min=0, help="0 is greedy.")] = 0.0,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="Of an answer; by default what the profile says.")
    ] = None,
    seed: options.SeedOption = 0,
    device: options.DeviceOption = "auto",
    dtype: options.ComputeDtypeOption = "float32",
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Questions at a time in this process; by default 1 on a CPU, else 8.")
    ] = None,
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
    """Put a benchmark to a multimodal LLM, and keep every raw answer; run again, it asks what is missing.

    Exit code 3: some answers are missing.
    """
    from snellen.exam import ask as ask_model
    from snellen.mllms.base import Compute, Traffic

    result = ask_model(
        study,
        benchmark=benchmark,
        itemset=itemset,
        model=model,
        profile=profile,
        both_orders=both_orders,
        repeats=repeats,
        variants=variant or (),
        controls=[options.one_of("control", one, "no_image", "blank_image") for one in control or ()],
        temperature=temperature,
        max_tokens=max_tokens,
        seed=seed,
        compute=Compute(device, dtype, batch_size),
        traffic=Traffic(concurrency, per_minute, timeout, retries, price_in, price_out, budget, key_variable),
        progress=progress_for(quiet),
    )
    cost = "" if result.cost_usd is None else f", {result.cost_usd:,.4f} USD"
    typer.echo(
        f"{result.folder}: {result.answers:,} answers, {result.new:,} of them new ({result.tokens_in:,} tokens in, "
        f"{result.tokens_out:,} out{cost})"
    )
