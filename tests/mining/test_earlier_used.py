"""What an earlier study is used for: which pairs are joined, where the others come from, what is said and recorded."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from snellen import defaults, storage
from snellen.errors import UsageError
from snellen.mining import estimate
from snellen.mining.asked import prepare
from snellen.mining.filters import choose
from snellen.mining.filters.choose import choose_filter
from snellen.mining.found import stripe
from snellen.mining.join import order
from snellen.mining.join.tiles import NoFilter, Tiling
from snellen.progress import SILENT
from snellen.study import Study
from tests.mining.conftest import TINY, Planted, as_pairs, cosines, oracle, planted, read_pairs, side
from tests.mining.earlier_study import copied, write, written
from tests.mining.mine_study import NAMES, files, run, use_tiling
from tests.mining.test_earlier import GROWN, IMAGES


@pytest.fixture(scope="module")
def values() -> Planted:
    return planted(7, IMAGES, 24, 0.95, 0.6)


@pytest.fixture
def earlier(tmp_path: Path, values: Planted) -> Study:
    """The first 200 images, not yet mined."""
    return write(tmp_path / "earlier", values, [*range(200)])


@pytest.fixture
def study(tmp_path: Path, values: Planted) -> Study:
    return write(tmp_path / "study", values, [*range(IMAGES)])


class Watching:
    """A progress that remembers how much of each work there was."""

    def __init__(self) -> None:
        self.totals: dict[str, int | None] = {}
        self.advance, self.note, self.finish = SILENT.advance, SILENT.note, SILENT.finish

    def start(self, label: str, total: int | None, unit: str) -> None:
        self.totals[label] = total


class TestWhatIsDone:
    @pytest.mark.parametrize("case", ["in between", "reversed, nothing new", "one new", "duplicates of old and new"])
    def test_only_pairs_with_a_new_image_are_joined(self, tmp_path: Path, values: Planted, case: str) -> None:
        earlier, study = (write(tmp_path / str(n), values, chosen) for n, chosen in enumerate(GROWN[case]))
        run(earlier)
        watching = Watching()
        run(study, earlier=earlier.root, progress=watching)
        old, all_ = (len(set(chosen)) for chosen in GROWN[case])
        assert watching.totals["mining"] == all_ * (all_ - 1) // 2 - old * (old - 1) // 2

    def test_old_pairs_are_those_of_the_earlier_study(self, tmp_path: Path, values: Planted) -> None:
        """One is taken out there, with everything that vouches for it: it is missing here, and no other."""
        earlier = write(tmp_path / "earlier", values, [*range(200)])
        study = write(tmp_path / "study", values, [*range(IMAGES)])
        run(earlier)
        table = pq.read_table(earlier.pairs)
        gone = table.slice(3, 1).to_pylist()[0]
        pq.write_table(table.filter(np.arange(len(table)) != 3), earlier.pairs)
        manifest = earlier.read_manifest(earlier.pairs)
        assert manifest is not None
        manifest["outputs"]["pairs.parquet"] = storage.sha256_of_file(earlier.pairs)
        storage.write_json(earlier.manifest_path(earlier.pairs), manifest)
        run(study, earlier=earlier.root)
        expected = oracle(values.blind, values.reference, 0.95, 0.6)
        assert expected.keys() - as_pairs(read_pairs(study.pairs)).keys() == {(gone["row_a"], gone["row_b"])}

    def test_the_manifest_names_the_earlier_study_by_content(self, tmp_path: Path, values: Planted) -> None:
        earlier = write(tmp_path / "earlier", values, [*range(200)])
        study = write(tmp_path / "study", values, [*range(IMAGES)])
        run(earlier)
        run(study, earlier=earlier.root)
        manifest = study.read_manifest(study.pairs)
        assert manifest is not None
        named = manifest["settings"]["earlier"]
        assert named["outputs"] == {
            "pairs.parquet": storage.sha256_of_file(earlier.pairs),
            "mining.json": storage.sha256_of_file(earlier.mining),
        }
        assert {path: storage.sha256_of_file(earlier.root / path) for path in named["inputs"]} == named["inputs"]
        assert "images.parquet" in named["inputs"] and len(named["inputs"]) == 1 + 2 * 4
        assert str(tmp_path) not in study.manifest_path(study.pairs).read_text("utf-8")

    def test_again_and_without(self, tmp_path: Path, values: Planted) -> None:
        earlier = write(tmp_path / "earlier", values, [*range(200)])
        study = write(tmp_path / "study", values, [*range(IMAGES)])
        run(earlier)
        assert not run(study, earlier=earlier.root).reused
        grown = written(study)
        assert run(study, earlier=earlier.root).reused
        assert not run(study).reused  # another way, to check the first one by
        assert written(study) == grown

    @pytest.mark.parametrize("thresholds", [(0.95, 0.6), (0.5, 0.0), (-1.0, 1.0)])
    def test_above_cells(self, tmp_path: Path, values: Planted, thresholds: tuple[float, float]) -> None:
        """What makes the histogram add up: counts of all pairs above the blind minimum, 1/256 apart from -1.0625."""
        study = write(tmp_path / "study", values, [*range(IMAGES)])
        details = run(study, blind_min=thresholds[0], reference_max=thresholds[1]).details
        upper = np.triu_indices(IMAGES, 1)
        blind, reference = cosines(values.blind)[upper], cosines(values.reference)[upper]
        above = blind > thresholds[0]
        edges = np.arange(545) / 256 - 1.0625
        counts = np.histogram2d(blind[above], reference[above], bins=(edges, edges))[0].ravel()
        assert details["above_cells"] == {
            "cells": np.flatnonzero(counts).tolist(),
            "counts": counts[counts > 0].astype(int).tolist(),
        }

    def test_the_filter_is_for_those_pairs(self, study: Study, earlier: Study, monkeypatch: pytest.MonkeyPatch) -> None:
        run(earlier)
        asked: list[int] = []

        def choose_and_tell(vectors: Any, blind_min: float, seed: int, scratch: Path, pairs: int, **means: Any) -> Any:
            asked.append(pairs)
            return choose_filter(vectors, blind_min, seed, scratch, pairs, **means)

        monkeypatch.setattr(prepare, "choose_filter", choose_and_tell)
        run(study, earlier=earlier.root)
        assert asked == [IMAGES * (IMAGES - 1) // 2 - 200 * 199 // 2]

    def test_few_pairs_are_worth_no_filter(self, values: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(choose, "WORTH_CHOOSING", 10_000)
        vectors = side(values.blind)
        assert isinstance(choose_filter(vectors, 0.95, 0, pairs=100).filter, NoFilter)
        assert not isinstance(choose_filter(vectors, 0.95, 0).filter, NoFilter)


class TestCountOnly:
    def test_counts_add_up(self, study: Study, earlier: Study) -> None:
        scratch = copied(study)
        run(earlier)
        run(scratch, count_only=True)
        assert run(study, earlier=earlier.root, count_only=True).counts["after_labels"] > 20
        assert study.counts.read_bytes() == scratch.counts.read_bytes()
        assert not study.pairs.exists()


class TestLimit:
    """Old pairs count, too."""

    @pytest.fixture(autouse=True)
    def pieces(self, monkeypatch: pytest.MonkeyPatch) -> None:
        use_tiling(monkeypatch, TINY)
        monkeypatch.setattr(order, "SAMPLE_ROWS", 5)

    def totals(self, values: Planted) -> tuple[int, int]:
        """How many pairs the earlier study has, and the grown one."""
        pairs = oracle(values.blind, values.reference, 0.95, 0.6)
        return sum(1 for pair in pairs if max(pair) < 200), len(pairs)

    def test_exactly_the_limit(
        self, study: Study, earlier: Study, values: Planted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old, all_ = self.totals(values)
        assert 0 < old < all_
        run(earlier)
        monkeypatch.setattr(defaults, "MAX_PAIRS", all_)
        assert run(study, earlier=earlier.root).n_pairs == all_

    def test_one_more(self, study: Study, earlier: Study, values: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
        old, all_ = self.totals(values)
        scratch = copied(study)
        run(earlier)
        run(scratch, max_pairs="all")
        monkeypatch.setattr(defaults, "MAX_PAIRS", all_ - 1)
        with pytest.raises(
            UsageError,
            match=rf"^more than {all_ - 1} pairs were found; besides {old} pairs of --earlier, about .*from 5 of 40 "
            r"images.* or stricter thresholds in both studies; what is finished is kept\.$",
        ):
            run(study, earlier=earlier.root)
        run(study, earlier=earlier.root, max_pairs="all")
        assert written(study) == written(scratch)

    @pytest.mark.parametrize("images", [200, IMAGES])
    def test_old_ones_alone_are_too_many(
        self, tmp_path: Path, earlier: Study, values: Planted, images: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        study = write(tmp_path / "study", values, [*range(images)])
        run(earlier)
        monkeypatch.setattr(defaults, "MAX_PAIRS", 3)
        with pytest.raises(UsageError, match=r"more than 3.*--max-pairs all .*in both studies"):
            run(study, earlier=earlier.root)
        assert not study.pairs.exists() and not list(study.mining_parts.glob("pairs-*.json"))

    def test_by_estimate(self, study: Study, earlier: Study, values: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
        use_tiling(monkeypatch, Tiling(rows=8, columns=64))
        monkeypatch.setattr(order, "SAMPLE_ROWS", 30)
        monkeypatch.setattr(stripe, "ENOUGH_ROWS", 8)
        old = sum(1 for pair in oracle(values.blind, values.reference, 0.5, 0.6) if max(pair) < 200)
        run(earlier, blind_min=0.5)
        monkeypatch.setattr("snellen.mining.estimates.stricter.stricter.__defaults__", (100,))
        limit = old + 1500
        monkeypatch.setattr(defaults, "MAX_PAIRS", limit)
        begins = rf"^besides {old:,} pairs of --earlier, about .*from 8 of 40 images.*, more than {limit:,}:"
        with pytest.raises(UsageError, match=begins) as raised:
            run(study, earlier=earlier.root, blind_min=0.5)
        assert "for example" not in str(raised.value)  # with others, it would not be an earlier study any more


class TestEstimate:
    def test_is_about_pairs_with_a_new_image(self, study: Study, earlier: Study, values: Planted) -> None:
        run(earlier)
        pairs = oracle(values.blind, values.reference, 0.95, 0.6)
        new = sum(1 for pair in pairs if max(pair) >= 200)
        before = files(study)
        found = estimate(study.root, earlier=earlier.root, **NAMES)
        assert files(study) == before
        assert found.exact and found.after_labels == (new, new, new)
        besides = f"besides {len(pairs) - new} pairs of --earlier, {new} pairs pass both thresholds ("
        assert found.text().startswith(besides)
        assert found.pairs == IMAGES * (IMAGES - 1) // 2 - 200 * 199 // 2

    def test_interval(self, study: Study, earlier: Study, values: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(order, "SAMPLE_ROWS", 25)
        run(earlier, blind_min=0.8)
        new = sum(1 for pair in oracle(values.blind, values.reference, 0.8, 0.6) if max(pair) >= 200)
        found = estimate(study.root, earlier=earlier.root, blind_min=0.8, **NAMES)
        assert (found.images, found.drawn) == (40, 25)
        (interval,) = re.findall(r"interval ([\d,]+) to ([\d,]+)", found.text())
        low, high = (int(text.replace(",", "")) for text in interval)
        assert low <= new <= high

    def test_nothing_new(self, tmp_path: Path, earlier: Study, values: Planted) -> None:
        study = write(tmp_path / "study", values, [*reversed(range(200))])
        run(earlier)
        found = estimate(study.root, earlier=earlier.root, **NAMES)
        assert found.exact and found.after_labels == (0, 0, 0)
        assert (found.pairs, found.seconds_in_all) == (0, 0)

    def test_other_thresholds(self, study: Study, earlier: Study) -> None:
        run(earlier)
        for thresholds in ({"blind_min": 0.9}, {"blind_min": "q0.99"}):
            with pytest.raises(UsageError, match=r"--blind-min is 0\.\d+ here and was 0\.95"):
                estimate(study.root, earlier=earlier.root, **NAMES, **thresholds)
