"""Sorting beyond memory, and greedy selection, against plain Python."""

from __future__ import annotations

import resource
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen.mining.found import sort
from snellen.mining.found.parts import Records
from snellen.mining.found.select import Selection
from snellen.mining.found.sort import by_gap, by_rows, sort_records
from tests.mining.conftest import records


def some_pairs(seed: int, images: int, pairs: int) -> Records:
    """Different pairs in row order, with ties in the gap and unrelated ids."""
    rng = np.random.default_rng(seed)
    a, b = np.triu_indices(images, 1)
    chosen = np.sort(rng.permutation(len(a))[:pairs])
    blind, reference = rng.integers(8, 16, (2, len(chosen))) / 16
    ids = rng.integers(0, 2**63, len(chosen)) * 2 + rng.integers(0, 2)
    return records(zip(a[chosen], b[chosen], blind, reference, ids.astype(np.uint64), strict=True))


def rank(pair: tuple[int, int, float, float, int]) -> tuple[float, int]:
    _, _, blind, reference, pair_id = pair
    return (reference - blind, pair_id)


def greedy(pairs: Records, per_image: int | None, total: int | None) -> tuple[list[tuple[int, int]], int, int, int]:
    """The definition: kept pairs in row order, how many each cap dropped, images that were cut."""
    used: Counter[int] = Counter()
    kept = []
    for pair in sorted(pairs.tolist(), key=rank):
        if per_image is None or (used[pair[0]] < per_image and used[pair[1]] < per_image):
            used[pair[0]] += 1
            used[pair[1]] += 1
            kept.append(pair[:2])
    has = Counter(image for pair in pairs.tolist() for image in pair[:2])
    capped = sum(per_image is not None and used[image] == per_image < has[image] for image in has)
    limit = len(kept) if total is None else total
    return sorted(kept[:limit]), len(pairs) - len(kept), max(len(kept) - limit, 0), capped


def chunked(pairs: Records, size: int) -> list[Records]:
    return [pairs[start : start + size] for start in range(0, len(pairs), size)]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    images=st.integers(2, 25),
    per_image=st.one_of(st.none(), st.integers(1, 5)),
    total=st.one_of(st.none(), st.integers(1, 60)),
    memory=st.integers(1, 80),
    chunk=st.integers(1, 50),
)
def test_selection_is_greedy(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    images: int,
    per_image: int | None,
    total: int | None,
    memory: int,
    chunk: int,
) -> None:
    folder = tmp_path_factory.mktemp("sort")
    pairs = some_pairs(seed, images, 200)
    selection = Selection(per_image, None, total)
    kept = [
        (row_a, row_b)
        for part in selection.pairs(chunked(pairs, chunk), images, folder, memory)
        for row_a, row_b, *_ in part.tolist()
    ]
    expected, per_image_dropped, total_dropped, capped = greedy(pairs, per_image, total)
    assert kept == expected
    assert selection.dropped_per_image == per_image_dropped
    assert selection.dropped_total == total_dropped
    assert selection.images_capped == capped
    assert selection.written == len(kept)
    assert list(folder.iterdir()) == []


def test_each_image_in_one_pair_only(tmp_path: Path) -> None:
    pairs = some_pairs(1, 200, 5000)
    kept = [pair for part in Selection(1, None, None).pairs([pairs], 200, tmp_path) for pair in part.tolist()]
    images = [image for pair in kept for image in pair[:2]]
    assert len(set(images)) == len(images) > 150


def test_ties_go_by_pair_id() -> None:
    pairs = records([(0, 1, 0.9, 0.1, 7), (0, 2, 0.9, 0.1, 3), (1, 2, 0.9, 0.1, 2**63 + 1)])
    assert pairs[by_gap(pairs)]["pair_id"].tolist() == [3, 7, 2**63 + 1]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 300),
    st.integers(1, 200),
    st.integers(1, 60),
    st.sampled_from([by_rows, by_gap]),
)
def test_external_sort_is_sorted(
    tmp_path_factory: pytest.TempPathFactory, seed: int, count: int, memory: int, chunk: int, order: object
) -> None:
    folder = tmp_path_factory.mktemp("sort")
    pairs = some_pairs(seed, 30, count)
    pairs = pairs[np.random.default_rng(seed).permutation(len(pairs))]
    chosen = by_rows if order is by_rows else by_gap
    parts = list(sort_records(chunked(pairs, chunk), chosen, folder, memory))
    found = [pair for part in parts for pair in part.tolist()]
    assert found == sorted(pairs.tolist(), key=(lambda pair: pair[:2]) if order is by_rows else rank)
    assert list(folder.iterdir()) == []
    assert max((len(part) for part in parts), default=0) <= max(memory + chunk, 2 * -(-len(pairs) // memory))


def test_more_runs_than_records_in_memory(tmp_path: Path) -> None:
    pairs = some_pairs(3, 30, 400)[::-1]
    found = [pair for part in sort_records(chunked(pairs, 1), by_rows, tmp_path, 1) for pair in part.tolist()]
    assert found == sorted(pairs.tolist())


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    memory=st.integers(2, 9),
    at_once=st.integers(2, 7),
    order=st.sampled_from([by_rows, by_gap]),
    shuffled=st.booleans(),
)
def test_merged_in_passes(
    tmp_path_factory: pytest.TempPathFactory, seed: int, memory: int, at_once: int, order: object, shuffled: bool
) -> None:
    """Runs that overlap, and (in row order, as they are) runs that do not."""
    folder = tmp_path_factory.mktemp("sort")
    pairs = some_pairs(seed, 30, 120)
    if shuffled:
        pairs = pairs[np.random.default_rng(seed).permutation(len(pairs))]
    chosen = by_rows if order is by_rows else by_gap
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sort, "MERGED_RUNS", at_once)
        found = [pair for part in sort_records(chunked(pairs, 2), chosen, folder, memory) for pair in part.tolist()]
    assert found == sorted(pairs.tolist(), key=(lambda pair: pair[:2]) if order is by_rows else rank)
    assert list(folder.iterdir()) == []


def test_more_runs_than_files_may_be_open(tmp_path: Path) -> None:
    """Of a limit of files that holds for this process, 300 runs would need more than are left."""
    pairs = some_pairs(5, 40, 600)
    pairs = pairs[np.random.default_rng(5).permutation(len(pairs))]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    in_use = len(list(Path("/dev/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(in_use + 250, hard), hard))
    try:
        found = [pair for part in sort_records(chunked(pairs, 2), by_gap, tmp_path, 2) for pair in part.tolist()]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert found == sorted(pairs.tolist(), key=rank)
