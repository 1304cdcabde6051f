"""Batches through the network, several at a time where that is what the machine's cores want."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from snellen.encoders.base import FloatArray, ImageEncoder
from snellen.errors import EncoderError
from snellen.providers import load_encoder, resolve_device

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class LoadedEncoder:
    """An encoder in memory, and how it is to be used.

    `streams` batches go through it at the same time. An encoder loaded by name on a CPU computes each batch with one
    thread and takes as many batches as there are cores: nothing waits at barriers, and vectors do not depend on the
    number of cores. An encoder of your own has its own ideas of threads, so one stream is the default.
    """

    encoder: ImageEncoder
    device: str = "cpu"
    dtype: str = "float32"
    streams: int = 1


def load(name: str, *, device: str = "auto", dtype: str = "float32") -> LoadedEncoder:
    """Load an encoder by name for embedding.

    Raises:
        UsageError: unknown name, device or dtype.
        EncoderError: the model cannot be loaded.
    """
    device = resolve_device(device)
    if device != "cpu":
        return LoadedEncoder(load_encoder(name, device=device, dtype=dtype), device, dtype)
    with torch_threads_kept():
        encoder = load_encoder(name, device=device, dtype=dtype, threads=1)
    return LoadedEncoder(encoder, device, dtype, os.cpu_count() or 1)


@contextmanager
def torch_threads_kept(threads: int | None = None) -> Iterator[None]:
    """Set torch's threads for the block, where torch is in use, and leave them afterwards as they were before.

    The setting is the whole process's, so whoever calls us from Python would be left with it.
    """
    before = sys.modules["torch"].get_num_threads() if "torch" in sys.modules else os.cpu_count() or 1
    if threads is not None and "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)
    try:
        yield
    finally:
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(before)


def in_order(
    items: Iterable[Item], submit: Callable[[Item], Future[Result] | None], ahead: int
) -> Iterator[tuple[Item, Result | None]]:
    """Submit items up to `ahead` at a time and yield them in order with their results.

    An item for which `submit` returns None has nothing to wait for; its result is None. Example: with `ahead` 2 the
    third item is submitted when the first one's result is taken.
    """
    waiting: deque[tuple[Item, Future[Result] | None]] = deque()
    for item in items:
        waiting.append((item, submit(item)))
        if len(waiting) >= ahead:
            done, future = waiting.popleft()
            yield done, None if future is None else future.result()
    while waiting:
        done, future = waiting.popleft()
        yield done, None if future is None else future.result()


def embed_batch(encoder: ImageEncoder, values: list[FloatArray], uris: list[str]) -> FloatArray:
    """Embed one batch of preprocessed images to unit rows float32 [n, dim].

    Raises:
        EncoderError: the encoder gives an image no direction (zero, NaN); names the first such image.
    """
    try:
        return encoder.embed(np.stack(values))
    except FloatingPointError as error:
        raise EncoderError(
            f"{encoder.name} gives {_culprit(encoder, values, uris)} no direction (a vector of zeros or NaN): take the "
            "image out of the source, or use another --dtype or encoder."
        ) from error


def _culprit(encoder: ImageEncoder, values: list[FloatArray], uris: list[str]) -> str:
    for value, uri in zip(values, uris, strict=True):
        try:
            encoder.embed(value[None])
        except FloatingPointError:
            return uri
    return f"one of {uris[0]} to {uris[-1]}"
