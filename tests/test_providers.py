"""Names of models, devices and dtypes."""

from __future__ import annotations

import builtins
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from snellen.errors import EncoderError, UsageError
from snellen.providers import ENCODERS, available_devices, load_encoder, recorded_name, resolve_device, split_name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("open_clip/ViT-L-14-quickgelu@openai", ("open_clip", "ViT-L-14-quickgelu", "openai")),
        ("transformers/facebook/dinov2-large", ("transformers", "facebook/dinov2-large", None)),
        ("transformers//abs/folder", ("transformers", "/abs/folder", None)),
        ("onnx/../models/net.onnx", ("onnx", "../models/net.onnx", None)),
        ("timm/resnet50@/a/b@c.safetensors", ("timm", "resnet50", "/a/b@c.safetensors")),
    ],
)
def test_split_name(name: str, parts: tuple[str, str, str | None]) -> None:
    assert split_name(name) == parts


def test_a_path_may_hold_an_at_sign(tmp_path: Path) -> None:
    folder = tmp_path / "model@2"
    folder.mkdir()
    assert split_name(f"timm/{folder}") == ("timm", str(folder), None)


@pytest.mark.parametrize("name", ["", "resnet50", "control", "control/", "timm/resnet50@", "timm/@file"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(UsageError, match="provider/model"):
        load_encoder(name)


def test_unknown_provider_names_the_nearest() -> None:
    with pytest.raises(
        UsageError, match=r"open_clip, transformers, timm, onnx, control, world \(did you mean transformers\?\)"
    ):
        load_encoder("transformer/facebook/dinov2-large")


def test_every_provider_can_be_imported() -> None:
    for target in ENCODERS.values():
        module, _, function = target.partition(":")
        assert callable(getattr(import_module(module), function))


def test_unknown_dtype() -> None:
    with pytest.raises(UsageError, match="float32, float16, bfloat16"):
        load_encoder("control/gradient-grid", dtype="fp16")


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve_device("cpu") == "cpu"
    monkeypatch.setattr("snellen.encoders.devices.available_devices", lambda: ["cpu"])
    assert resolve_device("auto") == "cpu"
    for wrong in ("cuda", "cuda:1", "mps"):
        with pytest.raises(UsageError, match=f"--device {wrong} is not here; on this machine there is cpu"):
            load_encoder("control/gradient-grid", device=wrong)
    with pytest.raises(UsageError, match="gpu is not a device"):
        resolve_device("gpu")
    monkeypatch.setattr("snellen.encoders.devices.available_devices", lambda: ["cpu", "cuda:0", "cuda:1"])
    assert resolve_device("auto") == resolve_device("cuda") == "cuda:0"
    assert resolve_device("cuda:1") == "cuda:1"


def test_available_devices_begin_with_the_processor() -> None:
    assert available_devices()[0] == "cpu"


@pytest.mark.parametrize(
    ("name", "package", "line"),
    [
        ("timm/test_vit", "timm", "pip install timm"),
        ("onnx/model.onnx", "onnxruntime", r"pip install 'snellen\[onnx\]'"),
    ],
)
def test_a_missing_package_names_its_pip_line(
    name: str, package: str, line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "model.onnx").touch()
    monkeypatch.chdir(tmp_path)
    original = builtins.__import__

    def without(module: str, *arguments: Any, **options: Any) -> Any:
        if module.partition(".")[0] == package:
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)
        return original(module, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(EncoderError, match=f"needs the package {package}, which is not installed: {line}"):
        load_encoder(name)


def test_names_are_recorded_without_this_machines_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "net.onnx").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    for name in ("onnx/models/net.onnx", "onnx/./models/net.onnx", f"onnx/{tmp_path}/models/net.onnx"):
        assert recorded_name(name) == "onnx/net.onnx"
    assert recorded_name("open_clip/ViT-B-32@./models/net.onnx") == "open_clip/ViT-B-32@net.onnx"
    for name in ("transformers/facebook/dinov2-large", "open_clip/ViT-L-14-quickgelu@openai", "control/gradient-grid"):
        assert recorded_name(name) == name


@pytest.mark.parametrize("name", ["world/x", "world/clip@2"])
def test_the_world_has_two_encoders_and_says_which(name: str) -> None:
    with pytest.raises(UsageError, match="the world has clip, vision-only"):
        load_encoder(name)
