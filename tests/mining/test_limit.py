"""Far too many pairs: `mine` stops, says what to do, and goes on from there when told."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from snellen import defaults
from snellen.errors import UsageError
from snellen.mining.estimates import sample
from snellen.mining.found import stripe
from snellen.mining.join import order
from snellen.mining.join.tiles import Tiling
from snellen.study import Study
from tests import studies
from tests.mining.conftest import as_pairs, oracle, read_pairs
from tests.mining.mine_study import data, files, run, use_tiling

PIECES = Tiling(rows=8, columns=64, stripe_pairs=2000, buffer_pairs=10_000)


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "SAMPLE_ROWS", 64)
    use_tiling(monkeypatch, PIECES)


@pytest.mark.usefixtures("pieces")
class TestByEstimate:
    def test_refuses_before_it_has_found_them(self, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
        pairs = oracle(*data(), 0.5, 0.6)
        limit = len(pairs) // 2
        monkeypatch.setattr(defaults, "MAX_PAIRS", limit)
        before = {name for name in files(study) if not name.startswith("mining.parts/")}
        with pytest.raises(UsageError, match=r"--max-pairs N .*--max-pairs all .*stricter thresholds") as caught:
            run(study, blind_min=0.5)
        said = str(caught.value)
        assert said.startswith("about ") and said.count(". ") == 0  # one sentence
        low, high = (int(text.replace(",", "")) for text in re.findall(r"95 % interval ([\d,]+) to ([\d,]+)", said)[0])
        assert limit < low <= len(pairs) <= high
        assert f"more than {limit:,}" in said
        left = files(study)
        assert {name for name in left if not name.startswith("mining.parts/")} == before
        assert not list(study.mining_parts.glob("pairs-000001*"))  # nothing but the sample was joined

    def test_after_a_while_already(self, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
        """The sample need not be looked at to its end."""
        monkeypatch.setattr(defaults, "MAX_PAIRS", 3000)
        monkeypatch.setattr(stripe, "ENOUGH_ROWS", 16)
        with pytest.raises(UsageError, match=r"from (16|24|32) of 240 images"):
            run(study, blind_min=0.5)

    def test_goes_on_when_told(self, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(defaults, "MAX_PAIRS", 20_000)
        monkeypatch.setattr(stripe, "ENOUGH_ROWS", 1000)  # so that the sample is finished
        pairs = oracle(*data(), 0.3, 0.9)
        assert len(pairs) > 24_000
        with pytest.raises(UsageError, match="more than 20,000"):
            run(study, blind_min=0.3, reference_max=0.9)
        finished = study.mining_parts / "pairs-000000.json"
        written = finished.stat().st_mtime_ns
        monkeypatch.setattr(sample.Sample, "blocks", None)  # it is not done again
        with pytest.raises(UsageError, match="more than 20,000"):
            run(study, blind_min=0.3, reference_max=0.9)
        assert finished.stat().st_mtime_ns == written
        result = run(study, blind_min=0.3, reference_max=0.9, max_pairs=10)
        assert (result.n_pairs, result.details["truncated"]["max_pairs"]) == (10, len(pairs) - 10)
        assert result.counts["after_labels"] == len(pairs)

    def test_the_examples_are_true(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(defaults, "MAX_PAIRS", 5000)
        monkeypatch.setattr("snellen.mining.estimates.stricter.WANTED_PAIRS", 1000)
        monkeypatch.setattr("snellen.mining.estimates.stricter.stricter.__defaults__", (1000,))
        study = studies.write_study(tmp_path / "study", *data(600, 3))
        with pytest.raises(UsageError) as caught:
            run(study, blind_min=0.5)
        tried = re.findall(r"--blind-min (\S+) --reference-max (\S+) \(about ([\d,]+) pairs\)", str(caught.value))
        assert len(tried) == 3
        for blind_min, reference_max, about in tried:
            found = run(study, blind_min=blind_min, reference_max=reference_max).n_pairs
            assert 0.5 < found / int(about.replace(",", "")) < 2  # from 64 of 600 images


@pytest.mark.usefixtures("pieces")
class TestByCount:
    def total(self) -> int:
        return len(oracle(*data(), 0.95, 0.6))

    def test_refuses_as_soon_as_it_has_found_more(self, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
        """The estimate does not say so for certain, and the pairs do."""
        total = self.total()
        monkeypatch.setattr(defaults, "MAX_PAIRS", total - 1)
        with pytest.raises(UsageError, match=rf"^more than {total - 1} pairs were found; about .*--max-pairs all"):
            run(study)
        stripes = sorted(path.name for path in study.mining_parts.glob("pairs-*.json"))
        assert len(stripes) > 5
        assert run(study, max_pairs="all").n_pairs == total
        assert as_pairs(read_pairs(study.pairs)) == oracle(*data(), 0.95, 0.6)

    def test_exactly_the_limit_is_written(self, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(defaults, "MAX_PAIRS", self.total())
        assert run(study).n_pairs == self.total()

    def test_finished_stripes_count_when_it_goes_on(self, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(defaults, "MAX_PAIRS", self.total() - 1)
        for _ in range(2):
            with pytest.raises(UsageError, match="pairs were found"):
                run(study)

    def test_what_it_leaves_after_a_refusal_is_what_it_leaves_without(
        self, study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(defaults, "MAX_PAIRS", self.total() - 1)
        calm = studies.write_study(tmp_path / "calm", *data(), shard_rows=100)
        run(calm, max_pairs="all")
        with pytest.raises(UsageError):
            run(study)
        run(study, max_pairs="all", threads=2)
        assert files(study) == files(calm)

    def test_caps_that_keep_it_small_are_enough(self, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(defaults, "MAX_PAIRS", 240)
        assert len(oracle(*data(), 0.8, 0.6)) > 240
        assert run(study, blind_min=0.8, max_per_image=2).n_pairs <= 240
        assert run(study, blind_min=0.8, top_k=1).n_pairs <= 240
        with pytest.raises(UsageError):
            run(study, blind_min=0.8, top_k=2)

    def test_of_few_images_the_estimate_is_the_truth(self, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(order, "SAMPLE_ROWS", 2048)
        use_tiling(monkeypatch, Tiling())
        total = self.total()
        monkeypatch.setattr(defaults, "MAX_PAIRS", total - 1)
        with pytest.raises(
            UsageError, match=rf"^{total} pairs pass both thresholds \(\d+ are .*, more than {total - 1}:"
        ):
            run(study)


def test_long_joins_say_what_to_expect(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    class Listening:
        def start(self, label: str, total: int | None, unit: str) -> None:
            pass

        def advance(self, n: int = 1) -> None:
            pass

        def note(self, text: str) -> None:
            said.append(text)

        def finish(self) -> None:
            pass

    monkeypatch.setattr(order, "SAMPLE_ROWS", 60)
    run(study, progress=Listening())
    assert said == []  # a short one
    monkeypatch.setattr(stripe, "LONG_SECONDS", 0)
    run(study, progress=Listening(), blind_min=0.9)
    (line,) = said
    truth = len(oracle(*data(), 0.9, 0.6))
    low, high = (int(text.replace(",", "")) for text in re.findall(r"interval ([\d,]+) to ([\d,]+)", line)[0])
    assert low <= truth <= high
    assert re.search(r"from 60 of 240 images.*; joining takes about \d+ s on \d+ thread", line)
    said.clear()
    run(study, progress=Listening(), blind_min=0.9, seed=1, max_pairs=5)
    assert len(said) == 1


def test_progress_counts_every_pair_once(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, int] = {}

    class Counting:
        label = ""

        def start(self, label: str, total: int | None, unit: str) -> None:
            self.label = label
            told[label] = 0

        def advance(self, n: int = 1) -> None:
            told[self.label] += n

        def note(self, text: str) -> None:
            pass

        def finish(self) -> None:
            pass

    for rows in (2048, 50):
        monkeypatch.setattr(order, "SAMPLE_ROWS", rows)
        use_tiling(monkeypatch, PIECES)
        run(study, progress=Counting(), seed=rows)
        assert told["mining"] == 240 * 239 // 2
    assert np.all(np.array(list(told.values())) > 0)
