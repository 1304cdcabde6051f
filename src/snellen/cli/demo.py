"""`snellen demo`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from snellen.cli import options
from snellen.cli.progress import progress_for

if TYPE_CHECKING:
    from snellen.recipes.demo import DemoResult


def demo(
    out: Annotated[Path, typer.Option(help="The folder to write.")] = Path("demo"),
    quiet: options.QuietOption = False,
) -> None:
    """Run the whole way in the miniature world: offline, with tiny models whose every answer can be checked."""
    from snellen.recipes.demo import demo as run_demo

    for line in described(run_demo(out, progress=progress_for(quiet))):
        typer.echo(line)


def described(result: DemoResult) -> list[str]:
    """Say in words what was found, a line each."""
    mined, again, blind = result.truth.mined, result.truth.re_renders_passing, result.scores["blind"]
    planted = result.truth.planted_passing
    diets = {
        "clip": "fed by the blind encoder",
        "vision-only": "fed by the reference encoder",
        "additive-0.5": "fed by a mixture, additive 1:1",
        "interleaved": "fed by a mixture, interleaved",
    }
    lines = [
        f"Among {result.images:,} drawn pictures, {result.pairs:,} pairs that the tiny CLIP cannot tell apart and the "
        "tiny vision-only encoder can.",
        f"Of those of one kind and place, {mined.differ.value:.1%} truly differ in a fact (n = {mined.differ.n:,}), as "
        f"do {result.truth.random.differ.value:.1%} of any two of one kind and place; of second drawings of a scene, "
        f"{again.count} of {again.n} were mistaken for another scene.",
        f"Of {planted.n:,} pairs planted to differ in one fact alone, {planted.value:.0%} [{planted.low:.0%}, "
        f"{planted.high:.0%}] were mined.",
        f"Asked about {blind['clip'].n_pairs} such pairs (both answers right; chance 25 %), tiny multimodal LLMs get:",
    ]
    lines += [
        f"  {_percent(blind[diet])}  {words}   (control pairs {_percent(result.scores['control'][diet])})"
        for diet, words in diets.items()
        if diet in blind
    ]
    lines.append(
        "The blind pairs were chosen by the encoder that feeds the first: never read them without the control."
    )
    lines += _eyes_or_brain(result)
    if result.absent:
        absent = ", ".join(result.absent)
        lines.append(f"No blind pair is about {absent}, which the tiny CLIP sees; some control pairs are.")
    lines.append(
        "How far the first falls behind hangs on how long it was trained and on what it is shown: docs/world.md."
    )
    lines.append(f"The page: {result.report}")
    return lines


def _eyes_or_brain(result: DemoResult) -> list[str]:
    """Say how the encoder matches, and where the model that it feeds fails."""
    found = result.diagnosis
    counts = found["verdicts"]
    failures = {name: counts[name] for name in ("eyes", "connector", "language model or bias")}
    total = sum(failures.values())
    said = ", ".join(f"{name} {count}" for name, count in failures.items())
    return [
        "The tiny CLIP itself, matching pictures with statements (image score; chance 25 %): blind pairs "
        f"{_percent(result.matched['blind']).strip()}, random pairs {_percent(result.matched['random']).strip()}.",
        f"The model that it feeds sees {counts['sees it']} of {sum(counts.values())} blind pairs, however put. "
        f"Of {total} failures with a verdict: {said}; {counts['unsure']} pairs are unsure.",
        "It is fed patch tokens, in which most of what CLIP's own vector has lost can still be read.",
    ]


def _percent(score: object) -> str:
    value, low, high = (getattr(score, name) for name in ("value", "low", "high"))
    return f"{value:4.0%} [{low:.0%}, {high:.0%}]"
