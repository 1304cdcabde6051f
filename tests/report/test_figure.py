"""The histogram on the page: sampled bins stand for all pairs, and the page says which they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen.errors import StudyError
from snellen.report import report, words
from snellen.report.figure import densities, histogram
from tests.report.test_report import outline, study_of

SAMPLED: dict[str, Any] = {
    "blind_edges": [0.5, 0.75, 0.9, 1.0],
    "reference_edges": [0.0, 0.5, 0.75],
    "counts": [[4, 2], [1, 0], [30, 7]],
    "exact_from": 2,
    "sampled": True,
    "scale": 10.0,
    "n_pairs": 44,
}
ALL = SAMPLED | {"exact_from": 0, "sampled": False, "scale": 1.0}


def test_densities_add_up_to_all_pairs() -> None:
    areas = np.outer(np.diff(SAMPLED["blind_edges"]), np.diff(SAMPLED["reference_edges"])) / 1e-4
    pairs = densities(SAMPLED) * areas
    assert pairs == pytest.approx(np.array([[40, 20], [10, 0], [30, 7]]))
    # A bin of 0.25 x 0.5 holds 1,250 squares of 0.01 x 0.01.
    assert densities(SAMPLED)[0, 0] == pytest.approx(40 / 1250)
    assert densities(ALL) * areas == pytest.approx(np.array(ALL["counts"]))


def test_the_figure_marks_what_is_sampled() -> None:
    def svg(shown: dict[str, Any]) -> str:
        import base64

        return base64.b64decode(histogram(shown, 0.9, 0.6).split(",")[1]).decode()

    assert "a sample, scaled" in svg(SAMPLED)
    assert "a sample" not in svg(ALL)
    assert svg(SAMPLED) == svg(SAMPLED)


def test_a_histogram_of_nothing_can_be_drawn() -> None:
    assert histogram(ALL | {"counts": [[0, 0]] * 3, "n_pairs": 0}, 0.9, 0.6).startswith("data:image/svg")


def test_words() -> None:
    assert words.histogram(ALL) == "44 pairs, all there are"
    said = words.histogram(SAMPLED)
    assert "Above the blind threshold, all 37 pairs" in said
    assert "seeded sample: 7 pairs, each of which stands for 10" in said


def test_the_page_says_which_pairs_are_sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snellen.mining.survey.entries.HISTOGRAM_PAIRS", 50)
    study = study_of(tmp_path)
    report(study)
    mining = json.loads((study / "mining.json").read_text())
    assert mining["histogram"]["sampled"]
    text = outline(study).text
    assert f"Above the blind threshold, all {mining['counts']['above_blind_min']} pairs" in text
    assert f"each of which stands for {round(mining['counts']['pairs'] / 50)}" in text


def test_the_page_shows_caps(tmp_path: Path) -> None:
    study = study_of(tmp_path, 30, top_k=1, max_pairs=5)
    report(study)
    mining = json.loads((study / "mining.json").read_text())
    text = outline(study).text
    assert "the largest gap of one of its images" in text
    truncated = mining["truncated"]
    assert truncated["top_k"] > 0 and truncated["max_pairs"] > 0
    assert f"Caps dropped {truncated['top_k'] + truncated['max_pairs']} pairs" in text
    report(study_of(tmp_path, 30, max_pairs="all"))
    assert "at most" not in outline(study).text


def test_a_study_mined_by_an_earlier_version_is_mined_again(tmp_path: Path) -> None:
    from snellen import storage
    from snellen.study import Study

    study = Study(study_of(tmp_path))
    mining = storage.read_json(study.mining)
    del mining["histogram"]["exact_from"]
    storage.write_json(study.mining, mining)
    manifest = storage.read_json(study.manifest_path(study.pairs))
    manifest["outputs"]["mining.json"] = storage.sha256_of_file(study.mining)
    storage.write_json(study.manifest_path(study.pairs), manifest)
    with pytest.raises(StudyError, match="earlier Snellen: run `snellen mine"):
        report(study.root)
