"""Models in this process, against the library called directly, and what is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from snellen.errors import ModelError, UsageError
from snellen.mllms.base import Compute, Decoding, MultimodalModel
from snellen.providers import load_mllm
from snellen.records import Ask, Response
from tests.mllms.tiny_llava import random_model, scripted
from tests.pictures import picture

ALWAYS_B = {":": "(b)", "(b)": "<eos>"}
LETTERS = ("(a)", "(b)")
WORDING = "Which? (a) one (b) other"


@pytest.fixture(scope="module")
def always_b(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scripted(tmp_path_factory.mktemp("models") / "always-b", ALWAYS_B)


@pytest.fixture(scope="module")
def random_one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_model(tmp_path_factory.mktemp("models") / "random")


def load(folder: Path, *, batch_size: int = 1, **decoding: Any) -> MultimodalModel:
    return load_mllm(
        f"transformers/{folder}",
        decoding=Decoding(**{"max_tokens": 4} | decoding),
        compute=Compute("cpu", batch_size=batch_size),
    )


def png(index: int) -> bytes:
    file = BytesIO()
    picture(index).save(file, "PNG")
    return file.getvalue()


def asks(count: int, **changes: Any) -> list[Ask]:
    wordings = [WORDING, "Which way dog one other ? (a) one (b) other"]  # of two lengths, so that batches are padded
    return [Ask(f"q{at}", wordings[at % 2], png(at), letters=LETTERS, **changes) for at in range(count)]


def answers(model: MultimodalModel, asked: Sequence[Ask]) -> dict[str, Response]:
    return {response.question_id: response for response in model.answer(asked)}


def test_what_is_said_is_what_comes_back(always_b: Path) -> None:
    [response] = load(always_b).answer([Ask("q", WORDING, png(0), letters=LETTERS)])
    assert (response.text, response.finish, response.error, response.tokens_out) == ("(b)", "stop", None, 2)
    assert response.prompt == f"<image> {WORDING} :"
    assert response.tokens_in == 64 + 6  # patches; Which? (a) one (b) other :
    assert response.logprobs is not None
    assert response.logprobs["b"] > -0.01 > response.logprobs["a"]


def test_an_answer_that_is_cut_says_so(tmp_path: Path) -> None:
    [response] = load(scripted(tmp_path / "m", {":": "what", "what": "dog", "dog": "what"})).answer(asks(1))
    assert (response.text, response.finish, response.tokens_out) == ("what dog what dog", "length", 4)


def test_each_question_gets_its_own_image_whatever_the_batch(random_one: Path) -> None:
    """Against the library called directly, a question at a time."""
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor

    model = AutoModelForImageTextToText.from_pretrained(random_one)
    processor = AutoProcessor.from_pretrained(random_one)
    asked = asks(7)
    found = answers(load(random_one, batch_size=3), asked)
    assert len(found) == 7
    for at, ask in enumerate(asked):
        inputs = processor(text=f"<image> {ask.prompt} :", images=picture(at).convert("RGB"), return_tensors="pt")
        with torch.inference_mode():
            first = model(**inputs).logits[0, -1].log_softmax(-1)
            made = model.generate(**inputs, do_sample=False, max_new_tokens=4)
        response = found[ask.question_id]
        assert response.text == processor.tokenizer.decode(
            made[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True
        )
        assert response.logprobs == pytest.approx({"a": first[4].item(), "b": first[5].item()}, abs=1e-4)
    assert len({response.logprobs["a"] for response in found.values() if response.logprobs}) == 7


def test_without_an_image_nothing_is_seen(random_one: Path) -> None:
    with_image, without = asks(2), [Ask("none", WORDING, None, letters=LETTERS, control="no_image")]
    found = answers(load(random_one, batch_size=4), [*with_image, *without])
    assert found["none"].prompt == f" {WORDING} :"
    assert found["none"].control == "no_image"
    assert found["none"].tokens_in == 6
    assert len(found) == 3


def test_letters_of_several_tokens(tmp_path: Path) -> None:
    """A tokenizer that splits "(a)" in three: the letter's probability is that of the bracket times its own."""
    import torch
    from tokenizers import Regex, pre_tokenizers
    from transformers import AutoModelForImageTextToText, AutoProcessor

    folder = random_model(tmp_path / "split")
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    words = tokenizer["model"]["vocab"]
    renamed = {"what": "(", "way": "a", "dog": "b", "one": ")"}
    tokenizer["model"]["vocab"] = {renamed.get(word, word): index for word, index in words.items()}
    split = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(Regex(r"[()]"), "isolated")]
    )
    tokenizer["pre_tokenizer"] = json.loads(split.__getstate__())
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    [response] = load(folder).answer([Ask("q", "Which?", png(3), letters=LETTERS)])
    model = AutoModelForImageTextToText.from_pretrained(folder)
    processor = AutoProcessor.from_pretrained(folder)
    inputs = processor(text="<image> Which? :", images=picture(3).convert("RGB"), return_tensors="pt")
    bracket = torch.tensor([[words["what"]]])
    longer = inputs | {
        "input_ids": torch.cat([inputs["input_ids"], bracket], 1),
        "attention_mask": torch.ones(1, inputs["input_ids"].shape[1] + 1, dtype=torch.long),
    }
    with torch.inference_mode():
        logs = model(**longer).logits[0, -2:].log_softmax(-1)
    opening = logs[0, words["what"]].item()
    assert response.logprobs == pytest.approx(
        {"a": opening + logs[1, words["way"]].item(), "b": opening + logs[1, words["dog"]].item()}, abs=1e-4
    )


