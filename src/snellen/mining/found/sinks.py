"""What becomes of a pair that passes: it is stored, or, if pairs are only counted, it is not."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from snellen.mining.found.parts import PAIR, Records
from snellen.mining.found.prune import Pruning
from snellen.mining.inputs.collection import Collection, pair_ids
from snellen.mining.join.two_sided import Found, Join

NO_PAIRS = np.empty(0, dtype=PAIR)


class Sink(Protocol):
    """Turns found pairs into what is stored of them."""

    @property
    def pruned(self) -> Pruning | None:
        """By which cap pairs are dropped; None: all are stored that ever will be."""

    def accepts(self, pruned: Pruning | None) -> bool:
        """Return whether all that is needed was stored where pairs were dropped by another cap, or (None) by none."""

    def records(self, join: Join, found: Found) -> Records:
        """Return PAIR records, in the order of `found`."""


class Counting:
    """Stores nothing."""

    pruned = None

    def accepts(self, pruned: Pruning | None) -> bool:
        """Return true: counts are exact however pairs were dropped."""
        return True

    def records(self, join: Join, found: Found) -> Records:
        """Return no records."""
        return NO_PAIRS


class Storing:
    """Stores pairs; of those that a cap will drop anyway as few as memory allows.

    Args:
        collection: the images.
        pruning: the first cap, if it may drop pairs while they are found.
    """

    def __init__(self, collection: Collection, pruning: Pruning | None = None) -> None:
        self._collection = collection
        self._asked = pruning
        self._watch = None if pruning is None else pruning.watch(len(collection))

    @property
    def pruned(self) -> Pruning | None:
        """By which cap pairs are dropped; None: by none."""
        return None if self._watch is None else self._asked

    def accepts(self, pruned: Pruning | None) -> bool:
        """Return whether stripes stored with that pruning hold all that this one needs."""
        return pruned is None or pruned.serves(self._asked)

    def records(self, join: Join, found: Found) -> Records:
        """Return found pairs as PAIR records, the smaller row first."""
        left, right = join.blind.rows[found.a], join.blind.rows[found.b]
        chunk = np.empty(len(found.a), dtype=PAIR)
        chunk["row_a"], chunk["row_b"] = np.minimum(left, right), np.maximum(left, right)
        chunk["blind_cosine"], chunk["reference_cosine"] = found.blind, found.reference
        if self._watch is not None:
            gap = found.blind - found.reference
            chunk = chunk[self._watch.offer(chunk["row_a"], chunk["row_b"], gap)]
        # Last, since hashing takes longer than all else.
        chunk["pair_id"] = pair_ids(self._collection.ids, chunk["row_a"], chunk["row_b"])
        return chunk
