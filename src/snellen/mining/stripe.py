"""The blind pairs of one stripe after another, each kept on disk as soon as it is whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from snellen.mining.collection import Collection, pair_ids
from snellen.mining.join import Join
from snellen.mining.parts import PAIR, Parts, Records
from snellen.mining.tiles import pairs_of_rows, stripes
from snellen.progress import SILENT, Progress


def join_stripes(join: Join, collection: Collection, parts: Parts, progress: Progress = SILENT) -> Counter[str]:
    """Run the join, stripe by stripe, skipping those that an earlier run finished.

    Returns:
        Exact totals of pairs `above_blind_min`, of those `below_reference_max`, and of those `after_labels`.
    """
    n = len(join.blind)
    totals: Counter[str] = Counter(above_blind_min=0, below_reference_max=0, after_labels=0)
    progress.start("mining", pairs_of_rows(0, n, n), "pairs")
    for number, rows in enumerate(stripes(n, join.tiling)):
        name = _name(number)
        done = parts.finished(name)
        if done is None:
            done = _write(join, collection, parts, name, rows, progress)
        else:
            progress.advance(pairs_of_rows(rows.start, rows.stop, n))
        totals.update(done)
    progress.finish()
    return totals


def read_stripes(join: Join, parts: Parts) -> Iterator[Records]:
    """Yield all pairs found, as PAIR records sorted by row_a and row_b."""
    for number, _ in enumerate(stripes(len(join.blind), join.tiling)):
        yield from parts.read(_name(number), PAIR)


def _write(
    join: Join, collection: Collection, parts: Parts, name: str, rows: range, progress: Progress
) -> dict[str, int]:
    counts: Counter[str] = Counter(above_blind_min=0, below_reference_max=0, after_labels=0)

    def records() -> Iterator[Records]:
        for found in join.stripe(rows, progress):
            counts["above_blind_min"] += found.above_blind_min
            counts["below_reference_max"] += found.below_reference_max
            counts["after_labels"] += len(found.a)
            chunk = np.empty(len(found.a), dtype=PAIR)
            chunk["row_a"], chunk["row_b"] = join.blind.rows[found.a], join.blind.rows[found.b]
            chunk["blind_cosine"], chunk["reference_cosine"] = found.blind, found.reference
            chunk["pair_id"] = pair_ids(collection.ids, chunk["row_a"], chunk["row_b"])
            yield chunk

    parts.write(name, records(), lambda: counts)
    return dict(counts)


def _name(number: int) -> str:
    return f"pairs-{number:06d}"
