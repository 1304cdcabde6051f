"""`snellen world`: the miniature world, in which every picture's facts are known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snellen.cli import options
from snellen.cli.progress import progress_for
from snellen.errors import UsageError

app = typer.Typer(
    help="The miniature world: drawn scenes whose facts are known.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("draw")
def draw(
    out: Annotated[Path, typer.Argument(help="The folder to write.", show_default=False)],
    families: Annotated[int, typer.Option(min=1, help="Families of seven pictures.")] = 400,
    world: Annotated[int, typer.Option(min=0, help="The world's number; another one has other scenes.")] = 0,
    split: Annotated[
        str, typer.Option(help="train, validation or exam: scenes drawn independently of one another.")
    ] = "exam",
    rate: Annotated[
        list[str] | None,
        typer.Option(help="How often captions mention a factor, as color=0.5; may be given for several."),
    ] = None,
    quiet: options.QuietOption = False,
) -> None:
    """Draw pictures, and write what is true of each into world.jsonl."""
    from snellen.world.draw import draw as draw_world

    result = draw_world(
        out, families=families, world=world, split=split, rates=_rates(rate or []), progress=progress_for(quiet)
    )
    typer.echo(
        f"{result.table}: {result.counts['pictures']:,} pictures of {result.counts['families']:,} families; the "
        f"files are in {result.images}"
    )


@app.command("train")
def train(
    out: Annotated[Path, typer.Argument(help="The folder to write the models to.", show_default=False)],
    seed: options.SeedOption = 0,
    world: Annotated[int, typer.Option(min=0, help="The world whose training scenes are used.")] = 0,
    visual: Annotated[str, typer.Option(help="What MLLMs see: all, pool:1, pool:4, pool:16 or global.")] = "pool:4",
    diet: Annotated[list[str] | None, typer.Option(help="A diet; may be given for several.")] = None,
    rate: Annotated[list[str] | None, typer.Option(help="As for `world draw`.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes at a time, one thread each.")] = 2,
    quiet: options.QuietOption = False,
) -> None:
    """Train the tiny encoders and multimodal LLMs from random weights."""
    from snellen.world.scene.captions import MENTION_RATES
    from snellen.world.training.verb import SHIPPED_DIETS
    from snellen.world.training.verb import train as train_models

    result = train_models(
        out,
        seed=seed,
        world=world,
        visual=visual,
        diets=diet or SHIPPED_DIETS,
        rates={**MENTION_RATES, **_rates(rate or [])},
        jobs=jobs,
        progress=progress_for(quiet),
    )
    typer.echo(f"{result.folder}: {', '.join(result.models)}")


@app.command("study")
def study(
    out: Annotated[Path, typer.Argument(help="The folder to write.", show_default=False)],
    seed: Annotated[list[int] | None, typer.Option(help="May be given for several. Default: 0, 1 and 2.")] = None,
    world: Annotated[int, typer.Option(min=0, help="Settings were chosen on world 0.")] = 1,
    only_default_input: Annotated[
        bool, typer.Option("--only-default-input", help="Leave out the visual inputs `global` and `all`.")
    ] = False,
    longer: Annotated[
        int, typer.Option(min=1, help="Train the multimodal LLMs so many times as long: are they blind, or unfinished?")
    ] = 1,
    rate: Annotated[list[str] | None, typer.Option(help="As for `world draw`.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes at a time, one thread each.")] = 2,
    quiet: options.QuietOption = False,
) -> None:
    """Retrain everything from seeds, examine it, and write the tables of the argument."""
    from snellen.recipes.world_study import OTHER_VISUALS, SEEDS, world_study
    from snellen.world.scene.captions import MENTION_RATES
    from snellen.world.training.recipe import FULL

    page = world_study(
        out,
        seeds=seed or SEEDS,
        world=world,
        other_visuals=() if only_default_input else OTHER_VISUALS,
        rates={**MENTION_RATES, **_rates(rate or [])},
        recipe=FULL.longer(longer),
        jobs=jobs,
        progress=progress_for(quiet),
    )
    typer.echo(str(page))


@app.command("fault")
def fault(
    model: Annotated[Path, typer.Argument(help="The folder of a model with one encoder.", show_default=False)],
    out: Annotated[Path, typer.Argument(help="The folder to write the damaged copy to.", show_default=False)],
    organ: Annotated[str, typer.Option(help="encoder, projector, bias or ignores.", show_default=False)],
    factor: Annotated[str | None, typer.Option(help="What encoder or projector lose.")] = None,
    strength: Annotated[float, typer.Option(help="Above 0, at most 1.")] = 1.0,
    world: Annotated[int, typer.Option(min=0, help="The world whose training scenes are used.")] = 0,
    seed: options.SeedOption = 0,
) -> None:
    """Damage one organ of a copy of a tiny multimodal LLM, so that it is known who is to blame."""
    from snellen.world.faults import fault as plant

    result = plant(model, out, organ=organ, factor=factor, strength=strength, world=world, seed=seed)
    typer.echo(f"{result.folder}: what it fails at is {result.verdict}'s fault")


@app.command("faults")
def faults(
    out: Annotated[Path, typer.Argument(help="The folder to write.", show_default=False)],
    seed: Annotated[list[int] | None, typer.Option(help="May be given for several. Default: 3 and 4.")] = None,
    world: Annotated[int, typer.Option(min=0, help="Settings were chosen on worlds 0 and 1.")] = 2,
    jobs: Annotated[int, typer.Option(min=1, help="Processes at a time, in training.")] = 2,
    quiet: options.QuietOption = False,
) -> None:
    """Train models of fresh seeds, damage one organ of each copy, diagnose all, and count who is blamed."""
    from snellen.recipes.world_faults import SEEDS, world_faults

    page = world_faults(out, seeds=seed or SEEDS, world=world, jobs=jobs, progress=progress_for(quiet))
    typer.echo(str(page))


@app.command("accept")
def accept(
    study: options.StudyArgument,
    world: Annotated[Path, typer.Argument(help="The world whose pictures were embedded.", show_default=False)],
    kind: Annotated[str, typer.Option(help="blind, control, random or planted pairs.")] = "blind",
    per_pattern: Annotated[int, typer.Option(min=1, help="At most so many pairs of each pattern.")] = 30,
    per_image: Annotated[int, typer.Option(min=1, help="At most so many pairs of one picture.")] = 2,
    blind_low: Annotated[float, typer.Option(help="Control pairs have a blind cosine above this.")] = 0.0,
    blind_high: Annotated[float, typer.Option(help="And below this.")] = 0.8,
    seed: options.SeedOption = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="The file to write; by default accepted.jsonl of the study, or accepted-KIND.jsonl."),
    ] = None,
) -> None:
    """Accept pairs, and ask about each, from the known facts."""
    from snellen.world.accept import accept as accept_pairs

    result = accept_pairs(
        study,
        world,
        kind=options.one_of("kind", kind, "blind", "control", "random", "planted"),
        per_pattern=per_pattern,
        per_image=per_image,
        blind_low=blind_low,
        blind_high=blind_high,
        seed=seed,
        out=out,
    )
    counts = ", ".join(f"{name} {count}" for name, count in result.counts.items())
    short = f"; fewer than {per_pattern} of {', '.join(result.short)}" if result.short else ""
    typer.echo(f"{result.path}: {result.n_pairs:,} {kind} pair{'s' if result.n_pairs > 1 else ''} ({counts}){short}")


def _rates(given: list[str]) -> dict[str, float]:
    rates = {}
    for text in given:
        name, _, rate = text.partition("=")
        if name in rates:
            raise UsageError(f"--rate {name} is given twice: say it once.")
        try:
            rates[name] = float(rate)
        except ValueError:
            raise UsageError(f"--rate {text!r} is not a factor and a number: write it as color=0.5.") from None
    return rates
