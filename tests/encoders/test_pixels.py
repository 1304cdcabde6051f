"""Preprocessing recipes: rules, refusals, and no torch in the decode workers."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from snellen.encoders.pixels import Pixels, ResizeRule, pair, three
from snellen.encoders.transformers_pixels import translate
from snellen.errors import EncoderError
from tests.encoders.pictures import PICTURES, picture

PLAIN = Pixels("shortest", (32, 32), "bicubic", "torchvision", (32, 32), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def test_worked_example() -> None:
    """Black and white halves, 4 x 2, squashed to 2 x 1 by the box filter, normalised with mean 0.5 and std 0.5."""
    image = Image.new("RGB", (4, 2))
    image.paste((255, 255, 255), (2, 0, 4, 2))
    recipe = replace(PLAIN, resize="exact", resize_to=(1, 2), crop="none", size=(1, 2), filter="box")
    recipe = replace(recipe, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    assert recipe(image).tolist() == [[[-1.0, 1.0]]] * 3


@pytest.mark.parametrize(
    ("rule", "size", "expected"),
    [
        ("shortest", (100, 67), (32, 47)),  # 32 * 100 / 67 = 47.76, cut
        ("shortest", (67, 100), (47, 32)),
        ("cover", (100, 67), (32, 48)),  # rounded
        ("contain", (100, 67), (21, 32)),  # 21.44
        ("contain", (1000, 3), (1, 32)),  # never nothing at all
        ("none", (100, 67), (67, 100)),
    ],
)
def test_resize_rules(rule: ResizeRule, size: tuple[int, int], expected: tuple[int, int]) -> None:
    width, height = size
    assert replace(PLAIN, resize=rule)._new_size(height, width) == expected


def test_odd_margins_are_rounded_as_torchvision_does() -> None:
    from torchvision.transforms.functional import center_crop, pil_to_tensor

    for image in PICTURES:
        for side in (16, 17, 40, 45):
            ours = replace(PLAIN, resize="none", size=(side, side + 3))(image) * 255
            theirs = pil_to_tensor(center_crop(image, [side, side + 3])).numpy()
            assert np.array_equal(np.rint(ours).astype(np.uint8), theirs), (image.size, side)


def test_odd_margins_are_rounded_as_transformers_does() -> None:
    from transformers.image_transforms import center_crop

    for image in PICTURES:
        for side in (16, 17, 40, 45):
            ours = replace(PLAIN, resize="none", crop="transformers", size=(side, side + 3))(image) * 255
            theirs = center_crop(np.asarray(image).transpose(2, 0, 1), (side, side + 3))
            assert np.array_equal(np.rint(ours).astype(np.uint8), theirs), (image.size, side)


def test_a_sliver_takes_little_memory_and_gives_the_same_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    sliver = picture(3, 900)
    whole = PLAIN(sliver)
    monkeypatch.setattr("snellen.encoders.pixels.LARGEST_RESIZE", 32 * 40)
    assert np.abs(PLAIN(sliver) - whole).max() <= 1.001 / 255
    monkeypatch.undo()
    assert PLAIN(Image.new("RGB", (1, 80_000), "grey")).shape == (3, 32, 32)


def test_other_modes_are_converted() -> None:
    grey = PICTURES[0].convert("L")
    assert np.array_equal(PLAIN(grey), PLAIN(grey.convert("RGB")))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"resize": "stretch"}, "unknown resize 'stretch'"),
        ({"filter": "area"}, "unknown filter 'area'"),
        ({"crop": "left"}, "unknown crop 'left'"),
        ({"crop": "none"}, "cannot share a batch"),
        ({"size": (0, 3)}, "must be positive"),
        ({"std": (0.0, 1.0, 1.0)}, "out of range"),
    ],
)
def test_unknown_settings_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(EncoderError, match=message):
        replace(PLAIN, **change)


def test_helpers_refuse_what_they_cannot_read() -> None:
    assert pair({"height": 3, "width": 4}, "size") == (3, 4) and pair(5, "size") == (5, 5)
    assert three(0.5, "mean") == (0.5, 0.5, 0.5)
    with pytest.raises(EncoderError, match="mean must hold three"):
        three([1, 2], "mean")
    with pytest.raises(EncoderError, match="size must be"):
        pair("large", "size")


def test_recipes_load_no_torch() -> None:
    code = (
        "import pickle, sys; import snellen.providers, snellen.encoders.pixels, snellen.encoders.naflex; "
        f"recipe = pickle.loads({pickle.dumps(PLAIN)!r}); from PIL import Image; recipe(Image.new('RGB', (9, 9))); "
        "snellen.providers.load_encoder('control/gradient-grid'); "
        "print([name for name in ('torch', 'transformers', 'timm', 'open_clip', 'onnxruntime') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("processor", "settings", "message"),
    [
        ("CLIPImageProcessorPil", {"size": {"shortest_edge": 30, "longest_edge": 60}}, "size .*longest_edge"),
        ("ViTImageProcessorPil", {"do_resize": False}, "cannot share a batch"),
        ("CLIPImageProcessorPil", {"do_pad": True, "pad_size": {"height": 9, "width": 9}}, "do_pad"),
        ("ConvNextImageProcessorPil", {}, "ConvNextImageProcessorPil has its own"),
        ("CLIPImageProcessor", {}, "no Pillow version"),
    ],
)
def test_unknown_processors_are_refused(processor: str, settings: dict[str, Any], message: str) -> None:
    import transformers

    with pytest.raises(EncoderError, match=message):
        translate(getattr(transformers, processor)(**settings))


@pytest.mark.parametrize("settings", [{"do_rescale": False}, {"do_normalize": False}, {"resample": 1}, {"resample": 4}])
def test_switched_off_steps_and_other_filters(settings: dict[str, Any]) -> None:
    from transformers import CLIPImageProcessorPil

    processor = CLIPImageProcessorPil(size={"shortest_edge": 40}, crop_size={"height": 32, "width": 24}, **settings)
    for image in PICTURES:
        theirs = processor(images=image, return_tensors="np")["pixel_values"][0]
        assert np.abs(translate(processor)(image) - theirs).max() <= 1e-6 * max(1, np.abs(theirs).max())
