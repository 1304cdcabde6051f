"""What can be said, and what cannot, in whole sentences."""

from __future__ import annotations

from typing import Final

from snellen.stats.association import FEWEST_CLUSTERS, Association
from snellen.stats.correlation import fisher_interval
from snellen.stats.hierarchy import Interaction
from snellen.stats.over_patterns import PatternCorrelation

LEVEL: Final = 0.05

FEW_PATTERNS: Final = 30
FEW_PAIRS: Final = 30

RELIABLE: Final = 0.8
"""Below this the noise of a pattern's pairs is worth a warning."""

NO_CAUSE: Final = (
    "None of this says that the encoder causes the errors: what is hard for everybody goes together, too "
    "(`snellen diagnose` looks at each pair)."
)


def of_patterns(found: PatternCorrelation) -> list[str]:
    """Say what Pearson's r over patterns shows."""
    if found.value is None or found.p is None:
        return [f"Over patterns nothing can be said: {found.reason}."]
    n = found.n
    shown = "shown" if found.p <= LEVEL else "not shown"
    share = "less than 0.1 %" if found.p < 0.001 else f"{100 * found.p:.1f} %"
    said = [
        f"Over these {n} patterns it is {shown} that the two go together: paired by chance, they give an r as far from "
        f"0 in {share} of cases (permutation test, {found.permutations})."
    ]
    if found.fisher is None:
        said.append(f"How closely cannot be said: r = {found.value:.2f} over {n} patterns has no interval.")
    else:
        said.append(f"How closely: anything from {found.fisher.low:.2f} to {found.fisher.high:.2f} fits.")
    if n < FEW_PATTERNS:
        example = fisher_interval(0.7, n)
        said.append(
            f"{n} patterns are few: "
            + (
                "fewer than four have no interval at all."
                if example is None
                else f"r = 0.70 over {n} would have the interval {example[0]:.2f} to {example[1]:.2f}."
            )
        )
    if found.reliability is not None and min(found.reliability) < RELIABLE:
        encoder, model = found.reliability
        said.append(
            f"Of the spread over patterns about {100 * encoder:.0f} % (encoder) and {100 * model:.0f} % (model) is "
            "more than chance among their few pairs; the rest blurs r, mostly towards 0."
        )
    left = found.leave_one_out
    if left is not None and abs(left.low - found.value) > abs(left.high - found.value):
        said.append(f"It leans most on {left.low_without}: without it r is {left.low:.2f}.")
    elif left is not None:
        said.append(f"It leans most on {left.high_without}: without it r is {left.high:.2f}.")
    return said


def of_pairs(found: Association) -> list[str]:
    """Say what the errors on the same pairs show."""
    if found.phi is None:
        return [f"Pair by pair nothing can be said: {found.reason}."]
    low, high = found.phi.low, found.phi.high
    if low is None or high is None:
        why = (
            f"{found.n_clusters} clusters of pairs are fewer than {FEWEST_CLUSTERS}"
            if found.n_clusters < FEWEST_CLUSTERS
            else "resamples of these pairs vary too little"
        )
        said = [f"Pair by pair phi is {found.phi.value:.2f}, and has no interval: {why}."]
    else:
        if low > 0:
            what = "The two err on the same pairs more often than their error rates alone would give"
        elif high < 0:
            what = "The two err on the same pairs less often than their error rates alone would give"
        else:
            what = "It is not shown that the two err on the same pairs, or on different ones"
        said = [f"{what}: phi {found.phi.value:.2f} [{low:.2f}, {high:.2f}]."]
        if low > 0:
            said.append("A visual pattern that is hard for both is enough for that.")
    if found.n < FEW_PAIRS:
        said.append(f"{found.n} pairs are few: look at the interval, not at the value.")
    if found.n_clusters < found.n:
        said.append(
            f"{found.n:,} pairs share images and are {found.n_clusters:,} independent clusters: exact tests, which "
            "take pairs to be independent, are not given."
        )
    return said


def of_interaction(found: Interaction | None) -> list[str]:
    """Say what the model of all runs shows."""
    if found is None:
        return ["Model by pattern nothing can be said: no run was asked the encoder's benchmark with visual patterns."]
    if found.p is None:
        return [f"Model by pattern nothing can be said: {found.reason}."]
    test = f"score test {found.statistic:.1f}, {found.df} degrees of freedom, p {_p(found.p)}"
    if found.p <= LEVEL:
        return [f"Some patterns are harder for one of them than for another, beyond their overall levels ({test})."]
    return [
        f"It is not shown that any pattern is harder for one of them than for another, beyond their overall levels "
        f"({test}); that is not to say that none is."
    ]


def _p(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}"
