"""The exact two-sided similarity join: every pair alike to one encoder and unlike to another.

The way of a pair: `order` puts a random sample of the images first, `tiles` cuts the upper triangle, a filter
(`filters`, with compiled `kernels`) names candidates, `exact` decides in float64, `join` puts both conditions together
in bounded memory on all threads (`pool`), `stripe` keeps what is found (`sinks`) on disk, `select` applies caps,
`write` writes. Around it: `question` opens a study, `thresholds` and `quantiles` come before, `sample` and `estimates`
say what to expect (`limit`, `stricter`), `earlier` knows the pairs of a collection that has grown, `survey`
(`histogram`, `misses`, `looser`) comes after. `arrays` is the same join without a study.
"""

from snellen.mining.arrays import Pairs, find_pairs
from snellen.mining.estimates import Estimate
from snellen.mining.forecast import estimate
from snellen.mining.verb import MiningResult, mine

__all__ = ["Estimate", "MiningResult", "Pairs", "estimate", "find_pairs", "mine"]
