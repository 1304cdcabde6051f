"""Caps: at most so many pairs of one image, only the largest gaps of each, at most so many in all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from snellen.mining.found.parts import Records
from snellen.mining.found.sort import SORT_RECORDS, by_gap, by_rows, sort_records

MaxPairs = int | Literal["all"] | None
"""So many pairs; all of them, however many; or (None) all of them up to `defaults.MAX_PAIRS`, and an error beyond."""

CHUNK = 1 << 14
"""Pairs that are looked at between two updates of which images are full."""


class Selection:
    """Chooses pairs, and counts what it drops; the counts are complete when `pairs` has been read to its end.

    All caps rank pairs by gap, the largest first, ties by pair_id, and each is applied to what the one before left.

    Args:
        max_per_image: greedy: a pair is kept if neither image has so many kept pairs yet.
        top_k: a pair is kept if fewer than so many of the pairs of one of its images, or of the other, rank before it.
        max_pairs: so many of what is left; None or "all": all.
    """

    def __init__(self, max_per_image: int | None, top_k: int | None, max_pairs: MaxPairs) -> None:
        self.max_per_image = max_per_image
        self.top_k = top_k
        self.max_pairs = None if max_pairs == "all" else max_pairs
        self.dropped_per_image = 0
        self.dropped_total = 0
        """Of the pairs that came so far, by `max_pairs`; such as were dropped while they were found are not among them.
        """
        self.images_capped = 0
        """Images that are in as many pairs as `max_per_image` allows, and passed the thresholds in more."""
        self.written = 0

    def pairs(self, found: Iterable[Records], rows: int, folder: Path, memory: int = SORT_RECORDS) -> Iterator[Records]:
        """Yield what is kept, in row order.

        Args:
            found: all pairs, in row order; such as the first of the caps drops anyway may be missing, unless that is
                `max_per_image`.
            rows: of the study.
            folder: for temporary files.
            memory: records held while sorting.
        """
        kept: Iterable[Records] = found
        if any(cap is not None for cap in (self.max_per_image, self.top_k, self.max_pairs)):
            kept = sort_records(found, by_gap, folder, memory)
            if self.max_per_image is not None:
                kept = self._cap_images(kept, self.max_per_image, rows)
            if self.top_k is not None:
                kept = _only_top(kept, self.top_k, rows)
            if self.max_pairs is not None:
                kept = self._cap_total(kept, self.max_pairs)
            kept = sort_records(kept, by_rows, folder, memory)
        for chunk in kept:
            self.written += len(chunk)
            yield chunk

    def counts(self, found: int) -> dict[str, int]:
        """Return the entries of `counts` in `mining.json`.

        Args:
            found: how many pairs there were before any cap.
        """
        after_max_per_image = found - self.dropped_per_image
        return {
            "after_max_per_image": after_max_per_image,
            # `top_k` may have dropped pairs before they came here, and `max_pairs` only where there is no `top_k`.
            "after_top_k": after_max_per_image if self.top_k is None else self.written + self.dropped_total,
            "written": self.written,
        }

    def truncated(self, found: int) -> dict[str, int]:
        """Return the entry `truncated` of `mining.json`: pairs that each cap dropped, and images that were capped."""
        counts = self.counts(found)
        return {
            "max_per_image": self.dropped_per_image,
            "top_k": counts["after_max_per_image"] - counts["after_top_k"],
            "max_pairs": counts["after_top_k"] - counts["written"],
            "images_capped": self.images_capped,
        }

    def _cap_images(self, ranked: Iterable[Records], limit: int, rows: int) -> Iterator[Records]:
        used = np.zeros(rows, dtype=np.int32)
        total = np.zeros(rows, dtype=np.int64)
        for chunk in ranked:
            np.add.at(total, chunk["row_a"], 1)
            np.add.at(total, chunk["row_b"], 1)
            for start in range(0, len(chunk), CHUNK):
                part = chunk[start : start + CHUNK]
                keep = _greedy(part, used, limit)
                self.dropped_per_image += len(part) - int(np.count_nonzero(keep))
                yield part[keep]
        self.images_capped = int(np.count_nonzero((used == limit) & (total > limit)))

    def _cap_total(self, ranked: Iterable[Records], limit: int) -> Iterator[Records]:
        left = limit
        for chunk in ranked:
            self.dropped_total += max(len(chunk) - left, 0)
            if left:
                yield chunk[:left]
            left = max(left - len(chunk), 0)


def _greedy(part: Records, used: NDArray[np.int32], limit: int) -> NDArray[np.bool_]:
    """Return which pairs are kept, in the order given; `used` counts each image's kept pairs, and is updated."""
    keep = np.zeros(len(part), dtype=np.bool_)
    # Most pairs fall here, at array speed: an image that is full stays full.
    still_open = np.flatnonzero((used[part["row_a"]] < limit) & (used[part["row_b"]] < limit))
    rows_a, rows_b = (part[field][still_open].tolist() for field in ("row_a", "row_b"))
    for index, a, b in zip(still_open.tolist(), rows_a, rows_b, strict=True):
        if used[a] < limit and used[b] < limit:
            used[a] += 1
            used[b] += 1
            keep[index] = True
    return keep


def _only_top(ranked: Iterable[Records], k: int, rows: int) -> Iterator[Records]:
    """Yield the pairs that are among the first k of at least one of their images."""
    seen = np.zeros(rows, dtype=np.int64)
    for chunk in ranked:
        images = np.concatenate([chunk["row_a"], chunk["row_b"]])
        # The rank of each among its image's pairs: those seen before, and those before it in the chunk.
        place = np.tile(np.arange(len(chunk)), 2)
        order = np.lexsort((place, images))
        starts = np.flatnonzero(np.diff(images[order], prepend=-1))
        rank = np.empty(len(images), dtype=np.int64)
        rank[order] = np.arange(len(images)) - np.repeat(starts, np.diff(np.r_[starts, len(images)]))
        rank += seen[images]
        np.add.at(seen, images, 1)
        yield chunk[(rank[: len(chunk)] < k) | (rank[len(chunk) :] < k)]
