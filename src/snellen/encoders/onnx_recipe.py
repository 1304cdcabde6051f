"""The preprocessing of an ONNX file: from its own metadata, or from a JSON beside it.

Fields, the same in both (metadata values are text, lists with commas; JSON has numbers and lists):

    image_size           224, or height and width "224,224"            required
    mean, std            three numbers, for pixels in [0, 1]           required
    resize_shorter_side  scale so that the shorter side has this many pixels (then `crop`: `center`)
    resize               instead of it: `squash` (to image_size), `pad` (fit in, black borders), `none` (crop only)
    interpolation        nearest, box, bilinear, hamming, bicubic or lanczos     default bicubic, antialiased
    crop                 `center`                                                default center
    rescale              factor on 8-bit values                                  default 1/255
    input, output        names, where the file has several

A JSON is `model.onnx.json` or `model.json` beside `model.onnx`; its fields go before the metadata's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snellen.encoders.pixels import FILTERS, Pixels, pair, three
from snellen.errors import EncoderError

EXAMPLE = (
    '{"image_size": 224, "resize_shorter_side": 256, "crop": "center", "interpolation": "bicubic", '
    '"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}'
)

PREPROCESSING = (
    "image_size",
    "mean",
    "std",
    "resize_shorter_side",
    "resize",
    "interpolation",
    "crop",
    "rescale",
)
NAMES = ("input", "output")
DESCRIPTIONS = ("feature", "licence", "license", "source", "description", "author")


def settings(path: Path, metadata: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of the file's metadata, overridden by those of the JSON beside it.

    Metadata may hold anything else besides, which is left alone; a JSON is written for us, so an unknown field in it
    is a typing error.

    Raises:
        EncoderError: the JSON cannot be read, or holds an unknown field.
    """
    found: dict[str, Any] = {key: metadata[key] for key in (*PREPROCESSING, *NAMES) if key in metadata}
    beside = [path.with_name(path.name + ".json"), path.with_suffix(".json")]
    for file in [candidate for candidate in beside if candidate.is_file()][:1]:
        try:
            written = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise EncoderError(f"cannot read {file} as JSON: {error}") from error
        if not isinstance(written, dict):
            raise EncoderError(f"{file} must hold one JSON object, like {EXAMPLE}")
        unknown = [key for key in written if key not in (*PREPROCESSING, *NAMES, *DESCRIPTIONS)]
        if unknown:
            known = ", ".join((*PREPROCESSING, *NAMES, *DESCRIPTIONS))
            raise EncoderError(f"{file} has an unknown field {unknown[0]!r}; known: {known}")
        if "resize" in written or "resize_shorter_side" in written:
            found = {key: value for key, value in found.items() if not key.startswith("resize")}
        found |= {key: value for key, value in written.items() if key not in DESCRIPTIONS}
    return found


def pixels(fields: Mapping[str, Any], path: Path) -> Pixels:
    """Translate the fields into a recipe; rounding is torchvision's, padding black.

    Raises:
        EncoderError: a field is missing, unknown or not what it should be; the message shows an example.
    """
    missing = [key for key in ("image_size", "mean", "std") if key not in fields]
    if missing or ("resize" in fields) == ("resize_shorter_side" in fields):
        lacks = ", ".join(missing) or "exactly one of resize_shorter_side and resize"
        raise EncoderError(
            f"{path} does not say how to prepare images (no {lacks} in its metadata): put a file "
            f"{path.name}.json beside it, for example {EXAMPLE}"
        )
    choices: dict[str, tuple[str, ...]] = {
        "crop": ("center",),
        "resize": ("squash", "pad", "none"),
        "interpolation": tuple(FILTERS),
    }
    for field, known in choices.items():
        if field in fields and fields[field] not in known:
            raise EncoderError(f"{path}: unknown {field} {fields[field]!r}; known: {', '.join(known)}")
    size = _numbers(fields["image_size"], "image_size", path)
    height, width = pair(int(size[0]) if len(size) == 1 else [int(side) for side in size], f"{path}: image_size")
    shorter = _numbers(fields.get("resize_shorter_side", 0), "resize_shorter_side", path)
    rule = fields.get("resize", "shortest")
    return Pixels(
        resize={"shortest": "shortest", "squash": "exact", "pad": "contain", "none": "none"}[rule],  # type: ignore[arg-type]
        resize_to=(int(shorter[0]), int(shorter[0])) if rule == "shortest" else (height, width),
        filter=fields.get("interpolation", "bicubic"),
        crop="torchvision",
        size=(height, width),
        mean=three(_numbers(fields["mean"], "mean", path), f"{path}: mean"),
        std=three(_numbers(fields["std"], "std", path), f"{path}: std"),
        rescale=_numbers(fields.get("rescale", 1 / 255), "rescale", path)[0],
    )


def _numbers(value: Any, field: str, path: Path) -> list[float]:  # noqa: ANN401 - whatever the file holds
    """Read one number or several, from JSON or from text with commas."""
    parts = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else [value]
    try:
        return [float(part) for part in parts]
    except (TypeError, ValueError) as error:
        raise EncoderError(f"{path}: {field} must be a number or several, not {value!r}") from error
