"""A language model reading rows of words behind something it has read before: a described scene, or visual tokens."""

# ruff: noqa: TID253 - this module is imported only where something is trained
from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import DynamicCache, LlamaForCausalLM

from snellen.world.training.asking import answered


def logits(model: LlamaForCausalLM, before: Tensor, mask: Tensor, words: Tensor, last: int = 1) -> Tensor:
    """Score every word as what follows each of the last places of rows of words.

    What comes before is read once for all rows behind it. That changes no score, since it cannot see them.

    Args:
        model: Blocks and head.
        before: What comes before, embedded: [m, length, width].
        mask: 1 where something stands, 0 where padding: int64 [m, length].
        words: int64 [n, longest], padded with 0 on the left, n a multiple of m: the first rows are behind the first of
            `before`, and so on, equally many.
        last: Of how many places.

    Returns:
        float32 [n, last, vocabulary].
    """
    each = len(words) // len(before)
    read = model.model(
        inputs_embeds=before,
        attention_mask=mask,
        position_ids=_positions(mask),
        past_key_values=DynamicCache(),
        use_cache=True,
    ).past_key_values
    read.batch_repeat_interleave(each)
    mask = torch.cat([mask.repeat_interleave(each, 0), (words != 0).long()], 1)
    seen = model.model(
        inputs_embeds=model.model.embed_tokens(words),
        attention_mask=mask,
        position_ids=_positions(mask)[:, -words.shape[1] :],
        past_key_values=read,
        use_cache=True,
    )
    scores: Tensor = model.lm_head(seen.last_hidden_state[:, -last:])
    return scores


def answering_loss(model: LlamaForCausalLM, before: Tensor, mask: Tensor, questions: Tensor, answers: Tensor) -> Tensor:
    """Measure how far a model is from giving each answer, and then stopping; `logits` says what goes in."""
    words, targets = answered(questions, answers)
    scores = logits(model, before, mask, words, last=2)
    return nn.functional.cross_entropy(scores.flatten(0, 1), targets.flatten())


def _positions(mask: Tensor) -> Tensor:
    return (mask.cumsum(1) - 1).clamp(min=0)
