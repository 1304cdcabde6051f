"""From a transformers image processor to a preprocessing recipe.

Processors are pinned to Pillow (`backend="pil"`, checked on the class): with torchvision installed, transformers
prefers its torchvision backend, whose pixels differ by up to 0.015 after normalisation. Only DINOv3 has no Pillow
processor; it gets `LibraryPixels`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from snellen.encoders.base import FloatArray
from snellen.encoders.naflex import NaflexPixels
from snellen.encoders.pixels import FILTERS, CropRule, Filter, Pixels, ResizeRule, pair, three
from snellen.errors import EncoderError

TORCHVISION_ONLY = ("DINOv3ViTImageProcessor",)
VERSIONS = ("transformers_version", "_processor_class", "processor_class", "feature_extractor_type", "auto_map")


@dataclass(frozen=True)
class LibraryPixels:
    """The library's own processor, for models whose pixels only torchvision makes (DINOv3).

    DINOv3 rescales to floats before it resizes, and resizes with torchvision's antialiased filter; Pillow would round
    to 8 bits in between. So the library's processor itself runs in the decode workers, which then import torch and
    transformers. It is rebuilt from its settings after pickling.
    """

    kind: str
    settings: str

    def __call__(self, image: Image.Image) -> FloatArray:
        """Return the picture as float32 [3, H, W]."""
        pixels: FloatArray = np.ascontiguousarray(
            _processor(self.kind, self.settings)(images=image.convert("RGB"), return_tensors="pt")["pixel_values"][0],
            dtype=np.float32,
        )
        return pixels

    def recipe(self) -> dict[str, Any]:
        """Return all settings as JSON data, for the fingerprint."""
        return {"library": self.kind, "settings": json.loads(self.settings)}


@lru_cache(maxsize=8)
def _processor(kind: str, settings: str) -> Any:  # noqa: ANN401 - a transformers image processor
    import transformers

    return getattr(transformers, kind)(**json.loads(settings))


def read_pixels(source: str, revision: str | None, *, local: bool) -> Pixels | NaflexPixels | LibraryPixels:
    """Read the image processor of a folder or hub name and translate it.

    Raises:
        EncoderError: the processor, or one of its settings, is not known here.
        OSError: there is none.
    """
    from transformers import AutoImageProcessor

    processor = AutoImageProcessor.from_pretrained(
        source, revision=revision or "main", local_files_only=local, backend="pil", trust_remote_code=False
    )
    return translate(processor)


def translate(processor: Any) -> Pixels | NaflexPixels | LibraryPixels:  # noqa: ANN401 - a transformers processor
    """Return the recipe of a transformers image processor.

    Raises:
        EncoderError: the processor, or one of its settings, is not known here.
    """
    from transformers import Siglip2ImageProcessorPil
    from transformers.image_processing_backends import PilBackend

    kind = type(processor)
    if kind.__name__ in TORCHVISION_ONLY:
        settings = {
            key: value for key, value in processor.to_dict().items() if key not in (*VERSIONS, "image_processor_type")
        }
        return LibraryPixels(kind.__name__, json.dumps(settings, sort_keys=True))
    if not isinstance(processor, PilBackend):
        raise EncoderError(f"the image processor {kind.__name__} has no Pillow version, and is not known here")
    if isinstance(processor, Siglip2ImageProcessorPil):
        if not processor.do_resize:
            raise EncoderError("the image processor's do_resize is off, which NaFlex cannot do without")
        mean, std = _normalisation(processor)
        return NaflexPixels(
            patch_size=int(processor.patch_size),
            max_num_patches=int(processor.max_num_patches),
            filter=_filter(processor.resample),
            mean=mean,
            std=std,
            rescale=_rescale(processor),
        )
    # What a subclass does differently (ConvNeXT's crop_pct, say) would be lost in translation.
    for step in ("_preprocess", "resize", "center_crop", "rescale", "normalize"):
        if getattr(kind, step) is not getattr(PilBackend, step):
            raise EncoderError(f"the image processor {kind.__name__} has its own {step}, which is not known here")
    return _standard(processor)


def _standard(processor: Any) -> Pixels:  # noqa: ANN401
    """Translate a processor that only resizes, crops, rescales and normalises."""
    if getattr(processor, "do_pad", None):
        raise EncoderError(f"the image processor's do_pad (to {processor.pad_size}) is not known here")
    resize: ResizeRule = "none"
    resize_to = (1, 1)
    if processor.do_resize:
        size = {key: value for key, value in dict(processor.size).items() if value}
        if set(size) == {"shortest_edge"}:
            resize, resize_to = "shortest", (int(size["shortest_edge"]),) * 2
        elif set(size) == {"height", "width"}:
            resize, resize_to = "exact", pair(size, "the image processor's size")
        else:
            raise EncoderError(f"the image processor's size {size} is not known here")
    crop: CropRule = "none"
    result = resize_to
    if getattr(processor, "do_center_crop", None):
        crop, result = "transformers", pair(dict(processor.crop_size), "the image processor's crop_size")
    mean, std = _normalisation(processor)
    return Pixels(
        resize=resize,
        resize_to=resize_to,
        filter=_filter(processor.resample),
        crop=crop,
        size=result,
        mean=mean,
        std=std,
        rescale=_rescale(processor),
    )


def _normalisation(processor: Any) -> tuple[tuple[float, float, float], tuple[float, float, float]]:  # noqa: ANN401
    if not processor.do_normalize:
        return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    return (
        three(processor.image_mean, "the image processor's image_mean"),
        three(processor.image_std, "the image processor's image_std"),
    )


def _rescale(processor: Any) -> float:  # noqa: ANN401
    return float(processor.rescale_factor) if processor.do_rescale else 1.0


def _filter(resample: Any) -> Filter:  # noqa: ANN401
    """Name Pillow's filter; processors hold its number."""
    for name, number in FILTERS.items():
        if resample is not None and int(resample) == number.value:
            return name  # type: ignore[return-value]
    raise EncoderError(f"the image processor's resample {resample!r} is not known here; known: {', '.join(FILTERS)}")
