"""ONNX files: where the preprocessing comes from, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen.encoders.onnx import OnnxEncoder, _external_data
from snellen.encoders.pixels import Pixels
from snellen.errors import EncoderError, UsageError
from snellen.providers import load_encoder
from tests.conftest import SHARED
from tests.encoders.checkpoints_other import onnx_model
from tests.encoders.direct import of_onnx
from tests.encoders.pictures import PICTURES

FIELDS = {"image_size": 32, "resize_shorter_side": 32, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}
REAL = sorted((SHARED / "models").glob("*.onnx"))


@pytest.mark.parametrize("path", REAL, ids=[path.stem for path in REAL])
def test_real_files(path: Path) -> None:
    encoder = load_encoder(f"onnx/{path}", threads=1)
    assert encoder.dim == {"layout": 1792, "semantic": 1280}[path.stem.rpartition("_")[2]]
    batch = np.stack([encoder.preprocess(picture) for picture in PICTURES])
    rows = encoder.embed(batch)
    assert np.abs(rows - of_onnx(f"onnx/{path}").rows(PICTURES)).max() <= 1e-5
    assert np.abs(encoder.embed(batch[:1]) - rows[:1]).max() <= 1e-6


@pytest.mark.parametrize("beside", ["tiny.onnx.json", "tiny.json"])
def test_json_beside_the_file(tmp_path: Path, beside: str) -> None:
    onnx_model(tmp_path / "tiny.onnx", metadata=False)
    with pytest.raises(EncoderError, match=r'no image_size, mean, std .*tiny\.onnx\.json beside it.*"image_size": 224'):
        load_encoder(f"onnx/{tmp_path}/tiny.onnx")
    (tmp_path / beside).write_text(json.dumps({**FIELDS, "source": "tests", "interpolation": "lanczos"}))
    preprocess = load_encoder(f"onnx/{tmp_path}/tiny.onnx").preprocess
    assert preprocess == Pixels("shortest", (32, 32), "lanczos", "torchvision", (32, 32), (0.5,) * 3, (0.5,) * 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"interpolate": "bicubic"}, "unknown field 'interpolate'"),
        ({"interpolation": "cubic"}, "unknown interpolation 'cubic'.*bicubic"),
        ({"crop": "left"}, "unknown crop 'left'"),
        ({"resize": "stretch", "resize_shorter_side": None}, "unknown resize 'stretch'"),
        ({"resize": "squash"}, "exactly one of resize_shorter_side and resize"),
        ({"mean": [0.5]}, "mean must hold three"),
        ({"mean": "a,b,c"}, "mean must be a number or several"),
        ({"image_size": [32, 48]}, r"takes pixels .*correct image_size"),
        ({"input": "image"}, "has no input 'image'.*pixels"),
        ({"output": "nothing"}, "has no output 'nothing'.*embedding"),
    ],
)
def test_wrong_json(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    onnx_model(tmp_path / "tiny.onnx", metadata=False)
    fields = {key: value for key, value in {**FIELDS, **changes}.items() if value is not None}
    (tmp_path / "tiny.json").write_text(json.dumps(fields))
    with pytest.raises(EncoderError, match=message):
        load_encoder(f"onnx/{tmp_path}/tiny.onnx")


@pytest.mark.parametrize("text", ["{", "[]", "\xff"])
def test_damaged_json(tmp_path: Path, text: str) -> None:
    onnx_model(tmp_path / "tiny.onnx")
    (tmp_path / "tiny.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(EncoderError, match=r"tiny\.json"):
        load_encoder(f"onnx/{tmp_path}/tiny.onnx")


@pytest.mark.parametrize(("resize", "rule"), [("squash", "exact"), ("pad", "contain"), ("none", "none")])
def test_resize_rules(tmp_path: Path, resize: str, rule: str) -> None:
    onnx_model(tmp_path / "tiny.onnx")
    (tmp_path / "tiny.json").write_text(json.dumps({"resize": resize}))
    encoder = load_encoder(f"onnx/{tmp_path}/tiny.onnx")
    assert isinstance(encoder.preprocess, Pixels) and encoder.preprocess.resize == rule
    assert encoder.embed(np.stack([encoder.preprocess(picture) for picture in PICTURES])).shape == (len(PICTURES), 10)


def test_several_outputs_must_be_named(tmp_path: Path) -> None:
    onnx_model(tmp_path / "tiny.onnx", extra_output=True)
    with pytest.raises(EncoderError, match=r"has 2 outputs.*embedding.*flat.*name one"):
        load_encoder(f"onnx/{tmp_path}/tiny.onnx")
    (tmp_path / "tiny.json").write_text(json.dumps({"output": "flat"}))
    flat = load_encoder(f"onnx/{tmp_path}/tiny.onnx")
    (tmp_path / "tiny.json").write_text(json.dumps({"output": "embedding"}))
    assert flat.dim == 48
    assert load_encoder(f"onnx/{tmp_path}/tiny.onnx").fingerprint != flat.fingerprint


def test_weights_beside_the_file_count(tmp_path: Path) -> None:
    import onnx

    onnx_model(tmp_path / "tiny.onnx")
    inside = load_encoder(f"onnx/{tmp_path}/tiny.onnx")
    model = onnx.load(tmp_path / "tiny.onnx")
    onnx.save(model, tmp_path / "split.onnx", save_as_external_data=True, location="split.bin", size_threshold=0)
    assert _external_data(tmp_path / "split.onnx") == [tmp_path / "split.bin"]
    split = OnnxEncoder("split", tmp_path / "split.onnx")
    batch = np.stack([split.preprocess(picture) for picture in PICTURES])
    assert np.array_equal(split.embed(batch), inside.embed(batch))
    data = bytearray((tmp_path / "split.bin").read_bytes())
    data[0] ^= 1
    (tmp_path / "split.bin").write_bytes(data)
    assert OnnxEncoder("split", tmp_path / "split.onnx").fingerprint != split.fingerprint


def test_not_a_model(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("hello")
    with pytest.raises(EncoderError, match=r"cannot load .*text\.onnx as an ONNX model"):
        load_encoder(f"onnx/{tmp_path}/text.onnx")
    with pytest.raises(UsageError, match="no folder or file"):
        load_encoder(f"onnx/{tmp_path}/missing.onnx")
    with pytest.raises(UsageError, match="takes the path"):
        load_encoder("onnx/resnet50")
    with pytest.raises(UsageError, match="takes the path"):
        load_encoder(f"onnx/{tmp_path}")


def test_a_batch_of_the_wrong_shape(tmp_path: Path) -> None:
    onnx_model(tmp_path / "tiny.onnx")
    with pytest.raises(EncoderError, match="failed on a batch"):
        load_encoder(f"onnx/{tmp_path}/tiny.onnx").embed(np.zeros((1, 3, 8, 8), dtype=np.float32))
