"""`snellen diagnose`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snellen.cli import options
from snellen.cli.progress import progress_for
from snellen.errors import UsageError


def diagnose(
    study: options.StudyArgument,
    model: Annotated[
        str | None, typer.Option(help="As for `ask`; asks whatever is missing, and looks inside where it can.")
    ] = None,
    benchmark: Annotated[
        str | None, typer.Option(help="With --model: a benchmark of the study, or a folder (with a slash in it).")
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(help="Instead of --model: a graded run, by run_id or how it begins; its answers alone are used."),
    ] = None,
    profile: Annotated[str | None, typer.Option(help="As for `ask`.", show_default=False)] = None,
    tagset: Annotated[str | None, typer.Option(help="Whose tags name the patterns; by default the only one.")] = None,
    variant: Annotated[
        list[str] | None, typer.Option(help="Variants to ask with, at least five; by default five of four kinds.")
    ] = None,
    flagged: Annotated[
        Path | None, typer.Option(help="Pairs that people call bad items: lines of pair_id, a tab, and why.")
    ] = None,
    encoder_run: Annotated[
        str | None, typer.Option(help="A run of `match` on the same benchmark: its image-text margin goes along.")
    ] = None,
    lesson: Annotated[
        list[str] | None, typer.Option(help="Another benchmark of the study whose pairs teach the probes, too.")
    ] = None,
    swap: Annotated[
        list[str] | None,
        typer.Option(help="A run of the same benchmark by a model trained alike with another encoder."),
    ] = None,
    every_stop: Annotated[
        bool, typer.Option("--every-stop", help="Probe every layer too, with controls; slow for large models.")
    ] = False,
    seed: options.SeedOption = 0,
    device: options.DeviceOption = "auto",
    dtype: options.ComputeDtypeOption = "float32",
    batch_size: Annotated[int | None, typer.Option(min=1, help="Questions at a time in this process.")] = None,
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
    """Say of every pair whether eyes, connector or language model fail, with the evidence; or that it cannot be said.

    Every pair is asked in both orders with the picture and five variants, and without the picture.
    """
    from snellen.diagnosis import diagnose as diagnose_run
    from snellen.diagnosis import read_flagged
    from snellen.diagnosis.words import lines
    from snellen.mllms.base import Compute, Traffic
    from snellen.recipes.diagnose import VARIANTS, examine_and_diagnose

    bad = {} if flagged is None else read_flagged(flagged)
    progress = progress_for(quiet)
    if (run is None) == (model is None):
        raise UsageError("Name who is diagnosed: either --model, which is asked what is missing, or --run.")
    if run is not None and (profile or variant or lesson or every_stop):
        raise UsageError("--profile, --variant, --lesson and --every-stop go with --model: --run uses answers alone.")
    if run is not None:
        folder = None if benchmark is None else Path(benchmark)
        result = diagnose_run(
            study,
            run,
            benchmark=folder,
            tagset=tagset,
            flagged=bad,
            encoder_run=encoder_run,
            swaps=swap or (),
            seed=seed,
            progress=progress,
        )
    else:
        if benchmark is None:
            raise UsageError("Name what is asked with --benchmark.")
        assert model is not None
        result = examine_and_diagnose(
            study,
            model,
            benchmark=benchmark,
            profile=profile,
            tagset=tagset,
            variants=variant or VARIANTS,
            flagged=bad,
            encoder_run=encoder_run,
            lessons=lesson or (),
            swaps=swap or (),
            every_stop=every_stop,
            compute=Compute(device, dtype, batch_size),
            traffic=Traffic(concurrency, per_minute, timeout, retries, price_in, price_out, budget, key_variable),
            seed=seed,
            progress=progress,
        )
    for line in lines(result.summary):
        typer.echo(line)
    typer.echo(str(result.path))
