"""The exact two-sided similarity join: every pair alike to one encoder and unlike to another.

The way of a pair: `tiles` cuts the upper triangle, a filter (`filters`, with compiled `kernels`) names candidates,
`exact` decides in float64, `join` puts both conditions together in bounded memory on all threads (`pool`), `stripe`
keeps what is found on disk, `select` applies caps, `write` writes. Around it: `thresholds` and `quantiles` before,
`survey` (`histogram`, `misses`) after. `arrays` is the same join without a study.
"""

from snellen.mining.arrays import Pairs, find_pairs
from snellen.mining.verb import MiningResult, mine

__all__ = ["MiningResult", "Pairs", "find_pairs", "mine"]
