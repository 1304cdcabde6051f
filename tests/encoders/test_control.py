"""The parameter-free encoders, with values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from snellen.encoders.base import FloatArray
from snellen.encoders.control import (
    CONTROLS,
    FLATNESS,
    colour_histogram,
    gradient_grid,
    random_projection,
    random_signs,
)
from snellen.errors import Unsupported, UsageError
from snellen.providers import load_encoder

NAMES = [f"control/{name}" for name in CONTROLS]


def embed(name: str, *images: Image.Image) -> FloatArray:
    encoder = load_encoder(name)
    return encoder.embed(np.stack([encoder.preprocess(image) for image in images]))


def scene(*boxes: tuple[str, int, int]) -> Image.Image:
    """Coloured squares of 30 pixels on grey, 128 x 128."""
    image = Image.new("RGB", (128, 128), (120, 120, 120))
    for colour, x, y in boxes:
        ImageDraw.Draw(image).rectangle((x, y, x + 29, y + 29), fill=colour)
    return image


def test_colour_histogram_by_hand() -> None:
    """Three pixels of red (bins 7, 0, 0) and one of mid-blue 0.5 (bins 0, 0, 4): sqrt of 3/4 and of 1/4."""
    pixels = np.zeros((1, 3, 2, 2), dtype=np.float32)
    pixels[0, 0] = [[1, 1], [1, 0]]
    pixels[0, 2, 1, 1] = 0.5
    row = colour_histogram(pixels)[0]
    assert row[7 * 64] == pytest.approx(np.sqrt(0.75)) and row[4] == pytest.approx(0.5)
    assert np.count_nonzero(row) == 2


def test_gradient_grid_by_hand() -> None:
    """A step from black to white between columns 3 and 4: central differences of 0.5 in both, in the cells at left.

    Each of the eight cells in column 0 holds 2 columns x 8 rows x 0.5 / 64 pixels = 0.125 in direction 0; the mean
    over the 64 cells is 8 x 0.125 / 64 = 0.015625.
    """
    pixels = np.zeros((1, 3, 64, 64), dtype=np.float32)
    pixels[:, :, :, 4:] = 1
    row = gradient_grid(pixels)[0]
    grid = row[:-1].reshape(8, 8, 8)
    assert grid[:, 0, 0] == pytest.approx(0.125 - 0.015625)
    assert grid[:, 1:, 0] == pytest.approx(-0.015625)
    assert np.abs(grid[:, :, 1:]).max() == 0
    assert row[-1] == FLATNESS


def test_gradient_grid_knows_dark_to_bright_from_bright_to_dark() -> None:
    """The same step downwards is direction 4 of 8: half a turn."""
    pixels = np.ones((1, 3, 64, 64), dtype=np.float32)
    pixels[:, :, :, 4:] = 0
    grid = gradient_grid(pixels)[0][:-1].reshape(8, 8, 8)
    assert grid[:, 0, 4] == pytest.approx(0.125 - 0.015625)
    assert np.abs(np.delete(grid, 4, axis=2)).max() < 1e-12


def test_random_projection_by_hand() -> None:
    """White everywhere: each sum is 0.5 x (sum of the signs) / sqrt(3072)."""
    row = random_projection(np.ones((1, 3, 32, 32), dtype=np.float32))[0]
    signs = random_signs(255, 3072)
    assert set(np.unique(signs)) == {-1.0, 1.0} and abs(signs.mean()) < 0.01
    assert row[:-1] == pytest.approx(0.5 * signs.sum(axis=1) / np.sqrt(3072))
    # sha256("0") begins with the bytes 5f ec: bits 0101 1111 1110 1100.
    bits = [0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0]
    assert signs[0, :16].tolist() == [2 * bit - 1 for bit in bits]


@pytest.mark.parametrize("name", NAMES)
def test_flat_pictures_have_a_direction(name: str) -> None:
    rows = embed(name, *(Image.new("RGB", (50, 40), (level, level, level)) for level in (0, 127, 128, 255)))
    assert np.abs(np.linalg.norm(rows, axis=1) - 1).max() < 1e-6
    cosines = rows @ rows.T
    expected = {"control/colour-histogram": (0, 0), "control/gradient-grid": (1, 1)}
    if name in expected:  # no colour in common; no edge anywhere
        assert (cosines[0, 1], cosines[0, 3]) == pytest.approx(expected[name], abs=1e-6)
    else:  # the same side of the middle; opposite sides
        assert cosines[0, 1] > 0.9 and cosines[0, 3] < -0.9


def test_same_colours_in_another_layout() -> None:
    here = scene(("red", 8, 8), ("blue", 80, 70), ("yellow", 12, 80))
    there = scene(("red", 84, 76), ("blue", 10, 16), ("yellow", 60, 4))
    assert embed("control/colour-histogram", here, there)[0] @ embed("control/colour-histogram", there)[0] > 0.95
    layout = embed("control/gradient-grid", here, there, here)
    assert layout[0] @ layout[1] < 0.3
    assert layout[0] @ layout[2] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_contract(name: str) -> None:
    encoder = load_encoder(name)
    random = np.random.default_rng(0)
    batch = random.random((9, 3, *encoder.preprocess(Image.new("RGB", (9, 7))).shape[1:]), dtype=np.float32)
    rows = encoder.embed(batch)
    assert rows.shape == (9, encoder.dim) and rows.dtype == np.float32
    assert np.array_equal(rows, encoder.embed(batch))
    alone = np.concatenate([encoder.embed(batch[index : index + 1]) for index in range(9)])
    assert np.abs(rows - alone).max() <= 1e-6
    assert np.abs(np.linalg.norm(rows, axis=1) - 1).max() < 1e-6
    assert load_encoder(name, dtype="float16").fingerprint == encoder.fingerprint
    assert len({load_encoder(other).fingerprint for other in NAMES}) == len(NAMES)
    with pytest.raises(Unsupported, match="no patch tokens"):
        encoder.tokens(batch)


def test_unknown_control() -> None:
    with pytest.raises(UsageError, match=r"did you mean control/colour-histogram\?"):
        load_encoder("control/color-histogram")
