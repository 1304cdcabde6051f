"""The best partner for a mixture with one encoder: two measures, and which partners they cannot tell apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb
from typing import Final

import numpy as np
from numpy.typing import NDArray

from snellen.diagnosis.shopping.image_bootstrap import ImageBootstrap
from snellen.diagnosis.shopping.image_pairs import Rows
from snellen.records import Match
from snellen.stats import Difference, bootstrap_difference, wilson_interval

LEVEL: Final = 0.05
RESAMPLES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Place:
    """One partner in a ranking: the share of the base's pairs that it makes up for, and how far behind the first.

    `behind` is the first partner's share minus this one's, over the same pairs, None for the first.
    `distinguishable`: its interval leaves zero out.
    """

    partner: str
    value: float
    n: int
    behind: Difference | None

    @property
    def distinguishable(self) -> bool:
        """Is the first partner better than this one, beyond chance?"""
        return self.behind is not None and self.behind.low > 0


@dataclass(frozen=True)
class Ranking:
    """Partners of `base`, the best first, ties by name; all intervals together hold with 95 %.

    The first was picked by the same data, so that every two partners count as compared: each interval has a confidence
    of 1 - 0.05 / (number of such twos), Bonferroni's.
    """

    base: str
    confidence: float
    places: tuple[Place, ...]

    @property
    def level_with_first(self) -> tuple[str, ...]:
        """The partners that cannot be told from the first."""
        return tuple(place.partner for place in self.places[1:] if not place.distinguishable)


def by_separated(base: str, pairs: Rows, hits: Mapping[str, NDArray[np.bool_]], seed: int = 0) -> Ranking | None:
    """Rank partners by the share of the base's blind pairs that they separate; intervals allow for shared images.

    Args:
        base: the encoder that is blind to the pairs.
        pairs: int64 [pairs, 2] of rows.
        hits: by partner, bool [pairs]: does it separate the pair?
        seed: of the bootstrap.

    Returns:
        None where there is no pair or no partner.
    """
    if not len(pairs) or not hits:
        return None
    shares = {name: float(values.mean()) for name, values in hits.items()}
    order = _ordered(shares)
    confidence = _confidence(len(order))
    if len(order) == 1:
        return Ranking(base, confidence, (Place(order[0], shares[order[0]], len(pairs), None),))
    bootstrap = ImageBootstrap(pairs, resamples=RESAMPLES, seed=seed)
    first = hits[order[0]].astype(np.float64)
    behind = np.stack([first - hits[name] for name in order[1:]], axis=1)
    drawn = bootstrap.shares(behind)
    found = [bootstrap.difference(behind[:, at], drawn[:, at], confidence) for at in range(behind.shape[1])]
    return Ranking(base, confidence, _places(order, shares, len(pairs), found))


def by_rescued(
    base: str, matches: Mapping[str, Match], partners: Mapping[str, Mapping[str, Match]], seed: int = 0
) -> Ranking | None:
    """Rank partners by the share of the base's wrong pairs that they get right; the pair is the unit.

    Args:
        base: the encoder that gets the pairs wrong.
        matches: its own.
        partners: by partner, its matches; pairs that any of them lacks are left out.
        seed: of the bootstrap.

    Returns:
        None where the base has no pair wrong, or there is no partner.
    """
    common = set(matches).intersection(*partners.values())
    wrong = sorted(name for name in common if not matches[name].image_score)
    if not wrong or not partners:
        return None
    right = {name: [float(found[pair].image_score) for pair in wrong] for name, found in partners.items()}
    shares = {name: sum(values) / len(wrong) for name, values in right.items()}
    order = _ordered(shares)
    confidence = _confidence(len(order))
    found = [paired_difference(right[name], right[order[0]], seed, confidence) for name in order[1:]]
    return Ranking(base, confidence, _places(order, shares, len(wrong), found))


def paired_difference(a: list[float], b: list[float], seed: int, confidence: float = 0.95) -> Difference:
    """Return the mean of b - a with the paired bootstrap's interval, which has a width also where all are alike."""
    found = bootstrap_difference(a, b, resamples=RESAMPLES, seed=seed, confidence=confidence)
    if found.low == found.high:
        reach = wilson_interval(0, found.n, confidence)[1] * (1 + abs(found.value))
        return found._replace(low=max(-1.0, found.value - reach), high=min(1.0, found.value + reach))
    return found


def _ordered(shares: Mapping[str, float]) -> list[str]:
    return sorted(shares, key=lambda name: (-shares[name], name))


def _confidence(partners: int) -> float:
    return 1 - LEVEL / max(1, comb(partners, 2))


def _places(order: list[str], shares: Mapping[str, float], n: int, behind: list[Difference]) -> tuple[Place, ...]:
    differences: list[Difference | None] = [None, *behind]
    return tuple(Place(name, shares[name], n, each) for name, each in zip(order, differences, strict=True))
