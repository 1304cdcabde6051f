"""Families of scenes: one scene, drawn again, and siblings in which one, two or more facts are others.

A family is what a burst of photographs is: the same object at the same place. Its re-renders differ in nuisance alone,
which a miner must reject; its siblings are the pairs whose difference is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from snellen.world.scene.facts import FACTORS, Facts, change, random_facts, random_for
from snellen.world.scene.render import render

Role = Literal["base", "re-render", "one-factor", "two-factor", "many-factor"]

MEMBERS: Final[tuple[Role, ...]] = (
    "base",
    "re-render",
    "one-factor",
    "one-factor",
    "one-factor",
    "two-factor",
    "many-factor",
)
"""A family, in order."""

SPLITS: Final = ("train", "validation", "exam")
"""Scenes to train on, to choose settings by, and to examine; drawn independently of one another."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture of a family: what it shows, and the nuisance it is drawn with.

    `changed` names the factors in which it differs from the family's base, `frame` counts the drawings of one member.
    """

    world: int
    split: str
    family: int
    member: int
    role: Role
    facts: Facts
    changed: tuple[str, ...]
    frame: int = 0

    def picture(self) -> NDArray[np.uint8]:
        """Draw it: uint8 [64, 64, 3], a function of the fields alone."""
        return render(self.facts, random_for(self.world, self.split, self.family, self.member, self.frame, "nuisance"))


def family(world: int, split: str, number: int) -> list[Shot]:
    """Draw the facts of one family, a shot for each of `MEMBERS`.

    The one-factor siblings take the nine factors in turn, so that each is planted equally often: n families hold
    n / 3 single-factor pairs of every pattern.
    """
    random = random_for(world, split, number, "facts")
    base = random_facts(random)
    names = list(FACTORS)
    shots, singles = [], 0
    for member, role in enumerate(MEMBERS):
        if role == "one-factor":
            changed: tuple[str, ...] = (names[(3 * number + singles) % len(names)],)
            singles += 1
        else:
            count = {"base": 0, "re-render": 0, "two-factor": 2, "many-factor": 4}[role]
            changed = tuple(names[index] for index in sorted(random.permutation(len(names))[:count]))
        facts = change(random, base, changed)
        shots.append(Shot(world, split, number, member, role, facts, changed))
    return shots


def families(world: int, split: str, count: int) -> Iterator[Shot]:
    """Draw the facts of `count` families, one shot after the other."""
    for number in range(count):
        yield from family(world, split, number)
