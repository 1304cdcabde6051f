"""Questions as training sees them: rows of tokens that end where the answer begins."""

# ruff: noqa: TID253 - this module is imported only where something is trained
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snellen.world.nets.tokenizer import ASK, END, LETTERS, tokenizer, vocabulary
from snellen.world.scene import captions, questions
from snellen.world.scene.facts import FACTORS, Facts, choose

_END: Final = vocabulary()[END]

PLAIN: Final = ("kind", "context")
"""Topics that every caption names."""


SHARES: Final = (0.0, 0.25, 0.6)
"""How much of a scene is told besides what is asked for."""


@dataclass(frozen=True)
class Asked:
    """Questions, one a row.

    Attributes:
        tokens: int64 [n, longest], padded with 0 on the left, ending in `:`.
        answers: int64 [n], the token that is the right answer: a letter, or a word where no options were given.
        scenes: int64 [n], which scene each is about.
        topics: What each asks for.
        of_each: How many in a row are about the same scene; n is a multiple of it.
    """

    tokens: Tensor
    answers: Tensor
    scenes: NDArray[np.int64]
    topics: tuple[str, ...]
    of_each: int

    @property
    def scenes_seen(self) -> NDArray[np.int64]:
        """The scenes in order, each as often as it is looked at: once for `of_each` questions."""
        return self.scenes[:: self.of_each]


@cache
def _tokenizer() -> Any:  # noqa: ANN401 - transformers is untyped
    return tokenizer(ends=False)


@cache
def ids(text: str) -> tuple[int, ...]:
    """Turn a text into tokens."""
    return tuple(_tokenizer()(text)["input_ids"])


def with_options(text: str, options: Sequence[str]) -> tuple[int, ...]:
    """Tokens of a question with two options, as the exam puts it: `text (a) left (b) right :`."""
    return ids(text) + ids(LETTERS[0]) + ids(options[0]) + ids(LETTERS[1]) + ids(options[1]) + ids(ASK)


def asked(
    facts: Sequence[Facts], count: int, random: np.random.RandomState, *, plain: float, open_: float, of_each: int = 1
) -> Asked:
    """Ask `count` random questions about random scenes.

    Args:
        facts: The scenes.
        count: How many questions: a multiple of `of_each`.
        random: Decides all.
        plain: Share of questions about kind and context.
        open_: Share of questions without options.
        of_each: How many questions in a row are about the same scene.
    """
    rows, answers, scenes, topics = [], [], [], []
    scene = 0
    for number in range(count):
        if number % of_each == 0:
            scene = int(random.randint(len(facts)))
        topic = choose(random, PLAIN if random.random_sample() < plain else tuple(FACTORS))
        row, answer = question(facts[scene], topic, random, open_=random.random_sample() < open_)
        rows.append(row)
        answers.append(answer)
        scenes.append(scene)
        topics.append(topic)
    return Asked(padded(rows), torch.tensor(answers), np.array(scenes), tuple(topics), of_each)


def question(facts: Facts, topic: str, random: np.random.RandomState, *, open_: bool) -> tuple[tuple[int, ...], int]:
    """Ask one thing of one scene: tokens, and the token that answers."""
    value = getattr(facts, topic)
    text = questions.text(topic, facts)
    if open_:
        return ids(text) + ids(ASK), ids(questions.option(value))[0]
    other = choose(random, tuple(each for each in questions.TOPICS[topic] if each != value))
    first = int(random.randint(2))
    options = [questions.option(each) for each in ((value, other) if first == 0 else (other, value))]
    return with_options(text, options), vocabulary()[LETTERS[first]]


def answered(tokens: Tensor, answers: Tensor) -> tuple[Tensor, Tensor]:
    """Put the answers after the questions, and say what to learn: the answer, and then to stop.

    Returns:
        int64 [n, longest + 1], and int64 [n, 2]: what follows each of the last two places.
    """
    return torch.cat([tokens, answers[:, None]], 1), torch.stack([answers, torch.full_like(answers, _END)], 1)


def told(topic: str, random: np.random.RandomState) -> tuple[str, ...]:
    """Choose what is told of a scene, in random order: what is asked for always, all else as often as chance says.

    Scenes of which little else is told teach how options are matched; those of which much is told, how to search.
    """
    share = SHARES[random.randint(len(SHARES))]
    order = random.permutation([*PLAIN, *FACTORS])
    return tuple(str(name) for name in order if name == topic or random.random_sample() < share)


def described(facts: Facts, topic: str, random: np.random.RandomState) -> tuple[int, ...]:
    """Describe a scene in words, of what `told` chooses."""
    said = told(topic, random)
    phrases = [getattr(facts, name) if name in PLAIN else captions.phrase(name, facts) for name in said]
    return tuple(token for phrase in phrases for token in ids(phrase))


def padded(rows: Sequence[Sequence[int]]) -> Tensor:
    """Stack rows of unequal length: int64 [n, longest], zeros on the left."""
    longest = max(map(len, rows))
    return torch.tensor([[0] * (longest - len(row)) + list(row) for row in rows])
