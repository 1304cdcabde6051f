"""The world's study as a page of Markdown tables, from `study.json` alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

NOT_EVIDENCE: Final = (
    "The world is built so that captions leave out what the argument says they leave out. This shows a mechanism and "
    "tests software; it is no evidence about real CLIP, and no replication of the paper's numbers."
)


def tables(study: Mapping[str, Any]) -> str:
    """Write every table: what was mined, every diet on every kind of pairs, general questions, the correlation."""
    parts = [f"# The argument in small, world {study['world']}", NOT_EVIDENCE]
    for result in study["seeds"]:
        parts += [f"## Seed {result['seed']}", _mined(result["mined"])]
        for visual, figures in result["visuals"].items():
            parts += [f"### Visual input `{visual}`", _diets(figures["diets"]), _difference(figures)]
        parts.append(_correlation(result["correlation"]))
    return "\n\n".join(parts) + "\n"


def _mined(mined: Mapping[str, Any]) -> str:
    kinds = {
        "mined": "mined, of one kind and context",
        "blind_alone": "by the blind encoder alone",
        "random": "any of one kind and context",
    }
    factors = list(mined["mined"]["by_factor"])
    rows = [
        [words, _share(mined[key]["differ"]), *(_share(mined[key]["by_factor"][name], short=True) for name in factors)]
        for key, words in kinds.items()
    ]
    planted = [
        "planted single-factor pairs that pass",
        _share(mined["planted_passing"]),
        *(_share(mined["planted_by_factor"][name], short=True) for name in factors),
    ]
    thresholds = f"blind cosine > {mined['blind_min']:.3g}, reference cosine < {mined['reference_max']:.3g}"
    again = f"Re-renders that pass: {_share(mined['re_renders_passing'])}."
    return f"Share that truly differ, {thresholds}. {again}\n\n" + _table(
        ["pairs", "in any factor", *factors], [*rows, planted]
    )


def _diets(diets: Mapping[str, Any]) -> str:
    head = [
        "diet",
        "blind: pair",
        "question",
        "same answer",
        "control: pair",
        "random: pair",
        "kind, context",
        "factors",
    ]
    rows = []
    for diet, figures in diets.items():
        scores = {(kind, score["metric"]): score for kind, listed in figures["pairs"].items() for score in listed}
        rows.append(
            [
                diet,
                _score(scores["blind", "pair_accuracy"]),
                _score(scores["blind", "question_accuracy"]),
                _score(scores["blind", "same_answer_rate"]),
                _score(scores["control", "pair_accuracy"]),
                _score(scores["random", "pair_accuracy"]),
                _score(figures["plain"]),
                _score(figures["factors"]),
            ]
        )
    return "Chance: pair 25 %, question 50 %.\n\n" + _table(head, rows)


def _difference(figures: Mapping[str, Any]) -> str:
    said = []
    for name, words in (
        ("blind_pair_accuracy", "blind pairs, pair accuracy"),
        ("plain_accuracy", "kind and context, question accuracy"),
    ):
        each = figures["interleaved_minus_clip"][name]
        said.append(
            f"{words}: {100 * each['value']:+.1f} points [{100 * each['low']:+.1f}, {100 * each['high']:+.1f}], "
            f"n = {each['n']}"
        )
    return "Interleaved minus CLIP-fed: " + "; ".join(said) + "."


def _correlation(found: Mapping[str, Any]) -> str:
    each = found["pearson"]
    value = "not defined" if each["r"] is None else f"{each['r']:.2f} [{each['low']:.2f}, {each['high']:.2f}]"
    head = ["", *found["factors"]]
    rows = [
        ["CLIP's image score", *(f"{value:.0%}" for value in found["image_score"])],
        ["CLIP-fed pair accuracy", *(f"{value:.0%}" for value in found["pair_accuracy"])],
        ["pairs", *(str(found["n_pairs"][name]) for name in found["factors"])],
    ]
    return (
        f"Random pairs, over {each['n']} factors: Pearson's r = {value}, permutation p = {each['p']}. "
        "Nine points are few.\n\n" + _table(head, rows)
    )


def _share(share: Mapping[str, Any], *, short: bool = False) -> str:
    if share["value"] is None:
        return "-"
    if short:
        return f"{share['value']:.0%}"
    return f"{share['value']:.1%} [{share['low']:.1%}, {share['high']:.1%}], n = {share['n']:,}"


def _score(score: Mapping[str, Any]) -> str:
    if score["value"] is None:
        return "-"
    n = score.get("n_pairs", score.get("n"))
    return f"{score['value']:.1%} [{score['low']:.1%}, {score['high']:.1%}], {n}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
