"""The verb on an encoder whose answers can be worked out by hand, and on the miniature world's."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from snellen.errors import EncoderError, SnellenError, StudyError, Unsupported, UsageError
from snellen.exam.zeroshot import ZeroShotResult, read_predictions, read_zeroshots, zeroshot
from snellen.study import Study
from tests.exam.zeroshot.colours import Colours, RedForBlue, painted
from tests.world.worlds import world_in

PLAIN: dict[str, Any] = {"classes": "labels", "templates": "plain"}

SHADES = [("red", "red")] * 4 + [("green", "green")] * 3 + [("green", "red")] + [("blue", "blue")] * 2
"""Ten pictures; one is painted in another colour than its label says."""


def measured(folder: Path, encoder: Any, **options: Any) -> ZeroShotResult:
    return zeroshot(folder / "s", [encoder], images=folder / "shades", **(PLAIN | options))


def files(study: Path) -> dict[str, bytes]:
    found = {path.relative_to(study).as_posix(): path for path in study.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not name.endswith(".lock")}


def test_by_hand(tmp_path: Path) -> None:
    painted(tmp_path / "shades", SHADES)
    result = measured(tmp_path, Colours())
    (found,) = result.measured
    assert (found.dataset, found.n_images, found.n_classes, found.n_ties) == ("shades", 10, 3, 0)
    top1, recall = found.scores
    assert (top1.value, top1.n) == (0.9, 10)
    assert top1.chance == pytest.approx(1 / 3)
    assert recall.value == pytest.approx((1 + 3 / 4 + 1) / 3)
    assert [(one.label, one.n, one.correct) for one in found.per_class] == [
        ("blue", 2, 2),
        ("green", 4, 3),
        ("red", 4, 4),
    ]
    assert (found.parameters, found.image_size, found.dim) == (None, (1, 1), 3)
    lines = read_predictions(result.folders[0] / "predictions.jsonl")
    assert [line.top[0] for line in lines if line.rank != 1] == ["red"]
    for line in lines:
        assert line.image_id == sha256((tmp_path / "shades" / line.uri).read_bytes()).hexdigest()
        assert line.label == line.uri.split("/")[0]
        assert sorted(line.top) == ["blue", "green", "red"]
    pairs = sorted([line.image_id, line.label] for line in lines)
    text = json.dumps(pairs, separators=(",", ":"))
    assert found.content_sha256 == sha256(text.encode()).hexdigest()
    assert list(read_zeroshots(Study(tmp_path / "s"))) == [result.folders[0].name]
    assert read_zeroshots(Study(tmp_path / "s"))[result.folders[0].name] == found


def test_ties_are_wrong_and_counted(tmp_path: Path) -> None:
    painted(tmp_path / "shades", SHADES)
    classes = tmp_path / "c.json"
    # crimson is called what red is called; red's images are as close to one as to the other
    classes.write_text(json.dumps({"crimson": "red", "red": "red", "green": "green", "blue": "blue"}))
    (found,) = measured(tmp_path, Colours(), classes=classes).measured
    assert found.n_ties == 5
    assert found.n_classes == 4
    assert found.scores[0].value == 0.5
    assert {one.label: one.correct for one in found.per_class} == {"crimson": 0, "red": 0, "green": 3, "blue": 2}


def test_every_template_and_name_is_asked_once(tmp_path: Path) -> None:
    painted(tmp_path / "shades", SHADES)
    (tmp_path / "t.txt").write_text("a {}\nthe {} {{}}\n")
    (tmp_path / "c.tsv").write_text("red\tred\tred thing\ngreen\tgreen\nblue\tblue\n")
    encoder = Colours()
    measured(tmp_path, encoder, templates=tmp_path / "t.txt", classes=tmp_path / "c.tsv")
    assert encoder.sentences == [
        *("a red", "the red {red}", "a red thing", "the red thing {red thing}"),
        *("a green", "the green {green}", "a blue", "the blue {blue}"),
    ]


def test_images_that_cannot_be_decoded_are_named_and_in_no_score(tmp_path: Path) -> None:
    painted(tmp_path / "shades", SHADES)
    whole = (tmp_path / "shades" / "red" / "000.png").read_bytes()
    (tmp_path / "shades" / "blue" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "shades" / "blue" / "text.jpg").write_text("hello")
    (tmp_path / "shades" / "green" / "gone.png").symlink_to("nowhere.png")
    result = measured(tmp_path, Colours())
    (found,) = result.measured
    assert found.counts == {"not_an_image": 1, "ok": 10, "truncated": 1, "unreadable": 1}
    assert (found.n_images, found.scores[0].n, found.scores[0].value) == (10, 10, 0.9)
    assert dict(result.not_ok) == {
        "blue/cut.png": "truncated",
        "blue/text.jpg": "not_an_image",
        "green/gone.png": "unreadable",
    }
    lines = {line.uri: line for line in read_predictions(result.folders[0] / "predictions.jsonl")}
    assert len(lines) == 13
    assert (lines["blue/cut.png"].rank, lines["blue/cut.png"].top) == (None, ())
    assert lines["green/gone.png"].image_id is None
    assert sum(one.n for one in found.per_class) == 10


def test_no_image_at_all_is_refused(tmp_path: Path) -> None:
    for label in ("red", "blue"):
        (tmp_path / "shades" / label).mkdir(parents=True)
        (tmp_path / "shades" / label / "a.png").write_text("no")
    with pytest.raises(StudyError, match="None of the 2 images"):
        measured(tmp_path, Colours())


def test_again_is_byte_identical_and_computes_nothing(tmp_path: Path) -> None:
    painted(tmp_path / "shades", SHADES)
    measured(tmp_path, Colours())
    before = files(tmp_path / "s")
    encoder = Colours()
    assert measured(tmp_path, encoder).kept == (True,)
    assert (encoder.images, encoder.sentences) == (0, [])
    assert files(tmp_path / "s") == before
    assert not any(".parts" in name for name in before)
    shutil.rmtree(tmp_path / "s")
    measured(tmp_path, Colours())
    assert files(tmp_path / "s") == before
    text = b"".join(before.values())
    assert str(tmp_path).encode() not in text


def test_what_was_changed_is_measured_again(tmp_path: Path) -> None:
    painted(tmp_path / "shades", SHADES)
    result = measured(tmp_path, Colours())
    before = files(tmp_path / "s")
    (result.folders[0] / "predictions.jsonl").write_text("{}\n")
    with pytest.raises(StudyError, match="was changed after it was written"):
        read_zeroshots(Study(tmp_path / "s"))
    assert measured(tmp_path, Colours()).kept == (False,)
    assert files(tmp_path / "s") == before


def test_other_images_labels_names_or_templates_are_another_measurement(tmp_path: Path) -> None:
    painted(tmp_path / "shades", SHADES)
    (tmp_path / "c.json").write_text('{"red": "red", "green": "green", "blue": "blue", "grey": "grey"}')
    folders = {measured(tmp_path, Colours()).folders[0]}
    folders.add(measured(tmp_path, Colours(), templates="openai-7").folders[0])
    folders.add(measured(tmp_path, Colours(), classes=tmp_path / "c.json").folders[0])
    (tmp_path / "shades" / "red" / "000.png").rename(tmp_path / "shades" / "blue" / "000.png")
    result = measured(tmp_path, Colours())
    folders.add(result.folders[0])
    assert result.measured[0].scores[0].value == 0.8
    assert len(folders) == len(read_zeroshots(Study(tmp_path / "s"))) == 4


def test_two_encoders_on_the_same_images(tmp_path: Path) -> None:
    painted(tmp_path / "shades", SHADES)
    result = zeroshot(tmp_path / "s", [Colours(), RedForBlue()], images=tmp_path / "shades", **PLAIN)
    (found,) = result.contrasts
    assert (found.a, found.b, found.a_only, found.b_only) == ("own/colours", "own/red-for-blue", 2, 0)
    assert found.difference_points.value == pytest.approx(-20)
    assert found.difference_points.n == 10
    assert found.p == found.p_holm == 0.5  # both of two one way: 2 * 1/4


def test_a_part_holds_while_the_next_is_computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is finished before a failure is not computed again after it."""
    from snellen.exam.zeroshot import predicting

    monkeypatch.setattr(predicting, "PART_IMAGES", 4)
    painted(tmp_path / "shades", SHADES)
    whole = Colours()
    measured(tmp_path, whole, batch_size=2)
    before = files(tmp_path / "s")
    shutil.rmtree(tmp_path / "s")

    class Fails(Colours):
        def embed(self, batch: Any) -> Any:
            if self.images >= 6:
                raise FloatingPointError
            return super().embed(batch)

    with pytest.raises(EncoderError, match="no direction"):
        measured(tmp_path, Fails(), batch_size=2, workers=1)
    assert read_zeroshots(Study(tmp_path / "s")) == {}
    rest = Colours()
    measured(tmp_path, rest, batch_size=2)
    assert (whole.images, rest.images, rest.sentences) == (10, 6, [])
    assert files(tmp_path / "s") == before


