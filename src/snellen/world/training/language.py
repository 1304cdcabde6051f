"""The language model, taught on text alone: a scene in words, a question, the answer.

As large language models are, it is a reader before it is given eyes; every diet then starts from the same reader.
"""

# ruff: noqa: TID253 - this module is imported only where something is trained
from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from transformers import LlamaForCausalLM

from snellen.world.nets.build import language_model
from snellen.world.scene.facts import FACTORS, choose, random_facts, random_for
from snellen.world.training.asking import PLAIN, answered, described, padded, question
from snellen.world.training.optimiser import Optimiser, begin
from snellen.world.training.recipe import Recipe


def train(recipe: Recipe, seed: int, on_step: Callable[[float], None]) -> LlamaForCausalLM:
    """Train from random weights on scenes made up as it goes.

    Args:
        recipe: `language` says how long.
        seed: Weights and texts.
        on_step: Told the loss of every step.
    """
    begin(seed)
    random = random_for(seed, "language")
    model = language_model()
    optimiser = Optimiser(recipe.language, model)
    model.train()
    for _ in range(recipe.language.steps):
        rows, answers = batch(recipe.language.batch, random, recipe.open_share)
        loss = answering_loss(model, rows, answers)
        optimiser.step(loss)
        on_step(loss.item())
    return model.eval()


def batch(count: int, random: np.random.RandomState, open_: float) -> tuple[Tensor, Tensor]:
    """Make up described scenes with one question each: int64 [count, longest] and the answers, int64 [count]."""
    rows, answers = [], []
    for _ in range(count):
        facts, topic = random_facts(random), choose(random, (*PLAIN, *FACTORS))
        asked, answer = question(facts, topic, random, open_=random.random_sample() < open_)
        rows.append((*described(facts, topic, random), *asked))
        answers.append(answer)
    return padded(rows), torch.tensor(answers)


def answering_loss(model: LlamaForCausalLM, rows: Tensor, answers: Tensor) -> Tensor:
    """Measure how far a model is from answering left-padded questions of text alone, and stopping."""
    tokens, targets = answered(rows, answers)
    scores = logits(model, model.model.get_input_embeddings()(tokens), (tokens != 0).long(), last=2)
    return nn.functional.cross_entropy(scores.flatten(0, 1), targets.flatten())


def logits(model: LlamaForCausalLM, embedded: Tensor, mask: Tensor, last: int = 1) -> Tensor:
    """Score every word as what follows each of the last places of embedded rows [n, length, width].

    Returns:
        float32 [n, last, vocabulary].
    """
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    seen = model.model(inputs_embeds=embedded, attention_mask=mask, position_ids=positions, use_cache=False)
    scores: Tensor = model.lm_head(seen.last_hidden_state[:, -last:])
    return scores
