"""Encoders without a single learned parameter: the baselines that every claim should beat.

They are pure NumPy, the same on every machine, and need no download. `--device` and `--dtype` mean nothing to them:
they always compute in float64 on the CPU, and their fingerprints say so.

- `control/colour-histogram` sees which colours there are and how much of each, and nothing of where they lie.
- `control/gradient-grid` sees where edges of which direction lie, and nothing of colour or of overall texture.
- `control/random-projection` sees raw pixels, through fixed random signs.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from snellen.encoders.base import FloatArray, Tokens, unit_rows
from snellen.encoders.choices import closest
from snellen.encoders.fingerprint import of_recipe
from snellen.encoders.pixels import Pixels
from snellen.errors import Unsupported, UsageError

Doubles = NDArray[np.float64]

CONTROL_VERSION = 1
"""Goes into the fingerprints; raise it when a row changes."""

SIDE = 64
BINS = 8
CELLS = 8
DIRECTIONS = 8
FLATNESS = 1e-3
PROJECTION_SIDE = 32
PROJECTIONS = 255


def colour_histogram(pixels: FloatArray) -> Doubles:
    """Return the square root of the joint RGB histogram: float64 [n, 512], from float32 [n, 3, h, w] in [0, 1].

    Eight equal bins a channel, the last one closed; element `64 * red + 8 * green + blue` is the square root of the
    share of pixels in that bin. So the cosine of two rows is the Bhattacharyya coefficient of the two histograms: 1
    for the same colours in any layout, 0 for no colour in common. A flat picture is a single 1.
    """
    bins = np.minimum((pixels.astype(np.float64) * BINS).astype(np.int64), BINS - 1)
    codes = (bins[:, 0] * BINS + bins[:, 1]) * BINS + bins[:, 2]
    rows = np.stack([np.bincount(code.ravel(), minlength=BINS**3) for code in codes])
    shares: Doubles = np.sqrt(rows / codes[0].size)
    return shares


def gradient_grid(pixels: FloatArray) -> Doubles:
    """Return where edges of each direction lie: float64 [n, 513], from float32 [n, 3, 64, 64] in [0, 1].

    Luma (0.299, 0.587, 0.114), central differences (one-sided and halved at the border), and in each of 8 x 8 cells a
    histogram over eight directions of the gradient, from dark to bright, over the full circle; the magnitude is
    divided between the two nearest directions. From every direction its mean over the cells is taken away, so an edge
    that is everywhere counts nothing and different layouts come out near 0 or below. The last element is the constant
    0.001 ("no edges"): all that a flat picture has, and nothing beside a single real edge (a black-to-white one along
    one cell's side weighs 0.125).
    """
    n, _, height, width = pixels.shape
    luma = np.tensordot(np.array([0.299, 0.587, 0.114]), pixels.astype(np.float64), axes=(0, 1))
    padded = np.pad(luma, ((0, 0), (1, 1), (1, 1)), mode="edge")
    across = (padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]) / 2
    down = (padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]) / 2
    magnitude = np.hypot(across, down)
    turns = np.mod(np.arctan2(down, across) / (2 * np.pi) * DIRECTIONS, DIRECTIONS)
    lower = np.floor(turns)
    share = turns - lower
    first = lower.astype(np.int64) % DIRECTIONS

    cell_of_row = np.arange(height) * CELLS // height
    cell_of_column = np.arange(width) * CELLS // width
    cell = cell_of_row[:, None] * CELLS + cell_of_column[None, :]
    rows = np.zeros((n, CELLS * CELLS * DIRECTIONS))
    for row, size, low, part in zip(rows, magnitude, first, share, strict=True):
        for direction, weight in ((low, size * (1 - part)), ((low + 1) % DIRECTIONS, size * part)):
            place = cell * DIRECTIONS + direction
            row += np.bincount(place.ravel(), weights=weight.ravel(), minlength=row.size)
    grid = rows.reshape(n, CELLS * CELLS, DIRECTIONS) / (height // CELLS * width // CELLS)
    grid -= grid.mean(axis=1, keepdims=True)
    return np.concatenate([grid.reshape(n, -1), np.full((n, 1), FLATNESS)], axis=1)


def random_signs(rows: int, columns: int) -> Doubles:
    """Return a fixed matrix of +1 and -1: float64 [rows, columns].

    The signs are the bits, highest first, of sha256("0"), sha256("1"), ...: the same with every version of NumPy.
    """
    count = -(-rows * columns // 256)
    stream = b"".join(sha256(str(block).encode("ascii")).digest() for block in range(count))
    bits = np.unpackbits(np.frombuffer(stream, dtype=np.uint8))[: rows * columns]
    return bits.reshape(rows, columns).astype(np.float64) * 2 - 1


def random_projection(pixels: FloatArray) -> Doubles:
    """Return 255 random sums of pixels and a constant: float64 [n, 256], from float32 [n, 3, 32, 32] in [0, 1].

    Row = (signs @ (pixels - 0.5)) / sqrt(number of pixels), then 0.001. Cosines approximate those of the centred raw
    pixels to about 1 / sqrt(255) = 0.06 (Johnson-Lindenstrauss; Achlioptas 2003). Pixels are k / 255, so none is
    exactly 0.5: two flat greys on the same side of the middle have cosine 1, on opposite sides about -1.
    """
    centred = pixels.reshape(len(pixels), -1).astype(np.float64) - 0.5
    sums = centred @ random_signs(PROJECTIONS, centred.shape[1]).T / np.sqrt(centred.shape[1])
    return np.concatenate([sums, np.full((len(pixels), 1), FLATNESS)], axis=1)


Features = Callable[[FloatArray], Doubles]

CONTROLS: dict[str, tuple[Features, int, int]] = {
    # name: (features, side of the squashed picture, length of a row)
    "colour-histogram": (colour_histogram, SIDE, BINS**3),
    "gradient-grid": (gradient_grid, SIDE, CELLS * CELLS * DIRECTIONS + 1),
    "random-projection": (random_projection, PROJECTION_SIDE, PROJECTIONS + 1),
}


class ControlEncoder:
    """An image encoder made of one pure function; no patch tokens, no text."""

    def __init__(self, name: str, kind: str) -> None:
        """Take the name the user gave, and a key of `CONTROLS`."""
        self._features, side, self.dim = CONTROLS[kind]
        self.name = name
        # The box filter is the mean over the source pixels, so small pictures hold the colours of large ones.
        self.preprocess = Pixels(
            resize="exact",
            resize_to=(side, side),
            filter="box",
            crop="none",
            size=(side, side),
            mean=(0.0, 0.0, 0.0),
            std=(1.0, 1.0, 1.0),
        )
        self.fingerprint = of_recipe(
            {"control": kind, "version": CONTROL_VERSION, "preprocess": self.preprocess.recipe()}
        )

    def embed(self, batch: FloatArray) -> FloatArray:
        """Embed float32 [n, 3, side, side] in [0, 1] to unit rows float32 [n, dim]; no row is ever zero."""
        return unit_rows(self._features(batch).astype(np.float32))

    def tokens(self, batch: FloatArray, layer: int = -1) -> Tokens:
        """Raise Unsupported: a control has no patch tokens."""
        return _no_tokens(self.name)


def _no_tokens(name: str) -> NoReturn:
    raise Unsupported(f"{name} is a parameter-free control and has no patch tokens; use a transformer encoder")


def load(name: str, model: str, weights: str | None, *, device: str, dtype: str, threads: int | None) -> ControlEncoder:
    """Make the control `model`; `device`, `dtype` and `threads` do not apply.

    Raises:
        UsageError: there is no such control.
    """
    if model not in CONTROLS or weights is not None:
        raise UsageError(f"unknown model {name!r}: the controls are {closest(model, CONTROLS, prefix='control/')}")
    return ControlEncoder(name, model)
