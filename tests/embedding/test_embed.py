from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from snellen import image_table
from snellen.embedding import LoadedEncoder, embed, load
from snellen.encoders.base import FloatArray
from snellen.errors import EncoderError, StudyError, UsageError
from snellen.providers import load_encoder
from snellen.study import Study
from snellen.vectors import Vectors
from tests.pictures import draw_folder, picture

HISTOGRAM = "control/colour-histogram"
GRID = "control/gradient-grid"


def fingerprint_of(folder: Path) -> dict[str, str]:
    """sha256 of every file that must be reproducible."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(".log.jsonl")
    }


def vectors_of(study: Path, slug: str) -> tuple[Vectors, list[str]]:
    table = image_table.read(Study(study))
    return Vectors.open(study / "embeddings" / slug, len(table)), [image.uri for image in table]


def test_rows_are_the_encoders_own_vectors_in_source_order(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos", 11)
    result = embed(tmp_path / "s", images=photos, encoder=GRID, device="cpu", batch_size=4, shard_rows=5)
    vectors, uris = vectors_of(tmp_path / "s", result.slug)
    assert uris == [f"{n:03d}.png" for n in range(11)]
    encoder = load_encoder(GRID)
    for row in range(11):
        direct = encoder.embed(encoder.preprocess(Image.open(photos / uris[row]).convert("RGB"))[None])[0]
        np.testing.assert_array_equal(vectors.block(row, row + 1)[0], direct.astype(np.float16))
    assert sorted(path.name for path in (tmp_path / "s" / "embeddings" / result.slug).glob("*.npy")) == [
        "part-00000.npy",
        "part-00001.npy",
        "part-00002.npy",
    ]


def test_bad_images_get_a_row_and_zeros_and_duplicates_get_the_first_ones_vector(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos", 6)
    (photos / "001.png").write_text("not an image")
    (photos / "003.png").write_bytes((photos / "000.png").read_bytes())
    (photos / "005.png").write_text("not an image")
    result = embed(tmp_path / "s", images=photos, encoder=GRID, device="cpu", shard_rows=2)
    table = image_table.read(Study(tmp_path / "s"))
    assert [image.status for image in table] == ["ok", "not_an_image", "ok", "ok", "ok", "not_an_image"]
    assert [image.duplicate_of for image in table] == [None, None, None, 0, None, 1]
    assert [image.image_id for image in table] == [
        hashlib.sha256((photos / f"{n:03d}.png").read_bytes()).hexdigest() for n in range(6)
    ]
    vectors, _ = vectors_of(tmp_path / "s", result.slug)
    rows = vectors.block(0, 6)
    assert not rows[1].any()
    assert not rows[5].any()
    np.testing.assert_array_equal(rows[3], rows[0])
    np.testing.assert_allclose(np.linalg.norm(rows[[0, 2, 3, 4]].astype(float), axis=1), 1, atol=1e-3)
    assert result.counts == {"rows": 6, "embedded": 3, "duplicates": 1, "not_ok": 2}


def test_a_second_encoder_shares_the_table_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos", 7)
    embed(tmp_path / "s", images=photos, encoder=HISTOGRAM, device="cpu", shard_rows=3)
    embed(tmp_path / "s", encoder=GRID, device="cpu")
    before = fingerprint_of(tmp_path / "s")
    assert len(list((tmp_path / "s" / "embeddings").glob("*.manifest.json"))) == 2
    embed(tmp_path / "s", images=photos, encoder=HISTOGRAM, device="cpu")
    embed(tmp_path / "s", images=photos, encoder=GRID, device="cpu")
    assert fingerprint_of(tmp_path / "s") == before


def test_nothing_of_this_machine_is_in_what_is_reproducible(tmp_path: Path) -> None:
    for name in ("here", "there"):
        photos = draw_folder(tmp_path / name / "photos", 4)
        embed(tmp_path / name / "s", images=photos, encoder=GRID, device="cpu")
    assert fingerprint_of(tmp_path / "here" / "s") == fingerprint_of(tmp_path / "there" / "s")
    for path in (tmp_path / "here" / "s").rglob("*.json"):
        assert str(tmp_path) not in path.read_text()


def test_changed_added_and_lost_images_are_refused_by_name(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos", 5)
    embed(tmp_path / "s", images=photos, encoder=GRID, device="cpu")
    before = fingerprint_of(tmp_path / "s")

    picture(99).save(photos / "002.png")
    for encoder in (GRID, HISTOGRAM):
        with pytest.raises(StudyError, match=r"002\.png has changed"):
            embed(tmp_path / "s", encoder=encoder, device="cpu")
    picture(2).save(photos / "002.png")
    picture(5).save(photos / "0015.png")
    with pytest.raises(
        StudyError, match=r"5 then, 6 now, the first difference at row 2 \(002\.png then, 0015\.png now"
    ):
        embed(tmp_path / "s", encoder=GRID, device="cpu")
    (photos / "0015.png").unlink()
    (photos / "004.png").unlink()
    with pytest.raises(StudyError, match="5 then, 4 now"):
        embed(tmp_path / "s", encoder=GRID, device="cpu")
    picture(4).save(photos / "004.png")
    embed(tmp_path / "s", encoder=GRID, device="cpu")
    assert {key: before[key] for key in before if "colour" not in key} == {
        key: value for key, value in fingerprint_of(tmp_path / "s").items() if "colour" not in key
    }


def test_an_images_change_during_an_unfinished_run_is_refused(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos", 6)
    embed(tmp_path / "whole", images=photos, encoder=GRID, device="cpu", shard_rows=2)
    study = tmp_path / "s"
    shutil.copytree(tmp_path / "whole", study)
    # what a kill after the first shard leaves behind
    table = image_table.read(Study(study))
    manifest = json.loads((study / "images.parquet.manifest.json").read_text())
    (study / "images.parquet").unlink()
    (study / "images.parquet.manifest.json").unlink()
    image_table.write(study / "images.parts" / "part-00000.parquet", table[:2])
    (study / "images.plan.json").write_text(
        json.dumps(manifest["settings"] | {"software": manifest["software"]}, indent=2) + "\n"
    )
    picture(99).save(photos / "001.png")
    with pytest.raises(StudyError, match=r"001\.png has changed"):
        embed(study, images=photos, encoder=GRID, device="cpu")
    picture(1).save(photos / "001.png")
    embed(study, images=photos, encoder=GRID, device="cpu")
    assert fingerprint_of(study) == fingerprint_of(tmp_path / "whole")


def test_settings_that_move_the_last_bits_are_kept_or_refused(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos", 3)
    result = embed(tmp_path / "s", images=photos, encoder=GRID, device="cpu", batch_size=2)
    embed(tmp_path / "s", encoder=GRID, device="cpu")  # takes the stored batch size
    with pytest.raises(StudyError, match="batch_size 2 \\(now 3\\)"):
        embed(tmp_path / "s", encoder=GRID, device="cpu", batch_size=3)
    plan = tmp_path / "s" / "embeddings" / result.slug / "plan.json"
    plan.write_text(plan.read_text().replace('"pillow": "', '"pillow": "0.'))
    with pytest.raises(StudyError, match=r"pillow 0\..* \(now "):
        embed(tmp_path / "s", encoder=GRID, device="cpu")


class _Dark:
    """An encoder that gives dark pictures no direction."""

    name = "test/dark"
    dim = 3
    fingerprint = "0" * 64
    preprocess = load_encoder("control/random-projection").preprocess

    def embed(self, batch: FloatArray) -> FloatArray:
        from snellen.encoders.base import unit_rows

        return unit_rows(np.where(batch.mean(axis=(2, 3)) < 0.1, 0, batch.mean(axis=(2, 3))))


def test_an_image_without_a_direction_is_named(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos", 5)
    Image.new("RGB", (40, 40)).save(photos / "003.png")
    with pytest.raises(EncoderError, match=r"test/dark gives 003\.png no direction"):
        embed(tmp_path / "s", images=photos, encoder=LoadedEncoder(_Dark()))  # type: ignore[arg-type]  # no tokens


def test_without_images_or_study_the_way_out_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--images"):
        embed(tmp_path / "s", encoder=GRID, device="cpu")
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("shard_rows", [None, 4])
def test_a_kill_while_a_folder_of_parts_is_assembled_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shard_rows: int | None
) -> None:
    monkeypatch.setattr(image_table, "ONE_FILE_ROWS", 5)
    photos = draw_folder(tmp_path / "photos", 11)

    def run(study: Path) -> None:
        embed(study, images=photos, encoder=GRID, device="cpu", shard_rows=shard_rows)

    run(tmp_path / "undisturbed")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Study, "write_manifest", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        run(tmp_path / "s")
    assert (tmp_path / "s" / "images.parquet").is_dir()
    run(tmp_path / "s")
    assert fingerprint_of(tmp_path / "s") == fingerprint_of(tmp_path / "undisturbed")
    import pyarrow.parquet as pq

    assert pq.read_table(tmp_path / "s" / "images.parquet")["row"].to_pylist() == list(range(11))
    embed(tmp_path / "s", encoder=HISTOGRAM, device="cpu")
    assert [image.row for image in image_table.take(Study(tmp_path / "s"), [9, 2, 9]).values()] == [2, 9]


def test_a_manifest_that_outlived_its_folder_vouches_for_nothing(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos", 3)
    result = embed(tmp_path / "s", images=photos, encoder=GRID, device="cpu", batch_size=2)
    folder = Study(tmp_path / "s").embedding(result.slug)
    shutil.rmtree(folder)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Study, "write_manifest", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        embed(tmp_path / "s", encoder=GRID, device="cpu", batch_size=3)
    assert Study(tmp_path / "s").finished_embeddings() == {}


@pytest.mark.parametrize("option", ["batch_size", "workers", "shard_rows"])
def test_sizes_below_one_are_refused(tmp_path: Path, option: str) -> None:
    photos = draw_folder(tmp_path / "photos", 2)
    with pytest.raises(UsageError, match=f"{option} 0 is too small"):
        embed(tmp_path / "s", images=photos, encoder=GRID, device="cpu", **{option: 0})  # type: ignore[arg-type]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_callers_torch_threads_are_left_alone(tmp_path: Path, threads: int) -> None:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        embed(tmp_path / "s", images=draw_folder(tmp_path / "photos", 2), encoder=GRID, device="cpu")
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_a_study_inside_its_own_images_is_refused(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos", 2)
    with pytest.raises(UsageError, match="choose a folder outside"):
        embed(photos / "study", images=photos, encoder=GRID, device="cpu")
    assert not (photos / "study").exists()


def test_an_encoder_loaded_once_serves_two_studies(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos", 3)
    loaded = load(GRID, device="cpu")
    embed(tmp_path / "a", images=photos, encoder=loaded)
    embed(tmp_path / "b", images=photos, encoder=GRID, device="cpu")
    assert fingerprint_of(tmp_path / "a") == fingerprint_of(tmp_path / "b")
