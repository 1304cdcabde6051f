"""Counting without writing: the same numbers, no pairs, and what was mined before stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from snellen import storage
from snellen.mining.join import order
from snellen.study import Study
from tests import studies
from tests.mining.conftest import TINY
from tests.mining.mine_study import data, files, run, use_tiling


@pytest.mark.parametrize(
    "options", [{}, {"blind_min": 0.6}, {"collapse_copies": 0.9}, {"blind_min": 0.999, "reference_max": -0.5}]
)
@pytest.mark.parametrize("rows", [2048, 50])
def test_counts_what_mine_counts(
    study: Study, options: dict[str, float], rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order, "SAMPLE_ROWS", rows)
    use_tiling(monkeypatch, TINY)
    counted = run(study, count_only=True, **options)
    assert (counted.pairs, counted.mining, counted.n_pairs) == (None, study.counts, 0)
    assert not study.pairs.exists() and not study.mining.exists()
    mined = dict(run(study, **options).details)
    mined["counts"] = {
        name: n for name, n in mined["counts"].items() if name not in ("after_max_per_image", "after_top_k", "written")
    }
    del mined["truncated"]
    assert counted.details == mined == storage.read_json(study.counts)
    assert list(counted.details) == list(mined)


def test_leaves_what_was_mined_alone(study: Study) -> None:
    run(study, max_pairs=7)
    before = files(study)
    run(study, count_only=True, blind_min=0.7)
    after = files(study)
    assert set(after) - set(before) == {"counts.json", "counts.json.manifest.json"}
    assert {name: after[name] for name in before} == before


def test_leaves_an_unfinished_run_alone(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = pytest.MonkeyPatch()

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    stopped.setattr("snellen.mining.verb.write_pairs", stop)
    with pytest.raises(KeyboardInterrupt):
        run(study)
    stopped.undo()
    parts = {name for name in files(study) if name.startswith("mining.parts/")}
    assert parts
    run(study, count_only=True, blind_min=0.7)
    assert parts <= set(files(study))
    assert not study.counts_parts.exists()


def test_manifest_and_again(study: Study) -> None:
    first = run(study, count_only=True)
    manifest = study.read_manifest(study.counts)
    assert manifest is not None
    assert manifest["outputs"] == {"counts.json": storage.sha256_of_file(study.counts)}
    assert manifest["counts"] == first.counts
    again = run(study, count_only=True)
    assert again.reused and again.details == first.details
    assert not run(study, count_only=True, blind_min=0.9).reused
    study.counts.write_bytes(b"{}")
    assert not run(study, count_only=True, blind_min=0.9).reused


def test_nothing_grows_with_the_number_of_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything passes; on disk there are counts."""
    study = studies.write_study(tmp_path / "study", *data(300))
    use_tiling(monkeypatch, TINY)
    monkeypatch.setattr(order, "SAMPLE_ROWS", 20)
    stopped = pytest.MonkeyPatch()

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    stopped.setattr("snellen.mining.counted.survey", lambda *_, **__: stop())
    with pytest.raises(KeyboardInterrupt):
        run(study, count_only=True, blind_min=-1, reference_max=1)
    stopped.undo()
    stripes = list(study.counts_parts.glob("pairs-*.bin"))
    assert len(stripes) > 30
    assert sum(path.stat().st_size for path in stripes) == 0
    result = run(study, count_only=True, blind_min=-1, reference_max=1)
    assert result.counts["after_labels"] == 300 * 299 // 2
