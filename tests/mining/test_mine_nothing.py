"""The verb, where no pair passes: near misses and suggestions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from snellen.mining import MiningResult
from snellen.mining.survey import entries as survey_module
from snellen.mining.survey import stream as stream_module
from snellen.records import pair_id
from snellen.study import Study
from tests import studies
from tests.mining.conftest import cosines, read_pairs
from tests.mining.mine_study import data, run


class TestNothingPasses:
    def test_near_misses_and_suggestions(self, study: Study) -> None:
        blind, reference = data()
        result = run(study, blind_min=0.999, reference_max=-0.2)
        assert result.n_pairs == 0
        assert read_pairs(study.pairs) == []
        near = result.details["near_misses"]
        assert (near["sampled"], near["n_pairs"], len(near["pairs"])) == (False, 240 * 239 // 2, 50)
        ids = studies.image_ids(240)
        x, y = cosines(blind), cosines(reference)
        upper = np.triu_indices(240, 1)
        best = np.sort(np.maximum(0.999 - x, y + 0.2)[upper])[:50]
        assert [pair["miss"] for pair in near["pairs"]] == best.tolist()
        for pair in near["pairs"]:
            a, b = pair["row_a"], pair["row_b"]
            assert (pair["blind_cosine"], pair["reference_cosine"]) == (x[a, b], y[a, b])
            assert pair["pair_id"] == pair_id(ids[a], ids[b])
        for suggestion in result.details["suggestions"]:
            again = run(study, blind_min=suggestion["blind_min"], reference_max=suggestion["reference_max"])
            assert again.n_pairs == suggestion["n_pairs"]

    def test_above_the_limit_a_sample_and_marked_so(self, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stream_module, "ALL_PAIRS_IMAGES", 100)
        monkeypatch.setattr(survey_module, "MISSES_SAMPLE", 5000)
        monkeypatch.setattr(survey_module, "HISTOGRAM_PAIRS", 3000)
        result = run(study, blind_min=0.98, reference_max=-0.5)
        assert result.n_pairs == 0 and result.counts["above_blind_min"] > 5
        assert result.details["near_misses"]["n_pairs"] == 5000
        self.check_histogram(result, 5000)
        by_change = {suggestion["change"]: suggestion for suggestion in result.details["suggestions"]}
        assert by_change["blind_min"]["sampled"] and by_change["both"]["sampled"]
        # The join has seen all pairs above the blind minimum: how many a looser reference threshold lets in is known.
        exact = by_change["reference_max"]
        assert (exact["sampled"], exact["low"], exact["high"]) == (False, None, None)
        assert run(study, blind_min=0.98, reference_max=exact["reference_max"]).n_pairs == exact["n_pairs"] > 0
        self.check_histogram(run(study), 3000)

    def check_histogram(self, result: MiningResult, drawn: int) -> None:
        histogram = result.details["histogram"]
        counts, first = np.array(histogram["counts"]), histogram["exact_from"]
        assert histogram["sampled"] is True
        assert histogram["scale"] == (240 * 239 // 2) / drawn
        assert counts[first:].sum() == result.counts["above_blind_min"]
        assert histogram["blind_edges"][first] == result.blind_min
        assert drawn * 0.95 < counts[:first].sum() <= drawn
        assert histogram["n_pairs"] == counts.sum()
        x, y = (cosines(values)[np.triu_indices(240, 1)] for values in data())
        edges = np.array(histogram["blind_edges"][first:]), histogram["reference_edges"]
        above = x > result.blind_min
        assert np.array_equal(counts[first:], np.histogram2d(x[above], y[above], bins=edges)[0])

    def test_labels_leave_suggestions_to_the_sample(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stream_module, "ALL_PAIRS_IMAGES", 100)
        table = studies.images(240, labels=[f"class {row % 2}" for row in range(240)])
        study = studies.write_study(tmp_path / "study", *data(), table)
        result = run(study, blind_min=0.98, reference_max=-0.5, labels="across")
        assert result.n_pairs == 0
        # How many of the pairs above the blind minimum fit the label rule was not counted.
        assert all(suggestion["sampled"] for suggestion in result.details["suggestions"])
