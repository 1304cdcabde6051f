from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from snellen import storage
from snellen.errors import StorageError, StudyError


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(RuntimeError), storage.writing(path) as file:
        file.write(b"half of the new")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_npy_files_are_what_numpy_writes(tmp_path: Path) -> None:
    array = np.arange(12, dtype=np.float16).reshape(3, 4)
    storage.write_npy(tmp_path / "ours.npy", array)
    np.save(tmp_path / "theirs.npy", array)
    assert (tmp_path / "ours.npy").read_bytes() == (tmp_path / "theirs.npy").read_bytes()


def test_a_full_disk_is_one_sentence_that_says_what_to_do(tmp_path: Path) -> None:
    """A file-size limit makes the kernel refuse writes with a real error, as a full disk does."""
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from snellen import storage; from snellen.errors import StorageError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))\n"
        "try: storage.write_bytes(Path(sys.argv[1]), bytes(5000))\n"
        "except StorageError as error: print(error)"
    )
    target = tmp_path / "x.bin"
    said = subprocess.run([sys.executable, "-c", code, str(target)], capture_output=True, text=True, check=True).stdout
    assert str(target) in said
    assert "free some space" in said
    assert list(tmp_path.iterdir()) == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_an_unwritable_place_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="Cannot write"):
        storage.write_bytes(tmp_path / "file" / "x", b"")


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff"])
def test_damaged_json_names_the_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.json"
    path.write_bytes(content)
    with pytest.raises(StudyError, match=r"m\.json"):
        storage.read_json(path)


def test_json_hash_does_not_depend_on_key_order_and_refuses_nan() -> None:
    assert storage.sha256_of_json({"a": 1, "b": [2.5, None]}) == storage.sha256_of_json(
        json.loads('{"b": [2.5, null], "a": 1}')
    )
    with pytest.raises(ValueError, match="Out of range"):
        storage.sha256_of_json(float("nan"))
