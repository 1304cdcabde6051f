"""What is trained is what is asked: pixels, batches, ends."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoProcessor

from snellen.mllms.world_llava import tapped
from snellen.world.nets import build, load
from snellen.world.scene import questions
from snellen.world.training import mllm as training
from snellen.world.training.asking import padded, with_options
from snellen.world.training.pictures import pixels
from snellen.world.training.reading import logits
from tests.world.tiny_nets import DIETS, as_saved, chats, drawn, fed, reader_on


def test_the_image_processors_pixels_are_those_of_training(tmp_path: Path) -> None:
    _, images = drawn(6)
    load.save(build.vision_only_encoder(), tmp_path / "model")
    processor = AutoImageProcessor.from_pretrained(tmp_path / "model")
    seen = processor([Image.fromarray(image) for image in images], return_tensors="pt")["pixel_values"]
    due = (images.astype(np.float64).transpose(0, 3, 1, 2) / 255 - 0.5) / 0.25
    for got in (seen, pixels(images)):
        assert got.dtype == torch.float32 and np.abs(got.numpy() - due).max() <= 1e-6


def test_a_batch_is_its_singles(parts: tuple[Any, Any, Any]) -> None:
    shots, images = drawn(4)
    texts = [
        questions.text(topic, shot.facts)
        for topic, shot in zip(("text", "kind", "viewpoint", "count"), shots, strict=True)
    ]
    for name in ("clip", "interleaved"):
        model = reader_on(parts, name)
        processor = build.processor(model)
        inputs = fed(processor, texts, images)
        assert (inputs["attention_mask"][:, 0] == 0).any() and (inputs["attention_mask"][:, -1] == 1).all()
        with torch.no_grad():
            together = model(**inputs).logits[:, -1]
            alone = [
                model(**fed(processor, [text], image[None])).logits[0, -1]
                for text, image in zip(texts, images, strict=True)
            ]
        assert (together - torch.stack(alone)).abs().max() <= 1e-4
        made = model.generate(**inputs, max_new_tokens=3, do_sample=False)[:, -3:]
        singles = [
            model.generate(**fed(processor, [text], image[None]), max_new_tokens=3, do_sample=False)[0, -3:]
            for text, image in zip(texts, images, strict=True)
        ]
        assert torch.equal(made, torch.stack(singles))


@pytest.mark.parametrize("visual", ["all", "pool:4", "global"])
@pytest.mark.parametrize("name", DIETS)
def test_what_is_trained_is_what_is_asked(tmp_path: Path, parts: tuple[Any, Any, Any], name: str, visual: str) -> None:
    """Training's reader on cached tokens, and the saved model behind processor and chat template, score answers alike.

    They differ in where they pad: training between picture and words, generation before the picture.
    """
    shots, images = drawn(4)
    clip, vision_only, _ = parts
    model = reader_on(parts, name, visual)
    load.save(model, tmp_path / "mllm")  # rounds to float16 in place
    loaded = load.mllm(tmp_path / "mllm")
    processor = AutoProcessor.from_pretrained(tmp_path / "mllm")
    rows, texts = [], []
    for shot, topic in zip(shots, ("orientation", "kind", "viewpoint", "count"), strict=True):
        options = [questions.option(value) for value in questions.TOPICS[topic][:2]]
        rows.append(with_options(questions.text(topic, shot.facts), options))
        texts.append(f"{questions.text(topic, shot.facts)} (a) {options[0]} (b) {options[1]}")
    inputs = fed(processor, texts, images)
    words = padded(rows)
    assert [[token for token in row if token not in (0, 4)] for row in inputs["input_ids"].tolist()] == [
        [token for token in row if token] for row in words.tolist()
    ]
    assert len({len(row) for row in rows}) > 1  # so that there is padding
    with torch.no_grad():
        halves = [as_saved(deepcopy(tower)) for tower in (clip.vision_model, vision_only)]
        tokens = tuple(
            tapped(tower, pixels(images), layer, visual) for tower, layer in zip(halves, (-2, -1), strict=True)
        )
        reader = training._Reader(loaded)
        seen = reader.seen(DIETS[name], (tokens[0], tokens[1]), np.arange(len(shots)))
        trained = logits(reader.language, *seen, words)[:, 0]
        asked = loaded(**inputs).logits[:, -1]
        first = loaded.generate(
            **inputs, max_new_tokens=1, do_sample=False, output_logits=True, return_dict_in_generate=True
        )
    assert (trained - asked).abs().max() <= 1e-4
    assert (first.logits[0] - asked).abs().max() <= 1e-4
    assert (asked[0] - asked[1]).abs().max() > 1e-2


def test_generation_stops_at_the_end_token(parts: tuple[Any, Any, Any]) -> None:
    model = reader_on(parts, "clip")
    _, images = drawn(1)
    inputs = fed(build.processor(model), ["Which letter?"], images)
    stop = model.generate(**inputs, max_new_tokens=1, do_sample=False)[0, -1].item()
    model.generation_config.eos_token_id = stop
    assert model.generate(**inputs, max_new_tokens=5, do_sample=False).shape[1] == inputs["input_ids"].shape[1] + 1


def test_the_processors_template_is_in_the_folder(tmp_path: Path, parts: tuple[Any, Any, Any]) -> None:
    load.save(reader_on(parts, "clip"), tmp_path / "mllm")
    assert json.loads((tmp_path / "mllm" / "config.json").read_text())["model_type"] == "snellen_world_llava"
    processor = AutoProcessor.from_pretrained(tmp_path / "mllm")
    assert chats(processor, ["Which letter? (a) H (b) L"]) == ["<image> Which letter? (a) H (b) L :"]
