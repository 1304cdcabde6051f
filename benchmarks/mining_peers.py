"""FAISS, as one would use it for half of what the miner does: all pairs whose blind cosine exceeds a threshold.

It has no second condition, and gives every pair in both directions. Rows go in as float32. `IndexFlatIP` is asked for
inner products above the threshold. `IndexFlatL2Panorama` wants vectors rotated to their principal components, which
`PCAMatrix` does, and is asked for squared distances below 2 - 2 * threshold, which is the same for rows of length 1;
rounding to float16 makes them longer or shorter by some 1e-5. Training and adding are not measured, only
`range_search` of all rows.

`python -m benchmarks.mining_peers ROWS THRESHOLD` prints what several numbers of levels cost, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import faiss
import numpy as np

from benchmarks.mining_data import Integers, Rows16, Rows32

Peer = Literal["flat", "panorama"]
TRIED_QUERIES = 2000
LEVELS = (8, 16, 24, 32, 40, 48, 64, 80, 96, 128, 160)
SHORTEST_LEVEL = 8
"""Numbers of a vector that one of Panorama's levels must at least have."""


class Answer(NamedTuple):
    """What a range search gave: offsets [queries + 1], then cosines or squared distances, and rows, of all results."""

    offsets: Any
    values: Any
    rows: Any

    def pairs(self) -> tuple[Integers, Integers]:
        """Return int64 a and b of each pair a < b once, sorted."""
        a = np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets.astype(np.int64)))
        b = self.rows.astype(np.int64)
        once = a < b
        a, b = a[once], b[once]
        order = np.lexsort((b, a))
        return a[order], b[order]


def prepare(peer: Peer, rows: Rows16, levels: int, threads: int) -> Callable[[float], Answer]:
    """Build an index of the rows and return the search of all of them for one threshold."""
    faiss.omp_set_num_threads(threads)
    wide = rows.astype(np.float32)
    if peer == "flat":
        index = faiss.IndexFlatIP(rows.shape[1])
        index.add(wide)
        return lambda threshold: Answer(*index.range_search(wide, threshold))
    rotated = rotate(wide)
    panorama = faiss.IndexFlatL2Panorama(rows.shape[1], levels)
    panorama.add(rotated)
    return lambda threshold: Answer(*panorama.range_search(rotated, 2 - 2 * threshold))


def rotate(rows: Rows32) -> Rows32:
    """Turn rows to their principal components, as Panorama wants them; distances stay."""
    components = faiss.PCAMatrix(rows.shape[1], rows.shape[1])
    components.train(rows)
    rotated: Rows32 = components.apply(rows)
    return rotated


def try_levels(rows: Rows16, threshold: float) -> dict[int, float]:
    """Measure 2,000 queries of Panorama, one thread: CPU seconds by number of levels."""
    faiss.omp_set_num_threads(1)
    rotated = rotate(rows.astype(np.float32))
    queries = rotated[:: max(1, len(rotated) // TRIED_QUERIES)][:TRIED_QUERIES]
    seconds: dict[int, float] = {}
    for levels in LEVELS:
        if rows.shape[1] % levels or rows.shape[1] // levels < SHORTEST_LEVEL:
            continue
        index = faiss.IndexFlatL2Panorama(rows.shape[1], levels)
        index.add(rotated)
        index.range_search(queries[:16], 2 - 2 * threshold)
        began = time.process_time()
        index.range_search(queries, 2 - 2 * threshold)
        seconds[levels] = time.process_time() - began
    return seconds


if __name__ == "__main__":
    print(json.dumps(try_levels(np.load(sys.argv[1]), float(sys.argv[2]))))
