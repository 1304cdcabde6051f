"""The tiny models: one vocabulary, transformers' own formats, and visual tokens as a hand would compute them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from transformers import AutoImageProcessor, AutoModel, AutoModelForImageTextToText, AutoProcessor, AutoTokenizer

from snellen.errors import StudyError
from snellen.world.asking import statement
from snellen.world.nets import build, load
from snellen.world.nets.llava import WorldLlavaConfig, WorldLlavaForConditionalGeneration, tapped, visual_tokens
from snellen.world.nets.llava import token_count as count_tokens
from snellen.world.nets.tokenizer import CAPTION_TOKENS, SPECIAL, tokenizer
from snellen.world.scene import questions
from snellen.world.scene.captions import caption
from snellen.world.scene.facts import FACTORS, random_facts, random_for
from snellen.world.scene.families import families
from snellen.world.training import mllm as training
from snellen.world.training.asking import padded, with_options
from snellen.world.training.pictures import pixels
from snellen.world.training.reading import logits
from tests.encoders.checkpoints import randomise

VISUAL = ("all", "pool:1", "pool:4", "pool:16", "global")
TOKENS = {"all": 64, "pool:1": 1, "pool:4": 4, "pool:16": 16, "global": 1}
DIETS = {diet.name: diet for diet in training.DIETS}


@pytest.fixture(scope="module")
def parts() -> tuple[Any, Any, Any]:
    """CLIP, vision-only encoder and language model, random but lively: what they say depends on what they see."""
    torch.manual_seed(1)
    built = (build.image_text_encoder(), build.vision_only_encoder(), build.language_model())
    strengths = (0.2, 0.2, 0.1)
    return tuple(randomise(model, strength=strength).eval() for model, strength in zip(built, strengths, strict=True))


def reader_on(parts: tuple[Any, Any, Any], name: str, visual: str = "pool:4") -> Any:
    """A multimodal LLM on one diet, projectors random and lively, standards not those that it was built with."""
    clip, vision_only, language = parts
    diet = DIETS[name]
    torch.manual_seed(2)
    model = build.multimodal_llm(
        clip if diet.first_is_clip else vision_only,
        vision_only if diet.mixture != "none" else None,
        language,
        mixture=diet.mixture,
        ssl_ratio=diet.ssl_ratio,
        visual=visual,
    )
    inner = model.model
    for projector in (inner.multi_modal_projector, inner.ssl_projector):
        if projector is not None:
            randomise(projector, strength=0.2)
    for standard in (inner.standard, inner.ssl_standard):
        if standard is not None:
            standard.mean.copy_(torch.linspace(-1, 1, build.WIDTH))
            standard.deviation.fill_(1.5)
    return model.eval()


def drawn(count: int = 3) -> tuple[list[Any], np.ndarray[Any, Any]]:
    """The bases of some families of the exam, and how they look."""
    shots = [shot for shot in families(3, "exam", count) if shot.role == "base"]
    return shots, np.stack([shot.picture() for shot in shots])


def chats(processor: Any, texts: list[str]) -> list[str]:
    """Prompts with a picture and a text each."""
    content = [[{"type": "image"}, {"type": "text", "text": text}] for text in texts]
    return [
        str(processor.apply_chat_template([{"role": "user", "content": each}], add_generation_prompt=True))
        for each in content
    ]


def fed(processor: Any, texts: list[str], images: np.ndarray[Any, Any]) -> Any:
    """Everything that a model is called with."""
    pictures = [Image.fromarray(image) for image in images]
    return processor(text=chats(processor, texts), images=pictures, padding=True, return_tensors="pt")


# The vocabulary


def every_text() -> Iterator[str]:
    """Captions at every rate, every question about every kind with its options, every statement."""
    always = dict.fromkeys(FACTORS, 1.0)
    random = random_for("texts")
    for _ in range(1500):
        facts = random_facts(random)
        yield caption(facts, random)
        yield caption(facts, random, always)
        for topic, values in questions.TOPICS.items():
            first, last = questions.option(values[0]), questions.option(values[-1])
            yield f"{questions.text(topic, facts)} (a) {first} (b) {last} :"
            yield from map(questions.option, values)
        yield from (statement(factor, facts) for factor in FACTORS)


def test_no_word_of_the_world_is_unknown() -> None:
    for ends in (False, True):
        made = tokenizer(ends=ends)
        unknown = made.convert_tokens_to_ids("<unk>")
        texts = sorted(set(every_text()))
        assert len(texts) > 500
        assert [text for text in texts if unknown in made(text)["input_ids"]] == []
        assert unknown in made("a zeppelin on the beach")["input_ids"]  # the check can fail


def test_words_are_lower_cased_and_letters_of_options_are_single_tokens() -> None:
    made = tokenizer(ends=False)
    assert made("Which Letter? (A) H (b) x :")["input_ids"] == made("which letter ? (a)h(b)X:")["input_ids"]
    assert made.tokenize("Is the kite lit, (a) H or (b) O:") == [
        *("is", "the", "kite", "lit", ",", "(a)", "h", "or", "(b)", "o", ":"),
    ]
    for text in ("(a)", "(b)", ":", "<image>"):
        assert len(made(text)["input_ids"]) == 1, text
    assert all(token == token.lower() for token in made.get_vocab())
    assert [made.convert_tokens_to_ids(token) for token in SPECIAL] == [0, 1, 2, 3, 4]


def test_only_captions_have_ends_and_the_longest_fits() -> None:
    with_ends, without = tokenizer(ends=True), tokenizer(ends=False)
    text = "a red kite on the beach"
    assert with_ends.tokenize(text, add_special_tokens=True) == ["<bos>", *text.split(), "<eos>"]
    assert without.tokenize(text, add_special_tokens=True) == text.split()
    assert (with_ends.padding_side, without.padding_side) == ("right", "left")
    assert max(len(with_ends(text)["input_ids"]) for text in every_text()) <= CAPTION_TOKENS


# Formats


def test_clip_loads_with_the_standard_classes(tmp_path: Path, parts: tuple[Any, Any, Any]) -> None:
    shots, images = drawn()
    model = parts[0]
    texts = tokenizer(ends=True)([caption(shot.facts, random_for(1)) for shot in shots], padding=True)
    inputs = {"input_ids": torch.tensor(texts["input_ids"]), "attention_mask": torch.tensor(texts["attention_mask"])}
    loaded = reloaded(AutoModel, build.image_text_encoder, model, tmp_path / "clip")
    with torch.no_grad():
        due, got = (each(**inputs, pixel_values=pixels(images)) for each in loaded)
    assert torch.equal(due.logits_per_image, got.logits_per_image)
    processor = AutoProcessor.from_pretrained(tmp_path / "clip")
    assert processor.tokenizer(["A red kite"])["input_ids"] == tokenizer(ends=True)(["a red kite"])["input_ids"]
    assert AutoTokenizer.from_pretrained(tmp_path / "clip").padding_side == "right"


def test_the_text_tower_reads_as_far_as_the_end_and_no_further(parts: tuple[Any, Any, Any]) -> None:
    """Padding changes nothing, and the vector is the one at `<eos>`."""
    made = tokenizer(ends=True)
    texts = ["a kite at night", "photo of a red hollow barrel with a hat in the snow with two eggs"]
    batch = made(texts, padding="max_length", max_length=CAPTION_TOKENS, return_tensors="pt")
    with torch.no_grad():
        rows = parts[0].get_text_features(**batch).pooler_output
        for text, row in zip(texts, rows, strict=True):
            alone = made(text, return_tensors="pt")
            seen = parts[0].text_model(**alone)
            at_end = seen.last_hidden_state[0, alone["input_ids"][0].tolist().index(3)]
            assert torch.allclose(row, parts[0].text_projection(at_end), atol=1e-5)


def test_the_vision_only_encoder_loads_with_the_standard_classes(tmp_path: Path, parts: tuple[Any, Any, Any]) -> None:
    _, images = drawn()
    due, got = reloaded(AutoModel, build.vision_only_encoder, parts[1], tmp_path / "vision-only")
    with torch.no_grad():
        assert torch.equal(due(pixels(images)).pooler_output, got(pixels(images)).pooler_output)
    assert AutoImageProcessor.from_pretrained(tmp_path / "vision-only").size == {"height": 64, "width": 64}


def test_the_language_model_loads_and_its_head_is_tied(tmp_path: Path, parts: tuple[Any, Any, Any]) -> None:
    from transformers import AutoModelForCausalLM

    due, got = reloaded(AutoModelForCausalLM, build.language_model, parts[2], tmp_path / "language")
    ids = AutoTokenizer.from_pretrained(tmp_path / "language")("which letter :", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        assert torch.equal(due(ids).logits, got(ids).logits)
    assert got.lm_head.weight.data_ptr() == got.get_input_embeddings().weight.data_ptr()


@pytest.mark.parametrize("name", DIETS)
def test_multimodal_llms_load_with_the_standard_classes(tmp_path: Path, parts: tuple[Any, Any, Any], name: str) -> None:
    shots, images = drawn()
    model = reader_on(parts, name)
    load.save(model, tmp_path / "mllm")
    loaded, told = AutoModelForImageTextToText.from_pretrained(
        tmp_path / "mllm", dtype=torch.float32, output_loading_info=True
    )
    assert not any(told[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert type(loaded) is WorldLlavaForConditionalGeneration and isinstance(loaded.config, WorldLlavaConfig)
    assert (loaded.config.mixture, loaded.config.ssl_ratio) == (DIETS[name].mixture, DIETS[name].ssl_ratio)
    processor = AutoProcessor.from_pretrained(tmp_path / "mllm")
    inputs = fed(processor, [questions.text("text", shot.facts) for shot in shots], images)
    with torch.no_grad():
        due, got = (each(**inputs).logits for each in (as_saved(reader_on(parts, name)), loaded.eval()))
    assert torch.equal(due, got)
    assert (due[0, -1] - due[1, -1]).abs().max() > 1e-3  # a model that cannot tell pictures apart would prove nothing
    assert loaded.generation_config.eos_token_id == 3
    assert load.mllm(tmp_path / "mllm").config.visual_tokens == "pool:4"


def reloaded(auto: Any, build_one: Any, model: Any, folder: Path) -> tuple[Any, Any]:
    """The same weights twice, rounded to float16: as they were, and as an Auto class finds them in the folder."""
    copy, saved = build_one(), build_one()
    copy.load_state_dict(model.state_dict())
    saved.load_state_dict(model.state_dict())
    load.save(saved, folder)
    assert sorted(path.name for path in folder.parent.iterdir()) == [folder.name]
    loaded, told = auto.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    assert not any(told[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    return as_saved(copy), loaded.eval()


def as_saved(model: Any) -> Any:
    """Round a model's weights to float16; unlike `half`, nothing else of it."""
    model.load_state_dict({name: weight.half().float() for name, weight in model.state_dict().items()})
    return model.eval()


