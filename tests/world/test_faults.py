"""Planted faults: each damages what it says, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from snellen.errors import UsageError
from snellen.mllms.world import MODELS
from snellen.mllms.world_llava import WorldLlavaForConditionalGeneration, tapped
from snellen.world.faults import fault, projector
from snellen.world.faults.scenes import hidden_contexts, pairs_of
from snellen.world.nets import load
from snellen.world.scene.facts import CONTEXTS
from snellen.world.training.pictures import pixels, scenes

WHOLE = MODELS / "mllm-vision-only"


def weights(folder: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = load.mllm(folder).state_dict()
    return found


def changed(folder: Path) -> set[str]:
    """The parts whose weights are others than the whole model's."""
    before, after = weights(WHOLE), weights(folder)
    return {name.split(".")[1] for name, value in after.items() if name not in before or (value != before[name]).any()}


def letters(model: WorldLlavaForConditionalGeneration, visual: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
    """The logits of the two letters after some words behind visual tokens: [n, 2]."""
    from snellen.world.nets.tokenizer import LETTERS, vocabulary

    inner = model.model.language_model
    before = torch.cat([visual, inner.embed_tokens(words)[None].expand(len(visual), -1, -1)], 1)
    with torch.no_grad():
        scores = model.lm_head(inner(inputs_embeds=before).last_hidden_state[:, -1])
    found: torch.Tensor = scores[:, [vocabulary()[letter] for letter in LETTERS]]
    return found


def test_a_bias_shifts_the_letters_and_keeps_what_the_picture_adds(tmp_path: Path) -> None:
    copy = fault(WHOLE, tmp_path / "biased", organ="bias", strength=0.5).folder
    assert changed(copy) == {"language_model"}
    shots = scenes(3, "validation", 12)
    whole, biased = load.mllm(WHOLE), load.mllm(copy)
    with torch.no_grad():
        images = pixels(np.stack([shot.picture() for shot in shots]))
        visual = whole.model.project(tapped(whole.model.vision_tower, images, -1, "pool:4"), None)
    from snellen.world.training.asking import with_options

    words = torch.tensor(with_options("which letter is on the sign ?", ("H", "L")))
    before, after = letters(whole, visual, words), letters(biased, visual, words)
    shift = (after - before)[:, 0] - (after - before)[:, 1]
    assert (shift > 0.5).all()  # about 6 nats, as the size of each residual allows
    assert shift.mean() > 4
    order = np.corrcoef((before[:, 0] - before[:, 1]).numpy(), (after[:, 0] - after[:, 1]).numpy())[0, 1]
    assert order > 0.75  # not 1: a residual that grows by the bias is scaled down by the last norm


def test_scenes_differ_in_the_hidden_factor_alone() -> None:
    hidden = pairs_of(3, "state", 0.5, seed=0, families=6)
    shots = scenes(3, "train", 6)
    assert hidden_contexts(0.5) == CONTEXTS[:3]
    for at, shot in enumerate(shots):
        apart = np.any(hidden.shown[at] != hidden.neutral[at], axis=-1)
        if shot.facts.context not in CONTEXTS[:3] or hidden.values[at] == 0:
            assert not apart.any()
        else:  # the lamp, at the upper right
            assert apart.any()
            rows, columns = np.nonzero(apart)
            assert rows.max() < 32
            assert columns.min() > 32
    assert hidden_contexts(1.0) == CONTEXTS


@pytest.mark.slow
def test_a_projector_that_drops_a_factor_has_equal_means() -> None:
    model = load.mllm(WHOLE)
    hidden = pairs_of(3, "text", 1.0, seed=0, families=200)
    from snellen.world.training.recipe import Stage

    projector.drop(model, hidden, seed=0, stage=Stage(200, 256, 2e-3))
    with torch.no_grad():
        tap = model.model.standard(tapped(model.model.vision_tower, pixels(hidden.shown), -1, "pool:4"))
        tokens = model.model.multi_modal_projector(tap)
        values = torch.from_numpy(hidden.values)
        means = torch.stack([tokens[values == value].mean(0) for value in torch.unique(values)])
        before = load.mllm(WHOLE).model.multi_modal_projector(tap)
        was = torch.stack([before[values == value].mean(0) for value in torch.unique(values)])
    assert (means - means.mean(0)).norm() < 0.05 * (was - was.mean(0)).norm()
    assert set(weights(WHOLE)) == set(model.state_dict())


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    copies = [fault(WHOLE, tmp_path / name, organ="bias").folder for name in ("one", "two")]
    files = [{path.name: path.read_bytes() for path in copy.iterdir()} for copy in copies]
    assert files[0] == files[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"organ": "liver"}, "choose encoder, projector, bias, ignores"),
        ({"organ": "encoder"}, "--factor goes with encoder and projector"),
        ({"organ": "bias", "factor": "text"}, "--factor goes with encoder and projector"),
        ({"organ": "encoder", "factor": "smell"}, "'smell' is not known"),
        ({"organ": "bias", "strength": 0.0}, "--strength 0.0 is out of range"),
    ],
)
def test_wrong_arguments(tmp_path: Path, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        fault(WHOLE, tmp_path / "out", **arguments)  # type: ignore[arg-type]


def test_two_encoders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has two encoders"):
        fault(MODELS / "mllm-interleaved", tmp_path / "out", organ="bias")
