"""Whose blind pairs does who separate? From the study's embeddings, for every two encoders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from snellen.diagnosis.shopping.image_bootstrap import ImageBootstrap
from snellen.diagnosis.shopping.image_pairs import ImagePairs, Rows, cosines_of
from snellen.diagnosis.shopping.thresholds import above_rank, below_rank
from snellen.progress import SILENT, Progress
from snellen.stats import Proportion
from snellen.vectors import Vectors

MOST_BLIND: Final = 20_000
"""Blind pairs of one encoder that are looked at; of more, so many are drawn."""

RESAMPLES: Final = 2_000


@dataclass(frozen=True, slots=True)
class Rule:
    """What the study mined with, as ranks: how many of `n_pairs` pairs lie beyond the thresholds of its two encoders.

    `sampled`: the pairs are a sample of the study's.
    """

    n_pairs: int
    sampled: bool
    n_blind: int
    n_separated: int

    @property
    def chance(self) -> float:
        """The share that an encoder separates which knows nothing of the pairs."""
        return self.n_separated / self.n_pairs


@dataclass(frozen=True)
class BlindPairs:
    """Blind pairs of one encoder: int64 [pairs, 2] of rows; of `found`, where not all were taken."""

    pairs: Rows
    found: int


@dataclass(frozen=True)
class Separation:
    """Everything that the embeddings say, by the encoders' keys.

    `above` and `below` are each encoder's thresholds at the rule's ranks; `blind` holds the blind pairs of each;
    `shares[a][b]` is the share of a's blind pairs that b separates, without a itself.
    """

    rule: Rule
    above: Mapping[str, float]
    below: Mapping[str, float]
    blind: Mapping[str, BlindPairs]
    shares: Mapping[str, Mapping[str, Proportion]]


def separation(
    vectors: Mapping[str, Vectors],
    pairs: ImagePairs,
    *,
    blind: str,
    blind_min: float,
    reference: str,
    reference_max: float,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Separation:
    """Compare every encoder's blind pairs with every other encoder's cosines.

    A cosine of 0.95 means another thing for each encoder, a rank does not. `blind` has so many pairs above `blind_min`:
    as many of each encoder's most alike pairs are its blind pairs. `reference` has so many pairs below
    `reference_max`: a pair is separated by an encoder where it is among as many of its least alike ones.

    Args:
        vectors: by the encoders' keys, two at least; `blind` and `reference` among them.
        pairs: of the study's images, at least one.
        blind: the encoder that was mined as blind.
        blind_min: its resolved threshold.
        reference: the encoder that was mined as reference.
        reference_max: its resolved threshold.
        seed: of the draws and of the bootstrap.
        progress: told of encoders.
    """
    known = {name: pairs.cosines(vectors[name]) for name in {blind, reference}}
    n_blind = int(np.count_nonzero(known[blind] > blind_min))
    n_separated = int(np.count_nonzero(known[reference] < reference_max))
    rule = Rule(pairs.n, pairs.drawn is not None, n_blind, n_separated)
    above: dict[str, float] = {}
    below: dict[str, float] = {}
    found: dict[str, BlindPairs] = {}
    progress.start("ranking pairs", len(vectors), "encoders")
    for name, each in vectors.items():
        cosines = known.get(name)
        cosines = pairs.cosines(each) if cosines is None else cosines
        above[name], below[name] = above_rank(cosines, n_blind), below_rank(cosines, n_separated)
        found[name] = _few(pairs, np.flatnonzero(cosines > above[name]), seed)
        progress.advance()
    progress.finish()
    shares = {
        name: separated_shares(few.pairs, {other: vectors[other] for other in vectors if other != name}, below, seed)
        for name, few in found.items()
    }
    return Separation(rule, above, below, found, shares)


def separated(pairs: Rows, vectors: Vectors, below: float) -> NDArray[np.bool_]:
    """Say of each pair whether an encoder separates it: bool [pairs]."""
    return np.asarray(cosines_of(vectors, pairs) < below)


def separated_shares(
    pairs: Rows, vectors: Mapping[str, Vectors], below: Mapping[str, float], seed: int = 0
) -> dict[str, Proportion]:
    """Return the share of the pairs that each encoder separates, with intervals that allow for shared images."""
    if not len(pairs):
        return {name: Proportion(None, 0.0, 1.0, 0, 0) for name in vectors}
    if not vectors:
        return {}
    bootstrap = ImageBootstrap(pairs, resamples=RESAMPLES, seed=seed)
    hits = np.stack([separated(pairs, each, below[name]) for name, each in vectors.items()], axis=1)
    drawn = bootstrap.shares(hits.astype(np.float64))
    return {name: bootstrap.proportion(hits[:, at], drawn[:, at]) for at, name in enumerate(vectors)}


def _few(pairs: ImagePairs, places: NDArray[np.int64], seed: int) -> BlindPairs:
    return BlindPairs(pairs.at(places[chosen(len(places), seed)]), len(places))


def chosen(n: int, seed: int) -> NDArray[np.int64]:
    """Return the places of `MOST_BLIND` of n, drawn and in order; all of them where there are no more."""
    if n <= MOST_BLIND:
        return np.arange(n)
    rng = np.random.Generator(np.random.PCG64(seed))
    return np.sort(rng.choice(n, MOST_BLIND, replace=False))
