"""The verb run again, killed, or on what is damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from snellen import storage
from snellen.errors import StudyError
from snellen.mining.join import order
from snellen.mining.join.two_sided import Join
from snellen.study import Study
from tests import studies
from tests.mining.conftest import TINY, as_pairs, oracle, read_pairs
from tests.mining.mine_study import data, files, run, sys_verb, use_tiling


class TestAgain:
    def test_nothing_changed_nothing_done(self, study: Study) -> None:
        first = run(study)
        times = {path: path.stat().st_mtime_ns for path in study.root.rglob("*") if path.is_file()}
        second = run(study)
        assert second.reused
        assert second.details == first.details
        assert {path: path.stat().st_mtime_ns for path in study.root.rglob("*") if path.is_file()} == times

    def test_text_and_number_are_one_setting(self, study: Study) -> None:
        run(study, blind_min=0.95)
        assert run(study, blind_min="0.950").reused

    def test_other_threads_and_backends_are_no_other_settings(self, study: Study) -> None:
        run(study, threads=1)
        assert run(study, threads=2, backend="portable").reused

    def test_the_default_limit_is_another_setting_than_a_cap(self, study: Study) -> None:
        run(study)
        assert not run(study, max_pairs="all").reused
        assert run(study, max_pairs="ALL").reused

    def test_other_settings_replace(self, study: Study) -> None:
        run(study)
        again = run(study, blind_min=0.97)
        assert not again.reused
        assert as_pairs(read_pairs(study.pairs)) == oracle(*data(), 0.97, 0.6)
        assert not run(study).reused

    @pytest.mark.parametrize("name", ["pairs.parquet", "mining.json"])
    @pytest.mark.parametrize("damage", ["gone", "changed"])
    def test_damaged_artefacts_are_made_again(self, study: Study, name: str, damage: str) -> None:
        run(study)
        whole = files(study)
        path = study.root / name
        path.unlink() if damage == "gone" else path.write_bytes(path.read_bytes()[:-5])
        assert not run(study).reused
        assert files(study) == whole

    def test_other_vectors_other_pairs(self, study: Study, tmp_path: Path) -> None:
        run(study)
        study2 = studies.write_study(tmp_path / "study", *data(seed=9), shard_rows=100)
        assert not run(study2).reused
        assert as_pairs(read_pairs(study2.pairs)) == oracle(*data(seed=9), 0.95, 0.6)

    @pytest.mark.parametrize("again", [{"max_pairs": 9}, {"max_per_image": 1}, {"threads": 2}, {"backend": "portable"}])
    def test_finished_stripes_serve_other_caps_and_means(
        self, study: Study, again: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        use_tiling(monkeypatch, TINY)
        monkeypatch.setattr(order, "SAMPLE_ROWS", 30)
        calm = studies.write_study(tmp_path / "calm", *data(), shard_rows=100)
        run(calm, blind_min=0.9, **again)

        def stop(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as stopped, pytest.raises(KeyboardInterrupt):
            stopped.setattr(sys_verb(), "write_pairs", stop)
            run(study, blind_min=0.9)
        with monkeypatch.context() as joined:
            joined.setattr(Join, "_row_block", None)  # nothing is joined again
            run(study, blind_min=0.9, **again)
        assert files(study) == files(calm)

    def test_leftovers_of_other_settings_are_not_mixed_in(self, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
        use_tiling(monkeypatch, TINY)
        run(study, blind_min=0.96)
        expected = files(study)
        stopped = pytest.MonkeyPatch()

        def stop(*_: object) -> None:
            raise KeyboardInterrupt

        stopped.setattr(sys_verb(), "write_pairs", stop)
        with pytest.raises(KeyboardInterrupt):
            run(study, blind_min=0.9)
        stopped.undo()
        assert list(study.mining_parts.glob("pairs-*.bin"))
        run(study, blind_min=0.96)
        assert files(study) == expected


class TestDamage:
    """One error that names file and row, or file and reason; nothing written."""

    def fails(self, study: Study, message: str) -> None:
        before = files(study)
        with pytest.raises(StudyError, match=message):
            run(study)
        assert files(study) == before

    def spoil(self, study: Study, row: int, values: Any) -> None:
        """Change a row of the blind embedding, and its records as well, so that only the row betrays it."""
        folder = next(path for path in study.embeddings.iterdir() if path.is_dir() and "blind" in path.name)
        path = folder / f"part-{row // 100:05d}.npy"
        shard = np.load(path)
        shard[row % 100] = values
        storage.write_npy(path, shard)
        record = storage.read_json(path.with_suffix(".json"))
        storage.write_json(path.with_suffix(".json"), {**record, "sha256": storage.sha256_of_file(path)})

    @pytest.mark.parametrize(
        ("values", "what"), [(0, "all zero"), (np.nan, "NaN"), (np.inf, "NaN or infinity"), (0.5, "has length 2.8")]
    )
    def test_a_bad_row(self, study: Study, values: float, what: str) -> None:
        self.spoil(study, 137, values)
        self.fails(study, rf"part-00001\.npy, row 137 .*photos/000137\.jpg.*{what}.*snellen embed")

    def test_a_shard_that_changed(self, study: Study) -> None:
        folder = next(path for path in study.embeddings.iterdir() if path.is_dir())
        path = folder / "part-00002.npy"
        shard = np.load(path)
        shard[[0, 1]] = shard[[1, 0]]
        np.save(path, shard)
        self.fails(study, r"part-00002\.npy was changed")

    @pytest.mark.parametrize(
        ("values", "what"),
        [
            (np.zeros((100, 32), dtype=np.float32), r"float32 \[100, 32\] from row 0"),
            (np.zeros((99, 32), dtype=np.float16), "has 99 rows"),
            (np.zeros((100, 31), dtype=np.float16), "(length 31|length 32)"),
        ],
    )
    def test_wrong_dtype_or_shape(self, study: Study, values: Any, what: str) -> None:
        folder = next(path for path in study.embeddings.iterdir() if path.is_dir() and "blind" in path.name)
        np.save(folder / "part-00001.npy", values)
        self.fails(study, rf"part-0000[0-2]\.npy.*{what}")

    def test_a_missing_shard(self, study: Study) -> None:
        folder = next(path for path in study.embeddings.iterdir() if path.is_dir())
        (folder / "part-00001.npy").unlink()
        self.fails(study, r"part-00001\.npy is missing")

    def test_images_that_changed(self, study: Study) -> None:
        study.images.write_bytes(study.images.read_bytes() + b" ")
        self.fails(study, r"images\.parquet was changed")

    def test_unfinished_images(self, study: Study) -> None:
        study.manifest_path(study.images).unlink()
        self.fails(study, r"images\.parquet is not finished")

    def test_an_embedding_of_other_images(self, study: Study) -> None:
        studies.write_images(study, studies.images(240, labels=["new"] * 240))
        self.fails(study, r"made from another images\.parquet")

    def test_rows_out_of_place(self, study: Study) -> None:
        table = pq.read_table(study.images)
        pq.write_table(table.take(pa.array([1, 0, *range(2, 240)])), study.images)
        manifest = study.read_manifest(study.images)
        assert manifest is not None
        manifest["outputs"]["images.parquet"] = storage.sha256_of_file(study.images)
        storage.write_json(study.manifest_path(study.images), manifest)
        self.fails(study, "rows out of place")
