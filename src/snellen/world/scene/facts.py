"""What is true of a scene: a kind, a context, and nine factors, one for each visual pattern."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any, Final

import numpy as np

KINDS: Final = ("ball", "tent", "cross", "barrel", "kite", "boat")
CONTEXTS: Final = ("beach", "forest", "snow", "night", "desert", "lake")

FACTORS: Final[Mapping[str, tuple[str, ...]]] = {
    "orientation": ("left", "right"),
    "presence": ("hat", "none"),
    "state": ("lit", "dark"),
    "count": ("one", "two", "three", "four"),
    "position": ("left", "right"),
    "color": ("red", "blue", "green", "yellow", "purple"),
    "structure": ("hollow", "solid"),
    "text": ("H", "L", "T", "X", "O"),
    "viewpoint": ("above", "side"),
}
"""The nine factors, named as the visual patterns they stand for, and the values of each."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is true of a scene; what a picture shows besides is nuisance.

    `orientation` is the side the beak points to, `presence` whether there is a hat, `state` the lamp's, `count` the
    number of eggs in front, `position` the side of the crate, `color` and `structure` those of the object, `text` the
    letter on the sign, `viewpoint` where it is seen from.
    """

    kind: str
    context: str
    orientation: str
    presence: str
    state: str
    count: str
    position: str
    color: str
    structure: str
    text: str
    viewpoint: str

    def but(self, **changes: str) -> Facts:
        """Return the same facts with some of them changed."""
        return replace(self, **changes)

    def as_dict(self) -> dict[str, str]:
        """Return the facts by name."""
        return asdict(self)

    def differing(self, other: Facts) -> tuple[str, ...]:
        """Name the factors in which two scenes differ, in the order of `FACTORS`; kind and context apart."""
        return tuple(name for name in FACTORS if getattr(self, name) != getattr(other, name))

    def same_scene(self, other: Facts) -> bool:
        """Say whether kind and context are the same."""
        return self.kind == other.kind and self.context == other.context


def random_for(*parts: int | str) -> np.random.RandomState:
    """Return a random generator that depends on the parts alone, on every machine and with every version.

    numpy promises the stream of `RandomState` to stay for ever; that of `default_rng` may change.
    """
    text = "/".join(str(part) for part in parts)
    return np.random.RandomState(int.from_bytes(sha256(text.encode()).digest()[:4], "little"))


def choose(random: np.random.RandomState, values: tuple[str, ...]) -> str:
    """Draw one of the values."""
    return values[int(random.randint(len(values)))]


def random_facts(random: np.random.RandomState) -> Facts:
    """Draw every fact independently and evenly."""
    drawn: dict[str, Any] = {"kind": choose(random, KINDS), "context": choose(random, CONTEXTS)}
    return Facts(**drawn, **{name: choose(random, values) for name, values in FACTORS.items()})


def change(random: np.random.RandomState, facts: Facts, factors: tuple[str, ...]) -> Facts:
    """Draw another value for each of the factors named."""
    return facts.but(
        **{
            name: choose(random, tuple(value for value in FACTORS[name] if value != getattr(facts, name)))
            for name in factors
        }
    )
