"""`match` equals open_clip and transformers, called directly with their own preprocessing and tokenizers."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from snellen.encoders.quiet import quiet_libraries
from snellen.exam.match import match
from snellen.exam.match.job import PROBES
from tests.encoders import checkpoints, checkpoints_other
from tests.encoders.pictures import SIZES, picture
from tests.exam.match.made import Made, png, write_benchmark

Cosines = NDArray[np.float64]
Library = Callable[[str, list[Image.Image], list[str]], Cosines]

WORDS = (
    ("red dog", "blue dog"),
    ("two eggs", "three eggs"),
    ("OPEN door", "closed door."),
    ("hat on 7 cats", "no hat"),
    ("a very long statement " * 12 + "left", "a very long statement " * 12 + "right"),
    ("left", "right"),
    ("above", "from the side"),
)
"""The tiny tokenizers read sixteen tokens at most, some of them letters: of the long pair none sees the difference."""


def by_open_clip(name: str, images: list[Image.Image], texts: list[str]) -> Cosines:
    """All cosines, [image, text], as open_clip's own example computes them."""
    import open_clip
    import torch

    model_name, _, file = name.removeprefix("open_clip/").partition("@")
    identifier = model_name if file else f"local-dir:{model_name}"
    model, _, transform = open_clip.create_model_and_transforms(identifier, pretrained=file or None)
    model.eval()
    with torch.no_grad():
        seen = model.encode_image(torch.stack([transform(image) for image in images]), normalize=True)
        read = model.encode_text(open_clip.get_tokenizer(identifier)(texts), normalize=True)
        found: Cosines = (seen.double() @ read.double().T).numpy()
    return found


def by_transformers(name: str, images: list[Image.Image], texts: list[str]) -> Cosines:
    """The same, by the model's own forward pass over images and texts together."""
    import torch
    from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

    folder = name.removeprefix("transformers/")
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    sigmoid = model.config.model_type.startswith("siglip")
    longest = model.config.text_config.max_position_embeddings
    tokens = AutoTokenizer.from_pretrained(folder)(
        [text.lower() for text in texts] if sigmoid else texts,
        padding="max_length" if sigmoid else True,
        truncation=True,
        max_length=longest,
        return_tensors="pt",
    )
    mask = {} if sigmoid else {"attention_mask": tokens.attention_mask}
    pixels = AutoImageProcessor.from_pretrained(folder, backend="pil")(images=images, return_tensors="pt")
    with torch.no_grad():
        said = model(input_ids=tokens.input_ids, **mask, **pixels)
    found: Cosines = (said.image_embeds.double() @ said.text_embeds.double().T).numpy()
    return found


OFFICIAL, BARE = "a photo of {statement}", "{statement}"

CASES: dict[str, tuple[Callable[[Path], str], Library, str]] = {
    "open_clip_folder": (checkpoints_other.open_clip_folder, by_open_clip, OFFICIAL),
    "open_clip_timm": (checkpoints_other.open_clip_timm_tower, by_open_clip, OFFICIAL),
    "open_clip_file": (checkpoints_other.open_clip_file, by_open_clip, OFFICIAL),
    "clip": (checkpoints.clip, by_transformers, BARE),
    "metaclip_2": (checkpoints.metaclip_2, by_transformers, BARE),
    "siglip": (checkpoints.siglip, by_transformers, BARE),
    "siglip2_naflex": (checkpoints.siglip2, by_transformers, BARE),
    "world_clip": (checkpoints_other.world_clip, by_transformers, OFFICIAL),
}


@pytest.fixture(scope="module")
def pairs() -> list[Made]:
    return [
        Made(png(picture(*size, seed=2 * at)), png(picture(*size[::-1], seed=2 * at + 1)), words)
        for at, (size, words) in enumerate(zip(SIZES, WORDS, strict=True))
    ]


ROUNDING = 2e-6
"""Cosines of float32 rows by two libraries agree to 1e-6 each."""


@pytest.mark.parametrize("kind", CASES)
def test_pair_by_pair(kind: str, pairs: list[Made], tmp_path: Path) -> None:
    build, library, template = CASES[kind]
    with quiet_libraries():
        name = build(tmp_path / "model")
    study = tmp_path / "s"
    write_benchmark(study, pairs)
    found = match(study, [name], benchmark="made", template=template, device="cpu", batch_size=3).runs[0].matches

    images = [Image.open(BytesIO(data)).convert("RGB") for pair in pairs for data in (pair.a, pair.b)]
    texts = [template.replace("{statement}", statement or "") for pair in pairs for statement in pair.statements]
    with quiet_libraries():
        cosines = library(name, images, texts)

    assert set(found) == {pair.name for pair in pairs}
    apart = 0
    for at, pair in enumerate(pairs):
        (aa, ab), (ba, bb) = own = cosines[2 * at : 2 * at + 2, 2 * at : 2 * at + 2].tolist()
        ours = found[pair.name]
        np.testing.assert_allclose(ours.cosine, own, rtol=0, atol=1e-6)
        gaps = [abs(aa - ba), abs(bb - ab), abs(aa - ab), abs(bb - ba)]
        if min(gaps) < ROUNDING:  # only where the tokenizer makes the same of both texts: an exact tie
            assert max(gaps[2:]) < ROUNDING
            assert ours.tie
            assert ours.text_correct == (False, False)
            continue
        assert ours.image_correct == (aa > ba, bb > ab)
        assert ours.text_correct == (aa > ab, bb > ba)
        assert not ours.tie
        apart += 1
    assert apart >= 5


def test_the_same_in_one_batch_and_one_by_one(pairs: list[Made], tmp_path: Path) -> None:
    name = checkpoints.clip(tmp_path / "model")
    found: list[dict[str, Any]] = []
    for size in (1, 4, 64):
        study = tmp_path / f"s{size}"
        write_benchmark(study, pairs)
        found.append(
            dict(match(study, [name], benchmark="made", template=BARE, device="cpu", batch_size=size).runs[0].matches)
        )
    for other in found[1:]:
        assert {key: (one.image_correct, one.text_correct, one.tie) for key, one in other.items()} == {
            key: (one.image_correct, one.text_correct, one.tie) for key, one in found[0].items()
        }
        for key, one in other.items():
            np.testing.assert_allclose(one.cosine, found[0][key].cosine, rtol=0, atol=1e-6)


def test_the_tokenizer_is_recorded_by_what_it_does(pairs: list[Made], tmp_path: Path) -> None:
    import open_clip

    name = checkpoints_other.open_clip_folder(tmp_path / "model")
    write_benchmark(tmp_path / "s", pairs)
    recorded = match(tmp_path / "s", [name], benchmark="made", device="cpu").runs[0].header.decoding["tokenizer"]
    with quiet_libraries():
        ids = open_clip.get_tokenizer(f"local-dir:{tmp_path / 'model'}")(list(PROBES)).tolist()
    text = json.dumps(ids, separators=(",", ":"))
    assert recorded == {"length": 16, "probes_sha256": sha256(text.encode()).hexdigest()}
