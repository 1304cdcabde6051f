"""What becomes of a pair that passes: it is stored, or, if pairs are only counted, it is not."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from snellen.mining.found.parts import PAIR, Records
from snellen.mining.found.topk import TopK
from snellen.mining.inputs.collection import Collection, pair_ids
from snellen.mining.join.two_sided import Found, Join

NO_PAIRS = np.empty(0, dtype=PAIR)


class Sink(Protocol):
    """Turns found pairs into what is stored of them."""

    def records(self, join: Join, found: Found) -> Records:
        """Return PAIR records, in the order of `found`."""


class Counting:
    """Stores nothing."""

    def records(self, join: Join, found: Found) -> Records:
        """Return no records."""
        return NO_PAIRS


class Storing:
    """Stores pairs; with `top_k`, only those that may be among the largest gaps of one of their images."""

    def __init__(self, collection: Collection, top_k: int | None = None) -> None:
        self._collection = collection
        self._top = None if top_k is None else TopK(len(collection), top_k)

    def records(self, join: Join, found: Found) -> Records:
        """Return found pairs as PAIR records, the smaller row first."""
        left, right = join.blind.rows[found.a], join.blind.rows[found.b]
        chunk = np.empty(len(found.a), dtype=PAIR)
        chunk["row_a"], chunk["row_b"] = np.minimum(left, right), np.maximum(left, right)
        chunk["blind_cosine"], chunk["reference_cosine"] = found.blind, found.reference
        if self._top is not None:
            gap = found.blind - found.reference
            chunk = chunk[self._top.offer(chunk["row_a"], chunk["row_b"], gap)]
        # Last, since hashing takes longer than all else.
        chunk["pair_id"] = pair_ids(self._collection.ids, chunk["row_a"], chunk["row_b"])
        return chunk
