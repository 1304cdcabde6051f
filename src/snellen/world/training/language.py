"""The language model, taught without pictures: a scene is told, then comes a question, then the answer.

As large language models are, it is a reader before it is given eyes; every diet then starts from the same reader.

Scenes are told in words first: `beak left on the beach hat`. In the second half every other batch is in shorthand:
every fact has a token of its own, in which nobody writes, and several facts are summed into one place, as a visual
token holds several. A reader that has read words alone spends most of a multimodal LLM's training on learning to take
facts apart, and passes for blind meanwhile.
"""

# ruff: noqa: TID253 - this module is imported only where something is trained
from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import torch
from torch import Tensor
from transformers import LlamaForCausalLM

from snellen.world.nets.build import language_model
from snellen.world.nets.tokenizer import SHORTHAND, vocabulary
from snellen.world.scene.facts import FACTORS, Facts, choose, random_facts, random_for
from snellen.world.training.asking import PLAIN, described, padded, question, told
from snellen.world.training.optimiser import Optimiser, begin
from snellen.world.training.reading import answering_loss
from snellen.world.training.recipe import Recipe

PLACES: Final = (1, 4, 4, 16, 64)
"""Into how many places a batch's shorthand is summed: as many as there are visual tokens of one kind or another."""

NOISE: Final = 0.5
"""Deviation of the noise on shorthand, in deviations of its tokens."""


class Told(NamedTuple):
    """Scenes that are told, each with one question.

    Attributes:
        before: The scenes, embedded: float32 [n, longest, width].
        mask: 1 where something stands: int64 [n, longest].
        questions: int64 [n, longest], padded with 0 on the left.
        answers: int64 [n].
    """

    before: Tensor
    mask: Tensor
    questions: Tensor
    answers: Tensor


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
    for number in range(recipe.language.steps):
        # words first: with shorthand from the start, one seed of three did not learn to match options in 1,200 steps
        tell = in_shorthand if number % 2 and number > recipe.language.steps / 2 else in_words
        loss = answering_loss(model, *tell(model, recipe.language.batch, random, recipe.open_share))
        optimiser.step(loss)
        on_step(loss.item())
    return model.eval()


def in_words(model: LlamaForCausalLM, count: int, random: np.random.RandomState, open_: float) -> Told:
    """Make up scenes, described in words, with a question each, the share `open_` of them without options."""
    scenes, questions, answers = [], [], []
    for _ in range(count):
        facts, topic = _scene(random)
        scenes.append(described(facts, topic, random))
        asked, answer = question(facts, topic, random, open_=random.random_sample() < open_)
        questions.append(asked)
        answers.append(answer)
    words = padded(scenes)
    return Told(model.model.embed_tokens(words), (words != 0).long(), padded(questions), torch.tensor(answers))


def in_shorthand(model: LlamaForCausalLM, count: int, random: np.random.RandomState, open_: float) -> Told:
    """Make up scenes, told as sums of shorthand at random places with noise, with a question each."""
    ids = vocabulary()
    codes, questions, answers = [], [], []
    for _ in range(count):
        facts, topic = _scene(random)
        said = told(topic, random)
        codes.append([ids[SHORTHAND[name, getattr(facts, name)]] if name in said else 0 for name in (*PLAIN, *FACTORS)])
        asked, answer = question(facts, topic, random, open_=random.random_sample() < open_)
        questions.append(asked)
        answers.append(answer)
    written = torch.tensor(codes)
    facts_said = model.model.embed_tokens(written) * (written != 0)[..., None]
    places, width = PLACES[random.randint(len(PLACES))], facts_said.shape[-1]
    where = torch.from_numpy(random.randint(places, size=written.shape))[..., None].expand(-1, -1, width)
    before = torch.zeros(count, places, width).scatter_add(1, where, facts_said)
    noise = torch.from_numpy(random.standard_normal(before.shape)).float()
    before = before + NOISE * facts_said.detach().std() * noise
    return Told(before, torch.ones(count, places, dtype=torch.long), padded(questions), torch.tensor(answers))


def _scene(random: np.random.RandomState) -> tuple[Facts, str]:
    return random_facts(random), choose(random, (*PLAIN, *FACTORS))
