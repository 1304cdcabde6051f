"""Parameters and picture sizes of every provider, against the libraries' own counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from snellen.encoders.quiet import quiet_libraries
from snellen.encoders.size import image_size, parameters
from snellen.providers import load_encoder
from tests.encoders import checkpoints, checkpoints_other


def test_both_towers_of_open_clip(tmp_path: Path) -> None:
    import open_clip

    with quiet_libraries():
        name = checkpoints_other.open_clip_folder(tmp_path / "model")
        model: Any = open_clip.create_model("local-dir:" + name.removeprefix("open_clip/"), require_pretrained=True)
    encoder = load_encoder(name)
    assert parameters(encoder) == sum(parameter.numel() for parameter in model.parameters())
    assert image_size(encoder) == (32, 32)


def test_both_towers_of_transformers(tmp_path: Path) -> None:
    from transformers import CLIPModel

    encoder = load_encoder(checkpoints.clip(tmp_path / "model"))
    model: Any = CLIPModel.from_pretrained(tmp_path / "model")
    assert parameters(encoder) == model.num_parameters()
    assert image_size(encoder) == (32, 32)


def test_a_picture_of_any_proportions_has_no_one_size(tmp_path: Path) -> None:
    encoder = load_encoder(checkpoints.siglip2(tmp_path / "model"))
    assert image_size(encoder) is None
    assert (parameters(encoder) or 0) > 0


def test_height_comes_before_width(tmp_path: Path) -> None:
    with quiet_libraries():
        encoder = load_encoder(checkpoints_other.timm_cnn(tmp_path / "model"))
    assert image_size(encoder) == (96, 64)


def test_what_an_onnx_file_stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from snellen.encoders import size

    encoder = load_encoder(checkpoints_other.onnx_file(tmp_path / "model"))
    assert parameters(encoder) == 3 * 4 * 4 * 10  # its one matrix
    assert image_size(encoder) == (32, 32)
    monkeypatch.setattr(size, "find_spec", lambda name: None)
    assert parameters(encoder) is None


def test_controls_have_none() -> None:
    encoder = load_encoder("control/gradient-grid")
    assert parameters(encoder) == 0
    height, width = image_size(encoder) or (0, 0)
    assert height == width > 0
