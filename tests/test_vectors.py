from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from snellen import storage
from snellen.errors import StudyError
from snellen.vectors import HalfArray, Vectors


def unit(rows: int, dim: int, seed: int = 0) -> HalfArray:
    values = np.random.default_rng(seed).normal(size=(rows, dim))
    half: HalfArray = (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float16)
    return half


def write(folder: Path, values: HalfArray, shard_rows: int) -> None:
    for index, first in enumerate(range(0, len(values), shard_rows)):
        path = folder / f"part-{index:05d}.npy"
        storage.write_npy(path, values[first : first + shard_rows])
        record = {
            "first_row": first,
            "rows": len(values[first : first + shard_rows]),
            "sha256": storage.sha256_of_file(path),
            "inputs": "",
        }
        storage.write_json(path.with_suffix(".json"), record)


def test_shards_read_as_one_matrix(tmp_path: Path) -> None:
    values = unit(23, 8)
    write(tmp_path, values, 5)
    vectors = Vectors.open(tmp_path, 23)
    assert (vectors.rows, vectors.dim) == (23, 8)
    for start, stop in [(0, 23), (0, 5), (3, 17), (22, 23), (7, 7)]:
        np.testing.assert_array_equal(vectors.block(start, stop), values[start:stop])
    order = np.array([22, 0, 4, 5, 5, 19])
    np.testing.assert_array_equal(vectors.gather(order), values[order])
    vectors.check(np.ones(23, dtype=bool))
    assert len(vectors.shard_hashes()) == 5


@pytest.mark.parametrize(
    ("row", "value", "said"),
    [(7, 0.0, "all zero"), (12, np.nan, "NaN"), (0, np.inf, "NaN or infinity"), (22, 0.5, "length")],
)
def test_a_bad_row_is_named_with_its_file(tmp_path: Path, row: int, value: float, said: str) -> None:
    values = unit(23, 8)
    values[row] = value
    write(tmp_path, values, 5)
    vectors = Vectors.open(tmp_path, 23)
    ok = np.ones(23, dtype=bool)
    with pytest.raises(StudyError, match=f"part-{row // 5:05d}.npy, row {row} .*{said}"):
        vectors.check(ok, [f"{n}.jpg" for n in range(23)])
    ok[row] = False  # an image that is not ok may have any row
    vectors.check(ok)


def test_wrong_dtype_shape_and_missing_files_are_named(tmp_path: Path) -> None:
    write(tmp_path, unit(10, 8), 5)
    with pytest.raises(StudyError, match=r"holds 10 rows where images\.parquet has 9"):
        Vectors.open(tmp_path, 9)
    with pytest.raises(StudyError, match=r"part-00002\.json is missing"):
        Vectors.open(tmp_path, 12)
    np.save(tmp_path / "part-00001.npy", unit(5, 8).astype(np.float32))
    with pytest.raises(StudyError, match=r"part-00001\.npy holds float32"):
        Vectors.open(tmp_path, 10)
    np.save(tmp_path / "part-00001.npy", unit(4, 8))
    with pytest.raises(StudyError, match=r"part-00001\.npy has 4 rows"):
        Vectors.open(tmp_path, 10)
    np.save(tmp_path / "part-00001.npy", unit(5, 9))
    with pytest.raises(StudyError, match=r"part-00001\.npy, row 5 and on: the vectors have length 9 where 8"):
        Vectors.open(tmp_path, 10)
    (tmp_path / "part-00001.npy").write_bytes(b"not numpy")
    with pytest.raises(StudyError, match="damaged"):
        Vectors.open(tmp_path, 10)


def test_a_shard_that_was_changed_is_refused(tmp_path: Path) -> None:
    values = unit(10, 8)
    write(tmp_path, values, 5)
    np.save(tmp_path / "part-00000.npy", values[5:])
    with pytest.raises(StudyError, match=r"part-00000\.npy was changed"):
        Vectors.open(tmp_path, 10).shard_hashes()
