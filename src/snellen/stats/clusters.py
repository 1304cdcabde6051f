"""Pairs that share images are not independent: they belong to one cluster."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np


def connected(links: Sequence[tuple[Hashable, Hashable]]) -> list[int]:
    """Number the clusters of links: two that share an end, directly or over others, have one number.

    Example:
        >>> connected([("a", "b"), ("c", "d"), ("b", "e")])
        [0, 1, 0]

    Args:
        links: the two ends of each, such as a pair's two image_ids.

    Returns:
        A number for each link, from 0, in the order in which clusters first appear.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not links:
        return []
    codes = {end: code for code, end in enumerate(dict.fromkeys(end for link in links for end in link))}
    rows, columns = np.array([[codes[a], codes[b]] for a, b in links]).T
    graph = coo_array((np.ones(len(links)), (rows, columns)), shape=(len(codes), len(codes)))
    _, labels = connected_components(graph, directed=False)
    found = [int(labels[row]) for row in rows]
    numbers = {label: number for number, label in enumerate(dict.fromkeys(found))}
    return [numbers[label] for label in found]
