"""The exact two-sided similarity join: every pair alike to one encoder and unlike to another.

| folder | what it holds |
|---|---|
| `kernels` | C: the scan of small-integer sketches, exact dot products of float16 rows |
| `join` | the join itself: order, tiles, threads, exact cosines, both conditions |
| `filters` | which pairs the join need not look at |
| `inputs` | a study's images and its two embeddings |
| `survey` | quantiles before; the histogram, near misses and suggestions after |
| `estimates` | how many pairs to expect, and when that is too many |
| `found` | what becomes of found pairs: stored, capped, sorted, written |
| `earlier` | what an earlier study of a part of the images already knows |
| `asked` | options, the question they ask of a study, the join that answers it |

Each imports only those above it. `verb` is `mine`, `forecast` is `mine --estimate`, `counted` is all of `mine` but the
writing, `copies` collapses near-identical images, and `arrays` is the same join without a study.
"""

from snellen.mining.arrays import Pairs, find_pairs
from snellen.mining.asked.options import Options
from snellen.mining.estimates.interval import Estimate
from snellen.mining.filters.choose import Backend
from snellen.mining.forecast import estimate
from snellen.mining.verb import MiningResult, mine

__all__ = ["Backend", "Estimate", "MiningResult", "Options", "Pairs", "estimate", "find_pairs", "mine"]
