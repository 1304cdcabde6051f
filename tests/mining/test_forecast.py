"""`mine --estimate`: says what to expect, and touches nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from snellen import storage
from snellen.errors import UsageError
from snellen.mining import Backend, estimate, kernels
from snellen.mining.estimates import sample
from snellen.mining.filters import choose
from snellen.mining.join import order
from snellen.study import Study
from tests import studies
from tests.mining.conftest import TINY, oracle
from tests.mining.mine_study import NAMES, data, files, run, use_tiling


def test_of_few_images_it_is_exact(study: Study) -> None:
    found = estimate(study.root, **NAMES)
    assert found.exact
    assert found.after_labels == (len(oracle(*data(), 0.95, 0.6)),) * 3
    assert "about" not in found.text()


@pytest.mark.parametrize("blind_min", [0.9, "q0.99"])
def test_of_more_it_has_an_interval(study: Study, blind_min: float | str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "SAMPLE_ROWS", 80)
    truth = run(study, blind_min=blind_min).counts
    found = [estimate(study.root, **NAMES, blind_min=blind_min, seed=seed) for seed in range(20)]
    assert {(one.images, one.drawn, one.pairs) for one in found} == {(240, 80, 240 * 239 // 2)}
    for name in ("above_blind_min", "below_reference_max", "after_labels"):
        covered = [getattr(one, name).low <= truth[name] <= getattr(one, name).high for one in found]
        assert sum(covered) >= 17
    assert all(one.seconds_in_all > one.seconds > 0 for one in found)


@pytest.mark.parametrize("backend", ["portable", *(["compiled"] if kernels.available() else [])])
def test_writes_nothing_to_the_study(
    study: Study, backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(study, max_pairs=3)
    (study.root / "study.lock").unlink()
    # A filter pays, and all its arrays are too large for memory.
    monkeypatch.setattr(choose, "WORTH_CHOOSING", 0)
    monkeypatch.setattr(choose, "MULTIPLY", 1000.0)
    monkeypatch.setattr("snellen.mining.filters.scan.IN_MEMORY_BYTES", 0)
    monkeypatch.setattr("snellen.mining.filters.prefix.IN_MEMORY_BYTES", 0)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    written = []
    plain = storage.writing

    def watched(path: Path) -> Any:
        written.append(path)
        return plain(path)

    monkeypatch.setattr(storage, "writing", watched)
    before = files(study)
    estimate(study.root, **NAMES, backend=backend)
    assert files(study) == before
    assert not (study.root / "study.lock").exists()
    assert written and all(path.is_relative_to(tmp_path / "temporary") for path in written)
    assert not list((tmp_path / "temporary").iterdir())


def test_while_another_process_writes(study: Study) -> None:
    with study.lock():
        assert estimate(study.root, **NAMES).exact


def test_leaves_an_unfinished_run_alone(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped, pytest.raises(KeyboardInterrupt):
        stopped.setattr("snellen.mining.verb.write_pairs", stop)
        run(study)
    before = files(study)
    estimate(study.root, **NAMES, blind_min=0.8)
    assert files(study) == before


def test_labels(tmp_path_factory: pytest.TempPathFactory) -> None:
    labels = [None if row % 10 == 0 else f"class {row % 3}" for row in range(240)]
    root = tmp_path_factory.mktemp("labelled") / "study"
    study = studies.write_study(root, *data(), studies.images(240, labels=labels))
    found = estimate(study.root, **NAMES, labels="across")
    counts = run(study, labels="across").counts
    assert found.below_reference_max.value == counts["below_reference_max"]
    assert found.after_labels.value == counts["after_labels"] < counts["below_reference_max"]


def test_enough_is_enough(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample, "ENOUGH_PAIRS", 500)
    monkeypatch.setattr(sample, "ENOUGH_ROWS", 10)
    use_tiling(monkeypatch, TINY)
    found = estimate(study.root, **NAMES, blind_min=0.3)
    assert 10 <= found.drawn < 60
    assert not found.exact
    truth = len(oracle(*data(), 0.3, 0.6))
    assert found.after_labels.low <= truth <= found.after_labels.high


def test_wrong_options(study: Study) -> None:
    with pytest.raises(UsageError, match="--threads 0"):
        estimate(study.root, **NAMES, threads=0)
    with pytest.raises(UsageError, match="--blind-min 2"):
        estimate(study.root, **NAMES, blind_min=2)
