"""`snellen statements`."""

from __future__ import annotations

from typing import Annotated

import typer

from snellen.cli import options
from snellen.cli.progress import progress_for
from snellen.errors import UsageError


def statements(
    study: options.StudyArgument,
    benchmark: Annotated[
        str, typer.Argument(help="A benchmark of the study, or the path of its folder.", show_default=False)
    ],
    model: Annotated[
        str | None, typer.Option(help="A multimodal LLM that writes the statements; by default rules do.")
    ] = None,
    with_images: Annotated[
        bool, typer.Option("--with-images", help="Show the model both images of a pair, too.")
    ] = False,
    confirm: Annotated[
        str | None,
        typer.Option(help="Propose nothing: decide on what was proposed, here, under this pseudonym.", metavar="NAME"),
    ] = None,
    temperature: Annotated[float, typer.Option(min=0, help="0 is greedy.")] = 0.0,
    max_tokens: Annotated[int, typer.Option(min=1, help="Of a reply.")] = 1024,
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
    """Propose a statement for each image of a benchmark that has questions only; a person confirms them.

    Exit code 3: some pairs have no reply yet.
    """
    from snellen.exam.match import confirm as confirm_statements
    from snellen.exam.match import statements as propose
    from snellen.exam.match.words import proposed
    from snellen.mllms.base import Compute, Decoding, Traffic
    from snellen.providers import load_mllm

    if confirm is not None:
        if model is not None or with_images:
            raise UsageError("--confirm decides on what was proposed before: leave out --model and --with-images.")
        count = confirm_statements(study, benchmark, confirm, _read_line, typer.echo)
        typer.echo(f"{count:,} pairs decided")
        return
    if with_images and model is None:
        raise UsageError("--with-images shows a model the images: name one with --model, since rules see none.")
    loaded = None
    if model is not None:
        loaded = load_mllm(
            model,
            decoding=Decoding(temperature, max_tokens),
            compute=Compute(device, dtype),
            traffic=Traffic(concurrency, per_minute, timeout, retries, price_in, price_out, budget, key_variable),
        )
    result = propose(study, benchmark, model=loaded, with_images=with_images, progress=progress_for(quiet))
    for line in proposed(result):
        typer.echo(line)


def _read_line(question: str) -> str:
    """Ask the person; an input that is closed means that they go."""
    try:
        return input(question)
    except EOFError:
        return "q"
