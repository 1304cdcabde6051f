"""Pairs that a cap will drop anyway need not be stored; and which stored stripes still serve when caps have changed.

Only the first cap that is applied may prune: what a later one keeps depends on what the one before it has dropped.
`max_per_image` is greedy, so that nothing is known before all pairs are. How a stripe was pruned is written beside it:
what was stored for the N largest gaps holds the M largest as well, for any M up to N, but nothing else for certain.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from snellen.mining.found.topk import TopK, TopTotal
from snellen.mining.join.exact import Float64Array
from snellen.mining.join.tiles import Positions

PRUNE_BYTES = 256 << 20
"""Memory for the gaps that pruning remembers; a cap that needs more is applied only when all pairs are stored."""


class Watch(Protocol):
    """Watches a stream of pairs for those that a cap may keep."""

    def offer(self, row_a: Positions, row_b: Positions, gap: Float64Array) -> NDArray[np.bool_]:
        """Show some pairs, and return which may be kept; false only for those that are not, whatever comes later."""


class Pruning(NamedTuple):
    """A cap that pairs may be dropped by while they are found.

    cap: "top_k": pairs that are among the `most` largest gaps of one of their images; "max_pairs": of all.
    """

    cap: Literal["top_k", "max_pairs"]
    most: int

    def watch(self, rows: int) -> Watch | None:
        """Return what prunes, or None where nothing could be dropped or too much memory would be taken.

        Args:
            rows: how many images the study has.
        """
        if self.cap == "max_pairs":
            return TopTotal(self.most) if TopTotal.size(self.most) <= PRUNE_BYTES else None
        # No image is in more than rows - 1 pairs.
        return TopK(rows, self.most) if self.most < rows - 1 and TopK.size(rows, self.most) <= PRUNE_BYTES else None

    def serves(self, asked: Pruning | None) -> bool:
        """Return whether what was stored with this pruning holds all that is needed; None: every pair is."""
        return asked is not None and self.cap == asked.cap and self.most >= asked.most

    def as_json(self) -> dict[str, Any]:
        """Return what `pruning_from_json` reads."""
        return {"cap": self.cap, "most": self.most}


def pruning_from_json(value: Mapping[str, Any] | None) -> Pruning | None:
    """Read what `Pruning.as_json` made; None stays None."""
    return None if value is None else Pruning(value["cap"], value["most"])
