"""What is seen at the stops, against the library's own forward pass, taken apart by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from snellen.errors import ModelError, Unsupported, UsageError
from snellen.mllms.base import Compute, Decoding, Transparent
from snellen.mllms.hidden import Stops
from snellen.providers import load_mllm
from snellen.records import Ask
from tests.mllms.test_transformers import LETTERS, WORDING, png
from tests.mllms.tiny_llava import random_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_model(tmp_path_factory.mktemp("models") / "random")


def loaded(folder: Path) -> Transparent:
    model = load_mllm(f"transformers/{folder}", decoding=Decoding(max_tokens=4), compute=Compute("cpu"))
    assert isinstance(model, Transparent)
    assert model.supports.hidden
    return model


def asked(index: int = 0) -> Ask:
    return Ask("q", WORDING, png(index), letters=LETTERS)


def test_stock_llava_stop_by_stop(folder: Path) -> None:
    """The tower's blocks, the tap, the projector, the language model's blocks: each computed by transformers itself."""
    from transformers import AutoProcessor, LlavaForConditionalGeneration

    from snellen.images.decode import Limits, decode

    model = loaded(folder)
    seen = model.hidden([asked()], model.stops)[0]
    stock = LlavaForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
    processor = AutoProcessor.from_pretrained(folder)
    picture = decode(asked().image or b"", Limits(min_side=1)).image
    text = processor.apply_chat_template(
        [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": WORDING}]}],
        add_generation_prompt=True,
        tokenize=False,
    )
    inputs = processor(text=[text], images=[[picture]], return_tensors="pt")
    with torch.no_grad():
        tower = stock.model.vision_tower(pixel_values=inputs["pixel_values"], output_hidden_states=True)
        for number in range(stock.config.vision_config.num_hidden_layers):
            np.testing.assert_allclose(seen[f"encoder.{number}"], tower.hidden_states[number + 1][0], atol=1e-5)
        tapped = tower.hidden_states[stock.config.vision_feature_layer]
        if stock.config.vision_feature_select_strategy == "default":
            tapped = tapped[:, 1:]
        np.testing.assert_allclose(seen["tap"], tapped[0], atol=1e-5)
        np.testing.assert_allclose(seen["projector"], stock.model.multi_modal_projector(tapped)[0], atol=1e-5)
        whole = stock(**inputs, output_hidden_states=True)
    blocks = stock.config.text_config.num_hidden_layers
    for number in range(blocks - 1):  # behind the last block transformers reports the normalised state
        np.testing.assert_allclose(seen[f"language.{number}"], whole.hidden_states[number + 1][0], atol=1e-4)
    assert seen[f"language.{blocks - 1}"].shape[0] == inputs["input_ids"].shape[1]


def test_early_stops_are_the_same_as_in_a_whole_pass(folder: Path) -> None:
    model = loaded(folder)
    whole, early = model.hidden([asked()], model.stops)[0], model.hidden([asked()], ("tap", "projector"))[0]
    assert set(early) == {"tap", "projector"}
    for stop in early:
        np.testing.assert_array_equal(early[stop], whole[stop])


def test_pictures_looked_at_together_are_seen_as_each_alone(folder: Path) -> None:
    model = load_mllm(f"transformers/{folder}", compute=Compute("cpu", batch_size=4))
    assert isinstance(model, Transparent)
    asks = [asked(index) for index in range(6)]
    together = model.hidden(asks, ("encoder.0", "pooled", "tap", "projector"))
    assert len(together) == 6
    for one, ask in zip(together, asks, strict=True):
        alone = loaded(folder).hidden([ask], ("encoder.0", "pooled", "tap", "projector"))[0]
        for stop, rows in alone.items():
            np.testing.assert_allclose(one[stop], rows, atol=1e-5)


def test_looking_leaves_the_answer_as_it_is(folder: Path) -> None:
    model = loaded(folder)
    before = [one.text for one in model.answer([asked()])]
    model.hidden([asked()], ("tap", "projector"))[0]
    with model.random_encoder(3):
        random = model.hidden([asked()], ("tap",))[0]
    assert [one.text for one in model.answer([asked()])] == before
    own = model.hidden([asked()], ("tap",))[0]["tap"]
    assert not np.allclose(own, random["tap"])
    with model.random_encoder(3):
        np.testing.assert_array_equal(model.hidden([asked()], ("tap",))[0]["tap"], random["tap"])


def test_the_worlds_mixture_shows_both_encoders_tokens() -> None:
    from snellen.mllms.world_llava import tapped
    from snellen.world.nets import load
    from snellen.world.scene.families import family
    from snellen.world.training.pictures import pixels

    model = load_mllm("world/mllm-interleaved", compute=Compute("cpu"))
    assert isinstance(model, Transparent)
    shot = family(5, "exam", 0)[0].picture()
    from io import BytesIO

    from PIL import Image

    file = BytesIO()
    Image.fromarray(shot).save(file, "PNG")
    seen = model.hidden([Ask("q", "what? (a) one (b) two", file.getvalue())], ("tap", "projector"))[0]
    from snellen.mllms.world import MODELS

    whole = load.mllm(MODELS / "mllm-interleaved").model
    with torch.no_grad():
        first = whole.standard(tapped(whole.vision_tower, pixels(shot[None]), -2, "pool:4"))[0]
        assert whole.ssl_standard is not None
        assert whole.ssl_tower is not None
        second = whole.ssl_standard(tapped(whole.ssl_tower, pixels(shot[None]), -1, "pool:4"))[0]
    np.testing.assert_allclose(seen["tap"], torch.cat([first, second]), atol=1e-4)
    assert seen["projector"].shape == (8, 96)


def test_what_is_not_there_is_refused(folder: Path) -> None:
    model = loaded(folder)
    with pytest.raises(UsageError, match=r"no stop 'language\.99': it has encoder\.0"):
        model.hidden([asked()], ("language.99",))
    with pytest.raises(ModelError, match="no image"):
        model.hidden([Ask("q", WORDING, None, letters=LETTERS)], ("tap",))
    with pytest.raises(Unsupported, match="no projector under a name that is known here"):
        Stops(torch.nn.Linear(2, 2), "x/y").check(("tap",))
