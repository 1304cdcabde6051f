"""Sorting more pairs than memory holds: sorted runs on disk, merged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from snellen import storage
from snellen.mining.found.parts import PAIR, Records
from snellen.mining.join.tiles import Positions

Order = Callable[[Records], Positions]
"""Returns the indices that sort records; a total order, so that the result does not depend on how they came."""

SORT_RECORDS = 1 << 19
"""Records held in memory, about; 40 bytes each, and some more while sorting."""

MERGED_RUNS = 200
"""Runs that are merged at once: each is an open file, of which a process may often have no more than 1,024."""


def by_rows(records: Records) -> Positions:
    """Order by row_a, then row_b: the order of `pairs.parquet`."""
    return np.lexsort((records["row_b"], records["row_a"]))


def by_gap(records: Records) -> Positions:
    """Order by gap, blind minus reference cosine, largest first; ties by pair_id (and by rows, should two collide)."""
    gap = records["blind_cosine"] - records["reference_cosine"]  # exact: both are multiples of 2^-48
    return np.lexsort((records["row_b"], records["row_a"], records["pair_id"], -gap))


def sort_records(
    chunks: Iterable[Records], order: Order, folder: Path, memory: int = SORT_RECORDS
) -> Iterator[Records]:
    """Yield all records of all chunks in order, some at a time, holding about `memory` of them.

    Args:
        chunks: PAIR records; a chunk is at most about `memory` long.
        order: a total order.
        folder: for the sorted runs, deleted as soon as they are merged; beyond MERGED_RUNS of them, in several passes.
        memory: how many records to hold.

    Raises:
        StorageError: the disk is full or not writable.
    """
    held: list[Records] = []
    size = 0
    runs: list[Path] = []
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size >= memory:
            runs.append(_write_run([_sorted(held, order)], folder, len(runs), order))
            held, size = [], 0
    if not runs:
        if held:
            yield _sorted(held, order)
        return
    if held:
        runs.append(_write_run([_sorted(held, order)], folder, len(runs), order))
    number = len(runs)
    while len(runs) > MERGED_RUNS:
        longer: list[Path] = []
        for start in range(0, len(runs), MERGED_RUNS):
            some = runs[start : start + MERGED_RUNS]
            longer.append(_write_run(_merge(some, order, memory), folder, number, order))
            number += 1
            _delete(some)
        runs = longer
    yield from _merge(runs, order, memory)
    _delete(runs)


def _sorted(held: list[Records], order: Order) -> Records:
    records = np.concatenate(held)
    return records[order(records)]


def _delete(runs: list[Path]) -> None:
    for run in runs:
        run.unlink()


def _write_run(chunks: Iterable[Records], folder: Path, number: int, order: Order) -> Path:
    path = folder / f"{getattr(order, '__name__', 'run')}-{number:05d}.run"
    with storage.writing(path) as file:
        for records in chunks:
            file.write(records.tobytes())
    return path


def _merge(runs: list[Path], order: Order, memory: int) -> Iterator[Records]:
    """Merge sorted runs: what is not above the smallest of the last records read, of runs that go on, is next."""
    step = max(memory // len(runs), 1)
    files = [path.open("rb") for path in runs]
    try:
        heads = [np.empty(0, dtype=PAIR) for _ in runs]
        ended = [False] * len(runs)
        while True:
            for index, file in enumerate(files):
                if not ended[index] and len(heads[index]) < step:
                    more = np.frombuffer(file.read((step - len(heads[index])) * PAIR.itemsize), dtype=PAIR)
                    ended[index] = len(heads[index]) + len(more) < step
                    heads[index] = np.concatenate([heads[index], more])
            lasts = [head[-1:] for head, end in zip(heads, ended, strict=True) if not end]
            # Runs that begin after the next of those records have no part in it: where runs hardly overlap, most.
            near = _begin_before(heads, lasts, order)
            if not near:
                return
            records = np.concatenate([heads[index] for index in near])
            owner = np.repeat(near, [len(heads[index]) for index in near])
            sorted_index = order(records)
            owner = owner[sorted_index]
            take = len(records)
            for index in near:
                if not ended[index]:
                    take = min(take, int(np.flatnonzero(owner == index)[-1]) + 1)
            yield records[sorted_index[:take]]
            taken = np.bincount(owner[:take], minlength=len(heads))
            heads = [head[count:] for head, count in zip(heads, taken, strict=True)]
    finally:
        for file in files:
            file.close()


def _begin_before(heads: list[Records], lasts: list[Records], order: Order) -> list[int]:
    """Return which heads begin with a record that is not after the first, in order, of some records; without, all."""
    filled = [index for index, head in enumerate(heads) if len(head)]
    if not lasts:
        return filled
    ends = np.concatenate(lasts)
    both = np.concatenate([*(heads[index][:1] for index in filled), ends[order(ends)[:1]]])
    place = np.argsort(order(both))  # stable: the end, which comes last here, is after a beginning that equals it
    return [index for index, at in zip(filled, place[:-1].tolist(), strict=True) if at < place[-1]]
