"""Two streams of pairs become one in row order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from snellen.mining.found.parts import PAIR, Records
from snellen.mining.found.sort import by_rows
from snellen.mining.join.tiles import Positions


def merged(first: Iterable[Records], second: Iterable[Records]) -> Iterator[Records]:
    """Merge two streams, each in row order, into one, a chunk of each at a time in memory.

    Args:
        first: PAIR records by row_a, then row_b.
        second: the same; no pair is in both.
    """
    streams = [iter(first), iter(second)]
    heads = [_next(stream) for stream in streams]
    while len(heads[0]) and len(heads[1]):
        # All up to the smaller of the two last pairs is known.
        last = min((_key(head[-1:])[0], number) for number, head in enumerate(heads))
        ready = [int(np.searchsorted(_key(head), last[0], side="right")) for head in heads]
        part = np.concatenate([head[:count] for head, count in zip(heads, ready, strict=True)])
        yield part[by_rows(part)]
        heads = [head[count:] for head, count in zip(heads, ready, strict=True)]
        heads = [head if len(head) else _next(stream) for head, stream in zip(heads, streams, strict=True)]
    for head, stream in zip(heads, streams, strict=True):
        if len(head):
            yield head
            yield from (chunk for chunk in stream if len(chunk))


def _next(stream: Iterator[Records]) -> Records:
    return next((chunk for chunk in stream if len(chunk)), np.empty(0, dtype=PAIR))


def _key(records: Records) -> Positions:
    """Return a number for each pair, in row order; there are fewer than 2^31 rows."""
    key: Positions = (records["row_a"] << 32) | records["row_b"]
    return key
