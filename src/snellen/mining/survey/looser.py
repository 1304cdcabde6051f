"""When nothing passes in a large collection: a looser reference threshold, counted exactly.

A sample of pairs holds next to none of those above the blind minimum. The join has seen all of them, and counted them
by fine cells; at the edges of cells, how many of them lie below is known exactly.
"""

from __future__ import annotations

import numpy as np

from snellen.mining.join.cells import BINS, FINE, LIMIT, CellCounts
from snellen.mining.survey.misses import WANTED_PAIRS, Suggestion


def looser_reference(above: CellCounts, blind_min: float, wanted: int = WANTED_PAIRS) -> Suggestion | None:
    """Return the reference threshold that gives about `wanted` pairs, by ratio, at an unchanged blind threshold.

    Args:
        above: all pairs above the blind minimum; none of them has passed the reference threshold.
        blind_min: the threshold, resolved.
        wanted: at least 1.

    Returns:
        None where no pair is above the blind minimum, or only such as no threshold up to 1 reaches.
    """
    below = np.cumsum(np.bincount(above.cells % BINS, above.counts, BINS)).astype(np.int64)
    edges = np.arange(1, BINS + 1) / FINE - LIMIT  # below[k] pairs lie under edges[k]
    possible = np.flatnonzero((below > 0) & (edges <= 1))
    if not len(possible):
        return None
    best = int(possible[np.argmin(np.abs(np.log(below[possible] / wanted)))])
    return Suggestion("reference_max", blind_min, float(edges[best]), int(below[best]), None, None)
