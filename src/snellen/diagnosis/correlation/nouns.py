"""What `correlate` returns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from snellen.stats.association import Association
from snellen.stats.hierarchy import Interaction
from snellen.stats.over_patterns import PatternCorrelation


@dataclass(frozen=True, slots=True)
class Examined:
    """Who was examined, on what, how it is scored, and over how many pairs; `left_out` pairs have no score."""

    run_id: str
    model: str
    kind: str
    benchmark: str
    content_sha256: str
    metric: str
    n_pairs: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Accuracy:
    """A share in [0, 1] with Wilson's 95 % interval, of n pairs."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Point:
    """One visual pattern: the encoder's accuracy and the model's."""

    pattern: str
    encoder: Accuracy
    model: Accuracy


@dataclass(frozen=True, slots=True)
class OverPatterns:
    """(a) Over visual patterns. `reason` says why there are no points."""

    points: tuple[Point, ...]
    pearson: PatternCorrelation | None
    spearman: PatternCorrelation | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class AgainstEncoder:
    """One run against the encoder: over patterns, and pair by pair (None where the items differ).

    `same_pairs`: both were examined on the same benchmark, and `n_pairs` pairs have a score of both. `says` is what
    follows, and what does not, in sentences.
    """

    run: Examined
    same_pairs: bool
    n_pairs: int
    over_patterns: OverPatterns
    over_pairs: Association | None
    says: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Correlated:
    """What `correlate` found. `interaction` is of the encoder and all runs on its benchmark; see `stats.hierarchy`.

    `says` is what follows for all of them together.
    """

    tagset: str | None
    encoder_tagset: str | None
    encoder: Examined
    runs: tuple[AgainstEncoder, ...]
    interaction: Interaction | None
    says: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CorrelateResult:
    """Where it was written, and what it says."""

    path: Path
    found: Correlated
