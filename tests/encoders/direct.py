"""The same images through the libraries themselves, as their own documentation says: what our encoders must equal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

Floats = NDArray[np.float32]


class Direct:
    """A library's own preprocessing, image vectors (not scaled) and text vectors for one checkpoint."""

    def __init__(
        self,
        pixels: Callable[[Image], Floats],
        embed: Callable[[list[Image]], Any],
        text: Callable[[list[str]], Any] | None = None,
    ) -> None:
        self._pixels = pixels
        self._embed = embed
        self._text = text

    def pixels(self, image: Image) -> Floats:
        return np.asarray(self._pixels(image), dtype=np.float32)

    def rows(self, images: list[Image]) -> Floats:
        return unit(self._embed(images))

    def text_rows(self, texts: list[str]) -> Floats:
        assert self._text is not None
        return unit(self._text(texts))


def unit(vectors: Any) -> Floats:
    values = np.asarray(vectors.detach() if hasattr(vectors, "detach") else vectors, dtype=np.float64)
    result: Floats = (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)
    return result


def of_transformers(name: str) -> Direct:
    import torch
    from transformers import AutoConfig, AutoImageProcessor, AutoModel, AutoTokenizer, CLIPVisionModelWithProjection

    folder = name.removeprefix("transformers/")
    kind = AutoConfig.from_pretrained(folder).model_type
    processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
    if kind == "clip_vision_model":
        model = CLIPVisionModelWithProjection.from_pretrained(folder)
    else:
        model = AutoModel.from_pretrained(folder, dtype=torch.float32)
    model.eval()

    def embed(images: list[Image]) -> Any:
        with torch.no_grad():
            inputs = processor(images=images, return_tensors="pt")
            if kind in ("clip", "metaclip_2", "siglip", "siglip2"):
                return model.get_image_features(**inputs).pooler_output
            if kind == "clip_vision_model":
                return model(**inputs).image_embeds
            if kind == "siglip_vision_model":
                return model(**inputs).pooler_output
            if kind == "vit_mae":
                model.config.mask_ratio = 0.0
                count = model.embeddings.patch_embeddings.num_patches
                inputs["noise"] = torch.arange(count).repeat(len(images), 1)
            return model(**inputs).last_hidden_state[:, 0]

    def text(texts: list[str]) -> Any:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        longest = model.config.text_config.max_position_embeddings
        with torch.no_grad():
            if kind in ("clip", "metaclip_2"):
                inputs = tokenizer(texts, padding=True, truncation=True, max_length=longest, return_tensors="pt")
                return model.get_text_features(**inputs).pooler_output
            inputs = tokenizer(texts, padding="max_length", truncation=True, max_length=longest, return_tensors="pt")
            return model.get_text_features(input_ids=inputs.input_ids).pooler_output

    def pixels(image: Image) -> Floats:
        values: Floats = np.asarray(processor(images=image, return_tensors="pt")["pixel_values"][0])
        return values

    return Direct(pixels, embed, text)


def of_open_clip(name: str) -> Direct:
    import open_clip
    import torch

    model_name, _, file = name.removeprefix("open_clip/").partition("@")
    identifier = model_name if file else f"local-dir:{model_name}"
    model, _, transform = open_clip.create_model_and_transforms(
        identifier, pretrained=file or None, require_pretrained=True
    )
    model.eval()

    def embed(images: list[Image]) -> Any:
        with torch.no_grad():
            return model.encode_image(torch.stack([transform(image) for image in images]))

    def text(texts: list[str]) -> Any:
        with torch.no_grad():
            return model.encode_text(open_clip.get_tokenizer(identifier)(texts))

    return Direct(lambda image: transform(image).numpy(), embed, text)


def of_timm(name: str) -> Direct:
    import timm
    import torch
    from safetensors.torch import load_file

    model_name, _, file = name.removeprefix("timm/").partition("@")
    if file:
        model = timm.create_model(model_name, num_classes=0)
        weights = {key: value for key, value in load_file(file).items() if not key.startswith("head.")}
        model.load_state_dict(weights, strict=True)
    else:
        model = timm.create_model(f"local-dir:{model_name}", pretrained=True, num_classes=0)
    model.eval()
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model), is_training=False)

    def embed(images: list[Image]) -> Any:
        with torch.no_grad():
            return model(torch.stack([transform(image) for image in images]))

    return Direct(lambda image: transform(image).numpy(), embed)


def of_onnx(name: str) -> Direct:
    """Preprocessing as torchvision would do it for the file's metadata."""
    import onnxruntime
    from torchvision import transforms

    path = Path(name.removeprefix("onnx/"))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    fields = session.get_modelmeta().custom_metadata_map
    mean, std = ([float(level) for level in fields[key].split(",")] for key in ("mean", "std"))
    transform = transforms.Compose(
        [
            transforms.Resize(
                int(fields["resize_shorter_side"]), transforms.InterpolationMode(fields["interpolation"])
            ),
            transforms.CenterCrop(int(fields["image_size"])),
            transforms.ToTensor(),
            transforms.Normalize(mean, std),
        ]
    )
    fixed = session.get_inputs()[0].shape[0]

    def embed(images: list[Image]) -> Any:
        rows = []
        for image in images:
            pixels = transform(image).numpy()[None].repeat(fixed if isinstance(fixed, int) else 1, axis=0)
            rows.append(session.run(["embedding"], {"pixels": pixels})[0][0])
        return np.stack(rows)

    return Direct(lambda image: transform(image).numpy(), embed)