def test_a_part_of_another_batch_size_is_thrown_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from snellen.exam.zeroshot import predicting

    monkeypatch.setattr(predicting, "PART_IMAGES", 4)
    painted(tmp_path / "shades", SHADES)

    class Fails(Colours):
        def embed(self, batch: Any) -> Any:
            if self.images >= 4:
                raise FloatingPointError
            return super().embed(batch)

    with pytest.raises(EncoderError):
        measured(tmp_path, Fails(), batch_size=2, workers=1)
    rest = Colours()
    assert measured(tmp_path, rest, batch_size=1).measured[0].batch_size == 1
    assert rest.images == 10


def test_an_image_that_changes_meanwhile_is_noticed(tmp_path: Path) -> None:
    painted(tmp_path / "shades", SHADES)

    class Meddles(Colours):
        def embed_text(self, texts: list[str]) -> Any:
            path = tmp_path / "shades" / "red" / "000.png"
            path.write_bytes((tmp_path / "shades" / "blue" / "008.png").read_bytes())
            return super().embed_text(texts)

    with pytest.raises(StudyError, match=r"'red/000\.png' changed"):
        measured(tmp_path, Meddles())


# -- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"batch_size": 0}, UsageError, "batch_size 0"),
        ({"name": "a/b"}, UsageError, "cannot be called 'a/b'"),
        ({"name": "\x1b[2J"}, UsageError, r"cannot be called '\x1b[2J'"),
        ({"classes": "imagenet"}, UsageError, "WordNet ids"),
        ({"templates": "missing.txt"}, UsageError, "no templates 'missing.txt'"),
        ({"images": "missing"}, UsageError, "missing"),
    ],
)
def test_wrong_arguments(tmp_path: Path, options: dict[str, Any], kind: type[SnellenError], said: str) -> None:
    painted(tmp_path / "shades", SHADES)
    with pytest.raises(kind) as caught:
        zeroshot(tmp_path / "s", [Colours()], **({"images": tmp_path / "shades"} | PLAIN | options))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_wrong_encoders(tmp_path: Path) -> None:
    images = painted(tmp_path / "shades", SHADES)
    with pytest.raises(Unsupported, match="no text tower"):
        zeroshot(tmp_path / "s", ["world/vision-only"], images=images, **PLAIN)
    with pytest.raises(UsageError, match="given twice"):
        zeroshot(tmp_path / "s", [Colours(), Colours()], images=images, **PLAIN)
    with pytest.raises(UsageError, match="No encoder"):
        zeroshot(tmp_path / "s", [], images=images, **PLAIN)
    with pytest.raises(EncoderError, match="a sentence no direction"):
        zeroshot(tmp_path / "s", [Colours(broken="texts")], images=images, **PLAIN)
    with pytest.raises(EncoderError, match=r"images .* no direction"):
        zeroshot(tmp_path / "s", [Colours(broken="images")], images=images, **PLAIN)


