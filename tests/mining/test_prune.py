"""Pairs dropped while they are found: never one that is needed, whatever was stored before with another cap."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen import storage
from snellen.mining.found import prune, topk
from snellen.mining.found.parts import PAIR, Parts
from snellen.mining.found.prune import Pruning, pruning_from_json
from snellen.mining.found.topk import TopK, TopTotal
from snellen.mining.join import order
from snellen.mining.join.tiles import Tiling
from snellen.mining.join.two_sided import Join
from snellen.study import Study
from tests import studies
from tests.mining.conftest import oracle
from tests.mining.mine_study import data, files, run, sys_verb, use_tiling
from tests.mining.test_select import chunked, rank, some_pairs

BLIND_MIN, REFERENCE_MAX = 0.3, 0.9
"""So low that most of the 28,680 pairs pass."""


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 300), st.integers(1, 60), st.integers(1, 50), st.integers(1, 9))
def test_none_of_the_largest_is_dropped(seed: int, count: int, most: int, chunk: int, beside: int) -> None:
    """In any order, in chunks of any size, with ties."""
    pairs = some_pairs(seed, 30, count)
    pairs = pairs[np.random.default_rng(seed).permutation(len(pairs))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(topk, "HELD_BESIDE", beside)
        watching = TopTotal(most)
    stayed = set()
    for part in chunked(pairs, chunk):
        keep = watching.offer(part["row_a"], part["row_b"], part["blind_cosine"] - part["reference_cosine"])
        stayed |= {pair[:2] for pair in part[keep].tolist()}
    assert {pair[:2] for pair in sorted(pairs.tolist(), key=rank)[:most]} <= stayed


def test_most_of_the_others_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topk, "HELD_BESIDE", 16)
    gap = np.random.default_rng(0).random(200_000)
    watching, nobody = TopTotal(100), np.empty(0, dtype=np.int64)
    stayed = sum(int(np.count_nonzero(watching.offer(nobody, nobody, part))) for part in np.array_split(gap, 2000))
    assert 100 <= stayed < 2500  # about 100 (1 + ln 2000), and a quarter for the room beside


class TestMemory:
    def test_more_than_it_may_take_is_not_pruned(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert isinstance(Pruning("top_k", 20).watch(1_280_000), TopK)
        assert Pruning("top_k", 100).watch(1_280_000) is None
        assert Pruning("top_k", 10**8).watch(3000) is None
        assert isinstance(Pruning("max_pairs", 10_000_000).watch(10), TopTotal)
        assert Pruning("max_pairs", 10**9).watch(10) is None
        monkeypatch.setattr(prune, "PRUNE_BYTES", 0)
        assert Pruning("top_k", 1).watch(10) is Pruning("max_pairs", 1).watch(10) is None

    def test_an_image_has_no_more_pairs_than_there_are_others(self) -> None:
        assert Pruning("top_k", 9).watch(10) is None
        assert isinstance(Pruning("top_k", 8).watch(10), TopK)

    @pytest.mark.parametrize("options", [{"top_k": 2}, {"top_k": 10**8}, {"max_pairs": 50}, {"max_pairs": 10**12}])
    def test_what_is_written_is_the_same(
        self, study: Study, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(topk, "HELD_BESIDE", 8)
        run(study, blind_min=BLIND_MIN, reference_max=REFERENCE_MAX, **options)
        monkeypatch.setattr(prune, "PRUNE_BYTES", 0)
        stored = studies.write_study(tmp_path / "stored", *data(), shard_rows=100)
        run(stored, blind_min=BLIND_MIN, reference_max=REFERENCE_MAX, **options)
        assert files(study) == files(stored)


def test_what_serves_what() -> None:
    """By the definition: every pair that the asked cap may keep is in what the other has stored."""
    pairs = sorted(some_pairs(7, 12, 60).tolist(), key=rank)
    served = set()

    def needed(asked: Pruning | None) -> set[tuple[int, int]]:
        if asked is None:
            return {pair[:2] for pair in pairs}
        if asked.cap == "max_pairs":
            return {pair[:2] for pair in pairs[: asked.most]}
        places = {image: [pair[:2] for pair in pairs if image in pair[:2]][: asked.most] for image in range(12)}
        return {pair for own in places.values() for pair in own}

    caps = [Pruning("top_k", 1), Pruning("top_k", 3), Pruning("max_pairs", 5), Pruning("max_pairs", 20)]
    for stored in caps:
        for asked in (None, *caps):
            if stored.serves(asked):
                served.add((stored, asked))
                assert needed(asked) <= needed(stored)
        assert pruning_from_json(stored.as_json()) == stored
    assert served == {(one, other) for one in caps for other in caps if one.cap == other.cap and one.most >= other.most}
    assert pruning_from_json(None) is None


def stopped(study: Study, where: Callable[[pytest.MonkeyPatch], None], **options: Any) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        where(patch)
        run(study, blind_min=BLIND_MIN, reference_max=REFERENCE_MAX, **options)


def before_writing(patch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    patch.setattr(sys_verb(), "write_pairs", stop)


class TestOtherCapsAfterAKill:
    @pytest.fixture(autouse=True)
    def pieces(self, monkeypatch: pytest.MonkeyPatch) -> None:
        use_tiling(monkeypatch, Tiling(rows=16, columns=64, stripe_pairs=4000, buffer_pairs=2000))
        monkeypatch.setattr(order, "SAMPLE_ROWS", 30)
        monkeypatch.setattr(topk, "HELD_BESIDE", 8)

    @pytest.mark.parametrize(
        "caps",
        [
            [{"max_pairs": 20}, {"max_pairs": 900}],  # more than was stored
            [{"max_pairs": 900}, {"max_pairs": 20}],
            [{"max_pairs": 20}, {"max_pairs": "all"}],
            [{"max_pairs": 20}, {"top_k": 2}, {"max_pairs": 20}],
            [{"top_k": 1}, {"max_pairs": 20, "max_per_image": 3}],
            [{"top_k": 3}, {"top_k": 1, "max_pairs": 40}],
            [{"max_pairs": "all"}, {"max_pairs": 20, "threads": 2}, {"top_k": 2, "threads": 3}],
        ],
    )
    def test_nothing_is_missing(self, study: Study, caps: list[dict[str, Any]], tmp_path: Path) -> None:
        """A second run may be killed where it writes a stripe again; the last one, with other caps, is not."""

        def amid_stripes(patch: pytest.MonkeyPatch) -> None:
            plain = storage.write_json

            def stop(path: Path, value: Any) -> None:
                if path.name == "pairs-000003.json":  # its records are there already
                    raise KeyboardInterrupt
                plain(path, value)

            patch.setattr(storage, "write_json", stop)
            before_writing(patch)

        stopped(study, before_writing, **caps[0])
        for between in caps[1:-1]:
            stopped(study, amid_stripes, **between)
        run(study, blind_min=BLIND_MIN, reference_max=REFERENCE_MAX, **caps[-1])
        calm = studies.write_study(tmp_path / "calm", *data(), shard_rows=100)
        run(calm, blind_min=BLIND_MIN, reference_max=REFERENCE_MAX, **caps[-1])
        assert files(study) == files(calm)

    @pytest.mark.parametrize("again", [{"max_pairs": 20}, {"max_pairs": 7}])
    def test_what_holds_enough_is_not_done_again(self, study: Study, again: dict[str, Any]) -> None:
        stopped(study, before_writing, max_pairs=20)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Join, "_row_block", None)
            result = run(study, blind_min=BLIND_MIN, reference_max=REFERENCE_MAX, **again)
        total = len(oracle(*data(), BLIND_MIN, REFERENCE_MAX))
        assert result.counts["after_labels"] == result.counts["after_top_k"] == total
        assert result.details["truncated"]["max_pairs"] == total - again["max_pairs"]

    def test_little_is_stored(self, study: Study) -> None:
        stopped(study, before_writing, max_pairs=20)
        stored = sum(path.stat().st_size for path in study.mining_parts.glob("pairs-*.bin")) // PAIR.itemsize
        assert 20 <= stored < 0.1 * len(oracle(*data(), BLIND_MIN, REFERENCE_MAX))


def test_a_stripe_that_is_written_again_is_unfinished_meanwhile(tmp_path: Path) -> None:
    """Its old counts would vouch for records that are not theirs."""
    parts = Parts(tmp_path / "parts", "key")
    parts.write("pairs-000001", [np.zeros(3, dtype=PAIR)], lambda: {"pruned": None})

    def records() -> Any:
        assert parts.finished("pairs-000001") is None
        yield np.zeros(1, dtype=PAIR)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        parts.write("pairs-000001", records(), lambda: {"pruned": None})
    assert Parts(tmp_path / "parts", "key").finished("pairs-000001") is None
