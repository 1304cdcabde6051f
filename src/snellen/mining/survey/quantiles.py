"""Exact order statistics of all pairs' cosines in bounded memory, and their estimates from a sample.

Every cosine is a multiple of 2^-48 (see `snellen.mining.join.exact`), so it is an integer in disguise: the k-th
smallest is found digit by digit, as radix sort would. Each pass counts one digit of 16 bits among the pairs that agree
with the digits found so far; as soon as few enough agree, they are collected and sorted.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snellen import stats
from snellen.mining.join.exact import Float64Array
from snellen.mining.survey.stream import Block, Stream, tracked
from snellen.progress import SILENT, Progress

SCALE = 2.0**48
OFFSET = 1 << 49
"""Added to make every scaled cosine positive; lengths up to 1.02 keep it below 2^50."""

BITS = 50
DIGIT_BITS = (16, 16, 18)
"""Digits from the most significant; their sum is BITS."""

COLLECT_PAIRS = 1 << 22
"""So many values are collected and sorted at once."""

SideName = Literal["blind", "reference"]


class Quantile(NamedTuple):
    """A quantile of cosines: its value, over how many pairs, and its 95 % interval where they were a sample."""

    value: float
    n_pairs: int
    low: float | None
    high: float | None


def quantile(stream: Stream, side: SideName, q: float, progress: Progress = SILENT) -> Quantile:
    """Return the smallest cosine such that at least a share q of the pairs have no larger one.

    Exact over all pairs, equal to `numpy.quantile(..., method="inverted_cdf")`; over a sample, the sample's, with the
    interval that binomial order statistics give without assuming a distribution. A bound that the sample is too small
    for is None.

    Args:
        stream: at least one pair.
        side: whose cosines.
        q: in (0, 1).
        progress: told of each pass.
    """
    if stream.sampled:
        return _of_sample(stream, side, q, progress)
    rank = stats.quantile_rank(stream.size, q)
    return Quantile(kth_smallest(stream, side, rank, progress), stream.size, None, None)


def kth_smallest(
    stream: Stream, side: SideName, rank: int, progress: Progress = SILENT, collect: int = COLLECT_PAIRS
) -> float:
    """Return the rank-th smallest cosine (from 1) of a stream, exactly, holding about `collect` values at most."""
    label = f"{side} quantile"
    prefix, remaining = 0, rank  # digits found so far; rank among the pairs that have them
    below = BITS
    for bits in DIGIT_BITS:
        counts = np.zeros(1 << bits, dtype=np.int64)
        shift = below - bits
        _pass(stream, side, label, progress, partial(_count, counts, shift, prefix, below))
        cumulative = np.cumsum(counts)
        digit = int(np.searchsorted(cumulative, remaining))
        remaining -= int(cumulative[digit] - counts[digit])
        prefix = (prefix << bits) | digit
        below = shift
        if below == 0:
            break
        if counts[digit] <= collect:
            kept: list[NDArray[np.int64]] = []
            _pass(stream, side, label, progress, partial(_keep, kept, prefix, below))
            prefix = int(np.partition(np.concatenate(kept), remaining - 1)[remaining - 1])
            break
    return (prefix - OFFSET) / SCALE


def _pass(
    stream: Stream, side: SideName, label: str, progress: Progress, use: Callable[[NDArray[np.int64]], None]
) -> None:
    def consume(block: Block) -> None:
        cosines = block.blind if side == "blind" else block.reference
        use((cosines * SCALE).astype(np.int64).ravel() + OFFSET)

    tracked(stream, label, progress, consume, blind=side == "blind", reference=side == "reference")


def _keep(kept: list[NDArray[np.int64]], prefix: int, width: int, keys: NDArray[np.int64]) -> None:
    kept.append(keys[keys >> width == prefix])


def _count(counts: NDArray[np.int64], shift: int, prefix: int, width: int, keys: NDArray[np.int64]) -> None:
    digits = keys >> shift
    if width < BITS:
        digits = digits[keys >> width == prefix] & (len(counts) - 1)
    counts += np.bincount(digits, minlength=len(counts))


def _of_sample(stream: Stream, side: SideName, q: float, progress: Progress) -> Quantile:
    cosines: Float64Array = np.empty(stream.size)
    filled = 0

    def consume(block: Block) -> None:
        nonlocal filled
        cosines[filled : filled + block.a.size] = block.blind if side == "blind" else block.reference
        filled += block.a.size

    tracked(stream, f"{side} quantile", progress, consume, blind=side == "blind", reference=side == "reference")
    ranks = stats.quantile_ranks(len(cosines), q)
    wanted = [rank - 1 for rank in ranks if rank is not None]
    cosines.partition(wanted)
    value, low, high = (None if rank is None else float(cosines[rank - 1]) for rank in ranks)
    assert value is not None
    return Quantile(value, len(cosines), low, high)
