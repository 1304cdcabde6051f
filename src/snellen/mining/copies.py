"""Near-identical copies: images that both encoders see as the same are collapsed onto the first of them.

Greedy in row order: an image that is not collapsed is a representative, and every later image whose blind *and*
reference cosine with it exceed the limit is collapsed onto it. There are no chains: an image like a copy, but unlike
the representative, is a representative itself.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from snellen.mining.choose import choose_filter
from snellen.mining.exact import Side
from snellen.mining.join import Condition, Join
from snellen.mining.parts import Parts, Records
from snellen.mining.tiles import Positions, Tiling, pairs_of_rows, stripes
from snellen.progress import SILENT, Progress

LINK = np.dtype([("representative", "<i8"), ("copy", "<i8")])
"""One collapsed image, by position."""


def collapse(
    blind: Side, reference: Side, limit: float, seed: int, parts: Parts, tiling: Tiling, progress: Progress = SILENT
) -> NDArray[np.bool_]:
    """Find the copies; finished stripes are kept in `parts`, so that a killed run goes on.

    Args:
        blind: vectors, by position.
        reference: vectors of the same images.
        limit: both cosines of a copy exceed it, strictly.
        seed: for the choice of a filter.
        parts: where stripes are kept.
        tiling: sizes of the pieces.
        progress: told of pairs.

    Returns:
        bool [n]: which positions are copies.
    """
    n = len(blind)
    copies = np.zeros(n, dtype=np.bool_)
    chosen, _ = choose_filter(blind, limit, seed, parts.scratch / "copies.f32")
    join = Join(blind, reference, chosen, Condition(limit, limit, reference_above=True), tiling)
    progress.start("near-identical copies", pairs_of_rows(0, n, n), "pairs")
    for number, rows in enumerate(stripes(n, tiling)):
        name = f"copies-{number:06d}"
        if parts.finished(name) is None:
            parts.write(name, _links(join, rows, copies, progress), dict)
        else:
            progress.advance(pairs_of_rows(rows.start, rows.stop, n))
            for links in parts.read(name, LINK):
                copies[links["copy"]] = True
    progress.finish()
    return copies


def _links(join: Join, rows: range, copies: NDArray[np.bool_], progress: Progress) -> Iterator[Records]:
    """Yield the links of a stripe, marking `copies` as they are found."""
    for found in join.stripe(rows, progress):
        links = _collapse_sorted(found.a, found.b, copies)
        yield np.array(links, dtype=LINK)


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
