"""Captions as the web's alt-text writes them: the object and the place always, the rest rarely.

How often each factor is mentioned is the hypothesis under test: what captions leave out, an encoder trained on captions
has no reason to keep. Every rate is a parameter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from snellen.world.scene.facts import Facts, choose

MENTION_RATES: Final[Mapping[str, float]] = {
    "orientation": 0.02,
    "presence": 0.10,
    "state": 0.06,
    "count": 0.25,
    "position": 0.02,
    "color": 0.50,
    "structure": 0.08,
    "text": 0.04,
    "viewpoint": 0.15,
}
"""How often a caption mentions each factor, from 0 to 1."""

_OPENINGS: Final = ("a", "the", "my", "photo of a", "picture of a", "one")
PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "beach": ("on the beach", "at the beach"),
    "forest": ("in the forest", "in a forest"),
    "snow": ("in the snow", "in deep snow"),
    "night": ("at night", "in the night"),
    "desert": ("in the desert", "in a desert"),
    "lake": ("by the lake", "at a lake"),
}
"""How each context is said; the first one is used in statements."""


def caption(facts: Facts, random: np.random.RandomState, rates: Mapping[str, float] = MENTION_RATES) -> str:
    """Write a caption: opening, object, place, and each factor with the rate given for it.

    Example: `a red boat facing left on the beach with two eggs`.
    """
    said = {name: random.random_sample() < rate for name, rate in sorted(rates.items())}
    words = [choose(random, _OPENINGS)]
    words += [facts.color] if said["color"] else []
    words += [facts.structure] if said["structure"] else []
    words += [facts.kind]
    for name in ("orientation", "presence"):
        words += [phrase(name, facts)] if said[name] else []
    words += [choose(random, PLACES[facts.context])]
    for name in ("count", "position", "state", "text", "viewpoint"):
        words += [phrase(name, facts)] if said[name] else []
    return " ".join(words)


def phrase(factor: str, facts: Facts) -> str:
    """Say one factor as captions and statements say it: `facing left`, `with two eggs`."""
    value: str = getattr(facts, factor)
    if factor == "count":
        return f"with {value} egg{'' if value == 'one' else 's'}"
    return {
        "orientation": f"facing {value}",
        "presence": "with a hat" if value == "hat" else "without a hat",
        "state": f"under a {value} lamp",
        "position": f"with a crate on the {value}",
        "color": value,
        "structure": value,
        "text": f"beside the letter {value.lower()}",
        "viewpoint": f"seen from {value}" if value == "above" else "seen from the side",
    }[factor]


def words() -> tuple[str, ...]:
    """Name every opening and every place that a caption may use; for whoever needs the whole vocabulary."""
    return (*_OPENINGS, *(place for places in PLACES.values() for place in places))
