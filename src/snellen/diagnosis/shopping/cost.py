"""What an encoder costs: what is true everywhere (`Size`), and what is true of one machine (`Latency`)."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final

import numpy as np

from snellen.encoders.base import FloatArray, ImageEncoder, ImageTextEncoder
from snellen.encoders.size import image_size, parameters
from snellen.errors import Unsupported
from snellen.providers import recorded_name
from snellen.stats import quantile_ranks

WARM_UP: Final = 2
REPEATS: Final = 20
LEAST: Final = 6
"""Repeats at least: with fewer a median has no interval of 95 %."""

PATIENCE: Final = 10.0
"""Seconds after which no more repeats are begun for one batch size."""

PICTURE: Final = (256, 256)
"""What is embedded: random pixels, the same every time."""


@dataclass(frozen=True, slots=True)
class Size:
    """What an encoder costs anywhere.

    `parameters` are of both towers where there are two; `image_size` is height and width in pixels, None where it
    depends on the picture; `tokens` are patch tokens of a square picture, None where the network has none;
    `text_tower`: does it embed texts? `dtype` is what it computes in, which is part of its fingerprint.
    """

    encoder: str
    fingerprint: str
    dtype: str
    parameters: int | None
    image_size: tuple[int, int] | None
    tokens: int | None
    text_tower: bool


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds that one picture takes in a batch of `batch`: the median of `repeats`, with its 95 % interval.

    The forward pass and the way to the device and back, without decoding and preprocessing. `machine` names the
    processor, `threads` are torch's on a CPU.
    """

    encoder: str
    fingerprint: str
    device: str
    machine: str
    dtype: str
    threads: int | None
    batch: int
    seconds: float
    low: float | None
    high: float | None
    repeats: int


def size_of(encoder: ImageEncoder, dtype: str = "float32") -> Size:
    """Say what an encoder costs anywhere."""
    try:
        tokens = encoder.tokens(_pictures(encoder, 1))
    except Unsupported:
        tokens = None
    return Size(
        encoder=recorded_name(encoder.name),
        fingerprint=encoder.fingerprint,
        dtype=dtype,
        parameters=parameters(encoder),
        image_size=image_size(encoder),
        tokens=None if tokens is None else tokens.grid_height * tokens.grid_width,
        text_tower=isinstance(encoder, ImageTextEncoder),
    )


def latency_of(
    encoder: ImageEncoder,
    batch: int,
    *,
    device: str = "cpu",
    dtype: str = "float32",
    clock: Callable[[], float] = perf_counter,
) -> Latency:
    """Time a batch after warming up: until `REPEATS` are done, or, with `LEAST` done, `PATIENCE` is over."""
    pictures = _pictures(encoder, batch)
    begun = clock()
    for done in range(WARM_UP):
        if not done or clock() - begun < PATIENCE:
            encoder.embed(pictures)
    times: list[float] = []
    begun = clock()
    while len(times) < REPEATS and (len(times) < LEAST or clock() - begun < PATIENCE):
        before = clock()
        encoder.embed(pictures)  # what comes back is NumPy, so the device has finished
        times.append((clock() - before) / batch)
    times.sort()
    ranks = quantile_ranks(len(times), 0.5)
    return Latency(
        encoder=recorded_name(encoder.name),
        fingerprint=encoder.fingerprint,
        device=device,
        machine=machine(device),
        dtype=dtype,
        threads=_threads(device),
        batch=batch,
        seconds=float(np.median(times)),
        low=None if ranks.low is None else times[ranks.low - 1],
        high=None if ranks.high is None else times[ranks.high - 1],
        repeats=len(times),
    )


def _pictures(encoder: ImageEncoder, batch: int) -> FloatArray:
    from PIL import Image

    pixels = np.random.Generator(np.random.PCG64(0)).integers(0, 256, (*PICTURE, 3), dtype=np.uint8)
    one = encoder.preprocess(Image.fromarray(pixels))
    return np.repeat(one[None], batch, axis=0)


def machine(device: str) -> str:
    """Name the processor that computes."""
    if device.startswith("cuda"):
        import torch

        return str(torch.cuda.get_device_name(device))
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text("utf-8").splitlines() if cpus.is_file() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(filter(None, [*named, platform.processor(), platform.machine()]), "not known")


def _threads(device: str) -> int | None:
    return int(sys.modules["torch"].get_num_threads()) if device == "cpu" and "torch" in sys.modules else None
