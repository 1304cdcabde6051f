from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from snellen.errors import StorageError, StudyError, UsageError
from snellen.records import pair_id
from snellen.study import Study, slug


def test_pair_id_is_the_hash_of_both_ids_in_order() -> None:
    # sha256("0...0" + "f...f") by hashlib's command-line cousin: printf '%064d' 0; printf 'f%.0s' {1..64}
    zeros, effs = "0" * 64, "f" * 64
    digest = subprocess.run(["sha256sum"], input=(zeros + effs).encode(), capture_output=True, check=True).stdout
    assert pair_id(zeros, effs) == pair_id(effs, zeros) == digest.decode()[:16]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("open_clip/ViT-L-14-quickgelu@openai", "open_clip-ViT-L-14-quickgelu-openai-01234567"),
        ("onnx/../a b/猫.onnx", "onnx-..-a-b-.onnx-01234567"),
        ("../../etc", "etc-01234567"),
        ("猫", "model-01234567"),
    ],
)
def test_slugs_are_safe_folder_names(name: str, expected: str) -> None:
    assert slug(name, "0123456789abcdef") == expected


def test_manifest_round_trip_and_version(tmp_path: Path) -> None:
    study = Study(tmp_path)
    assert study.read_manifest(study.pairs) is None
    study.write_manifest(
        study.pairs, verb="mine", settings={"a": 1}, software={}, inputs={}, outputs={"pairs.parquet": "0"}, counts={}
    )
    manifest = study.read_manifest(study.pairs)
    assert manifest is not None
    assert manifest["artefact"] == "pairs.parquet"
    assert list(manifest) == ["schema", "artefact", "verb", "settings", "software", "inputs", "outputs", "counts"]
    path = study.manifest_path(study.pairs)
    path.write_text(path.read_text().replace('"schema": 1', '"schema": 99'))
    with pytest.raises(StudyError, match="schema version 99"):
        study.read_manifest(study.pairs)


def test_opening_a_folder_without_a_study_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no study"):
        Study.existing(tmp_path / "nothing")


def test_only_one_process_writes(tmp_path: Path) -> None:
    code = (
        "import sys; from snellen.study import Study\n"
        "with Study(__import__('pathlib').Path(sys.argv[1])).lock(): print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        with pytest.raises(StorageError, match="Another process"), Study(tmp_path).lock():
            pass
        other.kill()
    with Study(tmp_path).lock():
        pass  # a killed writer's lock is gone with it


def test_the_lock_sweeps_half_written_files(tmp_path: Path) -> None:
    (tmp_path / "images.parquet.partial").write_text("half")
    (tmp_path / "whole.json").write_text("{}")
    with Study(tmp_path).lock():
        assert sorted(path.name for path in tmp_path.iterdir()) == ["study.lock", "whole.json"]


def test_the_last_source_survives_a_cut_line(tmp_path: Path) -> None:
    study = Study(tmp_path)
    assert study.last_source() is None
    study.log_source(Path("/photos"), {"column": None})
    study.log_source(Path("/photos"), {"column": None})
    assert len(study.images_log.read_text().splitlines()) == 1
    with study.images_log.open("a") as log:
        log.write('{"source": "/els')
    assert study.last_source() == {"source": "/photos", "options": {"column": None}}
