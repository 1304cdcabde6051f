"""The pairs of the drawn images, watched while they are joined."""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from snellen.mining.estimates.interval import Estimate, Interval, interval
from snellen.mining.estimates.stricter import Stricter, stricter
from snellen.mining.join.exact import Float64Array
from snellen.mining.join.order import Order
from snellen.mining.join.tiles import NOBODY, Positions, pairs_of_rows
from snellen.mining.join.two_sided import Condition, Found, Join
from snellen.progress import SILENT, Progress

KEPT_PAIRS = 1 << 18
"""Found pairs whose cosines are remembered, about; beyond, every second one, every fourth, and so on."""

ENOUGH_PAIRS = 1 << 22
"""So many pairs above the blind minimum say enough; not all of the drawn images need be looked at."""

ENOUGH_ROWS = 64


class Kept(NamedTuple):
    """Some found pairs: b int64 [m], the larger position; blind, reference float64 [m]."""

    b: Positions
    blind: Float64Array
    reference: Float64Array

    def every(self, which: slice) -> Kept:
        """Return some of them."""
        return Kept(self.b[which].copy(), self.blind[which].copy(), self.reference[which].copy())

    def joined(self, other: Kept) -> Kept:
        """Return these, and then the others."""
        return Kept(
            np.concatenate([self.b, other.b]),
            np.concatenate([self.blind, other.blind]),
            np.concatenate([self.reference, other.reference]),
        )


class Sample:
    """Joins the drawn images with all others, and sums up what each is in.

    Args:
        join: the join, whose positions are those of `order`.
        order: the drawn images come first.
        seed: of the interval.
        old: how many pairs an earlier study has found that are not joined again; None: there is no earlier one.
    """

    def __init__(self, join: Join, order: Order, seed: int, old: int | None = None) -> None:
        self._join, self._order, self._seed, self._old = join, order, seed, old
        self._values = np.zeros((3, order.drawn))
        self._found = np.zeros(3, dtype=np.int64)
        self._kept = Kept(NOBODY, np.empty(0), np.empty(0))
        self._stride, self._skip = 1, 0
        self._done, self._seconds, self._aside = 0, 0.0, 0.0

    def blocks(self, progress: Progress = SILENT) -> Generator[tuple[range, Found], None, None]:
        """Yield what the row blocks of the drawn images find, as `Join.blocks` would."""
        join = self._join
        # Of every pair above the blind minimum both cosines: an image's share has to be known before the second test.
        everything = replace(join, condition=Condition(join.condition.blind_min, math.inf))
        began = time.perf_counter()
        for rows, found in everything.blocks([range(self._order.drawn)], progress):
            passing = self._add(found)
            self._done, self._seconds = rows.stop, time.perf_counter() - began - self._aside
            yield rows, passing

    @property
    def says_enough(self) -> bool:
        """Whether an estimate need not wait for the rest."""
        return self._done >= min(ENOUGH_ROWS, self._order.drawn) and int(self._found[0]) >= ENOUGH_PAIRS

    def _add(self, found: Found) -> Found:
        condition = self._join.condition
        below = condition.reference_passes(found.reference)
        passes = below.copy()
        if condition.labels is not None:
            passes[below] = condition.labels.match(found.a[below], found.b[below])
        for number, mask in enumerate((np.ones_like(below), below, passes)):
            a, b = found.a[mask], found.b[mask]
            # A pair of two images of which either may be drawn belongs half to each.
            share = np.where(b < self._order.stop, 0.5, 1.0)
            both = b < self._order.drawn
            size = self._order.drawn
            self._values[number] += np.bincount(a, share, size) + np.bincount(b[both], share[both], size)
            self._found[number] += len(a)
        a, b, blind, reference = found.a[passes], found.b[passes], found.blind[passes], found.reference[passes]
        self._keep(Kept(b, blind, reference))
        return Found(a, b, blind, reference, len(found.a), int(np.count_nonzero(below)), found.cells)

    def _keep(self, pairs: Kept) -> None:
        self._kept = self._kept.joined(pairs.every(slice(self._skip, None, self._stride)))
        self._skip = (self._skip - len(pairs.b)) % self._stride
        while len(self._kept.b) > KEPT_PAIRS:
            # If they are odd in number, the next one that is due is passed over, too.
            self._skip += self._stride * (len(self._kept.b) % 2)
            self._stride *= 2
            self._kept = self._kept.every(slice(None, None, 2))

    def estimate(self) -> Estimate:
        """Estimate totals from the images that are done, which are as random a sample as all that were drawn."""
        began = time.perf_counter()
        order, join, done = self._order, self._join, self._done
        unit = 0.5 if order.stop == len(order.rows) else 1.0
        totals: list[Interval] = [
            interval(values[:done], order.stop, int(found), unit, self._seed) if done else Interval(0, 0, 0)
            for values, found in zip(self._values, self._found, strict=True)
        ]
        height = join.tiling.rows or join.filter.rows
        busy = min(-(-max(done, 1) // height), join.threads) / join.threads
        made = Estimate(
            images=order.stop,
            drawn=done,
            above_blind_min=totals[0],
            below_reference_max=totals[1],
            after_labels=totals[2],
            found=int(self._found[2]),
            pairs=join.pairs,
            looked_at=pairs_of_rows(0, done, len(order.rows)),
            seconds=self._seconds * busy,
            threads=join.threads,
            # Other thresholds would need another earlier study.
            stricter=self._stricter() if self._old is None else (),
            old=self._old,
        )
        self._aside += time.perf_counter() - began  # no part of the join's time
        return made

    def _stricter(self) -> tuple[Stricter, ...]:
        pairs = self._kept
        order, condition = self._order, self._join.condition
        share = np.where(pairs.b < order.stop, 0.5, 1.0)
        seen = np.where(pairs.b < self._done, 2.0, 1.0)
        weights = order.stop / max(self._done, 1) * self._stride * share * seen
        return stricter(pairs.blind, pairs.reference, weights, condition.blind_min, condition.reference)
