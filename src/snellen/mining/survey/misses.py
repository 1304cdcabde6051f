"""When no pair passes: which came nearest, and which thresholds would give about a hundred.

A pair's *miss* is how far both thresholds would have to move for it to lie on them: max(blind_min - blind, reference -
reference_max). A pair exactly on a threshold has miss 0, and does not pass.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snellen import stats
from snellen.mining.join.exact import Float64Array
from snellen.mining.join.two_sided import Labels
from snellen.mining.survey.stream import Block, Stream

NEAR_MISSES = 50
WANTED_PAIRS = 100
KEPT = 4096
"""Nearest pairs that are remembered for each way to move the thresholds."""

THIN = 10
"""A suggestion from a sample rests on at least so many sampled pairs."""

Change = Literal["blind_min", "reference_max", "both"]


class Nearest:
    """Remembers the `size` pairs of smallest key among all that it is shown, ties by position, in bounded memory."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._keys: Float64Array = np.empty(0)
        self._block = Block.empty()
        self._bound = sys.float_info.max  # infinite keys are never near
        self.smallest = math.inf
        self.n_smallest = 0
        """How many pairs have the smallest key: exact, also when they are more than `size`."""

    def add(self, keys: Float64Array, block: Block) -> None:
        """Show some pairs; `keys` has the shape of the block's arrays, and is infinite for pairs to be passed over."""
        near = keys <= self._bound
        if not near.any():
            return
        new = keys[near]
        smallest = float(new.min())
        if smallest < self.smallest:
            self.smallest, self.n_smallest = smallest, 0
        if smallest == self.smallest:
            self.n_smallest += int(np.count_nonzero(new == smallest))
        self._keys = np.concatenate([self._keys, new])
        self._block = self._block.joined(block.take(near))
        if len(self._keys) > 2 * self.size:
            self._cut()

    def _cut(self) -> None:
        order = np.lexsort((self._block.b, self._block.a, self._keys))[: self.size]
        self._keys = self._keys[order]
        self._block = self._block.take(order)
        if len(order) == self.size:
            self._bound = float(self._keys[-1])

    def kept(self) -> tuple[Float64Array, Block]:
        """Return the keys, ascending, and their pairs; all there are where fewer than `size`."""
        self._cut()
        return self._keys, self._block


class Suggestion(NamedTuple):
    """Thresholds that would give `n_pairs` pairs; `low` and `high` are a 95 % interval where that is an estimate."""

    change: Change
    blind_min: float
    reference_max: float
    n_pairs: int
    low: int | None
    high: int | None


