"""From facts to a picture. What the facts leave open (tints, noise, clouds, bushes, small shifts) is nuisance.

Coordinates are those of the fine canvas, 128 x 128. Every factor's mark is at least 8 pixels of the picture across: of
details of 3 to 6 pixels small networks learn nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from snellen.world.scene.canvas import FINE, SIZE, Canvas, Color
from snellen.world.scene.facts import Facts

_SKY_AND_GROUND: Final[Mapping[str, tuple[Color, Color]]] = {
    "beach": ((150, 205, 240), (232, 212, 150)),
    "forest": ((190, 215, 190), (52, 98, 52)),
    "snow": ((170, 178, 190), (240, 242, 246)),
    "night": ((24, 26, 62), (66, 64, 76)),
    "desert": ((246, 190, 150), (196, 112, 56)),
    "lake": ((214, 228, 236), (62, 132, 176)),
}
_COLORS: Final[Mapping[str, Color]] = {
    "red": (208, 40, 36),
    "blue": (40, 70, 214),
    "green": (40, 172, 66),
    "yellow": (246, 214, 40),
    "purple": (160, 60, 186),
}
_HORIZON: Final[Mapping[str, int]] = {"above": 26, "side": 92}
_EGGS: Final[Mapping[str, int]] = {"one": 1, "two": 2, "three": 3, "four": 4}
_TOP_AND_REACH: Final[Mapping[str, tuple[int, int]]] = {
    # how far above its middle a kind ends, and how far beside it where the beak sits
    "ball": (25, 25),
    "tent": (24, 16),
    "cross": (28, 28),
    "barrel": (29, 15),
    "kite": (28, 27),
    "boat": (16, 27),
}
_INK: Final[Color] = (22, 20, 24)
_BEAK: Final[Color] = (255, 150, 20)
_CRATE: Final[Color] = (150, 98, 46)
_PAPER: Final[Color] = (250, 250, 244)


def render(facts: Facts, nuisance: np.random.RandomState) -> NDArray[np.uint8]:
    """Draw a scene: uint8 [64, 64, 3]. Two calls with other nuisance are two re-renders of one scene."""
    canvas = Canvas()
    _backdrop(canvas, facts, nuisance)
    _sign(canvas, facts.text, 18 + _shift(nuisance, 2), 19 + _shift(nuisance, 2))
    _lamp(canvas, facts.state, 109 + _shift(nuisance, 2), 18 + _shift(nuisance, 2))
    x, y = 64 + _shift(nuisance, 3), 66 + _shift(nuisance, 3)
    _object(canvas, facts, x, y, _tinted(_COLORS[facts.color], nuisance, 14))
    _crate(canvas, (14 if facts.position == "left" else 114) + _shift(nuisance, 2), 87 + _shift(nuisance, 3))
    _eggs(canvas, _EGGS[facts.count], 64 + _shift(nuisance, 6), 115 + _shift(nuisance, 2))
    noise = nuisance.randint(-9, 10, (SIZE, SIZE, 3)).astype(np.int16)
    return canvas.picture(noise, brightness=int(nuisance.randint(55, 70)))


def _shift(nuisance: np.random.RandomState, most: int) -> int:
    return int(nuisance.randint(-most, most + 1))


def _tinted(color: Color, nuisance: np.random.RandomState, most: int) -> Color:
    red, green, blue = (min(max(channel + _shift(nuisance, most), 0), 255) for channel in color)
    return red, green, blue


def _backdrop(canvas: Canvas, facts: Facts, nuisance: np.random.RandomState) -> None:
    sky, ground = (_tinted(color, nuisance, 16) for color in _SKY_AND_GROUND[facts.context])
    horizon = _HORIZON[facts.viewpoint] + _shift(nuisance, 3)
    canvas.rectangle(0, 0, FINE, horizon, sky)
    canvas.rectangle(0, horizon, FINE, FINE, ground)
    for _ in range(int(nuisance.randint(5))):  # clouds
        x, y = int(nuisance.randint(FINE)), int(nuisance.randint(horizon))
        canvas.ellipse(x, y, int(nuisance.randint(6, 16)), int(nuisance.randint(3, 7)), _tinted(sky, nuisance, 36))
    for _ in range(int(nuisance.randint(6))):  # bushes and stones
        x, y = int(nuisance.randint(FINE)), int(nuisance.randint(horizon, FINE))
        canvas.ellipse(x, y, int(nuisance.randint(4, 12)), int(nuisance.randint(3, 8)), _tinted(ground, nuisance, 36))


def _object(canvas: Canvas, facts: Facts, x: int, y: int, color: Color) -> None:
    top, reach = _TOP_AND_REACH[facts.kind]
    side = -1 if facts.orientation == "left" else 1
    base, tip, level = x + side * (reach - 9), x + side * (reach + 20), y - 4
    canvas.polygon([(base, level - 22), (tip + side * 6, level), (base, level + 22)], _INK)
    canvas.polygon([(base, level - 16), (tip, level), (base, level + 16)], _BEAK)
    _body(canvas, facts.kind, x, y, 3, _INK)
    _body(canvas, facts.kind, x, y, 0, color)
    if facts.presence == "hat":
        brim = y - top + 3
        canvas.rectangle(x - 13, brim - 26, x + 13, brim, _INK)
        canvas.rectangle(x - 13, brim - 14, x + 13, brim - 8, _PAPER)  # a light band, or it is lost in the night
        canvas.rectangle(x - 21, brim - 6, x + 21, brim + 2, _INK)
    if facts.structure == "hollow":
        canvas.ellipse(x, y + 3, 13, 13, _INK)
        canvas.ellipse(x, y + 3, 10, 10, _PAPER)


def _body(canvas: Canvas, kind: str, x: int, y: int, edge: int, color: Color) -> None:
    """Paint the silhouette of a kind, wider by `edge` on every side."""
    e = edge
    if kind == "ball":
        canvas.ellipse(x, y, 25 + e, 25 + e, color)
    elif kind == "tent":
        canvas.polygon([(x, y - 28 - 2 * e), (x + 34 + 2 * e, y + 25 + e), (x - 34 - 2 * e, y + 25 + e)], color)
    elif kind == "cross":
        canvas.rectangle(x - 11 - e, y - 28 - e, x + 11 + e, y + 28 + e, color)
        canvas.rectangle(x - 28 - e, y - 11 - e, x + 28 + e, y + 11 + e, color)
    elif kind == "barrel":
        canvas.rectangle(x - 15 - e, y - 29 - e, x + 15 + e, y + 29 + e, color)
    elif kind == "kite":
        canvas.polygon([(x, y - 31 - e), (x + 29 + 2 * e, y), (x, y + 31 + e), (x - 29 - 2 * e, y)], color)
    else:  # boat
        left, right, top, keel = x - 32 - 2 * e, x + 32 + 2 * e, y - 16 - e, y + 20 + e
        canvas.polygon([(left, top), (right, top), (x + 17 + e, keel), (x - 17 - e, keel)], color)


def _sign(canvas: Canvas, letter: str, x: int, y: int) -> None:
    canvas.rectangle(x - 17, y - 18, x + 17, y + 18, _INK)
    canvas.rectangle(x - 15, y - 16, x + 15, y + 16, _PAPER)
    left, right, top, bottom = x - 11, x + 11, y - 12, y + 12
    if letter == "H":
        canvas.rectangle(left, top, left + 7, bottom, _INK)
        canvas.rectangle(right - 7, top, right, bottom, _INK)
        canvas.rectangle(left, y - 3, right, y + 3, _INK)
    elif letter == "L":
        canvas.rectangle(left, top, left + 7, bottom, _INK)
        canvas.rectangle(left, bottom - 7, right, bottom, _INK)
    elif letter == "T":
        canvas.rectangle(x - 3, top, x + 4, bottom, _INK)
        canvas.rectangle(left, top, right, top + 7, _INK)
    elif letter == "X":
        canvas.polygon([(left, top), (left + 7, top), (right, bottom), (right - 7, bottom)], _INK)
        canvas.polygon([(right, top), (right - 7, top), (left, bottom), (left + 7, bottom)], _INK)
    else:  # O
        canvas.ellipse(x, y, 11, 13, _INK)
        canvas.ellipse(x, y, 5, 7, _PAPER)


def _lamp(canvas: Canvas, state: str, x: int, y: int) -> None:
    canvas.rectangle(x - 2, y, x + 3, y + 34, _INK)
    if state == "lit":
        canvas.ellipse(x, y, 17, 17, (255, 240, 150))
    canvas.ellipse(x, y, 12, 12, _INK)
    canvas.ellipse(x, y, 10, 10, (255, 250, 90) if state == "lit" else (74, 76, 84))


def _crate(canvas: Canvas, x: int, y: int) -> None:
    canvas.rectangle(x - 12, y - 12, x + 12, y + 12, _INK)
    canvas.rectangle(x - 9, y - 9, x + 9, y + 9, _CRATE)
    canvas.polygon([(x - 9, y - 9), (x - 5, y - 9), (x + 9, y + 9), (x + 5, y + 9)], _INK)


def _eggs(canvas: Canvas, count: int, x: int, y: int) -> None:
    for index in range(count):
        center = x + 24 * index - 12 * (count - 1)
        canvas.ellipse(center, y, 10, 12, _INK)
        canvas.ellipse(center, y, 8, 10, (252, 236, 214))
