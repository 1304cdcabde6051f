"""Readouts: can the asked thing be read from what a model holds at a stop, and of this very pair?

A probe learns from the pattern's other pairs; this one, and all that share a picture with it, are left out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

import numpy as np

from snellen.diagnosis.answers import Asked, hits
from snellen.diagnosis.hidden import FloatArray, Held
from snellen.diagnosis.organs import Hits
from snellen.probes import ProbePair, ProbeResult, pair_probe, units_of
from snellen.stats import bootstrap_difference

SHUFFLES: Final = 200

SATURATED: Final = 0.15
"""By so much, at most, twice as many pairs may have helped a probe that is taken to have learned what it can."""

SMALL: Final = 0.25
"""Of the median margin of the pairs that are read right: what is no larger counts as half right."""


@dataclass(frozen=True, slots=True)
class Distance:
    """How far apart two pictures are at the tap, against their own label-preserving variants.

    Euclidean, of all tokens. `null` are the distances of each of the two pictures to its variants.
    """

    value: float
    null: tuple[float, ...]

    @property
    def within(self) -> bool:
        """Is the pair no farther apart than the least of the label-preserving changes carries one of its pictures?

        The largest would not do: padding moves every token, and two pictures nearer than that may be told apart.
        """
        return bool(self.null) and self.value <= min(self.null)


def probe_pairs(asked: Mapping[str, Asked]) -> list[ProbePair]:
    """Make a pattern's pairs what probes read; bad items are left out."""
    return [
        ProbePair(
            pair_id=pair,
            image_a=one.a.image_id,
            image_b=one.b.image_id,
            options=one.a.options or ("", ""),
            answer_a=one.answer_a,
            question=one.a.text or "",
        )
        for pair, one in asked.items()
        if one.bad is None
    ]


def readout(pairs: Sequence[ProbePair], held: Held, own: Collection[str], *, seed: int) -> ProbeResult:
    """Probe one stop, with the variants of every held-out pair.

    Args:
        pairs: Of one pattern; those that are not the exam's own teach, and are not counted.
        held: What the stop holds of their pictures.
        own: pair_ids of the exam's.
        seed: Of folds and shuffles.
    """
    images = {image for pair in pairs for image in (pair.image_a, pair.image_b)}
    plain = {name: row for name, row in held.plain.items() if name in images}
    varied = {name: rows for name, rows in held.varied.items() if name in images}
    found = pair_probe(pairs, plain, features_variants=varied, seed=seed, shuffles=SHUFFLES)
    return replace(found, variant_margins={pair: rows for pair, rows in found.variant_margins.items() if pair in own})


def still_learning(pairs: Sequence[ProbePair], held: Held, whole: ProbeResult, *, seed: int) -> bool | None:
    """Might more pairs show more? Probes of half of the pairs each are set beside that of all, pair by pair.

    Returns:
        False where the probe of all reads at most `SATURATED` more, by the upper end of the paired interval; None where
        there are too few pairs for halves.
    """
    units = sorted(set(units_of(pairs)))
    order = np.random.default_rng(seed).permutation(len(units))
    first = {units[at] for at in order[: len(units) // 2]}
    halves = [
        [pair for pair, unit in zip(pairs, units_of(pairs), strict=True) if (unit in first) == chosen]
        for chosen in (True, False)
    ]
    found = [
        pair_probe(half, {i: held.vectors[i][0] for p in half for i in (p.image_a, p.image_b)}, seed=seed, shuffles=200)
        for half in halves
    ]
    if whole.readable is None or any(one.readable is None for one in found):
        return None
    right = {pair: value for one in found if one.readable is not None for pair, value in one.readable.right.items()}
    both = sorted(right.keys() & whole.readable.right.keys())
    gain = bootstrap_difference(
        [right[pair] for pair in both], [whole.readable.right[pair] for pair in both], seed=seed
    )
    return gain.high > SATURATED


def read(result: ProbeResult, pair: str) -> Hits | None:
    """Say in how many of its variants a held-out pair was read right; None: there is no probe for it.

    A margin that is small beside those of the pattern's other pairs is none: what is left of a thing where it was lost
    often points the right way, and a probe that learned from the other pairs sees it.
    """
    usual = [one for one in result.margins.values() if one > 0]
    return hits(result.variant_margins.get(pair, ()), least=SMALL * median(usual) if usual else 0.0)


def distance(held: Held, one: Asked) -> Distance:
    """Measure a pair at the tap against its null."""
    a, b = held.vectors[one.a.image_id], held.vectors[one.b.image_id]
    null = [_far(rows[0], row) for rows in (a, b) for row in rows[1:]]
    return Distance(_far(a[0], b[0]), tuple(null))


def _far(one: FloatArray, other: FloatArray) -> float:
    return float(np.linalg.norm(one.astype(np.float64) - other.astype(np.float64)))
