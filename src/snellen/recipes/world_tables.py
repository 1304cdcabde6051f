"""The world's study as a page of Markdown tables, from `study.json` alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from snellen.recipes.world_agreement import PAPER, agreement

NOT_EVIDENCE: Final = (
    "The world is built so that captions leave out what the argument says they leave out. This shows a mechanism and "
    "tests software; it is no evidence about real CLIP, and no replication of the paper's numbers."
)


def tables(study: Mapping[str, Any]) -> str:
    """Write every table: the findings side by side, then of each seed what was mined, every diet, the correlation."""
    seeds = study["seeds"]
    parts = [f"# The argument in small, world {study['world']}", NOT_EVIDENCE]
    shared = [name for name in seeds[0]["visuals"] if all(name in result["visuals"] for result in seeds)]
    for visual in shared:
        parts += [f"## Against the paper, visual input `{visual}`", _against(seeds, visual)]
    for result in seeds:
        parts += [f"## Seed {result['seed']}", _mined(result["mined"])]
        for visual, figures in result["visuals"].items():
            parts += [f"### Visual input `{visual}`", _diets(figures["diets"]), _patterns(figures["diets"])]
            parts += [_differences(figures["differences"])]
        parts += ["### CLIP's image score and the CLIP-fed model", _correlation(result["correlation"])]
        parts += ["### Plateau", _plateau(result["curves"])]
    return "\n\n".join(parts) + "\n"


def _against(seeds: Sequence[Mapping[str, Any]], visual: str) -> str:
    found = [agreement(result, visual) for result in seeds]
    rows = [[words, *(each[name] for each in found)] for name, words in PAPER.items() if name in found[0]]
    return (
        "Differences in points with paired bootstrap intervals. `yes` and `no` where the 95 % interval leaves the "
        "other out.\n\n" + _table(["the paper", *(f"seed {each['seed']}" for each in seeds)], rows)
    )


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


def _patterns(diets: Mapping[str, Any]) -> str:
    names = sorted({name for figures in diets.values() for name in figures.get("patterns", {}).get("blind", {})})
    rows = [
        [diet, *(_percent(figures.get("patterns", {}).get("blind", {}).get(name)) for name in names)]
        for diet, figures in diets.items()
    ]
    return (
        "Pair accuracy on blind pairs by pattern; each has 30 pairs at most, so that a 50 % reaches from 33 to 67 %. A "
        "pattern that is not here has no blind pair.\n\n" + _table(["diet", *names], rows)
    )


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _differences(differences: Iterable[Mapping[str, Any]]) -> str:
    rows = [
        [f"{each['diet']} minus {each['minus']}", _points(each["blind_pair_accuracy"]), _points(each["plain_accuracy"])]
        for each in differences
    ]
    return "Differences in points, paired bootstrap.\n\n" + _table(
        ["", "blind pairs, pair accuracy", "kind and context, question accuracy"], rows
    )


def _plateau(curves: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    rows = []
    for model, curve in curves.items():
        last, before = curve[-1], curve[-3] if len(curve) > 2 else curve[0]
        rows.append(
            [
                model,
                *(f"{last[name]:.1%}" for name in ("plain", "factors")),
                *(f"{100 * (last[name] - before[name]):+.1f}" for name in ("plain", "factors")),
            ]
        )
    return (
        "Held-out question accuracy at the end of training, of about 300 and 700 questions, and what its last fifth "
        "added, in points. The rate falls to zero by then, so that little can be added: this shows that training has "
        "ended, not that a longer one would add nothing (docs/world.md says what that adds).\n\n"
        + _table(["model", "kind, context", "factors", "added to kind, context", "to factors"], rows)
    )


def _correlation(found: Mapping[str, Any]) -> str:
    each = found["pearson"]
    value = "not defined" if each["r"] is None else f"{each['r']:.2f} [{each['low']:.2f}, {each['high']:.2f}]"
    p = "not defined" if each["p"] is None else f"{each['p']:.3g}"
    head = ["", *found["factors"]]
    rows = [
        ["CLIP's image score", *(f"{value:.0%}" for value in found["image_score"])],
        ["CLIP-fed pair accuracy", *(f"{value:.0%}" for value in found["pair_accuracy"])],
        ["pairs", *(str(found["n_pairs"][name]) for name in found["factors"])],
    ]
    return (
        f"Random pairs, over {each['n']} factors: Pearson's r = {value}, permutation p = {p}. "
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


def _points(difference: Mapping[str, Any]) -> str:
    value, low, high = (100 * difference[name] for name in ("value", "low", "high"))
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}], n = {difference['n']:,}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
