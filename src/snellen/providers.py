"""Names of models to loaders: two dicts that can be read aloud, one of encoders, one of multimodal LLMs.

A name is `provider/model[@weights]`. What stands after the first slash is the provider's affair; a local folder or
file is a valid model everywhere:

    open_clip/ViT-L-14-quickgelu@openai     transformers/facebook/dinov2-large     timm/vit_small_patch14_dinov2.lvd142m
    open_clip/ViT-B-32@weights.pt           transformers/./folder                  timm/resnet50@weights.safetensors
    open_clip/./folder                      onnx/../models/net.onnx                control/colour-histogram
    world/clip                              world/vision-only

Multimodal LLMs; an endpoint takes the place of weights (`snellen.mllms.endpoints`):

    openai/gpt-5-mini                       openai/qwen/qwen3-vl@openrouter        openai/llava@http://127.0.0.1:8000/v1
    transformers/llava-hf/llava-1.5-7b-hf   transformers/./folder                  world/mllm-clip
    replay/answers.jsonl

Nothing heavy is imported until a model is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from snellen.encoders.base import ImageEncoder
from snellen.encoders.choices import closest
from snellen.encoders.devices import available_devices, resolve_device
from snellen.errors import EncoderError, ModelError, UsageError
from snellen.mllms.base import Compute, Decoding, MultimodalModel, Traffic

__all__ = [
    "DTYPES",
    "ENCODERS",
    "MLLMS",
    "available_devices",
    "load_encoder",
    "load_mllm",
    "recorded_name",
    "resolve_device",
    "split_name",
]

ENCODERS: dict[str, str] = {
    "open_clip": "snellen.encoders.open_clip:load",
    "transformers": "snellen.encoders.transformers:load",
    "timm": "snellen.encoders.timm:load",
    "onnx": "snellen.encoders.onnx:load",
    "control": "snellen.encoders.control:load",
    "world": "snellen.encoders.world:load",
}

MLLMS: dict[str, str] = {
    "openai": "snellen.mllms.openai:load",
    "transformers": "snellen.mllms.transformers:load",
    "world": "snellen.mllms.world:load",
    "replay": "snellen.mllms.replay:load",
}

EXTRAS: dict[str, str] = {
    # package that may be missing: what to install; the rest belongs to the core and is always there
    "onnxruntime": "pip install 'snellen[onnx]'",
    "openai": "pip install 'snellen[api]'",
    "httpx2": "pip install 'snellen[api]'",
    "open_clip": "pip install open_clip_torch",
    "transformers": "pip install transformers",
    "timm": "pip install timm",
    "torch": "pip install torch",
    "torchvision": "pip install torchvision",
    "sentencepiece": "pip install sentencepiece",
}

DTYPES = ("float32", "float16", "bfloat16")


def load_encoder(name: str, *, device: str = "cpu", dtype: str = "float32", threads: int | None = None) -> ImageEncoder:
    """Load an image encoder, ready to embed; CLIP-like models also fulfil `ImageTextEncoder`.

    Args:
        name: `provider/model[@weights]`.
        device: `cpu`, `cuda`, `cuda:1`, `mps` or `auto` (see `resolve_device`).
        dtype: What the network computes in: `float32`, `float16` or `bfloat16`. Rows are float32 all the same.
        threads: CPU threads of the forward pass; None leaves the library's own choice. For the torch providers this is
            torch's global setting.

    Raises:
        UsageError: the provider, device or dtype is unknown, or a path in the name leads nowhere.
        EncoderError: the model cannot be found, loaded or trusted, or a package is missing.
    """
    provider, model, weights = split_name(name)
    if dtype not in DTYPES:
        raise UsageError(f"unknown dtype {dtype!r}; choose one of {', '.join(DTYPES)}")
    device = resolve_device(device)
    module, _, function = ENCODERS[provider].partition(":")
    try:
        encoder: ImageEncoder = getattr(import_module(module), function)(
            name, model, weights, device=device, dtype=dtype, threads=threads
        )
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        raise EncoderError(f"{name} needs the package {package}, which is not installed: {EXTRAS[package]}") from error
    return encoder


def load_mllm(
    name: str,
    *,
    decoding: Decoding | None = None,
    compute: Compute | None = None,
    traffic: Traffic | None = None,
) -> MultimodalModel:
    """Load a multimodal LLM, ready to answer.

    Args:
        name: `provider/model[@endpoint]`; see above.
        decoding: How answers are drawn; by default greedily.
        compute: For models in this process.
        traffic: For endpoints.

    Raises:
        UsageError: the provider, device or dtype is unknown, or a path in the name leads nowhere.
        ModelError: the model cannot be found, loaded or trusted, there is no key, or a package is missing.
    """
    provider, model, weights = split_name(name, MLLMS)
    compute = compute or Compute()
    if compute.dtype not in DTYPES:
        raise UsageError(f"unknown dtype {compute.dtype!r}; choose one of {', '.join(DTYPES)}")
    module, _, function = MLLMS[provider].partition(":")
    try:
        loaded: MultimodalModel = getattr(import_module(module), function)(
            name, model, weights, decoding=decoding or Decoding(), compute=compute, traffic=traffic or Traffic()
        )
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        raise ModelError(f"{name} needs the package {package}, which is not installed: {EXTRAS[package]}") from error
    return loaded


def split_name(name: str, providers: Mapping[str, str] = ENCODERS) -> tuple[str, str, str | None]:
    """Split `provider/model[@weights]` into its parts; an existing path may hold an `@` of its own.

    Raises:
        UsageError: the provider is missing or unknown, or the model is missing.
    """
    provider, _, model = name.partition("/")
    if provider not in providers:
        known = closest(provider, providers)
        raise UsageError(f"unknown provider in the model name {name!r}: it must be provider/model, with one of {known}")
    if not model:
        raise UsageError(f"the model name {name!r} has no model: it must be provider/model")
    if "@" not in model or Path(model).expanduser().exists():
        return provider, model, None
    model, _, weights = model.partition("@")
    if not model or not weights:
        raise UsageError(f"the model name {name!r} has an empty part: it must be provider/model@weights")
    return provider, model, weights


def recorded_name(name: str) -> str:
    """Return the name as studies record it: local paths by their last name alone, since folders are this machine's.

    Example: `onnx/../models/net.onnx` becomes `onnx/net.onnx`; `transformers/facebook/dinov2-large`, if there is no
    such folder here, stays.
    """
    provider, slash, model = name.partition("/")
    parts = model.split("@")
    return provider + slash + "@".join(_last_name(part) for part in parts)


def _last_name(part: str) -> str:
    local = part.startswith(("/", ".", "~")) or (bool(part) and Path(part).exists())
    return Path(part).expanduser().resolve().name if local else part
