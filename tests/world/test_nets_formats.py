"""The tiny models' vocabulary, and their files in transformers' own formats."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoImageProcessor, AutoModel, AutoModelForImageTextToText, AutoProcessor, AutoTokenizer

from snellen.errors import StudyError
from snellen.mllms.world_llava import WorldLlavaConfig, WorldLlavaForConditionalGeneration
from snellen.world.asking import statement
from snellen.world.nets import build, load
from snellen.world.nets.tokenizer import CAPTION_TOKENS, SPECIAL, tokenizer
from snellen.world.scene import questions
from snellen.world.scene.captions import caption
from snellen.world.scene.facts import FACTORS, random_facts, random_for
from snellen.world.training.pictures import pixels
from tests.world.tiny_nets import DIETS, as_saved, drawn, fed, reader_on


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


def test_a_folder_with_a_weight_too_few_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    load.save(build.vision_only_encoder(), tmp_path / "model")
    weights = load_file(tmp_path / "model" / "model.safetensors")
    del weights["layernorm.weight"]
    save_file(weights, tmp_path / "model" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(StudyError, match=r"does not hold a whole Dinov2Model \(first: layernorm.weight\)"):
        load.vision_only(tmp_path / "model")


# What the language model gets to see
