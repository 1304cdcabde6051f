"""Images and texts to unit rows, each once, in batches whose composition never changes.

Equal inputs get equal rows: two texts that are the same to the tokenizer, or two images that are the same after
preprocessing, go through the network once. Otherwise rounding, which differs from place to place in a batch, would
decide between them, and a tie would look like a choice.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from itertools import islice
from math import fsum
from typing import Final, TypeVar

import numpy as np

from snellen.encoders.base import FloatArray, ImageTextEncoder, ShowsTokens
from snellen.errors import EncoderError
from snellen.progress import Progress

Item = TypeVar("Item")

CPU_BATCH: Final = 2
OTHER_BATCH: Final = 32
"""Images at a time, if nothing is said."""

TEXT_BATCH: Final = 32
"""Texts at a time; fixed, so that the batch size of images changes nothing here."""


def text_rows(encoder: ImageTextEncoder, texts: Sequence[str]) -> dict[str, FloatArray]:
    """Embed texts, those that are the same to the tokenizer once.

    Returns:
        A unit row float32 [dim] for every text.

    Raises:
        EncoderError: the tokenizer cannot be had, or a text has no direction.
    """
    first: dict[object, str] = {}
    stands_for = {text: first.setdefault(_tokens(encoder, text), text) for text in texts}
    found: dict[str, FloatArray] = {}
    for batch in _batched(list(first.values()), TEXT_BATCH):
        try:
            rows = encoder.embed_text(batch)
        except FloatingPointError as error:
            raise EncoderError(
                f"{encoder.name} gives a statement no direction (a vector of zeros or NaN): use another --dtype or "
                "encoder."
            ) from error
        found.update(zip(batch, rows, strict=True))
    return {text: found[representative] for text, representative in stands_for.items()}


def _tokens(encoder: ImageTextEncoder, text: str) -> object:
    return encoder.token_ids([text]).tobytes() if isinstance(encoder, ShowsTokens) else text


def image_rows(
    encoder: ImageTextEncoder,
    pictures: Iterable[tuple[str, FloatArray]],
    *,
    batch_size: int,
    streams: int,
    progress: Progress,
) -> dict[str, FloatArray]:
    """Embed preprocessed images, those that are the same after preprocessing once.

    Args:
        encoder: whose `preprocess` made them.
        pictures: image_id and float32 [3, H, W] of each.
        batch_size: images at a time.
        streams: batches at a time.
        progress: told of every batch.

    Returns:
        A unit row float32 [dim] by image_id.

    Raises:
        EncoderError: the encoder gives an image no direction.
    """
    first: dict[bytes, str] = {}
    stands_for: dict[str, str] = {}

    def new() -> Iterator[tuple[str, FloatArray]]:
        for name, values in pictures:
            stands_for[name] = first.setdefault(sha256(np.ascontiguousarray(values).data).digest(), name)
            if stands_for[name] == name:
                yield name, values

    def embed(batch: Sequence[tuple[str, FloatArray]]) -> dict[str, FloatArray]:
        names = [name for name, _ in batch]
        try:
            rows = encoder.embed(np.stack([values for _, values in batch]))
        except FloatingPointError as error:
            raise EncoderError(
                f"{encoder.name} gives one of the images {', '.join(name[:16] for name in names)} no direction (a "
                "vector of zeros or NaN): use another --dtype or encoder."
            ) from error
        return dict(zip(names, rows, strict=True))

    found: dict[str, FloatArray] = {}
    with ThreadPoolExecutor(streams, thread_name_prefix="match") as pool:
        for several in _batched(new(), batch_size * streams):
            for rows in pool.map(embed, _batched(several, batch_size)):
                found.update(rows)
                progress.advance(len(rows))
    return {name: found[representative] for name, representative in stands_for.items()}


def cosine(one: FloatArray, other: FloatArray) -> float:
    """Return the dot product of two unit rows float32 [dim], in float64, rounded once: the same on every machine.

    Products of two float32 are exact in float64, and `math.fsum` rounds their sum exactly. Rows are not scaled again.
    """
    return fsum((one.astype(np.float64) * other.astype(np.float64)).tolist())


def _batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    left = iter(items)
    while batch := list(islice(left, size)):
        yield batch


Matrix = tuple[tuple[float, float], tuple[float, float]]


def cosines(images: Mapping[str, FloatArray], texts: Mapping[str, FloatArray], pair: Sequence[str]) -> Matrix:
    """Return the four cosines of a pair, `[i][j]` of image i and text j; `pair` is image a, image b, text a, text b."""
    (a, b), (s, t) = (images[name] for name in pair[:2]), (texts[name] for name in pair[2:])
    return (cosine(a, s), cosine(a, t)), (cosine(b, s), cosine(b, t))


@contextmanager
def one_thread(wanted: bool) -> Iterator[None]:
    """Compute with one of torch's threads within the block, where that is wanted.

    Several batches at a time take all cores, and rows do not depend on how many there are. The setting is the whole
    process's, and is left as it was.
    """
    torch = sys.modules.get("torch") if wanted else None
    before = torch.get_num_threads() if torch else 1
    if torch:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if torch:
            torch.set_num_threads(before)


def streams_of(device: str) -> int:
    """Return how many batches go through an encoder at a time: on a CPU one for each core."""
    return os.cpu_count() or 1 if device == "cpu" else 1
