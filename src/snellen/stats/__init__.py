"""Intervals and tests: pure functions, each with a worked example and a test as long as itself.

The pair is the unit of evidence: what has two questions a pair is never treated as so many independent questions.
"""

from snellen.stats.correlation import Correlation, pearson
from snellen.stats.counts import QuantileRanks, poisson_interval, quantile_rank, quantile_ranks
from snellen.stats.paired import Difference, bootstrap_difference
from snellen.stats.proportions import Proportion, clustered_interval, wilson_interval

__all__ = [
    "Correlation",
    "Difference",
    "Proportion",
    "QuantileRanks",
    "bootstrap_difference",
    "clustered_interval",
    "pearson",
    "poisson_interval",
    "quantile_rank",
    "quantile_ranks",
    "wilson_interval",
]
