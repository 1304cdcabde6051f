"""Near-identical copies: images that both encoders see as the same are collapsed onto the first of them.

Greedy in row order: an image that is not collapsed is a representative, and every later image whose blind *and*
reference cosine with it exceed the limit is collapsed onto it. There are no chains: an image like a copy, but unlike
the representative, is a representative itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from snellen.mining.found.parts import Parts, Records
from snellen.mining.join.exact import Side
from snellen.mining.join.tiles import Filter, Positions, Tiling, pairs_of_rows, stripes
from snellen.mining.join.two_sided import Condition, Found, Join
from snellen.progress import SILENT, Progress

LINK = np.dtype([("representative", "<i8"), ("copy", "<i8")])
"""One collapsed image, by position."""


def collapse(
    blind: Side,
    reference: Side,
    limit: float,
    parts: Parts,
    tiling: Tiling,
    choose: Callable[[Side, float], Filter],
    threads: int,
    progress: Progress = SILENT,
) -> NDArray[np.bool_]:
    """Find the copies; finished stripes are kept in `parts`, so that a killed run goes on.

    Args:
        blind: vectors, by position.
        reference: vectors of the same images.
        limit: both cosines of a copy exceed it, strictly.
        parts: where stripes are kept.
        tiling: sizes of the pieces.
        choose: returns the filter for a side and a blind minimum.
        threads: how many row blocks at a time.
        progress: told of pairs.

    Returns:
        bool [n]: which positions are copies.
    """
    n = len(blind)
    copies = np.zeros(n, dtype=np.bool_)
    join = Join(blind, reference, choose(blind, limit), Condition(limit, limit, reference_above=True), tiling, threads)
    progress.start("near-identical copies", join.pairs, "pairs")
    numbered = list(enumerate(stripes(n, tiling)))
    done = 0
    for number, rows in numbered:  # finished stripes come first: they are written in order
        if parts.finished(_name(number)) is None:
            break
        done += 1
        progress.advance(pairs_of_rows(rows.start, rows.stop, n))
        for links in parts.read(_name(number), LINK):
            copies[links["copy"]] = True
    blocks = join.blocks((rows for _, rows in numbered[done:]), progress)
    for number, rows in numbered[done:]:
        parts.write(_name(number), _links(blocks, rows, copies), dict)
    progress.finish()
    return copies


def _name(number: int) -> str:
    return f"copies-{number:06d}"


def _links(blocks: Iterator[tuple[range, Found]], stripe: range, copies: NDArray[np.bool_]) -> Iterator[Records]:
    """Yield the links of a stripe, marking `copies` as they are found."""
    for rows, found in blocks:
        yield np.array(_collapse_sorted(found.a, found.b, copies), dtype=LINK)
        if rows.stop == stripe.stop:
            return


def _collapse_sorted(a: Positions, b: Positions, copies: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Collapse along pairs sorted by (a, b); all pairs of smaller a have been seen."""
    links: list[tuple[int, int]] = []
    starts = np.flatnonzero(np.r_[True, a[1:] != a[:-1]]) if len(a) else np.empty(0, dtype=np.int64)
    for start, stop in zip(starts, [*starts[1:], len(a)], strict=bool(len(a))):
        representative = int(a[start])
        if copies[representative]:
            continue
        new = b[start:stop][~copies[b[start:stop]]]
        copies[new] = True
        links.extend((representative, copy) for copy in new.tolist())
    return links
