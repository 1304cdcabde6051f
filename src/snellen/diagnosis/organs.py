"""Which organ fails? A latent class model over the pairs of one visual pattern, with a posterior for every pair.

One pair's evidence proves little: a probe that sees nothing reads half of all pairs right, and a guesser answers a
quarter of them. What such luck looks like is known, though, and so is what each organ's failure looks like:

    class                 tap readout   projector readout   contrast   answers
    sees                  right         right               right      right
    eyes                  luck          luck                luck       luck
    connector             right         luck                luck       luck
    language, unused      right         right               luck       luck
    language, bias        right         right               right      wrong

A readout or contrast by luck is right as often as wrong, and often `faint`: no larger than what label-preserving
changes of the pictures do to it. How common each class is among a pattern's pairs, how often a readout errs where the
thing is there, and how often luck is faint, are estimated by expectation maximisation (Dempster, Laird and Rubin 1977)
with weak priors; what is not known of a pair is left out of its likelihood. A model that errs on many pairs of a
pattern of which the tap readout is right on half is blind to it, and the half that it is right on is luck: that is what
the estimate says, and no pair says alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Outcome = Literal["right", "faint", "wrong"]

CLASSES: Final = ("sees", "eyes", "connector", "unused", "bias")

SIGNALS: Final = ("tap", "projector", "contrast")

THERE: Final[dict[str, tuple[str, ...]]] = {
    "tap": ("sees", "connector", "unused", "bias"),
    "projector": ("sees", "unused", "bias"),
    "contrast": ("sees", "bias"),
}
"""In which classes a signal is there; in all others it is luck."""

SAME_LUCK: Final = 0.6
"""How often the projector's luck is the tap's again, where both are luck: they look at the same two pictures."""

LUCKY: Final = 0.2
"""How often all answers are right by luck: 1/4 for pictures that differ in something else, 0 for two that do not."""

SLIP: Final = 0.05
"""How often a signal is faint or wrong where the thing is there, or an answer is wrong: the prior's mean."""

FAINT: Final = 0.4
"""How often luck is faint: the prior's mean."""

SIGNAL_WEIGHT: Final = 20.0
"""Pairs that the prior of a signal counts for."""

CLASS_WEIGHT: Final = 0.5
"""Pairs that the prior of each class counts for."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What is known of one pair; None where there is nothing to know it by, or, for answers, where they are mixed."""

    tap: Outcome | None
    projector: Outcome | None
    contrast: Outcome | None
    answers: bool | None


@dataclass(frozen=True, slots=True)
class Signal:
    """How a signal errs: `slip` of the times where the thing is there; `faint` of the times where it is not."""

    slip: float = SLIP
    faint: float = FAINT

    def there(self, outcome: Outcome) -> float:
        """Return the probability of an outcome where the thing is there."""
        return 1 - self.slip if outcome == "right" else self.slip / 2

    def luck(self, outcome: Outcome) -> float:
        """Return the probability of an outcome where it is not."""
        return self.faint if outcome == "faint" else (1 - self.faint) / 2


@dataclass(frozen=True)
class Fitted:
    """The estimate.

    Attributes:
        shares: Of each class among the pairs; they add up to 1.
        signals: By name.
        posterior: float64 [pairs, classes], rows add up to 1.
    """

    shares: dict[str, float]
    signals: dict[str, Signal]
    posterior: Floats


def fit(pairs: Sequence[Observed], *, rounds: int = 500, tolerance: float = 1e-9) -> Fitted:
    """Estimate the classes' shares among the pairs of one pattern, and every pair's posterior.

    Example:
        >>> luck = ("right", "wrong", "faint")
        >>> blind = [Observed(luck[i % 3], luck[i % 3], luck[i // 3 % 3], False) for i in range(60)]
        >>> round(fit(blind).shares["eyes"], 1)
        0.9

    Args:
        pairs: All pairs of the pattern that were asked, seen ones among them: they show how often readouts err.
        rounds: At most.
        tolerance: Of the shares, where it ends.
    """
    shares = np.full(len(CLASSES), 1 / len(CLASSES))
    signals = {name: Signal() for name in SIGNALS}
    if not pairs:
        return Fitted(dict(zip(CLASSES, shares.tolist(), strict=True)), signals, np.empty((0, len(CLASSES))))
    posterior = _posterior(pairs, shares, signals)
    for _ in range(rounds):
        old = shares
        shares = (posterior.sum(0) + CLASS_WEIGHT) / (len(pairs) + CLASS_WEIGHT * len(CLASSES))
        signals = {name: _signal(pairs, posterior, name) for name in SIGNALS}
        posterior = _posterior(pairs, shares, signals)
        if float(np.abs(shares - old).max()) < tolerance:
            break
    return Fitted(dict(zip(CLASSES, shares.tolist(), strict=True)), signals, posterior)


def _posterior(pairs: Sequence[Observed], shares: Floats, signals: dict[str, Signal]) -> Floats:
    likelihood = np.array([[_likelihood(pair, name, signals) for name in CLASSES] for pair in pairs]) * shares
    found: Floats = likelihood / likelihood.sum(1, keepdims=True)
    return found


def _signal(pairs: Sequence[Observed], posterior: Floats, name: str) -> Signal:
    """Re-estimate how a signal errs, from the pairs that have it, each as far as the thing is there."""
    outcomes = np.array([getattr(pair, name) or "" for pair in pairs])
    there = posterior[:, [CLASSES.index(each) for each in THERE[name]]].sum(1) * (outcomes != "")
    luck = (1 - posterior[:, [CLASSES.index(each) for each in THERE[name]]].sum(1)) * (outcomes != "")
    slips = float(there[(outcomes == "wrong") | (outcomes == "faint")].sum())
    faint = float(luck[outcomes == "faint"].sum())
    return Signal(
        slip=min(0.5, (slips + SLIP * SIGNAL_WEIGHT) / (float(there.sum()) + SIGNAL_WEIGHT)),
        faint=(faint + FAINT * SIGNAL_WEIGHT) / (float(luck.sum()) + SIGNAL_WEIGHT),
    )


def _likelihood(pair: Observed, name: str, signals: dict[str, Signal]) -> float:
    """Return the probability of what is known of a pair in a class."""
    found = 1.0
    for signal in SIGNALS:
        outcome: Outcome | None = getattr(pair, signal)
        if outcome is not None:
            model = signals[signal]
            found *= model.there(outcome) if name in THERE[signal] else model.luck(outcome)
    if name == "eyes" and pair.tap is not None and pair.projector is not None:
        # not independent of the tap's luck: mostly the same again
        own = signals["projector"].luck(pair.projector)
        found *= (SAME_LUCK * (pair.tap == pair.projector) + (1 - SAME_LUCK) * own) / own
    if pair.answers is not None:
        chance = {"sees": 1 - SLIP, "bias": SLIP}.get(name, LUCKY)
        found *= chance if pair.answers else 1 - chance
    return found
