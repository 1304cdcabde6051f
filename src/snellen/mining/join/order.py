"""In which order images are joined: a random sample of them first, so that the join itself begins with an estimate.

The images are joined by *position*. The first positions are images drawn at random, without replacement, in the order
of the draws; the others follow in row order. Nothing is computed twice: the pairs of the drawn images with all others
are a part of the join, and the first one to be done.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from snellen.mining.join.tiles import Positions, Tiling, stripes

SAMPLE_ROWS = 2048
"""Images drawn: of a million, one in five hundred, whose pairs take a third of a percent of the time."""


class Order(NamedTuple):
    """Which image is at which position.

    rows: int64 [n], row of each position; drawn: positions below it are a random sample of those below `stop`; stop:
    only pairs with a position below it are joined (n: all pairs). Positions from `drawn` to `stop`, and from `stop` on,
    are each in row order.
    """

    rows: Positions
    drawn: int
    stop: int

    def stripes(self, tiling: Tiling) -> Iterator[range]:
        """Cut the positions below `stop` into ranges, always the same; the first one is the sample, whole."""
        if self.drawn:
            yield range(self.drawn)
        for stripe in stripes(len(self.rows), tiling, self.stop):
            if stripe.stop > self.drawn:
                yield range(max(stripe.start, self.drawn), stripe.stop)


def drawn_first(rows: Positions, seed: int, stop: int | None = None) -> Order:
    """Put a sample of SAMPLE_ROWS images first, or all where there are no more.

    Args:
        rows: int64 [n], the images to join; those below `stop` in row order, and those from it on.
        seed: of the draws.
        stop: how many of them need all their pairs joined; None: all.
    """
    stop = len(rows) if stop is None else stop
    drawn = np.random.default_rng([seed, 6]).choice(stop, size=min(SAMPLE_ROWS, stop), replace=False)
    others = np.ones(len(rows), dtype=np.bool_)
    others[drawn] = False
    return Order(np.concatenate([rows[drawn], rows[others]]), len(drawn), stop)
