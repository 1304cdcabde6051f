"""Intervals and tests: pure functions, each with a worked example and a test as long as itself.

The pair is the unit of evidence: what has two questions a pair is never treated as so many independent questions.
"""

from snellen.stats.correlation import Correlation, pearson
from snellen.stats.counts import QuantileRanks, poisson_interval, quantile_rank, quantile_ranks
from snellen.stats.detection import Detection, Estimate, detection
from snellen.stats.grid import on_grid
from snellen.stats.mcnemar import McNemar, mcnemar
from snellen.stats.multiple import holm
from snellen.stats.paired import Difference, bootstrap_difference
from snellen.stats.power import (
    PairsNeeded,
    least_above_chance,
    mcnemar_power,
    pairs_for_difference,
    pairs_from_chance,
    smallest_difference,
)
from snellen.stats.precision import pairs_for_half_width, wilson_half_width
from snellen.stats.proportions import Proportion, clustered_interval, wilson_interval

__all__ = [
    "Correlation",
    "Detection",
    "Difference",
    "Estimate",
    "McNemar",
    "PairsNeeded",
    "Proportion",
    "QuantileRanks",
    "bootstrap_difference",
    "clustered_interval",
    "detection",
    "holm",
    "least_above_chance",
    "mcnemar",
    "mcnemar_power",
    "on_grid",
    "pairs_for_difference",
    "pairs_for_half_width",
    "pairs_from_chance",
    "pearson",
    "poisson_interval",
    "quantile_rank",
    "quantile_ranks",
    "smallest_difference",
    "wilson_half_width",
    "wilson_interval",
]
