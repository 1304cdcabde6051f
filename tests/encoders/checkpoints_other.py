"""Tiny random checkpoints of open_clip and timm, and ONNX files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from snellen.encoders.world import MODELS
from tests.encoders.checkpoints import PATCH, SIDE, randomise

OPEN_CLIP_CONFIG: dict[str, Any] = {
    "embed_dim": 12,
    "quick_gelu": True,
    "vision_cfg": {"image_size": SIDE, "layers": 3, "width": 32, "head_width": 16, "patch_size": PATCH},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2},
}
MEAN, STD = [0.45, 0.5, 0.55], [0.2, 0.25, 0.3]


def _save_open_clip(root: Path, config: dict[str, Any], preprocess: dict[str, Any]) -> None:
    import open_clip
    from safetensors.torch import save_file

    root.mkdir(exist_ok=True)
    kind = open_clip.CustomTextCLIP if config.get("custom_text") else open_clip.CLIP
    model = randomise(kind(**{key: value for key, value in config.items() if key != "custom_text"}))
    (root / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": preprocess}))
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, root / "open_clip_model.safetensors")


def open_clip_folder(root: Path) -> str:
    _save_open_clip(root, OPEN_CLIP_CONFIG, {"mean": MEAN, "std": STD, "interpolation": "bicubic"})
    return f"open_clip/{root}"


def open_clip_timm_tower(root: Path) -> str:
    """A SigLIP-like model: timm tower, padding instead of cropping."""
    vision = {"timm_model_name": "test_vit", "timm_pool": "", "timm_proj": "none", "image_size": 160}
    vision["timm_pool"] = "token"
    config = {**OPEN_CLIP_CONFIG, "embed_dim": 64, "quick_gelu": False, "vision_cfg": vision, "custom_text": True}
    _save_open_clip(root, config, {"mean": MEAN, "std": STD, "interpolation": "bilinear", "resize_mode": "longest"})
    return f"open_clip/{root}"


def open_clip_file(root: Path) -> str:
    """An architecture of open_clip's registry, with weights from a file."""
    import open_clip

    folder = root.parent / "open_clip_for_file"
    config = {**OPEN_CLIP_CONFIG, "quick_gelu": False}
    _save_open_clip(folder, config, {})
    registered = root.parent / "snellen-tiny.json"
    registered.write_text(json.dumps(config))
    open_clip.add_model_config(registered)
    root.mkdir()
    weights = root / "weights.safetensors"
    weights.write_bytes((folder / "open_clip_model.safetensors").read_bytes())
    return f"open_clip/snellen-tiny@{weights}"


def _save_timm(root: Path, architecture: str, data: dict[str, Any], strength: float = 0.2, **arguments: Any) -> None:
    import timm
    from safetensors.torch import save_file

    root.mkdir(exist_ok=True)
    model = randomise(timm.create_model(architecture, pretrained=False, **arguments), strength=strength)
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, root / "model.safetensors")
    classifier = model.pretrained_cfg["classifier"]
    config = {
        "architecture": architecture,
        "num_classes": model.num_classes,
        "pretrained_cfg": {"num_classes": model.num_classes, "classifier": classifier, **data},
    }
    (root / "config.json").write_text(json.dumps(config))


def timm_vit(root: Path) -> str:
    data = {"input_size": [3, 160, 160], "crop_pct": 0.9, "interpolation": "bicubic", "mean": MEAN, "std": STD}
    _save_timm(root, "test_vit", {**data, "crop_mode": "center"}, num_classes=7)
    return f"timm/{root}"


def timm_cnn(root: Path) -> str:
    data = {"input_size": [3, 96, 64], "crop_pct": 0.875, "interpolation": "bilinear", "mean": MEAN, "std": STD}
    _save_timm(root, "test_resnet", {**data, "crop_mode": "center"}, num_classes=0)
    return f"timm/{root}"


def timm_border(root: Path) -> str:
    data = {"input_size": [3, 96, 96], "crop_pct": 0.9, "interpolation": "bicubic", "mean": MEAN, "std": STD}
    # Weights with noise of 0.2 condition this network so badly that timm itself differs by 0.1e-6 to 1.8e-6 between
    # batch sizes (12 seeds, 1 and 2 threads; oneDNN picks its convolutions by shape); with 0.05 by 0.1e-6 at most.
    _save_timm(root, "test_efficientnet", {**data, "crop_mode": "border"}, strength=0.05, num_classes=3)
    return f"timm/{root}"


def timm_squash(root: Path) -> str:
    data = {"input_size": [3, 96, 96], "crop_pct": 0.95, "interpolation": "bilinear", "mean": MEAN, "std": STD}
    _save_timm(root, "test_convnext", {**data, "crop_mode": "squash"}, num_classes=3)
    return f"timm/{root}"


def timm_file(root: Path) -> str:
    _save_timm(root, "test_vit2", {}, num_classes=5)
    return f"timm/test_vit2@{root / 'model.safetensors'}"


def onnx_model(path: Path, *, batch: int | None = None, extra_output: bool = False, metadata: bool = True) -> None:
    """Write a network: 8 x 8 mean pooling of the pixels, flattened, times a random matrix."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights = np.random.default_rng(3).normal(size=(3 * 4 * 4, 10)).astype(np.float32)
    nodes = [
        helper.make_node("AveragePool", ["pixels"], ["pooled"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["embedding"]),
    ]
    size = batch if batch is not None else "batch"
    outputs = [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [size, 10])]
    if extra_output:
        outputs.append(helper.make_tensor_value_info("flat", TensorProto.FLOAT, [size, 48]))
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [size, 3, SIDE, SIDE])],
        outputs,
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    if metadata:
        fields = {
            "image_size": str(SIDE),
            "resize_shorter_side": "40",
            "crop": "center",
            "interpolation": "bilinear",
            "mean": ",".join(map(str, MEAN)),
            "std": ",".join(map(str, STD)),
            "source": "tests",
        }
        helper.set_model_props(model, fields)
    onnx.save(model, path)


def onnx_file(root: Path) -> str:
    root.mkdir()
    onnx_model(root / "tiny.onnx")
    return f"onnx/{root / 'tiny.onnx'}"


def onnx_fixed_batch(root: Path) -> str:
    root.mkdir()
    onnx_model(root / "tiny.onnx", batch=2)
    return f"onnx/{root / 'tiny.onnx'}"


def world_clip(folder: Path) -> str:
    """The miniature world's shipped image-text encoder, as a local folder."""
    shutil.copytree(MODELS / "clip", folder)
    return f"transformers/{folder}"


def world_vision_only(folder: Path) -> str:
    """The miniature world's shipped vision-only encoder, as a local folder."""
    shutil.copytree(MODELS / "vision-only", folder)
    return f"transformers/{folder}"