def test_images_without_a_label(tmp_path: Path) -> None:
    images = painted(tmp_path / "shades", SHADES)
    (images / "loose\x1b.png").write_bytes((images / "red" / "000.png").read_bytes())
    with pytest.raises(UsageError, match=r"^1 of 11 images have no label \('loose%1B.png'\)"):
        measured(tmp_path, Colours())


def test_hostile_folders(tmp_path: Path) -> None:
    """Names of folders are names of classes, whatever they hold."""
    images = painted(tmp_path / "shades", [("red {0.__class__}", "red"), ("../x\x1b[31m green"[3:], "green")])
    result = measured(tmp_path, Colours())
    assert result.measured[0].scores[0].value == 1.0
    assert b"\x1b" not in b"".join(files(tmp_path / "s").values())
    assert images.is_dir()


# -- the miniature world --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """140 pictures of the world, each in a folder that is named after what it shows."""
    world = world_in(tmp_path_factory.mktemp("world") / "w", 20)
    folder = tmp_path_factory.mktemp("labelled") / "kinds"
    for picture in world.pictures:
        place = folder / picture.facts.kind
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(world.folder / picture.file, place)
    return folder


def test_the_worlds_clip_knows_its_kinds(kinds: Path, tmp_path: Path) -> None:
    (found,) = zeroshot(tmp_path / "s", ["world/clip"], images=kinds, device="cpu", **PLAIN).measured
    top1 = found.scores[0]
    assert (top1.n, found.n_classes) == (140, 6)
    assert top1.low > 0.5 > 1 / 6 == top1.chance
    from transformers import CLIPModel

    from snellen.encoders.world import MODELS

    model: Any = CLIPModel.from_pretrained(MODELS / "clip")
    assert found.parameters == model.num_parameters()
    assert found.image_size == (64, 64)
    assert (found.device, found.dtype, found.batch_size) == ("cpu", "float32", 2)


