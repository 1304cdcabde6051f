"""`snellen draft`."""

from __future__ import annotations

from typing import Annotated

import typer

from snellen.cli import options
from snellen.cli.progress import progress_for


def draft(
    study: options.StudyArgument,
    model: options.ModelOption,
    pairs: Annotated[int, typer.Option(min=1, help="For so many pairs, those with the largest gaps.")] = 50,
    images: Annotated[
        str | None, typer.Option(help="Where the images are now, if not where they were when they were embedded.")
    ] = None,
    temperature: Annotated[float, typer.Option(min=0, help="0 is greedy.")] = 0.0,
    max_tokens: Annotated[int, typer.Option(min=1, help="Of a reply.")] = 2048,
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
    """Have a multimodal LLM propose difference, question and options for candidate pairs; people confirm, or do not.

    Exit code 3: some pairs have no draft yet.
    """
    from snellen.exam.verb_draft import draft as draft_pairs
    from snellen.mllms.base import Compute, Decoding, Traffic
    from snellen.providers import load_mllm

    loaded = load_mllm(
        model,
        decoding=Decoding(temperature, max_tokens),
        compute=Compute(device, dtype),
        traffic=Traffic(concurrency, per_minute, timeout, retries, price_in, price_out, budget, key_variable),
    )
    result = draft_pairs(study, model=loaded, pairs=pairs, images=images, progress=progress_for(quiet))
    typer.echo(
        f"{result.path}: {result.drafts:,} drafts by {loaded.name}, {result.new:,} of them new, {result.usable:,} "
        "usable (the others say in `problems` why not); none of them is confirmed"
    )
