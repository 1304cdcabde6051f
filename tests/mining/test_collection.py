"""The images as arrays, the names of pairs, and the folder of intermediate files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from snellen import storage
from snellen.mining.found.parts import Parts
from snellen.mining.found.write import regroup
from snellen.mining.inputs import collection
from snellen.mining.inputs.collection import pair_id_text, pair_ids, read_collection
from snellen.records import pair_id
from snellen.study import Study
from tests import studies
from tests.mining.conftest import records


@pytest.mark.parametrize("parts", [None, 4])
def test_columns(tmp_path: Path, parts: int | None) -> None:
    study = Study(tmp_path / "study")
    labels = ["cat", None, "dog", "cat", None, "", "dog", None]
    table = studies.images(8, labels=labels, statuses={3: "corrupt"}, duplicates={6: 2})
    hashes = studies.write_images(study, table, parts=parts)
    found = read_collection(study)
    assert len(found) == 8
    assert [name.decode() for name in found.ids] == [image.image_id for image in table]
    assert found.ok.tolist() == [True] * 3 + [False] + [True] * 4
    assert found.distinct().tolist() == [0, 1, 2, 4, 5, 7]
    codes = found.labels.tolist()
    assert [code >= 0 for code in codes] == [label is not None for label in labels]
    assert codes[0] == codes[3] != codes[2] == codes[6] != codes[5]
    assert [found.names[row] for row in range(8)] == list(found.names) == [image.uri for image in table]
    assert list(found.names[2:4]) == [table[2].uri, table[3].uri]
    assert found.inputs == hashes
    assert len(hashes) == (parts or 1)


def test_pair_ids_are_those_of_the_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collection, "HASHED", 7)
    ids = studies.image_ids(30)
    a, b = np.triu_indices(30, 1)
    named = pair_ids(np.array(ids, dtype="S64"), a, b)
    assert [pair_id_text(int(name)) for name in named] == [pair_id(ids[i], ids[j]) for i, j in zip(a, b, strict=True)]
    assert np.array_equal(pair_ids(np.array(ids, dtype="S64"), b, a), named)
    assert pair_id_text(0xAB) == "00000000000000ab"


def test_regroup() -> None:
    pairs = records((row, row + 1, 0.9, 0.1, row) for row in range(23))
    chunks = [pairs[:0], pairs[:1], pairs[1:17], pairs[17:17], pairs[17:]]
    found = list(regroup(chunks, 5))
    assert [len(chunk) for chunk in found] == [5, 5, 5, 5, 3]
    assert np.array_equal(np.concatenate(found), pairs)
    assert list(regroup([], 5)) == []


class TestParts:
    def test_same_key_goes_on(self, tmp_path: Path) -> None:
        pairs = records([(1, 2, 0.9, 0.1, 3)])
        parts = Parts(tmp_path / "parts", "a")
        assert parts.finished("x") is None
        parts.write("x", [pairs, pairs], lambda: {"n": 2})
        assert Parts(tmp_path / "parts", "a").finished("x") == {"n": 2}
        assert np.array_equal(np.concatenate(list(parts.read("x", pairs.dtype))), np.concatenate([pairs, pairs]))

    @pytest.mark.parametrize("keyed", [True, False])
    def test_another_key_begins_afresh(self, tmp_path: Path, keyed: bool) -> None:
        parts = Parts(tmp_path / "parts", "a")
        parts.write("x", [], dict)
        if not keyed:  # half deleted
            (parts.folder / "key.json").unlink()
        assert Parts(tmp_path / "parts", "b" if keyed else "a").finished("x") is None

    def test_scratch_is_emptied(self, tmp_path: Path) -> None:
        parts = Parts(tmp_path / "parts", "a")
        (parts.scratch / "run").write_bytes(b"x")
        assert list(Parts(tmp_path / "parts", "a").scratch.iterdir()) == []

    def test_small_results_are_remembered(self, tmp_path: Path) -> None:
        parts = Parts(tmp_path / "parts", "a")
        assert parts.remembered("r", lambda: {"value": 0.1}) == {"value": 0.1}
        assert parts.remembered("r", lambda: {"value": 9}) == {"value": 0.1}
        parts.remove()
        assert not parts.folder.exists()

    def test_unfinished_stripes_are_not_there(self, tmp_path: Path) -> None:
        parts = Parts(tmp_path / "parts", "a")

        def broken() -> object:
            yield records([(1, 2, 0.9, 0.1, 3)])
            raise RuntimeError("stopped")

        with pytest.raises(RuntimeError, match="stopped"):
            parts.write("x", broken(), dict)  # type: ignore[arg-type]
        assert parts.finished("x") is None
        assert storage.read_json(parts.folder / "key.json") == {"key": "a"}
        assert not list(parts.folder.glob("x*"))
