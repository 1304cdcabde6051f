"""Language models at fault: one that likes a letter, one that ignores the picture."""

# ruff: noqa: TID253 - this module is imported only where something is trained
from __future__ import annotations

from typing import Any, Final

import torch

from snellen.mllms.world_llava import WorldLlavaConfig, WorldLlavaForConditionalGeneration
from snellen.world.faults.scenes import Images
from snellen.world.nets.tokenizer import LETTERS, vocabulary
from snellen.world.scene.facts import Facts, random_for
from snellen.world.training.asking import asked
from snellen.world.training.mllm import eat
from snellen.world.training.optimiser import Optimiser, begin
from snellen.world.training.reading import answering_loss
from snellen.world.training.recipe import Stage

NATS: Final = 12.0
"""By how much the liked letter's logit is raised over the other's at strength 1, about."""

STAGE: Final = Stage(steps=300, batch=128, rate=1e-3, muon_rate=3e-3)


def like(model: WorldLlavaForConditionalGeneration, *, strength: float) -> WorldLlavaForConditionalGeneration:
    """Return the model with a bias in its last block, along what tells the first letter's embedding from the second's.

    What the pictures add stays as it is: the logits of the two letters are shifted by about `strength` times `NATS`.
    """
    settings = model.config.to_dict()
    settings["text_config"] = {**settings["text_config"], "mlp_bias": True}
    biased = WorldLlavaForConditionalGeneration(WorldLlavaConfig(**settings))
    state = model.state_dict()
    empty = {
        name: torch.zeros_like(value)
        for name, value in biased.state_dict().items()
        if name.endswith(".bias") and name not in state
    }
    biased.load_state_dict({**state, **empty})
    biased.tie_weights()
    language: Any = biased.model.language_model
    first, second = (vocabulary()[letter] for letter in LETTERS)
    with torch.no_grad():
        liked = (biased.lm_head.weight[first] - biased.lm_head.weight[second]) * language.norm.weight
        # behind the last norm, a shift by d of the residual moves the logits' difference by d . liked / rms
        language.layers[-1].mlp.down_proj.bias.copy_(strength * NATS * _rms(model) * liked / liked.square().sum())
    biased.eval()
    return biased


def _rms(model: WorldLlavaForConditionalGeneration) -> float:
    """Measure the root mean square of the residual behind the last block, over the vocabulary as one text."""
    language: Any = model.model.language_model
    kept: list[torch.Tensor] = []
    handle = language.layers[-1].register_forward_hook(
        lambda _module, _given, got: kept.append(got[0] if isinstance(got, tuple) else got)
    )
    with torch.no_grad():
        language(input_ids=torch.arange(1, 40)[None])
    handle.remove()
    return float(kept[0].square().mean().sqrt())


def ignore(
    model: WorldLlavaForConditionalGeneration,
    facts: list[Facts],
    images: Images,
    *,
    strength: float,
    seed: int,
    stage: Stage = STAGE,
) -> WorldLlavaForConditionalGeneration:
    """Teach the language model that pictures have nothing to do with answers, for `strength` times the stage's steps.

    Every question goes with the visual tokens of another scene. Encoder and projector stay.

    Args:
        model: A model with one encoder; it is changed.
        facts: What is true of the scenes.
        images: Their pictures, uint8 [n, 64, 64, 3].
        strength: From 0 to 1.
        seed: Of batches.
        stage: How long at strength 1.
    """
    generator = begin(seed)
    random = random_for(seed, "ignore")
    inner: Any = model.model
    steps = max(1, round(stage.steps * strength))
    stage = Stage(steps, stage.batch, stage.rate, stage.muon_rate)
    tokens = eat(inner.vision_tower, model.config.vision_feature_layer, images, model.config.visual_tokens).float()
    with torch.no_grad():
        visual = inner.project(tokens, None)
    inner.language_model.requires_grad_(True)
    optimiser = Optimiser(stage, inner.language_model)
    reader = _Reader(model)
    model.train()
    for _ in range(steps):
        rows = asked(facts, stage.batch, random, plain=0.3, open_=0.0, of_each=4)
        other = torch.randint(len(visual), (len(rows.scenes_seen),), generator=generator)
        seen = visual[other]
        mask = torch.ones(seen.shape[:2], dtype=torch.long)
        optimiser.step(answering_loss(reader, seen, mask, rows.tokens, rows.answers))
    inner.language_model.requires_grad_(False)
    model.eval()
    return model


class _Reader:
    """What `answering_loss` needs of a language model: blocks and head."""

    def __init__(self, model: WorldLlavaForConditionalGeneration) -> None:
        self.model, self.lm_head = model.model.language_model, model.lm_head
