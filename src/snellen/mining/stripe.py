"""The blind pairs of one stripe after another, each kept on disk as soon as it is whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from snellen.mining.collection import Collection, pair_ids
from snellen.mining.histogram import CellCounts
from snellen.mining.join import Found, Join
from snellen.mining.parts import PAIR, Parts, Records
from snellen.mining.tiles import pairs_of_rows, stripes
from snellen.progress import SILENT, Progress


class Totals(NamedTuple):
    """Exact totals of a join: pairs that passed each test, and how those above the blind minimum spread."""

    above_blind_min: int
    below_reference_max: int
    after_labels: int
    above: CellCounts


def join_stripes(join: Join, collection: Collection, parts: Parts, progress: Progress = SILENT) -> Totals:
    """Run the join, stripe by stripe, skipping those that an earlier run finished."""
    n = len(join.blind)
    numbered = list(enumerate(stripes(n, join.tiling, join.rows)))
    progress.start("mining", join.pairs, "pairs")
    done = {number for number, _ in numbered if parts.finished(_name(number)) is not None}
    progress.advance(sum(pairs_of_rows(rows.start, rows.stop, n) for number, rows in numbered if number in done))
    left = [(number, rows) for number, rows in numbered if number not in done]
    blocks = join.blocks((rows for _, rows in left), progress)
    for number, rows in left:
        _write(join, collection, parts, _name(number), rows, blocks)
    progress.finish()
    return _sum(parts, len(numbered))


def read_stripes(join: Join, parts: Parts) -> Iterator[Records]:
    """Yield all pairs found, as PAIR records; sorted by row_a and row_b where positions are in row order."""
    for number, _ in enumerate(stripes(len(join.blind), join.tiling, join.rows)):
        yield from parts.read(_name(number), PAIR)


def _write(
    join: Join,
    collection: Collection,
    parts: Parts,
    name: str,
    rows: range,
    blocks: Iterator[tuple[range, Found]],
) -> None:
    passed = np.zeros(3, dtype=np.int64)
    above = CellCounts.empty()

    def records() -> Iterator[Records]:
        nonlocal above
        for block, found in blocks:
            passed[:] += (found.above_blind_min, found.below_reference_max, len(found.a))
            above = above.joined(found.cells)
            yield as_records(join, collection, found)
            if block.stop == rows.stop:
                return

    parts.write(name, records(), lambda: {"passed": passed.tolist(), "above": above.as_json()})


def as_records(join: Join, collection: Collection, found: Found) -> Records:
    """Return found pairs as PAIR records, the smaller row first."""
    left, right = join.blind.rows[found.a], join.blind.rows[found.b]
    chunk = np.empty(len(found.a), dtype=PAIR)
    chunk["row_a"], chunk["row_b"] = np.minimum(left, right), np.maximum(left, right)
    chunk["blind_cosine"], chunk["reference_cosine"] = found.blind, found.reference
    chunk["pair_id"] = pair_ids(collection.ids, chunk["row_a"], chunk["row_b"])
    return chunk


def _sum(parts: Parts, count: int) -> Totals:
    passed = np.zeros(3, dtype=np.int64)
    above = CellCounts.empty()
    for number in range(count):
        stored = parts.finished(_name(number))
        assert stored is not None
        passed += stored["passed"]
        above = above.joined(CellCounts.from_json(stored["above"]))
    return Totals(int(passed[0]), int(passed[1]), int(passed[2]), above)


def _name(number: int) -> str:
    return f"pairs-{number:06d}"
