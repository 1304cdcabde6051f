"""What every provider promises, on tiny checkpoints in the real formats."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from snellen.encoders.base import ImageEncoder, ImageTextEncoder
from snellen.errors import Unsupported, UsageError
from snellen.providers import load_encoder
from tests.encoders.conftest import Case
from tests.encoders.pictures import PICTURES

TEXTS = ["a photo of a cat", "Two DOGS left", "x", "a very long text that no tiny tokenizer takes whole " * 3]


def test_fulfils_the_protocols(case: Case) -> None:
    assert isinstance(case.encoder, ImageEncoder)
    assert isinstance(case.encoder, ImageTextEncoder) == case.text
    assert case.encoder.name == case.name
    assert len(case.encoder.fingerprint) == 64
    assert int(case.encoder.fingerprint, 16) >= 0


def test_pixels_are_the_librarys_and_picklable(case: Case) -> None:
    preprocess = pickle.loads(pickle.dumps(case.encoder.preprocess))
    for picture in PICTURES:
        ours = preprocess(picture)
        assert ours.dtype == np.float32 and ours.shape[0] == 3 and ours.ndim == 3
        if case.kind == "siglip2_naflex":
            continue  # packed: see test_naflex.py
        assert np.abs(ours - case.library.pixels(picture)).max() <= 1e-6


def test_rows_are_the_librarys_unit_and_of_the_right_length(case: Case) -> None:
    rows = case.encoder.embed(case.batch)
    assert rows.dtype == np.float32 and rows.shape == (len(PICTURES), case.encoder.dim)
    assert np.abs(np.linalg.norm(rows, axis=1) - 1).max() <= 1e-6
    assert np.abs(rows - case.library.rows(PICTURES)).max() <= 1e-5
    assert np.abs(rows - rows[0]).max() > 1e-3  # a checkpoint that cannot tell pictures apart would prove nothing


def test_deterministic_and_the_same_in_any_batch(case: Case) -> None:
    batch = case.batch
    rows = case.encoder.embed(batch)
    assert np.array_equal(rows, case.encoder.embed(batch))
    alone = np.concatenate([case.encoder.embed(batch[index : index + 1]) for index in range(len(batch))])
    assert np.abs(rows - alone).max() <= 1e-6


def test_tokens_lie_on_the_grid(case: Case) -> None:
    batch = case.batch[4:5]
    if case.grid is None:
        with pytest.raises(Unsupported, match="patch tokens"):
            case.encoder.tokens(batch)
        return
    tokens = case.encoder.tokens(batch)
    assert (tokens.grid_height, tokens.grid_width) == case.grid
    assert tokens.values.shape[:2] == (1, case.grid[0] * case.grid[1])
    assert tokens.values.dtype == np.float32
    with pytest.raises(Unsupported, match="layer"):
        case.encoder.tokens(batch, layer=99)
    if case.blocks > 1:
        assert np.array_equal(case.encoder.tokens(batch, layer=case.blocks - 1).values, tokens.values)
        second_last = case.encoder.tokens(batch, layer=-2).values
        assert np.array_equal(case.encoder.tokens(batch, layer=case.blocks - 2).values, second_last)
        assert np.abs(second_last - tokens.values).max() > 1e-3


def test_fingerprint_holds_elsewhere_and_changes_with_the_weights(case: Case, tmp_path: Path) -> None:
    name, weights = case.moved(tmp_path / "elsewhere")
    again = load_encoder(name)
    assert again.fingerprint == case.encoder.fingerprint
    assert np.array_equal(again.embed(case.batch), case.encoder.embed(case.batch))

    if weights.suffix == ".onnx":
        import onnx

        model = onnx.load(weights)
        matrix = onnx.numpy_helper.to_array(model.graph.initializer[0]).copy()
        matrix[0, 0] += 0.5
        model.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(matrix, "weights"))
        onnx.save(model, weights)
    else:
        from safetensors.torch import load_file, save_file

        tensors = load_file(weights)
        last = max(key for key in tensors if tensors[key].ndim > 1 and "decoder" not in key and "head" not in key)
        tensors[last] = tensors[last].clone()
        tensors[last].view(-1)[0] += 0.5
        save_file(tensors, weights, metadata={"format": "pt"})
    assert load_encoder(name).fingerprint != case.encoder.fingerprint


def test_fingerprint_changes_with_the_preprocessing(case: Case, tmp_path: Path) -> None:
    if "@" in case.name:
        return  # a bare file has no preprocessing of its own
    name, weights = case.moved(tmp_path / "elsewhere")
    if weights.suffix == ".onnx":
        weights.with_suffix(".json").write_text(json.dumps({"mean": [0.1, 0.2, 0.3]}))
    else:
        for file, keys in (
            ("preprocessor_config.json", ("image_mean",)),
            ("open_clip_config.json", ("preprocess_cfg", "mean")),
            ("config.json", ("pretrained_cfg", "mean")),
        ):
            path = weights.with_name(file)
            if path.is_file():
                content = json.loads(path.read_text())
                place = content if len(keys) == 1 else content[keys[0]]
                place[keys[-1]] = [0.1, 0.2, 0.3]
                path.write_text(json.dumps(content))
                break
    other = load_encoder(name)
    assert other.fingerprint != case.encoder.fingerprint
    assert not np.array_equal(other.preprocess(PICTURES[0]), case.encoder.preprocess(PICTURES[0]))


def test_half_precision_is_another_encoder_with_nearly_the_same_rows(case: Case) -> None:
    if case.name.startswith("onnx/"):
        with pytest.raises(UsageError, match="float32"):
            load_encoder(case.name, dtype="bfloat16")
        return
    half = load_encoder(case.name, dtype="bfloat16")
    assert half.fingerprint != case.encoder.fingerprint
    cosines = np.einsum("ij,ij->i", half.embed(case.batch), case.encoder.embed(case.batch))
    assert half.embed(case.batch).dtype == np.float32
    assert cosines.min() > 0.9


def test_texts_are_the_librarys(case: Case) -> None:
    if not isinstance(case.encoder, ImageTextEncoder):
        return
    rows = case.encoder.embed_text(TEXTS)
    assert rows.dtype == np.float32 and rows.shape == (len(TEXTS), case.encoder.dim)
    assert np.abs(rows - case.library.text_rows(TEXTS)).max() <= 1e-5
    alone = np.concatenate([case.encoder.embed_text([text]) for text in TEXTS])
    assert np.abs(rows - alone).max() <= 1e-6
    assert np.abs(rows[0] - rows[1]).max() > 1e-3
