"""The shipped models: small, whole, remakeable, and of the behaviour that the world is there to show."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import AutoImageProcessor, AutoModel, AutoModelForImageTextToText, AutoProcessor

import snellen
import snellen.world.nets
from snellen.world.scene import questions
from snellen.world.scene.captions import caption
from snellen.world.scene.facts import CONTEXTS, FACTORS, KINDS, random_for
from snellen.world.scene.families import Shot, families
from snellen.world.training.pictures import pixels

MODELS = Path(snellen.__file__).parent / "world" / "models"
ENCODERS = {"clip": "CLIPModel", "vision-only": "Dinov2Model"}
MLLMS = ("mllm-clip", "mllm-vision-only", "mllm-additive-0.5", "mllm-interleaved")
FRESH = 91
"""A world on which nothing was trained and no setting was chosen."""


def load(auto: Any, name: str) -> Any:
    """Load a model strictly, as anyone would."""
    model, told = auto.from_pretrained(
        MODELS / name, local_files_only=True, dtype=torch.float32, output_loading_info=True
    )
    assert not any(told[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")), told
    return model.eval()


# The files


def test_six_models_of_at_most_eight_megabytes() -> None:
    assert sorted(path.name for path in MODELS.iterdir() if path.is_dir()) == sorted([*ENCODERS, *MLLMS])
    files = [path for path in MODELS.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 8e6
    assert len(list(MODELS.glob("*/model.safetensors"))) == 6
    for path in files:
        assert path.suffix in (".json", ".safetensors", ".jinja", ".md", ".py"), path  # nothing that runs when loaded
        if path.suffix in (".json", ".jinja", ".md"):
            assert "/home/" not in path.read_text() and "/tmp/" not in path.read_text(), path


def test_the_model_card_says_how_to_remake_them() -> None:
    card = (MODELS / "MODEL_CARD.md").read_text()
    assert "snellen world train" in card and "--seed" in card and "--world" in card
    assert all(f"`{name}`" in card for name in (*ENCODERS, *MLLMS))
    assert "privileged" in card and "no evidence" in card
    made_by = json.loads((MODELS / "training.json").read_text())
    assert {"seed", "world", "recipe", "rates", "software"} <= made_by.keys()
    assert f"--seed {made_by['seed']} --world {made_by['world']}" in card


def test_they_were_made_by_the_recipe_of_this_version() -> None:
    from snellen.world.scene.captions import MENTION_RATES
    from snellen.world.training.recipe import FULL

    made_by = json.loads((MODELS / "training.json").read_text())
    assert made_by["recipe"] == json.loads(json.dumps(FULL.as_dict()))
    assert made_by["rates"] == dict(MENTION_RATES)


@pytest.mark.parametrize("name", ENCODERS)
def test_encoders_load_with_the_standard_classes_alone(name: str) -> None:
    model = load(AutoModel, name)
    assert type(model).__name__ == ENCODERS[name] and type(model).__module__.startswith("transformers.")
    processor = AutoImageProcessor.from_pretrained(MODELS / name, local_files_only=True)
    images = np.stack([shot.picture() for shot in shots() if shot.role == "base"][:3])
    seen = processor([Image.fromarray(image) for image in images], return_tensors="pt")["pixel_values"]
    assert (seen - pixels(images)).abs().max() <= 1e-6
    weights = json.loads((MODELS / name / "config.json").read_text())
    assert weights["dtype"] == "float16"


@pytest.mark.parametrize("name", MLLMS)
def test_multimodal_llms_load_and_answer_with_a_letter_and_stop(name: str) -> None:
    model = load(AutoModelForImageTextToText, name)
    processor = AutoProcessor.from_pretrained(MODELS / name, local_files_only=True)
    bases = [shot for shot in shots() if shot.role == "base"][:20]
    text = "Is the lamp lit or dark? (a) lit (b) dark"
    chat = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}]
    prompt = processor.apply_chat_template(chat, add_generation_prompt=True)
    inputs = processor(
        text=[prompt] * 20, images=[Image.fromarray(shot.picture()) for shot in bases], return_tensors="pt"
    )
    made = model.generate(**inputs, max_new_tokens=4, do_sample=False)[:, inputs["input_ids"].shape[1] :]
    said = [text.strip() for text in processor.batch_decode(made, skip_special_tokens=True)]
    assert set(said) <= {"(a)", "(b)"}, said


# What the encoders tell apart


@cache
def shots() -> tuple[Shot, ...]:
    """Sixty families of a fresh world."""
    return tuple(families(FRESH, "exam", 60))


@cache
def rows(name: str) -> NDArray[np.float64]:
    """The unit vector of every picture, as its provider would embed it."""
    model = load(AutoModel, name)
    seen = pixels(np.stack([shot.picture() for shot in shots()]))
    with torch.no_grad():
        made = model.get_image_features(pixel_values=seen) if name == "clip" else model(pixel_values=seen)
    found = made.pooler_output.double().numpy()
    unit: NDArray[np.float64] = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit


def cosines(name: str) -> dict[str, float]:
    """The median cosine of a base with its re-render, and with its siblings in each single factor."""
    found, at = defaultdict(list), {(shot.family, shot.member): index for index, shot in enumerate(shots())}
    for index, shot in enumerate(shots()):
        if shot.role in ("re-render", "one-factor"):
            base = rows(name)[at[shot.family, 0]]
            found["".join(shot.changed) or "re-render"].append(float(rows(name)[index] @ base))
    assert set(found) == {"re-render", *FACTORS} and min(map(len, found.values())) == 20
    return {name: float(np.median(values)) for name, values in found.items()}


RARELY_SAID = ("orientation", "position", "text", "state", "presence", "structure")


def test_clip_cannot_tell_what_captions_rarely_say() -> None:
    found = cosines("clip")
    assert found["re-render"] > 0.9
    assert {name: found[name] for name in RARELY_SAID if found[name] < found["re-render"] - 0.06} == {}
    assert found["color"] < found["re-render"] - 0.1  # what captions say, it tells


def test_the_vision_only_encoder_tells() -> None:
    found = cosines("vision-only")
    seen = ("position", "presence", "state", "text", "viewpoint")
    assert {name: found[name] for name in seen if found[name] > found["re-render"] - 0.1} == {}


def test_clip_knows_kind_and_place() -> None:
    """It is blind to factors, and not untrained: of 36 captions it finds the one of the right kind and place."""
    model, processor = load(AutoModel, "clip"), AutoProcessor.from_pretrained(MODELS / "clip", local_files_only=True)
    never = dict.fromkeys(FACTORS, 0.0)
    scenes = [(kind, context) for kind in KINDS for context in CONTEXTS]
    base = shots()[0].facts
    texts = [caption(base.but(kind=kind, context=context), random_for(0), never) for kind, context in scenes]
    with torch.no_grad():
        text = model.get_text_features(**processor.tokenizer(texts, padding=True, return_tensors="pt")).pooler_output
    best = (rows("clip") @ text.double().numpy().T / np.linalg.norm(text.numpy(), axis=1)).argmax(1)
    right = [scenes[index] == (shot.facts.kind, shot.facts.context) for index, shot in zip(best, shots(), strict=True)]
    assert np.mean(right) > 0.8


# What the multimodal LLMs answer


def answers(name: str, asked: list[tuple[Shot, str, tuple[str, str]]]) -> list[int]:
    """Which of two options a model chooses for each picture, topic and options; -1 where it says neither."""
    model = load(AutoModelForImageTextToText, name)
    processor = AutoProcessor.from_pretrained(MODELS / name, local_files_only=True)
    letters = [processor.tokenizer.convert_tokens_to_ids(letter) for letter in ("(a)", "(b)")]
    chosen: list[int] = []
    for start in range(0, len(asked), 90):
        part = asked[start : start + 90]
        prompts = []
        for shot, topic, options in part:
            text = f"{questions.text(topic, shot.facts)} (a) {options[0]} (b) {options[1]}"
            chat = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}]
            prompts.append(processor.apply_chat_template(chat, add_generation_prompt=True))
        images = [Image.fromarray(shot.picture()) for shot, _, _ in part]
        inputs = processor(text=prompts, images=images, padding=True, return_tensors="pt")
        with torch.inference_mode():
            best = model(**inputs).logits[:, -1].argmax(1).tolist()
        chosen += [letters.index(token) if token in letters else -1 for token in best]
    return chosen


def planted_pairs() -> list[tuple[Shot, str, tuple[str, str]]]:
    """Two questions a planted pair, the base's first; which option comes first goes by turns."""
    asked: list[tuple[Shot, str, tuple[str, str]]] = []
    members = {(shot.family, shot.member): shot for shot in shots()}
    for number, shot in enumerate(each for each in shots() if each.role == "one-factor"):
        base, (factor,) = members[shot.family, 0], shot.changed
        values = (getattr(base.facts, factor), getattr(shot.facts, factor))
        options = tuple(questions.option(value) for value in (values if number % 2 else values[::-1]))
        asked += [(one, factor, (options[0], options[1])) for one in (base, shot)]
    return asked


def test_fed_by_both_eyes_it_tells_pairs_that_it_cannot_tell_when_fed_by_clip() -> None:
    asked = planted_pairs()
    truth = [options.index(questions.option(getattr(shot.facts, factor))) for shot, factor, options in asked]
    accuracy = {}
    for name in ("mllm-clip", "mllm-interleaved"):
        right = np.array(answers(name, asked)) == np.array(truth)
        accuracy[name] = float(right.reshape(-1, 2).all(1).mean())
    assert len(asked) == 2 * 180
    assert accuracy["mllm-interleaved"] > accuracy["mllm-clip"] + 0.1, accuracy


@pytest.mark.parametrize("name", MLLMS)
def test_each_knows_kind_and_place(name: str) -> None:
    asked, truth = [], []
    for number, shot in enumerate(each for each in shots() if each.role == "base"):
        for topic, values in (("kind", KINDS), ("context", CONTEXTS)):
            value = getattr(shot.facts, topic)
            wrong = values[(values.index(value) + 1 + number % 5) % 6]
            asked.append((shot, topic, (value, wrong) if number % 2 else (wrong, value)))
            truth.append(1 - number % 2)
    assert np.mean(np.array(answers(name, asked)) == np.array(truth)) > 0.7
