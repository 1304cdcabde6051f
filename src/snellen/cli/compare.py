"""`snellen compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from snellen.cli.columns import aligned, p_value, shown

if TYPE_CHECKING:
    from snellen.exam.contrasts import Comparison, Needed, PairContrast
    from snellen.stats import Difference, Proportion


def compare(
    a: Annotated[Path, typer.Argument(help="A run's folder, STUDY/runs/RUN_ID.", show_default=False)],
    b: Annotated[Path, typer.Argument(help="Another, of the same benchmark.", show_default=False)],
    order: Annotated[
        str, typer.Option(help="ab (options as published), ba (reversed) or both (right only if right in both).")
    ] = "ab",
    tagset: Annotated[str | None, typer.Option(help="Whose visual patterns; by default those of every tagset.")] = None,
    difference: Annotated[
        float | None, typer.Option(help="Say how many pairs would show so many points of pair accuracy.")
    ] = None,
    allow_incomplete: Annotated[
        bool, typer.Option("--allow-incomplete", help="Leave out pairs that lack an answer in either run.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Say whether one model is better than another on the same pairs."""
    from snellen.exam.compare import compare as compare_runs

    result = compare_runs(
        a, b, order=order, tagset=tagset, allow_incomplete=allow_incomplete, difference=difference, seed=seed
    )
    if as_json:
        import json

        from snellen.plain import plain

        typer.echo(json.dumps(plain(result), indent=2, allow_nan=False))
        return
    for line in described(result):
        typer.echo(line)


def described(result: Comparison) -> list[str]:
    """Say in words and a table what was found, a line each."""
    lines = []
    for name, side in (("a", result.a), ("b", result.b)):
        unread = f"{side.n_unparsed:,} unparsed and {side.n_refused:,} refused count as wrong"
        lines.append(f"{name}: {shown(side.model)}, {shown(side.profile)} ({shown(side.run_id)}); {unread}")
    lines += [
        f"on {shown(result.benchmark)}, content {result.content_sha256[:16]}; answers as published, order "
        f"{result.order}",
        "",
        "pair accuracy (both questions right; chance 25 %), 95 % intervals: Wilson, paired bootstrap; exact McNemar",
    ]
    rows: list[tuple[str, ...]] = [("", "pairs", "a", "b", "b - a, points", "only a", "only b", "p", "p, Holm")]
    rows += [_row(contrast) for contrast in (result.pairs, *result.patterns)]
    lines += aligned(rows)
    questions = result.questions
    lines += ["", "question accuracy (one right; chance 50 %), 95 % intervals clustered by pair"]
    lines += aligned(
        [
            ("", "questions", "a", "b", "b - a, points"),
            (
                "all",
                f"{questions.n_questions:,}",
                _share(questions.accuracy_a),
                _share(questions.accuracy_b),
                _points(questions.difference_points),
            ),
        ]
    )
    if result.needed is not None:
        lines += ["", *_needed(result.needed)]
    if result.notes:
        lines += ["", *result.notes]
    return lines


def _row(contrast: PairContrast) -> tuple[str, ...]:
    name = contrast.group if contrast.tagset is None else f"{contrast.tagset}: {contrast.group}"
    return (
        shown(name),
        f"{contrast.n_pairs:,}",
        _share(contrast.accuracy_a),
        _share(contrast.accuracy_b),
        "-" if contrast.difference_points is None else _points(contrast.difference_points),
        f"{contrast.a_only:,}",
        f"{contrast.b_only:,}",
        p_value(contrast.p),
        "" if contrast.tagset is None else p_value(contrast.p_holm),
    )


def _share(share: Proportion) -> str:
    return "-" if share.value is None else f"{100 * share.value:.1f} % [{100 * share.low:.1f}, {100 * share.high:.1f}]"


def _points(difference: Difference) -> str:
    return f"{difference.value:+.1f} [{difference.low:+.1f}, {difference.high:+.1f}]"


def _needed(needed: Needed) -> list[str]:
    seen = needed.discordance
    return [
        f"To show a difference of {needed.difference_points:g} points of pair accuracy (power {needed.power:g}, level "
        f"{needed.level:g}; exact McNemar test):",
        f"  {needed.n_pairs:,} pairs ({needed.n_pairs_low:,} to {needed.n_pairs_high:,}), where {_share(seen)} of "
        f"pairs are right for one of the two alone, as here (n = {seen.n:,} pairs)",
    ]