def test_with_shuffled_labels_it_is_at_chance(kinds: Path, tmp_path: Path) -> None:
    paths = sorted(kinds.glob("*/*.png"))
    labels = [path.parent.name for path in paths]
    for path, place in zip(paths, np.random.default_rng(1).permutation(len(paths)), strict=True):
        (tmp_path / "mixed" / labels[place]).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, tmp_path / "mixed" / labels[place])
    (found,) = zeroshot(tmp_path / "s", ["world/clip"], images=tmp_path / "mixed", **PLAIN).measured
    assert binomtest(round(140 * found.scores[0].value), 140, 1 / 6).pvalue > 0.001


def test_torch_has_its_threads_back(kinds: Path, tmp_path: Path) -> None:
    import torch

    torch.set_num_threads(2)
    zeroshot(tmp_path / "s", ["world/clip"], images=kinds, device="cpu", **PLAIN)
    assert torch.get_num_threads() == 2


def test_workers_change_nothing(kinds: Path, tmp_path: Path) -> None:
    for name, workers in (("one", 1), ("five", 5)):
        zeroshot(tmp_path / name, ["world/clip"], images=kinds, workers=workers, **PLAIN)
    assert files(tmp_path / "one") == files(tmp_path / "five")


def test_a_table_of_paths_gives_the_same(kinds: Path, tmp_path: Path) -> None:
    paths = sorted(kinds.glob("*/*.png"))
    rows = "".join(f"{path},{path.parent.name}\n" for path in paths)
    (tmp_path / "kinds.csv").write_text("path,label\n" + rows)
    results = [
        zeroshot(tmp_path / "s", ["world/clip"], images=images, **PLAIN).measured[0]
        for images in (kinds, tmp_path / "kinds.csv")
    ]
    assert results[0].content_sha256 == results[1].content_sha256
    assert results[0].scores == results[1].scores
    assert results[1].dataset == "kinds"
