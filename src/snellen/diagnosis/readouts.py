"""Readouts: can the asked thing be read from what a model holds at a stop, and of this very pair?

A probe learns from the pattern's other pairs; this one, and all that share a picture with it, are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from snellen.diagnosis.answers import Asked, hits
from snellen.diagnosis.hidden import FloatArray, Held
from snellen.diagnosis.organs import Hits
from snellen.probes import ProbePair, ProbeResult, pair_probe

SHUFFLES: Final = 200


@dataclass(frozen=True, slots=True)
class Distance:
    """How far apart two pictures are at the tap, against their own label-preserving variants.

    Euclidean, of all tokens. `null` are the distances of each of the two pictures to its variants.
    """

    value: float
    null: tuple[float, ...]

    @property
    def within(self) -> bool:
        """Is the pair no farther apart than a label-preserving change carries one of its pictures?"""
        return bool(self.null) and self.value <= max(self.null)


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


def readout(pairs: Sequence[ProbePair], held: Held, *, seed: int) -> ProbeResult:
    """Probe one stop, with the variants of every held-out pair."""
    images = {image for pair in pairs for image in (pair.image_a, pair.image_b)}
    plain = {name: row for name, row in held.plain.items() if name in images}
    varied = {name: rows for name, rows in held.varied.items() if name in images}
    return pair_probe(pairs, plain, features_variants=varied, seed=seed, shuffles=SHUFFLES)


def read(result: ProbeResult, pair: str) -> Hits | None:
    """Say in how many of its variants a held-out pair was read right; None: there is no probe for it."""
    return hits(result.variant_margins.get(pair, ()))


def distance(held: Held, one: Asked) -> Distance:
    """Measure a pair at the tap against its null."""
    a, b = held.vectors[one.a.image_id], held.vectors[one.b.image_id]
    null = [_far(rows[0], row) for rows in (a, b) for row in rows[1:]]
    return Distance(_far(a[0], b[0]), tuple(null))


def _far(one: FloatArray, other: FloatArray) -> float:
    return float(np.linalg.norm(one.astype(np.float64) - other.astype(np.float64)))