@dataclass
class Misses:
    """Watches a stream of pairs, none of which is both above `blind_min` and below `reference_max`.

    Args:
        blind_min: the threshold, resolved.
        reference_max: the threshold, resolved.
        labels: the label rule; pairs that it stops are not looked at.
    """

    blind_min: float
    reference_max: float
    labels: Labels | None = None

    def __post_init__(self) -> None:
        self._nearest: dict[Change, Nearest] = {
            "blind_min": Nearest(KEPT),
            "reference_max": Nearest(KEPT),
            "both": Nearest(KEPT),
        }

    def add(self, block: Block) -> None:
        """Look at the pairs of a block."""
        if self.labels is not None and self.labels.rule != "any":
            match = self.labels.match(block.a, block.b)
            block = block.take(match)
        below = block.reference < self.reference_max
        above = block.blind > self.blind_min
        self._nearest["blind_min"].add(np.where(below, -block.blind, np.inf), block)
        self._nearest["reference_max"].add(np.where(above, block.reference, np.inf), block)
        miss = np.maximum(self.blind_min - block.blind, block.reference - self.reference_max)
        self._nearest["both"].add(miss, block)

    def near_misses(self) -> list[tuple[int, int, float, float, float]]:
        """Return up to NEAR_MISSES different pairs (a, b, blind, reference, miss), smallest miss first."""
        keys, block = self._nearest["both"].kept()
        found: dict[tuple[int, int], tuple[int, int, float, float, float]] = {}
        for miss, a, b, blind, reference in zip(keys.tolist(), *(values.tolist() for values in block), strict=True):
            found.setdefault((a, b), (a, b, blind, reference, miss))
            if len(found) == NEAR_MISSES:
                break
        return list(found.values())

    def suggestions(self, stream: Stream) -> list[Suggestion]:
        """Return what would give about WANTED_PAIRS pairs: up to three ways, those that cannot be left out."""
        scale = stream.population / stream.size if stream.sampled else 1.0
        wanted = max(round(WANTED_PAIRS / scale), THIN) if stream.sampled else WANTED_PAIRS
        made = []
        for change, nearest in self._nearest.items():
            proposal = self._propose(change, nearest, wanted)
            if proposal is None:
                continue
            blind_min, reference_max, count = proposal
            low = high = None
            if stream.sampled:
                fewest, most = stats.poisson_interval(count)
                low, high = math.floor(fewest * scale), math.ceil(most * scale)
            made.append(Suggestion(change, blind_min, reference_max, round(count * scale), low, high))
        return made

    def _propose(self, change: Change, nearest: Nearest, wanted: int) -> tuple[float, float, int] | None:
        """Return thresholds and the exact number of the stream's pairs that they let through."""
        keys, block = nearest.kept()
        complete = len(keys) < nearest.size  # then no other pair exists that this change could let through
        cut = nearest_cut(keys, wanted, complete)
        if cut is None:
            if not len(keys):
                return None
            # All remembered keys are equal, and there may be more: just beyond them, and no further.
            blind_min, reference_max = self._moved(change, float(keys[0]) + 2.0**-49, None)
            passes = (block.blind > blind_min) & (block.reference < reference_max)
            # A stored cosine can exceed 1 a little, where no threshold can follow it.
            return (blind_min, reference_max, nearest.n_smallest) if passes.all() else None
        # Where all there are is wanted, any looser threshold gives the same: one of few digits.
        level = float(keys[-1]) + 0.01 if cut == len(keys) else (float(keys[cut - 1]) + float(keys[cut])) / 2
        best: tuple[float, float, int] | None = None
        for digits in (*range(2, 17), None):
            blind_min, reference_max = self._moved(change, level, digits)
            if not complete and self._key_of(change, blind_min, reference_max) > keys[-1]:
                continue  # looser than what was remembered: not countable
            count = int(np.count_nonzero((block.blind > blind_min) & (block.reference < reference_max)))
            if count == cut or 0.8 * wanted <= count <= 1.25 * wanted:
                return blind_min, reference_max, count
            if count:
                best = blind_min, reference_max, count
        return best

    def _moved(self, change: Change, level: float, digits: int | None) -> tuple[float, float]:
        """Return the thresholds that let through what has a key below `level`, rounded and within [-1, 1]."""
        blind_min, reference_max = self.blind_min, self.reference_max
        if change in ("blind_min", "both"):
            lowered = -level if change == "blind_min" else blind_min - level
            blind_min = min(max(_rounded(lowered, digits), -1.0), 1.0)
        if change in ("reference_max", "both"):
            raised = level if change == "reference_max" else reference_max + level
            reference_max = min(max(_rounded(raised, digits), -1.0), 1.0)
        return blind_min, reference_max

    def _key_of(self, change: Change, blind_min: float, reference_max: float) -> float:
        """Return the largest key that the given thresholds may let through."""
        if change == "blind_min":
            return -blind_min
        if change == "reference_max":
            return reference_max
        return max(self.blind_min - blind_min, reference_max - self.reference_max)


def nearest_cut(keys: NDArray[np.float64], wanted: int, complete: bool) -> int | None:
    """Return the number of keys nearest to `wanted`, by ratio, that a threshold can set apart from the rest.

    Example:
        >>> nearest_cut(np.array([0.1, 0.2, 0.2, 0.2, 0.5]), 2, complete=False)
        1

    Args:
        keys: float64 [m], ascending.
        wanted: at least 1.
        complete: whether no larger keys exist, so that all m may be taken.
    """
    cuts = np.flatnonzero(keys[1:] > keys[:-1]) + 1
    if complete and len(keys):
        cuts = np.append(cuts, len(keys))
    if not len(cuts):
        return None
    return int(cuts[np.argmin(np.abs(np.log(cuts / wanted)))])


def _rounded(value: float, digits: int | None) -> float:
    return (value if digits is None else round(value, digits)) + 0.0


def suggestions_as_json(suggestions: list[Suggestion]) -> list[dict[str, Any]]:
    """Return the entry of `mining.json`."""
    return [
        {
            "change": suggestion.change,
            "blind_min": suggestion.blind_min,
            "reference_max": suggestion.reference_max,
            "n_pairs": suggestion.n_pairs,
            "sampled": suggestion.low is not None,
            "low": suggestion.low,
            "high": suggestion.high,
        }
        for suggestion in suggestions
    ]
