"""Where the miniature world agrees with the paper and where not, seed by seed, from `study.json` alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

DEFAULT: Final = "pool:4"
CHANCE: Final = 0.25
"""Of pair accuracy: two questions with two options each."""

UNTRAINED: Final = "not trained"

PAPER: Final = {
    "below_chance": "A CLIP-fed model falls below chance on blind pairs (paper: LLaVA 6.0 %, figure 4)",
    "mixture_gains": "Interleaving gains on blind pairs (table 3: 5.5 to 16.7 %)",
    "additive_gains": "So does the additive mixture at 0.75 (table 2: 5.5 to 18.7 %)",
    "additive_costs": "The additive mixture at 0.75 loses general ability (table 2: 81.8 to 75.8)",
    "vision_only_costs": "The vision-only diet loses general ability (table 2: 81.8 to 68.5)",
    "interleaved_keeps": "Interleaving loses at most 1 point of it (table 3: 81.8 to 82.8)",
    "beats_additive": "Interleaving beats the additive mixture at 0.5 on blind pairs (16.7 against 12.0 %)",
    "correlates": "CLIP's image score goes with the CLIP-fed model's accuracy over patterns (section 3.4: r = 0.7)",
}
"""What the paper says. Its general ability is LLaVA-Bench's score; here it is accuracy on kind and context."""


def agreement(result: Mapping[str, Any], visual: str = DEFAULT) -> dict[str, str]:
    """Say of each of the paper's findings whether one seed shows it: `yes`, `no` or `unsure`, with the figure.

    `yes` and `no` need a 95 % interval that leaves the other out; everything else is `unsure`.

    Args:
        result: One element of `seeds` of `study.json`; of a diet that it has not, its findings are `not trained`.
        visual: The visual input; the correlation is measured for the default one alone.
    """
    figures = result["visuals"][visual]
    blind = next(score for score in figures["diets"]["clip"]["pairs"]["blind"] if score["metric"] == "pair_accuracy")
    by = {(each["diet"], each["minus"]): each for each in figures["differences"]}
    pairs = {key: each["blind_pair_accuracy"] for key, each in by.items()}
    plain = {key: each["plain_accuracy"] for key, each in by.items()}
    r = result["correlation"]["pearson"]
    correlated = "unsure" if r["r"] is None else _above(r["low"], r["high"], 0.0) + f" (r = {_interval(r, 'r')})"
    found = {
        "below_chance": _below(blind["low"], blind["high"], CHANCE)
        + f" ({100 * blind['value']:.0f} % [{100 * blind['low']:.0f}, {100 * blind['high']:.0f}])",
        "mixture_gains": _gains(pairs.get(("interleaved", "clip"))),
        "additive_gains": _gains(pairs.get(("additive-0.75", "clip"))),
        "additive_costs": _costs(plain.get(("additive-0.75", "clip"))),
        "vision_only_costs": _costs(plain.get(("vision-only", "clip"))),
        "interleaved_keeps": _gains(plain.get(("interleaved", "clip")), -0.01),
        "beats_additive": _gains(pairs.get(("interleaved", "additive-0.5"))),
    }
    return {**found, "correlates": correlated} if visual == DEFAULT else found


def _above(low: float, high: float, limit: float) -> str:
    return "yes" if low > limit else "no" if high < limit else "unsure"


def _below(low: float, high: float, limit: float) -> str:
    return _above(-high, -low, -limit)


def _gains(difference: Mapping[str, float] | None, limit: float = 0.0) -> str:
    if difference is None:
        return UNTRAINED
    return f"{_above(difference['low'], difference['high'], limit)} ({_points(difference)})"


def _costs(difference: Mapping[str, float] | None) -> str:
    if difference is None:
        return UNTRAINED
    return f"{_below(difference['low'], difference['high'], 0.0)} ({_points(difference)})"


def _points(difference: Mapping[str, float]) -> str:
    value, low, high = (100 * difference[name] for name in ("value", "low", "high"))
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"


def _interval(figure: Mapping[str, float], name: str) -> str:
    return f"{figure[name]:.2f} [{figure['low']:.2f}, {figure['high']:.2f}]"
