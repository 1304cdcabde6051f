"""The same numbers as open_clip's own zero-shot classifier, and as transformers' CLIP, image by image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from snellen.encoders.base import ImageTextEncoder
from snellen.encoders.quiet import quiet_libraries
from snellen.exam.zeroshot import read_predictions, zeroshot
from snellen.exam.zeroshot.classifier import class_rows
from snellen.exam.zeroshot.templates import read_templates
from snellen.providers import load_encoder
from tests.encoders import checkpoints, checkpoints_other, direct
from tests.encoders.pictures import picture
from tests.world.worlds import world_in

NAMES = ["tench", "great white shark", "hen", "kite", "school bus", "tow truck", "acorn", "stupa"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty pictures of awkward sizes, five for each name."""
    folder = tmp_path_factory.mktemp("photos") / "photos"
    for number in range(40):
        place = folder / NAMES[number % 8].replace(" ", "_")
        place.mkdir(parents=True, exist_ok=True)
        picture(50 + 3 * number, 90 - number, number).save(place / f"{number:02d}.png")
    return folder


def dual(name: str) -> ImageTextEncoder:
    encoder = load_encoder(name)
    assert isinstance(encoder, ImageTextEncoder)
    return encoder


def predicted(study: Path, name: str, photos: Path, templates: str) -> dict[str, str]:
    result = zeroshot(study, [name], images=photos, classes="labels", templates=templates, device="cpu")
    lines = read_predictions(result.folders[0] / "predictions.jsonl")
    assert result.measured[0].scores[0].value == pytest.approx(np.mean([line.top[0] == line.label for line in lines]))
    return {line.uri: line.top[0].replace("_", " ") for line in lines}


@pytest.mark.parametrize("build", [checkpoints_other.open_clip_folder, checkpoints_other.open_clip_timm_tower])
def test_open_clip(build: Any, tmp_path: Path, photos: Path) -> None:
    import open_clip
    import torch
    from open_clip.zero_shot_metadata import SIMPLE_IMAGENET_TEMPLATES

    with quiet_libraries():
        name = build(tmp_path / "model")
        identifier = "local-dir:" + name.removeprefix("open_clip/")
        model, _, transform = open_clip.create_model_and_transforms(identifier, require_pretrained=True)
    model.eval()
    ordered = sorted(NAMES)
    theirs = open_clip.build_zero_shot_classifier(
        model, open_clip.get_tokenizer(identifier), ordered, SIMPLE_IMAGENET_TEMPLATES
    )
    ours = class_rows(dual(name), [[each] for each in ordered], read_templates("openai-7").lines)
    np.testing.assert_allclose(ours, theirs.T.numpy(), rtol=0, atol=1e-6)

    found = predicted(tmp_path / "s", name, photos, "openai-7")
    assert len(found) == 40
    assert len(set(found.values())) > 1
    with torch.no_grad():
        for uri, label in found.items():
            features = model.encode_image(transform(Image.open(photos / uri))[None], normalize=True)
            assert ordered[int((features @ theirs).argmax())] == label, uri


@pytest.mark.parametrize("build", [checkpoints.clip, checkpoints.siglip, checkpoints.metaclip_2])
def test_transformers(build: Any, tmp_path: Path, photos: Path) -> None:
    with quiet_libraries():
        name = build(tmp_path / "model")
        library = direct.of_transformers(name)
    ordered = sorted(NAMES)
    templates = ("a photo of a {}.", "art of the {}.")
    sentences = [[template.format(each) for template in templates] for each in ordered]
    means = np.stack([library.text_rows(each).astype(np.float64).mean(axis=0) for each in sentences])
    theirs = means / np.linalg.norm(means, axis=1, keepdims=True)
    ours = class_rows(dual(name), [[each] for each in ordered], templates)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)

    (tmp_path / "t.txt").write_text("\n".join(templates))
    found = predicted(tmp_path / "s", name, photos, str(tmp_path / "t.txt"))
    images = [Image.open(photos / uri).convert("RGB") for uri in found]
    rows = np.concatenate([library.rows([image]) for image in images]).astype(np.float64)
    best = (rows @ theirs.T).argmax(axis=1)
    assert list(found.values()) == [ordered[place] for place in best]


def test_the_worlds_clip_by_transformers(tmp_path: Path) -> None:
    """Not random: where the encoder truly tells classes apart."""
    from snellen.encoders.world import MODELS

    world = world_in(tmp_path / "w", 10)
    rows = "".join(f"{world.folder / one.file},{one.facts.kind}\n" for one in world.pictures)
    (tmp_path / "kinds.csv").write_text("path,label\n" + rows)
    result = zeroshot(
        tmp_path / "s", ["world/clip"], images=tmp_path / "kinds.csv", classes="labels", templates="plain", device="cpu"
    )
    lines = read_predictions(result.folders[0] / "predictions.jsonl")
    library = direct.of_transformers(f"transformers/{MODELS / 'clip'}")
    kinds = sorted({one.facts.kind for one in world.pictures})
    texts = library.text_rows([f"a photo of a {kind}." for kind in kinds])
    images = library.rows([Image.open(world.folder / one.file).convert("RGB") for one in world.pictures])
    order = np.argsort(-(images.astype(np.float64) @ texts.T.astype(np.float64)), axis=1)[:, :5]
    assert [list(line.top) for line in lines] == [[kinds[place] for place in row] for row in order]


# -- photographs, where they lie beside this clone ------------------------------------------------------------------


def test_photographs_by_folder(shared_data: Path, tmp_path: Path) -> None:
    with quiet_libraries():
        name = checkpoints_other.open_clip_folder(tmp_path / "model")
    photos = shared_data / "photos" / "clothing" / "test"
    result = zeroshot(tmp_path / "s", [name], images=photos, classes="labels", templates="openai-7", name="clothing")
    (found,) = result.measured
    assert found.counts == {"ok": sum(1 for _ in photos.glob("*/*.jpg"))}
    assert found.n_classes == 10
    # Random weights know nothing: chance lies within or near the interval.
    assert abs(found.scores[0].value - 0.1) < 0.1
    assert len(found.scores) == 3


def test_photographs_of_imagenet(shared_data: Path, tmp_path: Path) -> None:
    """One photograph a class, of some classes: the others are candidates all the same."""
    with quiet_libraries():
        name = checkpoints_other.open_clip_folder(tmp_path / "model")
    photos = sorted((shared_data / "photos" / "imagenet").glob("n*.JPEG"))[:24]
    for photo in photos:
        place = tmp_path / "val" / photo.name.partition("_")[0]
        place.mkdir(parents=True)
        (place / photo.name).symlink_to(photo)
    (found,) = zeroshot(
        tmp_path / "s", [name], images=tmp_path / "val", classes="imagenet", templates="plain", follow_links=True
    ).measured
    assert (found.n_images, found.n_classes) == (24, 1000)
    assert sum(one.n == 0 for one in found.per_class) == 1000 - len({photo.name[:9] for photo in photos})
    by_label = {one.label: one.names[0] for one in found.per_class}
    assert by_label["n01440764"] == "tench"
    assert found.scores[0].chance == 0.001
