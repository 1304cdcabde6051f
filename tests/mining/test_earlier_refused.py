"""An earlier study that cannot stand for old pairs is refused: one sentence, and nothing is written."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import storage
from snellen.errors import SnellenError, StudyError, UsageError
from snellen.mining.earlier import grown
from snellen.mining.found.stripe import Stripes
from snellen.study import Study
from tests import studies
from tests.mining.conftest import Planted, planted
from tests.mining.earlier_study import copied, shuffled, write, written
from tests.mining.mine_study import files, run

IMAGES = 120


@pytest.fixture(scope="module")
def values() -> Planted:
    return planted(3, IMAGES, 24, 0.95, 0.6)


@pytest.fixture
def earlier(tmp_path: Path, values: Planted) -> Study:
    """90 images, not yet mined."""
    return write(tmp_path / "earlier", values, [*range(90)])


@pytest.fixture
def study(tmp_path: Path, values: Planted) -> Study:
    return write(tmp_path / "study", values, [*range(IMAGES)])


def refused(study: Study, earlier: Path, kind: type[SnellenError], message: str, **options: Any) -> None:
    before = files(study)
    with pytest.raises(kind, match=message) as raised:
        run(study, earlier=earlier, **options)
    assert str(raised.value).count(". ") == 0
    after = files(study)
    assert {path: after[path] for path in after if not path.startswith("mining.parts/")} == before


class TestAnotherQuestion:
    @pytest.mark.parametrize(
        ("changed", "message"),
        [
            ({"blind_min": 0.94}, r"--blind-min is 0\.94 here and was 0\.95 in --earlier .*give --blind-min 0\.95, or"),
            ({"reference_max": 0.61}, r"--reference-max is 0\.61 here and was 0\.6 in"),
            ({"blind_min": "q0.99"}, r"--blind-min is 0\.\d+ here and was 0\.95 in"),
        ],
    )
    def test_thresholds(self, study: Study, earlier: Study, changed: dict[str, Any], message: str) -> None:
        run(earlier)
        refused(study, earlier.root, UsageError, message, **changed)
        assert study.mining_parts.exists() == ("q0.99" in changed.values())  # cosines are compared before any work

    def test_quantiles_that_moved(self, study: Study, earlier: Study) -> None:
        run(earlier, reference_max="q0.5")
        refused(study, earlier.root, UsageError, r"--reference-max is 0\.\d+ here and was 0\.\d+", reference_max="q0.5")

    def test_encoders_the_other_way_round(self, study: Study, earlier: Study) -> None:
        run(earlier, blind="control/reference", reference="control/blind")
        message = (
            r"was mined with --blind control/reference \(fingerprint [0-9a-f]{8}\), and here --blind is control/blind"
        )
        refused(study, earlier.root, UsageError, message)

    def test_another_encoder_of_the_same_name(self, study: Study, earlier: Study, values: Planted) -> None:
        shutil.rmtree(earlier.embeddings)
        hashes = {"images.parquet": storage.sha256_of_file(earlier.images)}
        studies.write_embedding(earlier, "control/blind", values.blind[:90], hashes)
        studies.write_embedding(earlier, "control/reference", values.reference[:90], hashes, fingerprint="e" * 64)
        run(earlier)
        refused(study, earlier.root, UsageError, r"--reference control/reference \(fingerprint eeeeeeee\)")

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"labels": "within"}, "was mined with --labels within"),
            ({"collapse_copies": 0.99}, r"was mined with --collapse-copies 0\.99"),
            ({"max_pairs": 3}, r"wrote 3 of its [\d,]+ pairs"),
            ({"max_per_image": 1, "blind_min": 0.5}, r"wrote \d+ of its [\d,]+ pairs"),
        ],
    )
    def test_pairs_left_out_there(self, study: Study, earlier: Study, options: dict[str, Any], message: str) -> None:
        run(earlier, **options)
        refused(study, earlier.root, UsageError, message)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"labels": "across"}, "--labels across .*--earlier"),
            ({"collapse_copies": 0.99}, r"--collapse-copies 0\.99 .*--earlier"),
        ],
    )
    def test_options_that_go_not_with_it(
        self, study: Study, earlier: Study, options: dict[str, Any], message: str
    ) -> None:
        run(earlier)
        refused(study, earlier.root, UsageError, message, **options)

    def test_caps_that_dropped_nothing_are_no_matter(self, study: Study, earlier: Study) -> None:
        scratch = copied(study)
        run(scratch)
        run(earlier, max_pairs=10_000, max_per_image=500)
        run(study, earlier=earlier.root)
        assert written(study) == written(scratch)


class TestOtherImages:
    def test_missing_ones(self, tmp_path: Path, earlier: Study, values: Planted) -> None:
        run(earlier)
        study = write(tmp_path / "study", values, [image for image in range(IMAGES) if image not in (11, 54, 76)])
        ids = studies.image_ids(IMAGES)
        refused(
            study,
            earlier.root,
            UsageError,
            rf"3 images of --earlier .*earlier cannot be mined in .*study.* first is earlier/0011-0011\.jpg, image_id "
            rf"{ids[11]}\): run `snellen mine` without --earlier",
        )

    def test_missing_ones_are_counted_once(self, tmp_path: Path, values: Planted) -> None:
        earlier = write(tmp_path / "earlier", values, [*range(90), 11, 54, 11, 3])
        study = write(tmp_path / "study", values, [*range(50), *range(60, IMAGES)])
        run(earlier)
        refused(study, earlier.root, UsageError, r"10 images of --earlier .*first is earlier/0050-0050\.jpg")

    def test_ones_that_are_not_ok_any_more(self, tmp_path: Path, earlier: Study, values: Planted) -> None:
        run(earlier)
        study = write(tmp_path / "study", values, [*range(IMAGES)], broken=[89])
        refused(study, earlier.root, UsageError, r"1 image of --earlier .*first is earlier/0089-0089\.jpg")

    @pytest.mark.parametrize(("chosen", "broken"), [(range(90, IMAGES), ()), (range(90), range(90))])
    def test_none_is_left(
        self, tmp_path: Path, earlier: Study, values: Planted, chosen: Sequence[int], broken: Sequence[int]
    ) -> None:
        run(earlier)
        study = write(tmp_path / "study", values, chosen, broken)
        refused(study, earlier.root, UsageError, r"90 images of --earlier .*first is earlier/0000-0000\.jpg")

    @pytest.mark.parametrize("side", ["blind", "reference"])
    def test_other_vectors(self, tmp_path: Path, values: Planted, side: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """One bit of a vector is enough, be it the sign of a zero; the first is named, however many there are."""
        monkeypatch.setattr(grown, "COMPARED_ROWS", 16)
        there, here = (values._replace(blind=values.blind.copy(), reference=values.reference.copy()) for _ in range(2))
        smallest = int(np.abs(getattr(there, side)[31]).argmin())
        getattr(there, side)[31, smallest], getattr(here, side)[31, smallest] = 0.0, -0.0
        getattr(here, side).view(np.uint16)[70, 23] ^= 1
        earlier = write(tmp_path / "earlier", there, [*range(90)])
        order = shuffled(range(IMAGES), 1)
        study = write(tmp_path / "study", here, order)
        run(earlier)
        row = order.index(31)
        refused(
            study,
            earlier.root,
            UsageError,
            rf"2 images of --earlier .*another vector from control/{side} .* "
            rf"\(the first is study/{row:04d}-0031\.jpg, row {row}\)",
        )


def change(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"x")


def change_shard(earlier: Study) -> None:
    path = next(earlier.embeddings.glob("*blind*/part-00000.npy"))
    shard = np.load(path)
    shard[[0, 1]] = shard[[1, 0]]
    np.save(path, shard)


def embed_again(earlier: Study) -> None:
    """The images have other labels now, and the embeddings belong to those."""
    hashes = studies.write_images(earlier, studies.images(90))
    values = planted(3, IMAGES, 24, 0.95, 0.6)
    studies.write_embedding(earlier, "control/blind", values.blind[:90], hashes, shard_rows=60)
    studies.write_embedding(earlier, "control/reference", values.reference[:90], hashes, shard_rows=60)


def without_cells(earlier: Study) -> None:
    details = storage.read_json(earlier.mining)
    del details["above_cells"]
    storage.write_json(earlier.mining, details)
    manifest = earlier.read_manifest(earlier.pairs)
    assert manifest is not None
    manifest["outputs"]["mining.json"] = storage.sha256_of_file(earlier.mining)
    storage.write_json(earlier.manifest_path(earlier.pairs), manifest)


class TestDamage:
    @pytest.mark.parametrize(
        ("damage", "message"),
        [
            (lambda earlier: earlier.manifest_path(earlier.pairs).unlink(), "earlier is not mined to the end: run"),
            (lambda earlier: earlier.pairs.unlink(), r"pairs\.parquet is missing or was changed"),
            (lambda earlier: change(earlier.pairs), r"pairs\.parquet is missing or was changed"),
            (lambda earlier: change(earlier.mining), r"mining\.json is missing or was changed"),
            (lambda earlier: change(earlier.images), r"images\.parquet was changed"),
            (lambda earlier: shutil.rmtree(earlier.embeddings), "blind-.* is missing or unfinished"),
            (change_shard, r"part-00000\.npy was changed"),
            (embed_again, r"pairs\.parquet was mined from other images or vectors than .*earlier has now"),
            (without_cells, r"mining\.json has no above_cells"),
        ],
    )
    def test_damaged(self, study: Study, earlier: Study, damage: Callable[[Study], object], message: str) -> None:
        run(earlier)
        damage(earlier)
        refused(study, earlier.root, StudyError, message)

    @pytest.mark.parametrize("what", ["replaced", "gone"])
    def test_mined_otherwise_meanwhile(self, study: Study, earlier: Study, what: str) -> None:
        """Between the check and the reading lies the whole join."""
        run(earlier)
        plain = Stripes.run
        patch = pytest.MonkeyPatch()

        def join_and_meanwhile(*arguments: Any) -> Any:
            patch.undo()
            totals = plain(*arguments)
            earlier.pairs.unlink()
            if what == "replaced":
                run(earlier, blind_min=0.9)
            return totals

        patch.setattr(Stripes, "run", join_and_meanwhile)
        with pytest.raises(StudyError, match=r"pairs\.parquet was replaced while it was used for --earlier"):
            run(study, earlier=earlier.root)
        assert not study.pairs.exists() and not study.mining.exists()

    def test_no_study(self, study: Study, tmp_path: Path) -> None:
        refused(study, tmp_path / "nowhere", UsageError, "There is no study in .*nowhere")
        assert not (tmp_path / "nowhere").exists()

    def test_itself(self, study: Study) -> None:
        run(study)
        before = files(study)
        with pytest.raises(UsageError, match=r"--earlier .* is the study itself"):
            run(study, earlier=study.root / ".." / "study")
        assert files(study) == before
