"""Preprocessing recipes: from a decoded picture to what a network takes, with Pillow and NumPy alone.

A recipe runs in the decode workers, which hold no network, so nothing here imports torch. Each provider translates its
library's own preprocessing configuration into a `Pixels`; the contract tests compare the pixels with the library's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from snellen.encoders.base import FloatArray
from snellen.errors import EncoderError

ResizeRule = Literal["none", "exact", "shortest", "cover", "contain"]
CropRule = Literal["none", "torchvision", "transformers"]
Filter = Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]

FILTERS: dict[str, Image.Resampling] = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "hamming": Image.Resampling.HAMMING,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}

PIXELS_VERSION = 1
"""Goes into fingerprints; raise it when the same recipe starts to give other pixels."""

LARGEST_RESIZE = 2**26
"""Pixels of a resized picture above which only the part that the crop keeps is computed."""


@dataclass(frozen=True)
class Pixels:
    """Resize, crop about the centre, scale and normalise: RGB picture to float32 [3, H, W].

    Attributes:
        resize: `exact` squashes to `resize_to`; `shortest` brings the shorter side to `resize_to[0]` and cuts the other
            to an integer; `cover` / `contain` keep the proportions so that the picture just covers / fits in
            `resize_to`, rounding each side; `none` leaves the size.
        resize_to: (height, width).
        filter: Pillow's resampling filter, antialiased as always in Pillow.
        crop: How the centre is rounded and short sides are padded: as in torchvision (open_clip and timm do the same)
            or as in transformers; `none` for no crop.
        size: (H, W) of the result.
        rescale: Factor on the 8-bit values.
        mean: Subtracted per channel after rescaling.
        std: Divided by per channel.
        fill: 8-bit RGB colour of the padding.
    """

    resize: ResizeRule
    resize_to: tuple[int, int]
    filter: Filter
    crop: CropRule
    size: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    rescale: float = 1 / 255
    fill: tuple[int, int, int] = (0, 0, 0)

    def __post_init__(self) -> None:
        """Refuse what the rules below do not know.

        Raises:
            EncoderError: a setting is unknown or out of range; the message names it and lists the choices.
        """
        for setting, rules in (("resize", ResizeRule), ("crop", CropRule), ("filter", Filter)):
            value = getattr(self, setting)
            if value not in get_args(rules):
                raise EncoderError(
                    f"unknown {setting} {value!r} in the preprocessing; known: {', '.join(get_args(rules))}"
                )
        if min(*self.resize_to, *self.size) < 1:
            raise EncoderError(
                f"the preprocessing's sizes must be positive: resize to {self.resize_to}, size {self.size}"
            )
        if not all(np.isfinite((*self.mean, *self.std, self.rescale))) or min(self.std) <= 0:
            raise EncoderError(f"the preprocessing's mean {self.mean} or std {self.std} is out of range")
        if self.crop == "none" and not (self.resize == "exact" and self.resize_to == self.size):
            raise EncoderError(
                "the preprocessing neither crops nor squashes to one size, so pictures cannot share a batch"
            )

    def __call__(self, image: Image.Image) -> FloatArray:
        """Return the picture as float32 [3, H, W]; modes other than RGB are converted first."""
        picture = image if image.mode == "RGB" else image.convert("RGB")
        picture = self._resized(picture)
        values = np.asarray(picture)
        if self.crop != "none":
            values = _centre(values, self.size, self.fill, self.crop)
        return self._normalised(values)

    def recipe(self) -> dict[str, Any]:
        """Return all settings as JSON data, for the fingerprint."""
        return {"pixels": PIXELS_VERSION, **asdict(self)}

    def _resized(self, picture: Image.Image) -> Image.Image:
        width, height = picture.size
        new_height, new_width = self._new_size(height, width)
        if (new_height, new_width) == (height, width):
            return picture
        box = None
        if self.crop != "none" and new_height * new_width > LARGEST_RESIZE:
            # A sliver of 3 x 60,000 pixels would take gigabytes here and be thrown away by the crop. Computing only
            # what the crop keeps differs by rounding alone: two grey levels at most.
            keep_height, keep_width = min(self.size[0], new_height), min(self.size[1], new_width)
            top, left = self._start(new_height, keep_height), self._start(new_width, keep_width)
            scale_y, scale_x = height / new_height, width / new_width
            box = (left * scale_x, top * scale_y, (left + keep_width) * scale_x, (top + keep_height) * scale_y)
            new_height, new_width = keep_height, keep_width
        return picture.resize((new_width, new_height), FILTERS[self.filter], box=box)

    def _start(self, have: int, keep: int) -> int:
        """Return where the crop begins, as `_centre` does: the libraries round halves differently."""
        return (have - keep) // 2 if self.crop == "transformers" else round((have - keep) / 2)

    def _new_size(self, height: int, width: int) -> tuple[int, int]:
        if self.resize == "none":
            return height, width
        if self.resize == "exact":
            return self.resize_to
        if self.resize == "shortest":
            short = self.resize_to[0]
            if width <= height:
                return int(short * height / width), short
            return short, int(short * width / height)
        ratios = (height / self.resize_to[0], width / self.resize_to[1])
        ratio = min(ratios) if self.resize == "cover" else max(ratios)
        return max(1, round(height / ratio)), max(1, round(width / ratio))

    def _normalised(self, values: NDArray[np.uint8]) -> FloatArray:
        # 256 grey levels have 256 results per channel: a table gives the libraries' arithmetic (float64 product,
        # float32 from there on) at the price of one look-up per value.
        levels = (np.arange(256, dtype=np.float64) * self.rescale).astype(np.float32)
        pixels = np.empty((3, *values.shape[:2]), dtype=np.float32)
        for channel in range(3):
            table = (levels - np.float32(self.mean[channel])) / np.float32(self.std[channel])
            np.take(table, values[..., channel], out=pixels[channel])
        return pixels


def _centre(
    values: NDArray[np.uint8], size: tuple[int, int], fill: tuple[int, int, int], rule: CropRule
) -> NDArray[np.uint8]:
    """Crop uint8 [h, w, 3] about its centre to `size`, padding sides that are too short."""
    starts, pads = [], []
    for have, want in zip(values.shape[:2], size, strict=True):
        missing = max(0, want - have)
        if rule == "transformers":
            before = ceil(missing / 2)
            starts.append((have - want) // 2 + before)
        else:
            before = missing // 2
            starts.append(round((have + missing - want) / 2))
        pads.append((before, missing - before))
    if any(sum(pad) for pad in pads):
        (top, bottom), (left, right) = pads
        height, width = values.shape[:2]
        canvas = np.empty((height + top + bottom, width + left + right, 3), dtype=np.uint8)
        canvas[:] = fill
        canvas[top : top + height, left : left + width] = values
        values = canvas
    return values[starts[0] : starts[0] + size[0], starts[1] : starts[1] + size[1]]


def three(values: Sequence[float] | float, what: str) -> tuple[float, float, float]:
    """Return one float for each of the RGB channels; a single number serves all three.

    Raises:
        EncoderError: there are neither one nor three; `what` says of which setting.
    """
    numbers = [values] * 3 if isinstance(values, int | float) else list(values)
    if len(numbers) != 3:
        raise EncoderError(f"{what} must hold three numbers, one for each of R, G and B, not {len(numbers)}")
    return (float(numbers[0]), float(numbers[1]), float(numbers[2]))


def pair(size: Any, what: str) -> tuple[int, int]:  # noqa: ANN401 - whatever a configuration file holds
    """Return (height, width) from an int, a pair, or a mapping with `height` and `width`.

    Raises:
        EncoderError: it is none of these; `what` says of which setting.
    """
    if isinstance(size, Mapping) and size.get("height") and size.get("width"):
        return int(size["height"]), int(size["width"])
    if isinstance(size, int):
        return size, size
    if isinstance(size, list | tuple) and len(size) == 2:
        return int(size[0]), int(size[1])
    raise EncoderError(f"{what} must be a number or a height and a width, not {size!r}")