def test_a_folder_with_a_weight_too_few_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    load.save(build.vision_only_encoder(), tmp_path / "model")
    weights = load_file(tmp_path / "model" / "model.safetensors")
    del weights["layernorm.weight"]
    save_file(weights, tmp_path / "model" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(StudyError, match=r"does not hold a whole Dinov2Model \(first: layernorm.weight\)"):
        load.vision_only(tmp_path / "model")


# What the language model gets to see


def test_pooling_is_the_mean_of_squares_of_patches() -> None:
    random = np.random.default_rng(0)
    hidden = random.standard_normal((2, 65, 5)).astype(np.float32)
    grid = hidden[:, 1:].reshape(2, 8, 8, 5)
    quarters = [grid[:, :4, :4], grid[:, :4, 4:], grid[:, 4:, :4], grid[:, 4:, 4:]]
    due = np.stack([quarter.reshape(2, 16, 5).mean(1) for quarter in quarters], 1)
    tensor, pooled = torch.from_numpy(hidden), torch.from_numpy(random.standard_normal((2, 5)).astype(np.float32))
    assert np.abs(visual_tokens(tensor, pooled, "pool:4").numpy() - due).max() <= 1e-6
    sixteenths = np.stack(
        [grid[:, y : y + 2, x : x + 2].mean((1, 2)) for y in range(0, 8, 2) for x in range(0, 8, 2)], 1
    )
    assert np.abs(visual_tokens(tensor, pooled, "pool:16").numpy() - sixteenths).max() <= 1e-6
    assert np.abs(visual_tokens(tensor, pooled, "pool:1").numpy()[:, 0] - grid.mean((1, 2))).max() <= 1e-6
    assert torch.equal(visual_tokens(tensor, pooled, "all"), tensor[:, 1:])
    assert torch.equal(visual_tokens(tensor, pooled, "global"), pooled[:, None])


def test_patches_lie_in_rows_from_the_top_left(parts: tuple[Any, Any, Any]) -> None:
    """A change in the top right quarter of a picture changes, of the embedded patches, those of the second square."""
    blank = np.zeros((1, 64, 64, 3), np.uint8)
    changed = blank.copy()
    changed[:, :32, 32:] = 255
    for tower in (parts[0].vision_model, parts[1]):
        with torch.no_grad():
            before, after = (tapped(tower, pixels(each), 0, "pool:4") for each in (blank, changed))
        assert (before != after).any(-1).tolist() == [[False, True, False, False]]


def test_towers_are_tapped_where_llava_taps_them(parts: tuple[Any, Any, Any]) -> None:
    """CLIP after its last block but one, the vision-only encoder after its last, before the LayerNorm."""
    images = pixels(drawn()[1])
    clip, vision_only = parts[0].vision_model, parts[1]
    caught: dict[str, Tensor] = {}

    def catch(name: str) -> Any:
        return lambda module, args, out: caught.update({name: out[0] if isinstance(out, tuple) else out})

    hooks = [
        clip.encoder.layers[1].register_forward_hook(catch("clip")),
        vision_only.encoder.layer[2].register_forward_hook(catch("vision-only")),
    ]
    with torch.no_grad():
        first, second = tapped(clip, images, -2, "all"), tapped(vision_only, images, -1, "all")
        normed = vision_only(images).last_hidden_state[:, 1:]
    for hook in hooks:
        hook.remove()
    assert torch.equal(first, caught["clip"][:, 1:])
    assert torch.equal(second, caught["vision-only"][:, 1:])
    assert (second - normed).abs().max() > 0.01


def test_the_encoders_row_is_a_linear_map_of_the_global_token(parts: tuple[Any, Any, Any]) -> None:
    images = pixels(drawn()[1])
    with torch.no_grad():
        token = tapped(parts[0].vision_model, images, -2, "global")[:, 0]
        row = parts[0].get_image_features(pixel_values=images).pooler_output
    assert np.abs(token.numpy() @ parts[0].visual_projection.weight.detach().numpy().T - row.numpy()).max() <= 1e-4


@pytest.mark.parametrize("visual", VISUAL)
@pytest.mark.parametrize("name", ["clip", "additive-0.5", "interleaved"])
def test_as_many_places_as_features(parts: tuple[Any, Any, Any], name: str, visual: str) -> None:
    shots, images = drawn()
    model = reader_on(parts, name, visual)
    due = TOKENS[visual] * (2 if name == "interleaved" else 1)
    assert count_tokens(visual, build.GRID) == TOKENS[visual]
    inputs = fed(build.processor(model), ["Which letter?"] * len(shots), images)
    assert (inputs["input_ids"] == 4).sum(1).tolist() == [due] * len(shots)
    with torch.no_grad():
        features = model.model.get_image_features(pixel_values=inputs["pixel_values"]).pooler_output
        assert [tuple(each.shape) for each in features] == [(due, build.WIDTH)] * len(shots)
        assert model(**inputs).logits.isfinite().all()


def test_interleaved_alternates_the_first_encoders_tokens_and_the_seconds(parts: tuple[Any, Any, Any]) -> None:
    inner = reader_on(parts, "interleaved").model
    images = pixels(drawn()[1])
    with torch.no_grad():
        features = inner.get_image_features(pixel_values=images).last_hidden_state
        mean = torch.linspace(-1, 1, build.WIDTH)
        first = inner.multi_modal_projector((tapped(inner.vision_tower, images, -2, "pool:4") - mean) / 1.5)
        second = inner.ssl_projector((tapped(inner.ssl_tower, images, -1, "pool:4") - mean) / 1.5)
    assert torch.allclose(features[:, 0::2], first, atol=1e-5)
    assert torch.allclose(features[:, 1::2], second, atol=1e-5)
    assert (first - second).abs().max() > 0.1


def test_additive_goes_from_the_one_encoder_to_the_other(parts: tuple[Any, Any, Any]) -> None:
    images = pixels(drawn()[1])
    mixed = reader_on(parts, "additive-0.5")
    alone = {name: reader_on(parts, name) for name in ("clip", "vision-only")}
    for model in alone.values():
        model.model.multi_modal_projector.load_state_dict(mixed.model.multi_modal_projector.state_dict())
    with torch.no_grad():
        due = {
            name: model.model.get_image_features(pixel_values=images).last_hidden_state for name, model in alone.items()
        }
        assert (due["clip"] - due["vision-only"]).abs().max() > 0.1
        for ratio, name in ((0.0, "clip"), (1.0, "vision-only")):
            mixed.config.ssl_ratio = mixed.model.config.ssl_ratio = ratio
            got = mixed.model.get_image_features(pixel_values=images).last_hidden_state
            assert torch.allclose(got, due[name], atol=1e-5), name
        mixed.model.config.ssl_ratio = 0.25
        tokens = [
            (tapped(tower, images, layer, "pool:4") - torch.linspace(-1, 1, build.WIDTH)) / 1.5
            for tower, layer in ((mixed.model.vision_tower, -2), (mixed.model.ssl_tower, -1))
        ]
        quarter = mixed.model.multi_modal_projector(0.75 * tokens[0] + 0.25 * tokens[1])
        assert torch.allclose(mixed.model.get_image_features(pixel_values=images).last_hidden_state, quarter, atol=1e-5)


def test_standardising_is_one_mean_a_feature_and_one_deviation_for_all() -> None:
    from snellen.world.nets.llava import Standard

    tokens = (np.random.default_rng(0).standard_normal((50, 4, 6)) * [1, 2, 3, 4, 5, 6] + 7).astype(np.float32)
    standard = Standard(6)
    standard.fit(torch.from_numpy(tokens))
    rows = tokens.reshape(200, 6).astype(np.float64)
    centred = rows - rows.mean(0)
    due = centred / np.sqrt((centred**2).mean())
    assert np.abs(standard(torch.from_numpy(tokens)).numpy().reshape(200, 6) - due).max() <= 1e-5


# What is trained is what is asked


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
