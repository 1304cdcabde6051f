"""One vocabulary of whole words for captions, questions and answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from snellen.world.scene import captions, questions
from snellen.world.scene.facts import CONTEXTS, FACTORS, KINDS, Facts

PAD, UNKNOWN, BEGIN, END, IMAGE = SPECIAL = ("<pad>", "<unk>", "<bos>", "<eos>", "<image>")
"""Tokens that are no words, in the order of their ids."""

LETTERS: Final = ("(a)", "(b)")
"""The letters of the two options: one token each."""

ASK: Final = ":"
"""Ends a question: what follows is the answer."""

CAPTION_TOKENS: Final = 40
"""Longest caption with its two ends."""

PROMPT_TOKENS: Final = 256
"""Longest prompt of a multimodal LLM."""

CHAT_TEMPLATE: Final = (
    "{% for message in messages %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %} {{ part['text'] }}{% endif %}"
    "{% endfor %}{% if message['role'] == 'assistant' %}<eos>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %} :{% endif %}"
)
"""The user's picture and text, then `:`, then the answer."""

SHORTHAND: Final = {
    (topic, value): f"<{topic} {value.lower()}>" for topic, values in questions.TOPICS.items() for value in values
}
"""A token for every fact, in which nobody writes; see `training.language`."""

_PIECES: Final = r"\(a\)|\(b\)|\w+|[^\w\s]"


@cache
def vocabulary() -> Mapping[str, int]:
    """Number the special tokens, then every word of any caption, question or answer in the order of the alphabet."""
    words = {word for text in _texts() for word in re.findall(_PIECES, text.lower())}
    tokens = [*SPECIAL, *sorted(words | {*LETTERS, ASK, ",", ".", "?"}), *SHORTHAND.values()]
    return MappingProxyType({token: index for index, token in enumerate(tokens)})


def _texts() -> Iterator[str]:
    first = {name: values[0] for name, values in FACTORS.items()}
    base = Facts(kind=KINDS[0], context=CONTEXTS[0], **first)
    yield from captions.words()
    yield from questions.TOPICS
    for kind in KINDS:
        for topic in questions.TOPICS:
            yield questions.text(topic, base.but(kind=kind))
    for topic, values in questions.TOPICS.items():
        for value in values:
            yield questions.option(value)
            if topic in FACTORS:
                yield captions.phrase(topic, base.but(**{topic: value}))


def tokenizer(*, ends: bool) -> Any:  # noqa: ANN401 - transformers is untyped
    """Build the tokenizer: lower-cased words and punctuation.

    Args:
        ends: Wrap every text in `<bos>` and `<eos>`, as the image-text encoder's text tower needs it.

    Returns:
        A `transformers.PreTrainedTokenizerFast`, padding on the left, as generation needs it (`ends`: on the right).
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    ids = vocabulary()
    inner = Tokenizer(models.WordLevel(dict(ids), unk_token=UNKNOWN))
    inner.normalizer = normalizers.Lowercase()
    inner.pre_tokenizer = pre_tokenizers.Split(Regex(_PIECES), "removed", invert=True)
    if ends:
        inner.post_processor = processors.TemplateProcessing(
            single=f"{BEGIN} $A {END}", special_tokens=[(BEGIN, ids[BEGIN]), (END, ids[END])]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        pad_token=PAD,
        unk_token=UNKNOWN,
        bos_token=BEGIN,
        eos_token=END,
        additional_special_tokens=[IMAGE],
        padding_side="right" if ends else "left",
        model_max_length=CAPTION_TOKENS if ends else PROMPT_TOKENS,
    )
