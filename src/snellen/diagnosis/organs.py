"""Which organ fails? A latent class model over the pairs of one visual pattern, with a posterior for every pair.

One pair's evidence proves little: a probe that sees nothing reads half of all pairs right, and a guesser answers a
quarter of them. What such luck looks like is known, though, and so is what each organ's failure looks like:

    class                 tap readout   projector readout   contrast   answers
    sees                  there         there               there      right
    eyes                  luck          luck                luck       luck
    connector             there         luck                luck       luck
    language, unused      there         there               luck       luck
    language, bias        there         there               there      wrong

A signal is measured several times, once for every label-preserving change, and is right in some of them. Where the
thing is there, it is right nearly always. Luck is right as often as wrong, but not independently each time: the same
two pictures mostly give the same luck, so that whole pairs are right or wrong by it. Both are beta-binomial.

How common each class is among a pattern's pairs, and how often a signal errs where the thing is there, are estimated by
expectation maximisation (Dempster, Laird and Rubin 1977) with weak priors; what is not known of a pair is left out of
its likelihood. A model that errs on many pairs of a pattern of which the tap readout is right on half is blind to it,
and the half that it is right on is luck: that is what the estimate says, and no pair says alone.

Whether one organ fails or several is a question of its own. Every set of organs is fitted, and posteriors are averaged
over the sets, each weighted by its likelihood with Schwarz's penalty for its size (BIC): a pattern's failures have one
cause unless the pairs say otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CLASSES: Final = ("sees", "eyes", "connector", "unused", "bias")

THERE: Final[Mapping[str, tuple[str, ...]]] = {
    "tap": ("sees", "connector", "unused", "bias"),
    "projector": ("sees", "unused", "bias"),
    "contrast": ("sees", "bias"),
}
"""In which classes a signal is there; in all others it is luck."""

ORGANS: Final[Mapping[str, tuple[str, ...]]] = {
    "eyes": ("eyes",),
    "connector": ("connector",),
    "language": ("unused", "bias"),
}
"""What each organ's failure may look like."""

SLIP: Final = 0.05
"""How often a signal errs where the thing is there, the prior's mean; and how often who sees answers wrongly."""

LUCKY: Final = 0.25
"""How often who does not see has both answers right, and, since luck is steady, in every way of asking."""

MOST_SLIPS: Final = 0.2
"""What errs more often than this is not there, however it is called."""

SLIP_WEIGHT: Final = 20.0
"""Pairs that the prior of a signal's slips counts for."""

ALIKE_THERE: Final = 6.0
"""Concentration of a signal that is there: the larger, the more alike pairs are in how often it errs."""

ALIKE_LUCK: Final = (0.2, 0.5, 1.0)
"""Concentrations of luck, of which the likeliest is taken: the smaller, the more pairs are right always or never."""

USUAL_LUCK: Final = 1.0
"""Where it begins."""

SAME_LUCK: Final = 0.5
"""How often the projector's luck is the tap's again, where both are luck: they look at the same two pictures."""

CLASS_WEIGHT: Final = 0.5
"""Pairs that the prior of each class counts for."""


class Hits(NamedTuple):
    """In how many of `n` measurements of one pair a signal was right."""

    right: int
    n: int


@dataclass(frozen=True, slots=True)
class Observed:
    """What is known of one pair; None where there is nothing to know it by, or, for answers, where they are mixed."""

    tap: Hits | None
    projector: Hits | None
    contrast: Hits | None
    answers: bool | None


@dataclass(frozen=True)
class Fitted:
    """The estimate.

    Attributes:
        shares: Of each class among the pairs; they add up to 1.
        slips: By signal, how often it errs where the thing is there.
        posterior: float64 [pairs, classes], rows add up to 1.
        evidence: Of the set of organs, the logarithm of the likelihood less the penalty for its size.
    """

    shares: dict[str, float]
    slips: dict[str, float]
    posterior: Floats
    evidence: float = 0.0


def fit(
    pairs: Sequence[Observed], suspects: Sequence[str] = tuple(ORGANS), *, rounds: int = 200, tolerance: float = 1e-7
) -> Fitted:
    """Estimate the classes' shares among the pairs of one pattern, and every pair's posterior.

    Example:
        >>> luck = [Hits(6, 6), Hits(0, 6), Hits(3, 6)]
        >>> blind = [Observed(luck[i % 3], luck[i % 3], luck[i // 3 % 3], False) for i in range(60)]
        >>> round(fit(blind).shares["eyes"], 1)
        0.9

    Args:
        pairs: All pairs of the pattern that were asked, seen ones among them: they show how often readouts err.
        suspects: The organs that may be at fault.
        rounds: At most.
        tolerance: Of the shares, where it ends.
    """
    signals = {name: _Signal.of([getattr(pair, name) for pair in pairs]) for name in THERE}
    answers = _answers(pairs)
    sets = [chosen for size in range(1, len(suspects) + 1) for chosen in combinations(suspects, size)]
    fits = [_fit(signals, answers, chosen, rounds, tolerance) for chosen in sets]
    weights = np.exp(np.array([one.evidence for one in fits]) - max(one.evidence for one in fits))
    weights /= weights.sum()
    best = fits[int(weights.argmax())]
    return Fitted(
        {name: float(sum(w * one.shares[name] for w, one in zip(weights, fits, strict=True))) for name in CLASSES},
        best.slips,
        sum((w * one.posterior for w, one in zip(weights, fits, strict=True)), np.zeros((len(pairs), len(CLASSES)))),
        best.evidence,
    )


