"""What a comparison of two runs says: every number with its unit, its interval and its n."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from snellen.stats import Difference, Proportion

POWER: Final = 0.8
LEVEL: Final = 0.05

FEW_DISCORDANT: Final = 10
"""With fewer discordant pairs than this, how many are discordant is known only roughly."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs, and how many of its answers that were compared count as wrong for want of a choice."""

    run_id: str
    model: str
    profile: str
    n_unparsed: int
    n_refused: int


@dataclass(frozen=True, slots=True)
class PairContrast:
    """Pair accuracy of a and of b over the same pairs: all (`tagset` None) or those of a visual pattern.

    `difference_points` is b - a in points, from -100 to 100, with the paired bootstrap's interval; `p` is of McNemar's
    exact test, `p_holm` the same adjusted for the patterns of the tagset. All four are None where no pair is left.
    """

    group: str
    tagset: str | None
    n_pairs: int
    accuracy_a: Proportion
    accuracy_b: Proportion
    a_only: int
    b_only: int
    difference_points: Difference | None
    p: float | None
    p_holm: float | None = None


@dataclass(frozen=True, slots=True)
class QuestionContrast:
    """Question accuracy of a and of b; all intervals are clustered by pair, and `difference_points.n` counts pairs."""

    n_pairs: int
    n_questions: int
    accuracy_a: Proportion
    accuracy_b: Proportion
    difference_points: Difference


@dataclass(frozen=True, slots=True)
class Needed:
    """How many pairs show a *stated* difference of pair accuracy by McNemar's exact test.

    `discordance` is the share of pairs that just one of the two has right, as seen here; `n_pairs` is for that share,
    `n_pairs_low` and `n_pairs_high` for the ends of its interval; each at least the stated difference, without which
    there could be none. `rough` where fewer than `FEW_DISCORDANT` discordant pairs were seen.
    """

    difference_points: float
    power: float
    level: float
    discordance: Proportion
    n_pairs: int
    n_pairs_low: int
    n_pairs_high: int
    rough: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs of one benchmark compared; answers count as published, errata are not applied.

    `left_out` counts pairs that lack an answer in either run; `notes` are sentences that belong beside the numbers.
    """

    a: Side
    b: Side
    benchmark: str
    content_sha256: str
    order: str
    left_out: int
    pairs: PairContrast
    questions: QuestionContrast
    patterns: tuple[PairContrast, ...]
    needed: Needed | None
    notes: tuple[str, ...]