def test_above_temperature_0_the_seed_decides_and_the_batch_does_not(random_one: Path) -> None:
    asked = asks(6)
    once = answers(load(random_one, batch_size=4, temperature=1.5, seed=1), asked)
    again = answers(load(random_one, batch_size=1, temperature=1.5, seed=1), list(reversed(asked)))
    other = answers(load(random_one, temperature=1.5, seed=2), asked)
    texts = [{name: one.text for name, one in found.items()} for found in (once, again, other)]
    assert texts[0] == texts[1] != texts[2]


def test_questions_are_drawn_as_they_are_needed(always_b: Path) -> None:
    drawn = []

    def drawing() -> Any:
        for ask in asks(6):
            drawn.append(ask)
            yield ask

    responses = load(always_b, batch_size=2).answer(drawing())
    next(responses)
    assert len(drawn) == 2


def test_the_fingerprint_is_of_the_files(always_b: Path, random_one: Path) -> None:
    first, again, other = load(always_b), load(always_b), load(random_one)
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert first.name == "transformers/always-b"  # no folder of this machine
    assert isinstance(first, MultimodalModel)


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = scripted(tmp_path / "m", ALWAYS_B)
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in weights if "lm_head" in name)
    for changed, what in (
        ({key: value for key, value in weights.items() if key != name}, "missing keys: lm_head.weight"),
        (weights | {"extra.weight": weights[name].clone()}, "unexpected keys: extra.weight"),
        (weights | {name: weights[name][:, :7].contiguous()}, "mismatched keys: lm_head.weight"),
    ):
        save_file(changed, folder / "model.safetensors", metadata={"format": "pt"})
        with pytest.raises(ModelError, match=what):
            list(load(folder).answer(asks(1)))
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="cannot be loaded"):
        list(load(folder).answer(asks(1)))


def test_what_is_no_model_is_said_to_be_none(tmp_path: Path, always_b: Path) -> None:
    with pytest.raises(ModelError, match=r"no config\.json"):
        load(tmp_path)
    with pytest.raises(UsageError, match="no folder"):
        load(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="no revisions"):
        load_mllm(f"transformers/{always_b}@main")
    with pytest.raises(UsageError, match="mllm-clip"):
        load_mllm("world/mllm-clap")
    with pytest.raises(UsageError, match="openai"):
        load_mllm("opanai/gpt")
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE"):
        load_mllm("transformers/nobody/nothing")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ModelError, match="damaged"):
        load(tmp_path)


def test_an_image_that_cannot_be_decoded_is_named(always_b: Path) -> None:
    with pytest.raises(ModelError, match=r"image of question q .*not_an_image"):
        list(load(always_b).answer([Ask("q", WORDING, b"no image")]))


def test_the_shipped_models_answer(tmp_path: Path) -> None:
    file = BytesIO()
    Image.new("RGB", (64, 64), (10, 200, 30)).save(file, "PNG")
    model = load_mllm("world/mllm-interleaved", decoding=Decoding(max_tokens=4), compute=Compute("cpu"))
    ask = Ask("q", "Which way does the dog look? (a) left (b) right", file.getvalue(), letters=LETTERS)
    [response] = model.answer([ask])
    assert response.text in LETTERS
    assert response.logprobs is not None
    assert sum(map(math.exp, response.logprobs.values())) == pytest.approx(1, abs=0.05)
