"""Models of the transformers library, by folder or by name on the Hugging Face hub.

    transformers/facebook/dinov2-large     transformers/./folder     transformers/org/model@revision

`FAMILIES` lists what is known, each pooled the way its paper does; the two classes that do it are in
`transformers_dual` and `transformers_vision`. Code from the hub is never run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any, NamedTuple

from snellen.encoders import hub
from snellen.encoders.paths import local_path
from snellen.encoders.quiet import quiet_libraries
from snellen.encoders.torch_encoder import Recipe, TorchEncoder, set_threads
from snellen.encoders.transformers_pixels import read_pixels
from snellen.errors import EncoderError, UsageError

if TYPE_CHECKING:
    from torch.nn import Module

TRANSFORMERS_VERSION = 1
"""Goes into the fingerprints; raise it when the same checkpoint starts to give other rows."""

TEXT_TOWER = r"(text_model|text_projection)\..*|logit_scale|logit_bias"
"""Weights that a dual checkpoint has beyond its vision tower."""

POSITION_IDS = r"(.*\.)?position_ids"
"""A buffer of 0, 1, 2, ... that old checkpoints hold."""


@dataclass(frozen=True)
class Family:
    """How one `model_type` is loaded and pooled.

    Attributes:
        cls: The class in transformers.
        pooling: One of the poolings of `transformers_dual` or `transformers_vision`; goes into the fingerprint.
        ignored: Pattern of weights in the checkpoint that this use rightly leaves out.
        options: Further arguments of `from_pretrained`.
    """

    cls: str
    pooling: str
    ignored: str = POSITION_IDS
    options: tuple[tuple[str, Any], ...] = ()


FAMILIES: dict[str, Family] = {
    "clip": Family("CLIPModel", "projected"),
    "metaclip_2": Family("MetaClip2Model", "projected"),
    "siglip": Family("SiglipModel", "attention"),
    "siglip2": Family("Siglip2Model", "attention"),
    "clip_vision_model": Family("CLIPVisionModelWithProjection", "projected", f"{TEXT_TOWER}|{POSITION_IDS}"),
    "siglip_vision_model": Family("SiglipVisionModel", "attention", f"{TEXT_TOWER}|{POSITION_IDS}"),
    "dinov2": Family("Dinov2Model", "cls", r"classifier\..*"),
    "dinov2_with_registers": Family("Dinov2WithRegistersModel", "cls", r"classifier\..*"),
    "dinov3_vit": Family("DINOv3ViTModel", "cls", r"classifier\..*"),
    "dinov3_convnext": Family("DINOv3ConvNextModel", "mean", r"classifier\..*"),
    "vit_mae": Family("ViTMAEModel", "cls", r"decoder\..*", (("mask_ratio", 0.0),)),
    "vit": Family("ViTModel", "cls", r"(classifier|pooler)\..*", (("add_pooling_layer", False),)),
}

DUAL = ("clip", "metaclip_2", "siglip", "siglip2")

NOT_ARCHITECTURE = (
    *("_name_or_path", "architectures", "auto_map", "transformers_version", "dtype", "torch_dtype"),
    *("_attn_implementation", "_attn_implementation_internal", "_experts_implementation_internal"),
    *("id2label", "label2id", "problem_type"),
)
"""Keys of a configuration that change nothing in the network."""


class Loaded(NamedTuple):
    """What a checkpoint gave."""

    model: Module
    family: Family
    model_type: str
    preprocess: Recipe
    source: str
    revision: str | None
    local: bool


def load(name: str, model: str, weights: str | None, *, device: str, dtype: str, threads: int | None) -> TorchEncoder:
    """Load `transformers/<folder or hub name>[@revision]`.

    Raises:
        UsageError: a path in the name leads nowhere.
        EncoderError: the model is not known here, cannot be had, or its weights do not fit its configuration.
    """
    path = local_path(model, name)
    if path is not None and weights is not None:
        raise UsageError(f"{name}: a folder has no revisions; leave out @{weights}")
    if path is not None and not (path / "config.json").is_file():
        raise EncoderError(f"{path} holds no config.json: it must be a folder that save_pretrained wrote")
    set_threads(threads)
    with quiet_libraries():
        try:
            if path is not None:
                loaded = _load(name, str(path.resolve()), None, dtype, local=True)
            else:
                loaded = hub.fetch(name, lambda: _load(name, model, weights, dtype, local=False), repository=model)
        except (OSError, ValueError) as error:  # no such file, no JSON, no such setting
            raise EncoderError(f"cannot load {name}: {_summary(error)}") from error
        recipe = {
            "transformers": TRANSFORMERS_VERSION,
            "class": loaded.family.cls,
            "pooling": loaded.family.pooling,
            "config": architecture(loaded.model.config.to_diff_dict()),  # type: ignore[operator, union-attr]
        }
        encoder: TorchEncoder = _encoder_class(loaded.model_type)(
            name=name, loaded=loaded, recipe=recipe, device=device, dtype=dtype
        )
    return encoder


def _encoder_class(model_type: str) -> Any:  # noqa: ANN401 - classes with the same constructor, imported late
    from snellen.encoders.transformers_dual import DualEncoder, NaflexEncoder
    from snellen.encoders.transformers_vision import VisionEncoder

    if model_type == "siglip2":
        return NaflexEncoder
    return DualEncoder if model_type in DUAL else VisionEncoder


def _load(name: str, source: str, revision: str | None, dtype: str, *, local: bool) -> Loaded:
    """Read configuration, weights and preprocessing of one folder or hub name."""
    import torch
    import transformers
    from safetensors import SafetensorError

    where: dict[str, Any] = {"revision": revision or "main", "local_files_only": local, "trust_remote_code": False}
    config, _ = transformers.PretrainedConfig.get_config_dict(source, **where)
    model_type = str(config.get("model_type", ""))
    if model_type not in FAMILIES:
        raise EncoderError(
            f"{name} is a {model_type or 'nameless'} model, which is not known here; known: {', '.join(FAMILIES)}"
        )
    family = FAMILIES[model_type]
    try:
        model, report = getattr(transformers, family.cls).from_pretrained(
            source, dtype=getattr(torch, dtype), output_loading_info=True, **dict(family.options), **where
        )
    except (RuntimeError, SafetensorError, UnpicklingError) as error:
        raise EncoderError(f"the weights of {name} cannot be loaded: {_summary(error)}") from error
    refuse_differences(name, report, family.ignored)
    preprocess = read_pixels(source, revision, local=local)
    return Loaded(model, family, model_type, preprocess, source, revision, local)


def _summary(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def refuse_differences(name: str, report: Mapping[str, Any], ignored: str) -> None:
    """Refuse a checkpoint that leaves weights random, or holds weights that the network has no place for.

    transformers itself says so in a log line at most.

    Args:
        name: The model's name, for the message.
        report: `output_loading_info` of `from_pretrained`.
        ignored: Pattern of weights that may be left over.

    Raises:
        EncoderError: a weight is missing, left over or of the wrong shape.
    """
    left_over = [key for key in report["unexpected_keys"] if not re.fullmatch(ignored, key)]
    mismatched = [key if isinstance(key, str) else key[0] for key in report["mismatched_keys"]]
    for problem, keys in (
        ("lacks", report["missing_keys"]),
        ("has the wrong shape for", mismatched),
        ("has no place in the network for", left_over),
    ):
        if keys:
            listed = ", ".join(sorted(keys)[:3]) + (", ..." if len(keys) > 3 else "")
            raise EncoderError(
                f"the checkpoint of {name} {problem} {len(keys)} weights ({listed}): it does not belong to its "
                "config.json, and rows from it would be noise"
            )
    if report.get("error_msgs"):
        raise EncoderError(f"the checkpoint of {name} cannot be loaded: {report['error_msgs'][0]}")


def architecture(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what in a configuration shapes the network, without names, labels and versions."""
    return {
        key: architecture(value) if isinstance(value, Mapping) else value
        for key, value in config.items()
        if key not in NOT_ARCHITECTURE
    }
