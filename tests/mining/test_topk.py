"""The largest gaps of each image: what is dropped early is never among them, and what is kept is exactly them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen.mining.found import topk
from snellen.mining.found.merge import merged
from snellen.mining.found.parts import PAIR, Records
from snellen.mining.found.select import Selection
from snellen.mining.found.sort import by_rows
from snellen.mining.found.topk import TopK
from tests.mining.conftest import records
from tests.mining.test_select import chunked, rank, some_pairs


def top(pairs: Records, k: int) -> set[tuple[int, int]]:
    """The definition."""
    best: dict[int, list[tuple[int, int]]] = {}
    for pair in sorted(pairs.tolist(), key=rank):
        for image in pair[:2]:
            best.setdefault(image, []).append(pair[:2])
    return {pair for ranked in best.values() for pair in ranked[:k]}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 25), st.integers(1, 6), st.integers(1, 50), st.integers(8, 80))
def test_kept_are_exactly_the_largest(
    tmp_path_factory: pytest.TempPathFactory, seed: int, images: int, k: int, chunk: int, memory: int
) -> None:
    folder = tmp_path_factory.mktemp("sort")
    pairs = some_pairs(seed, images, 200)
    expected = top(pairs, k)
    selection = Selection(None, k, None)
    kept = [
        pair[:2] for part in selection.pairs(chunked(pairs, chunk), images, folder, memory) for pair in part.tolist()
    ]
    assert kept == sorted(expected)
    assert selection.counts(len(pairs)) == {
        "after_max_per_image": len(pairs),
        "after_top_k": len(expected),
        "written": len(expected),
    }
    assert selection.truncated(len(pairs))["top_k"] == len(pairs) - len(expected)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 25), st.integers(1, 6), st.integers(1, 50))
def test_pruned_while_they_come_in_any_order_nothing_else_is_chosen(
    tmp_path_factory: pytest.TempPathFactory, seed: int, images: int, k: int, chunk: int
) -> None:
    pairs = some_pairs(seed, images, 200)
    shuffled = pairs[np.random.default_rng(seed).permutation(len(pairs))]
    watching = TopK(images, k)
    left = [
        part[watching.offer(part["row_a"], part["row_b"], part["blind_cosine"] - part["reference_cosine"])]
        for part in chunked(shuffled, chunk)
    ]
    stayed = np.concatenate(left or [shuffled[:0]])
    expected = top(pairs, k)
    assert expected <= {pair[:2] for pair in stayed.tolist()}
    selection = Selection(None, k, None)
    folder = tmp_path_factory.mktemp("sort")
    kept = [pair[:2] for part in selection.pairs([stayed[by_rows(stayed)]], images, folder) for pair in part.tolist()]
    assert kept == sorted(expected)


def test_a_burst_is_pruned_to_about_k_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = np.triu_indices(600, 1)
    rng = np.random.default_rng(0)
    order = rng.permutation(len(a))
    gap = rng.random(len(a))
    monkeypatch.setattr(topk, "REMEMBERED_BYTES", 64 * 3 * 100)  # a hundred images at a time
    watching = TopK(600, 3)
    stayed = sum(
        int(np.count_nonzero(watching.offer(a[part], b[part], gap[part]))) for part in np.array_split(order, 100)
    )
    assert len(top(records(zip(a, b, gap, np.zeros(len(a)), range(len(a)), strict=True)), 3)) <= stayed < 0.1 * len(a)


def test_caps_apply_one_after_the_other(tmp_path: Path) -> None:
    pairs = some_pairs(4, 40, 500)
    first = Selection(4, None, None)
    capped = np.concatenate(list(first.pairs([pairs], 40, tmp_path)))
    second = Selection(None, 2, None)
    topped = np.concatenate(list(second.pairs([capped], 40, tmp_path)))
    third = Selection(None, None, 10)
    expected = np.concatenate(list(third.pairs([topped], 40, tmp_path)))
    together = Selection(4, 2, 10)
    assert np.array_equal(np.concatenate(list(together.pairs([pairs], 40, tmp_path))), expected)
    assert together.counts(500) == {
        "after_max_per_image": len(capped),
        "after_top_k": len(topped),
        "written": 10,
    }
    truncated = together.truncated(500)
    assert (truncated["max_per_image"], truncated["top_k"], truncated["max_pairs"]) == (
        500 - len(capped),
        len(capped) - len(topped),
        len(topped) - 10,
    )


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 120), st.floats(0, 1), st.integers(1, 30), st.integers(1, 30))
def test_two_streams_in_row_order_make_one(seed: int, count: int, share: float, left: int, right: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = some_pairs(seed, 30, count)
    mine = rng.random(len(pairs)) < share
    empty = np.empty(0, dtype=PAIR)
    streams = [[empty, *chunked(pairs[mine], left)], [*chunked(pairs[~mine], right), empty]]
    found = [pair for part in merged(*streams) for pair in part.tolist()]
    assert found == pairs.tolist()
