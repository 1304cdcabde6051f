"""One visual pattern, many pairs: is the asked thing read off the vectors of pairs that the probe has not seen?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from snellen.probes.engine import Held, Rows, coins, held_out
from snellen.probes.features import Features, image_rows
from snellen.probes.folds import units_of
from snellen.probes.interval import design_effect, permutation_p, wilson_of_effective
from snellen.probes.nouns import LEAST_PAIRS, ProbePair, ProbeResult, Readable, enough
from snellen.probes.ridge import Floats

FOLDS: Final = 5

SHUFFLES: Final = 999
"""Of the labels, for p: it cannot fall below 1/1000."""

SAME_OPTIONS: Final = "not readable: its two options are the same text"
NO_EXAMPLES: Final = "not readable: no training examples of both options"


def pair_probe(
    pairs: Sequence[ProbePair],
    features: Features,
    *,
    features_variants: Features | None = None,
    seed: int = 0,
    folds: int = FOLDS,
    shuffles: int = SHUFFLES,
) -> ProbeResult:
    """Train probes on some pairs of a visual pattern, and read the asked thing of the others.

    A linear probe (ridge, one score for each option text) is trained on all folds but one, with features standardised
    and the strength of regularisation chosen inside the training folds; pairs that share an image or a group are never
    on both sides. A held-out pair is read right where its contrast is above 0,

        m = [s(option a | image a) - s(option b | image a)] - [s(option a | image b) - s(option b | image b)],

    so that liking an option cancels; 0 is wrong. A pair of which no training pair shows both options is left out and
    named in `unreadable`.

    The test is a permutation test: whole units have their images' answers swapped by coins, and everything is trained
    anew, regularisation and all. A binomial test over pairs would be wrong, since the folds train one another's probes.

    Args:
        pairs: of one visual pattern; their order plays no part.
        features: a vector [d] for every image, all of one length.
        features_variants: label-preserving variants [v, d] for every image, equally many; variant k of image a is read
            against variant k of image b, by the probe that has not seen the pair. They are not trained on.
        seed: of folds and shuffles.
        folds: how many, at least 2.
        shuffles: for p, at least 200.

    Raises:
        ValueError: an argument is out of range, two pairs have one id, or features do not fit.
    """
    checked(pairs, folds, shuffles)
    asked = Asked.of(pairs)
    if asked.why_not is not None:
        return asked.refused()
    rows = image_rows(asked.pairs, features, features_variants)
    return tested(asked, rows, seed=seed, folds=folds, shuffles=shuffles)


@dataclass(frozen=True)
class Asked:
    """Pairs that can be probed, in the order of their ids; their units; those left out; and why there is no probe."""

    pairs: tuple[ProbePair, ...]
    units: tuple[int, ...]
    left_out: dict[str, str]
    why_not: str | None

    @classmethod
    def of(cls, pairs: Sequence[ProbePair]) -> Asked:
        """Sort out pairs whose two options are one text."""
        ordered = sorted(pairs, key=lambda pair: pair.pair_id)
        usable = tuple(pair for pair in ordered if len(set(pair.texts)) == 2)
        left_out = {pair.pair_id: SAME_OPTIONS for pair in ordered if len(set(pair.texts)) < 2}
        return cls(usable, tuple(units_of(usable)), left_out, enough(ordered).why_not)

    @property
    def classes(self) -> list[tuple[str, str]]:
        """What is true of image a and of image b of each pair."""
        return [pair.texts for pair in self.pairs]

    def refused(self) -> ProbeResult:
        """Return the result of a probe that was not trained."""
        return ProbeResult(None, self.why_not, unreadable=self.left_out, n_units=len(set(self.units)))

    def seen(self, held: Held) -> tuple[Asked, list[int]]:
        """Leave out the pairs whose options training did not show; return what is left, and its places."""
        places = np.flatnonzero(held.seen).tolist()
        missing = {self.pairs[at].pair_id: NO_EXAMPLES for at in np.flatnonzero(~held.seen)}
        why_not = None
        if len(places) < LEAST_PAIRS:
            why_not = (
                f"No probe: of {len(self.pairs)} pairs, {len(places)} have options that pairs of other units show too, "
                f"and fewer than {LEAST_PAIRS} cannot say that the asked thing can be read here, nor that it cannot."
            )
        kept = tuple(self.pairs[at] for at in places)
        return Asked(kept, tuple(self.units[at] for at in places), {**self.left_out, **missing}, why_not), places


def tested(
    asked: Asked,
    rows: Rows,
    *,
    seed: int,
    folds: int,
    shuffles: int,
    classes: Sequence[tuple[str, str]] | None = None,
) -> ProbeResult:
    """Probe, and shuffle for p; `classes` stand for the options' texts where something else is asked."""
    signs = np.concatenate([np.ones((len(asked.pairs), 1)), coins(asked.units, shuffles, seed + 1)], axis=1)
    held = held_out(rows, asked.classes if classes is None else classes, asked.units, signs, folds=folds, seed=seed)
    left, places = asked.seen(held)
    if left.why_not is not None:
        return left.refused()
    margins = held.margins[:, places]
    shares: Floats = (margins > 0).mean(axis=1)
    ids = [pair.pair_id for pair in left.pairs]
    share, null, n = float(shares[0]), shares[1:], len(places)
    effect = design_effect(null, n)
    low, high = wilson_of_effective(share, n, effect)
    right = {name: float(margin > 0) for name, margin in zip(ids, margins[0], strict=True)}
    variants = {name: tuple(held.variants[at].tolist()) for name, at in zip(ids, places, strict=True)}
    return ProbeResult(
        Readable(share, low, high, n, permutation_p(share, null), right, design_effect=effect),
        margins=dict(zip(ids, margins[0].tolist(), strict=True)),
        variant_margins=variants if held.variants.shape[1] else {},
        unreadable=left.left_out,
        n_units=len(set(left.units)),
        null=tuple(null.tolist()),
    )


def checked(pairs: Sequence[ProbePair], folds: int, shuffles: int) -> None:
    """Refuse arguments that make no sense."""
    if not 2 <= folds <= 10 or shuffles < 200:
        raise ValueError(f"folds must be from 2 to 10 and shuffles at least 200, got {folds} and {shuffles}")
    if len({pair.pair_id for pair in pairs}) != len(pairs):
        raise ValueError("every pair needs an id of its own: two pairs have the same one")
