"""What a probe reads and what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from snellen.probes.folds import units_of

CHANCE: Final = 0.5
"""A probe that cannot see reads half of the pairs right: swapping a pair's images turns right into wrong."""

LEAST_PAIRS: Final = 30
"""Fewer pairs of a pattern get no probe."""

LEAST_UNITS: Final = 10
"""Fewer groups of pairs without a common image or scene get none either: 2^9 ways to shuffle are too few."""


@dataclass(frozen=True, slots=True)
class ProbePair:
    """Two images with a question and two options; `options[answer_a]` is true of image a, the other of image b.

    `group` names what pairs must not be split over, such as a family of scenes; pairs that share an image never are.
    `kind` is the type of item, for the control task (what is asked about, say); None: the question's text.
    """

    pair_id: str
    image_a: str
    image_b: str
    options: tuple[str, str]
    answer_a: int
    question: str = ""
    group: str | None = None
    kind: str | None = None

    def __post_init__(self) -> None:
        if self.answer_a not in (0, 1):
            raise ValueError(f"answer_a of pair {self.pair_id!r} must be 0 or 1, got {self.answer_a!r}")
        if self.image_a == self.image_b:
            raise ValueError(f"pair {self.pair_id!r} must have two images, got {self.image_a!r} twice")

    @property
    def texts(self) -> tuple[str, str]:
        """What is true of image a and of image b, normalised: these are the classes."""
        return normalised(self.options[self.answer_a]), normalised(self.options[1 - self.answer_a])


def normalised(text: str) -> str:
    """Return a text in small letters with single spaces: `" Red  BALL"` and `"red ball"` are one class."""
    return " ".join(text.split()).casefold()


@dataclass(frozen=True)
class Readable:
    """The share of pairs that held-out probes read right, of `n_pairs`, with its interval over pairs.

    `right` says for each pair whether it was read right, 1.0 or 0.0; where several tasks were averaged, in what share
    of them. `p_value` is one-sided, of the permutation test that features do not tell a pair's answers apart; None
    where it was not computed. `low` and `high` are Wilson's, of `n_pairs / design_effect` pairs, since the folds train
    one another's probes: without that, 95 % intervals would hold the truth in as few as 85 % of cases.
    """

    value: float
    low: float
    high: float
    n_pairs: int
    p_value: float | None
    right: Mapping[str, float]
    chance: float = CHANCE
    design_effect: float = 1.0


@dataclass(frozen=True)
class ProbeResult:
    """What a probe found on one visual pattern; without `readable`, `why_not` says in a sentence why there is none.

    Attributes:
        readable: over the pairs that could be read at all.
        why_not: what cannot be said, and why; None where `readable` is there.
        margins: held-out contrast of each readable pair; right where above 0. Of one task, so empty for averages.
        variant_margins: the same for each of the pair's variants, in their order, by the same held-out probe.
        unreadable: pairs that were left out, with the reason; they are neither right nor wrong.
        n_units: groups of pairs that share no image or scene.
        null: the share right under each shuffle of the labels, where `p_value` comes from.
        note: what limits the result, in a sentence; empty where nothing does.
    """

    readable: Readable | None
    why_not: str | None = None
    margins: Mapping[str, float] = field(default_factory=dict)
    variant_margins: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)
    n_units: int = 0
    null: tuple[float, ...] = ()
    note: str = ""


class Enough(NamedTuple):
    """Are there pairs enough for a probe? If not, what cannot be said, in a sentence."""

    yes: bool
    why_not: str | None


def enough(pairs: Sequence[ProbePair]) -> Enough:
    """Say whether a visual pattern has pairs enough for a probe: 30, in at least 10 units.

    A pair whose two options are the same text does not count. Of fewer pairs a probe that sees nothing reads
    two thirds right by chance alone, once in twenty times, and one that would see has too little to learn from.

    Example:
        >>> enough([]).why_not.split(":")[0]
        'No probe'
    """
    usable = [pair for pair in pairs if len(set(pair.texts)) == 2]
    if len(usable) < LEAST_PAIRS:
        return Enough(
            False,
            f"No probe: {_count(len(usable), 'pair')} with known options, and fewer than {LEAST_PAIRS} cannot say that "
            "the asked thing can be read here, nor that it cannot.",
        )
    units = len(set(units_of(usable)))
    if units < LEAST_UNITS:
        return Enough(
            False,
            f"No probe: {len(usable)} pairs, but in {_count(units, 'unit')} that share no image or scene, and with "
            f"fewer than {LEAST_UNITS} too few of them are new to a probe that was trained on the others.",
        )
    return Enough(True, None)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
