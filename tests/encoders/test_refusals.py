"""Models that must not load: wrong activation, weights that do not fit, pickles, unknown kinds, no network."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from snellen.encoders.quiet import quiet_libraries
from snellen.encoders.transformers import refuse_differences
from snellen.errors import EncoderError, UsageError
from snellen.providers import load_encoder
from tests.encoders import checkpoints, checkpoints_other
from tests.encoders.conftest import Case


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("ViT-L-14@openai", "ViT-L-14-quickgelu@openai"),
        ("ViT-B/32@openai", "ViT-B-32-quickgelu@openai"),
        ("ViT-B-32@metaclip_400m", "ViT-B-32-quickgelu@metaclip_400m"),
        ("ViT-L-14-quickgelu@laion2b_s32b_b82k", "ViT-L-14@laion2b_s32b_b82k"),
    ],
)
def test_quick_gelu_is_checked_both_ways_before_any_download(wrong: str, right: str) -> None:
    with pytest.raises(EncoderError) as caught:
        load_encoder(f"open_clip/{wrong}")
    assert str(caught.value).endswith(f"use open_clip/{right}")


def test_every_published_weight_has_a_way_in() -> None:
    """For each of open_clip's tags, the name itself or the name that the refusal gives passes the check."""
    import open_clip

    from snellen.encoders.open_clip import _check_quick_gelu

    refused = 0
    for architecture in open_clip.list_models():
        for tag in open_clip.list_pretrained_tags_by_model(architecture):
            try:
                _check_quick_gelu("x", architecture, tag)
            except EncoderError as error:
                refused += 1
                right = str(error).rpartition("use open_clip/")[2]
                if not right.startswith("hf-hub:"):
                    _check_quick_gelu("x", *right.split("@"))
    assert refused > 20


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("opnclip/ViT-B-32", UsageError, r"did you mean open_clip\?"),
        ("open_clip/ViT-L14@openai", UsageError, r"did you mean open_clip/ViT-L-14\?"),
        ("open_clip/ViT-L-14-quickgelu@opnai", UsageError, r"did you mean open_clip/ViT-L-14-quickgelu@openai\?"),
        ("open_clip/ViT-L-14", UsageError, "names no weights: choose open_clip/ViT-L-14@laion"),
        ("open_clip/./nowhere", UsageError, "no folder or file './nowhere'"),
        ("timm/vit_larg_patch14_dinov2", UsageError, "timm/vit_large_patch14_dinov2"),
        ("timm/vit_large_patch14_dinov2.lvd142", UsageError, "vit_large_patch14_dinov2.lvd142m"),
        ("timm/test_vit@nowhere.safetensors", UsageError, "no file 'nowhere.safetensors'"),
        ("timm/vit_tiny_patch16_384", EncoderError, "not in the local cache"),
        ("transformers/~/nowhere/at/all", UsageError, "no folder or file"),
        ("transformers/facebook/dinov2-large", EncoderError, "not in the local cache"),
        ("open_clip/ViT-L-14-quickgelu@openai", EncoderError, "not in the local cache"),
        ("open_clip/hf-hub:org/model", EncoderError, "not in the local cache"),
        ("timm/hf-hub:org/model", EncoderError, "not in the local cache"),
        ("timm/test_vit.r160_in1k", EncoderError, "not in the local cache"),
    ],
)
def test_names_that_lead_nowhere(
    name: str, error: type[Exception], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(error, match=message) as caught:
        load_encoder(name)
    text = str(caught.value)
    assert "\n" not in text and name in text
    if "cache" in message:
        for alternative in ("transformers/./folder", "onnx/file.onnx", "control/gradient-grid"):
            assert alternative in text
    assert capfd.readouterr() == ("", "")


def test_an_unreachable_network_is_told_soon(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    start = time.monotonic()
    with pytest.raises(EncoderError, match="could not be downloaded"):
        load_encoder("transformers/facebook/dinov2-large")
    assert time.monotonic() - start < 20
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_cached_models_load_without_a_single_request(tmp_path: Path) -> None:
    """A hub cache laid out as huggingface_hub does, no HF_HUB_OFFLINE, and sockets that fail."""
    builders: dict[str, tuple[str, Callable[[Path], str]]] = {
        "transformers/org/clip": ("org/clip", checkpoints.clip),
        "timm/hf-hub:org/vit": ("org/vit", checkpoints_other.timm_vit),
        "open_clip/hf-hub:org/dual": ("org/dual", checkpoints_other.open_clip_folder),
    }
    for repository, build in builders.values():
        home = tmp_path / "hub" / f"models--{repository.replace('/', '--')}"
        (home / "refs").mkdir(parents=True)
        (home / "refs" / "main").write_text("0" * 40)
        (home / "snapshots").mkdir()
        with quiet_libraries():
            build(home / "snapshots" / ("0" * 40))
    code = f"""
import socket, sys
def closed(*args):
    print("REQUEST", args[1:])
    raise PermissionError("closed")
socket.socket.connect = closed
socket.getaddrinfo = closed
from snellen.providers import load_encoder
for name in {list(builders)!r}:
    encoder = load_encoder(name)
    print(encoder.name, encoder.dim, encoder.embed_text(["a cat"]).shape if "timm" not in name else "")
"""
    environment = {key: value for key, value in os.environ.items() if "OFFLINE" not in key}
    environment |= {"HF_HUB_CACHE": str(tmp_path / "hub"), "PYTHONWARNINGS": "error"}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment, timeout=200
    )
    assert result.stderr == ""
    assert result.stdout.splitlines() == [
        "transformers/org/clip 12 (1, 12)",
        "timm/hf-hub:org/vit 64 ",
        "open_clip/hf-hub:org/dual 12 (1, 12)",
    ]


WEIGHTED = ["clip", "dinov2", "vit_mae", "open_clip_folder", "open_clip_file", "timm_vit", "timm_file"]


@pytest.mark.parametrize("change", ["lacking", "left over", "misshapen"])
@pytest.mark.parametrize("case", WEIGHTED, indirect=True)
def test_weights_that_do_not_fit_are_refused(case: Case, change: str, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    name, weights = case.moved(tmp_path / "copy")
    tensors = load_file(weights)
    spared = ("decoder", "head", "position")  # left out on purpose; resized on purpose
    key = next(key for key in sorted(tensors) if tensors[key].ndim == 2 and not any(part in key for part in spared))
    if change == "lacking":
        del tensors[key]
    elif change == "left over":
        tensors["stranger.weight"] = tensors[key].clone()
    else:
        tensors[key] = tensors[key][:-1].clone()
    save_file(tensors, weights, metadata={"format": "pt"})
    with pytest.raises(EncoderError, match="weights"):
        load_encoder(name)


def test_the_vision_tower_of_a_dual_checkpoint_is_no_mistake() -> None:
    report = {
        "missing_keys": set(),
        "unexpected_keys": {
            "text_model.a",
            "logit_scale",
            "text_projection.weight",
            "vision_model.position_ids",
        },
        "mismatched_keys": set(),
    }
    from snellen.encoders.transformers import FAMILIES

    refuse_differences("x", report, FAMILIES["clip_vision_model"].ignored)
    with pytest.raises(EncoderError, match="no place in the network for 3 weights"):
        refuse_differences("x", report, FAMILIES["clip"].ignored)


class Payload:
    """A pickle that would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return (os.mkdir, (str(self.path),))


@pytest.mark.parametrize("case", ["clip", "open_clip_folder", "timm_vit"], indirect=True)
def test_pickles_are_not_run(case: Case, tmp_path: Path) -> None:
    import torch

    name, weights = case.moved(tmp_path / "copy")
    weights.unlink()
    proof = tmp_path / "ran"
    file = {"clip": "pytorch_model.bin", "timm_vit": "pytorch_model.bin"}.get(case.kind, "open_clip_pytorch_model.bin")
    torch.save({"weight": Payload(proof)}, weights.with_name(file), pickle_module=pickle)
    with pytest.raises(EncoderError):
        load_encoder(name)
    assert not proof.exists()


@pytest.mark.parametrize("case", ["clip", "open_clip_folder", "timm_vit"], indirect=True)
def test_folders_without_weights_are_refused(case: Case, tmp_path: Path) -> None:
    """open_clip and timm would start from random weights here."""
    name, weights = case.moved(tmp_path / "copy")
    weights.unlink()
    with pytest.raises(EncoderError):
        load_encoder(name)


@pytest.mark.parametrize("case", ["clip", "open_clip_folder", "timm_vit"], indirect=True)
@pytest.mark.parametrize("content", ["{", None, '{"model_type": "bert"}'])
def test_damaged_or_missing_configurations(case: Case, content: str | None, tmp_path: Path) -> None:
    name, weights = case.moved(tmp_path / "copy")
    config = weights.with_name("open_clip_config.json" if case.kind == "open_clip_folder" else "config.json")
    if content is None:
        config.unlink()
    else:
        config.write_text(content)
    with pytest.raises(EncoderError) as caught:
        load_encoder(name)
    if content and "bert" in content and case.kind == "clip":
        assert "known: clip, metaclip_2" in str(caught.value)


@pytest.mark.parametrize("case", ["clip"], indirect=True)
def test_missing_processor_and_tokenizer(case: Case, tmp_path: Path) -> None:
    from snellen.encoders.base import ImageTextEncoder

    name, weights = case.moved(tmp_path / "copy")
    for file in ("tokenizer.json", "tokenizer_config.json"):
        weights.with_name(file).unlink()
    encoder = load_encoder(name)
    assert encoder.fingerprint == case.encoder.fingerprint
    assert isinstance(encoder, ImageTextEncoder)
    with pytest.raises(EncoderError, match="tokenizer"):
        encoder.embed_text(["a"])
    weights.with_name("preprocessor_config.json").unlink()
    with pytest.raises(EncoderError, match="cannot load"):
        load_encoder(name)


@pytest.mark.parametrize("case", ["clip"], indirect=True)
def test_preprocessing_for_another_size(case: Case, tmp_path: Path) -> None:
    name, weights = case.moved(tmp_path / "copy")
    path = weights.with_name("preprocessor_config.json")
    settings = json.loads(path.read_text())
    path.write_text(json.dumps({**settings, "crop_size": {"height": 24, "width": 24}}))
    with pytest.raises(EncoderError, match="cannot embed a picture"):
        load_encoder(name)