def _fit(
    signals: Mapping[str, _Signal], answers: Floats, organs: Sequence[str], rounds: int, tolerance: float
) -> Fitted:
    """Fit the classes of some organs, and `sees`."""
    allowed = np.array([name == "sees" or any(name in ORGANS[organ] for organ in organs) for name in CLASSES], float)
    if not signals["contrast"].n.any():
        allowed[CLASSES.index("bias")] = 0  # nothing but the contrast tells a bias from not knowing
    shares, slips, alike = allowed / allowed.sum(), dict.fromkeys(THERE, SLIP), dict.fromkeys(THERE, USUAL_LUCK)
    posterior, fit = _posterior(signals, answers, shares, slips, alike)
    for _ in range(rounds if len(posterior) else 0):
        old = shares
        shares = (posterior.sum(0) + CLASS_WEIGHT * allowed) / (len(posterior) + CLASS_WEIGHT * allowed.sum())
        there = {name: posterior[:, _places(name)].sum(1) for name in signals}
        slips = {name: signal.slip(there[name]) for name, signal in signals.items()}
        alike = {name: signal.alike(1 - there[name]) for name, signal in signals.items()}
        posterior, fit = _posterior(signals, answers, shares, slips, alike)
        if float(np.abs(shares - old).max()) < tolerance:
            break
    penalty = 0.5 * float(allowed.sum() - 1) * float(np.log(max(len(posterior), 1)))
    return Fitted(dict(zip(CLASSES, shares.tolist(), strict=True)), slips, posterior, fit - penalty)


@dataclass(frozen=True)
class _Signal:
    """One signal of all pairs: float64 [pairs]; n = 0 where it is not known."""

    right: Floats
    n: Floats

    @classmethod
    def of(cls, hits: Sequence[Hits | None]) -> _Signal:
        both = np.array([(0, 0) if one is None else one for one in hits], np.float64).reshape(-1, 2)
        return cls(both[:, 0], both[:, 1])

    def there(self, slip: float) -> Floats:
        """Return each pair's likelihood where the thing is there; 1 where the signal is not known."""
        return _beta_binomial(self.right, self.n, ALIKE_THERE * (1 - slip), ALIKE_THERE * slip)

    def luck(self, alike: float) -> Floats:
        """Return it where the thing is not there."""
        return _beta_binomial(self.right, self.n, alike / 2, alike / 2)

    def alike(self, luck: Floats) -> float:
        """Return the likeliest concentration of luck, from each pair as far as it is luck in it."""
        return max(ALIKE_LUCK, key=lambda one: float((luck * np.log(self.luck(one))).sum()))

    def slip(self, there: Floats) -> float:
        """Re-estimate how often it errs, from each pair as far as the thing is there in it."""
        known = there * (self.n > 0)
        errs = float((known * (1 - self.right / np.maximum(self.n, 1))).sum())
        return min(MOST_SLIPS, (errs + SLIP * SLIP_WEIGHT) / (float(known.sum()) + SLIP_WEIGHT))


def _beta_binomial(right: Floats, n: Floats, a: float | Floats, b: float | Floats) -> Floats:
    from scipy.special import betaln

    # as scipy.stats.betabinom.pmf, without its checks of every argument, which take most of the time here
    found: Floats = np.exp(betaln(right + a, n - right + b) - betaln(a, b) - betaln(right + 1, n - right + 1)) / (n + 1)
    return found


def _places(signal: str) -> list[int]:
    return [CLASSES.index(name) for name in THERE[signal]]


def _answers(pairs: Sequence[Observed]) -> Floats:
    """Return the likelihood of each pair's answers in each class: [pairs, classes]."""
    right = np.array([{"sees": 1 - SLIP, "bias": SLIP}.get(name, LUCKY) for name in CLASSES])
    rows = [np.ones(len(CLASSES)) if one.answers is None else right if one.answers else 1 - right for one in pairs]
    found: Floats = np.array(rows).reshape(-1, len(CLASSES))
    return found


def _posterior(
    signals: Mapping[str, _Signal],
    answers: Floats,
    shares: Floats,
    slips: Mapping[str, float],
    alike: Mapping[str, float],
) -> tuple[Floats, float]:
    """Return the posterior, [pairs, classes], and the logarithm of the likelihood of all pairs."""
    likelihood = answers * shares
    for name, signal in signals.items():
        there, luck = signal.there(slips[name]), signal.luck(alike[name])
        likelihood = likelihood * np.stack([there if each in THERE[name] else luck for each in CLASSES], axis=1)
    likelihood[:, CLASSES.index("eyes")] *= _again(signals["tap"], signals["projector"], alike["projector"])
    whole = likelihood.sum(1, keepdims=True)
    return likelihood / whole, float(np.log(whole).sum())


def _again(tap: _Signal, projector: _Signal, alike: float) -> Floats:
    """Return by how much the two readouts' luck is likelier than if each had its own, where both are known."""
    both = (tap.n > 0) & (projector.n > 0)
    own = projector.luck(alike)
    near = _beta_binomial(
        projector.right,
        projector.n,
        alike / 2 + tap.right,
        alike / 2 + tap.n - tap.right,
    )
    found: Floats = np.where(both, (SAME_LUCK * near + (1 - SAME_LUCK) * own) / own, 1.0)
    return found
