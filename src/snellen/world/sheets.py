"""Pictures for people: every factor of the world on one scene, and mined pairs with their questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from snellen.records import AcceptedPair
from snellen.world.scene.canvas import SIZE
from snellen.world.scene.facts import CONTEXTS, FACTORS, KINDS, Facts, random_for
from snellen.world.scene.render import render
from snellen.world.table import World

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont, ImageFont

SCENE: Final = Facts(
    kind="kite",
    context="beach",
    orientation="right",
    presence="none",
    state="dark",
    count="two",
    position="left",
    color="blue",
    structure="solid",
    text="H",
    viewpoint="side",
)
"""The scene on which the contact sheet shows each factor."""

_INK: Final = "#1f2428"
_FAINT: Final = "#5f6b76"
_PAPER: Final = "#ffffff"
_RIGHT: Final = "#1a7f4b"
_GAP: Final = 10
_MARGIN: Final = 24


def world_sheet(scale: int = 2) -> Image:
    """Draw the contact sheet: a row for kind, context, each factor and nuisance, a picture for each value.

    All pictures but those of the last row have one seed of nuisance, so that what a row shows is its factor. (Seen from
    above there is more ground for stones to lie on, so in that one picture they lie elsewhere.)

    Args:
        scale: pixels of the sheet for one of a picture, enlarged without smoothing.
    """
    from PIL import Image, ImageDraw

    rows = {"kind": KINDS, "context": CONTEXTS, **FACTORS, "nuisance": ("drawn again",) * 6}
    cell, label, under = scale * SIZE, 132, 24
    width = 2 * _MARGIN + label + max(map(len, rows.values())) * (cell + _GAP) - _GAP
    height = 2 * _MARGIN + len(rows) * (cell + under + _GAP) - _GAP
    sheet = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(sheet)
    for line, (topic, values) in enumerate(rows.items()):
        y = _MARGIN + line * (cell + under + _GAP)
        pen.text((_MARGIN, y + cell // 2), topic, _INK, _font(19), anchor="lm")
        for column, value in enumerate(values):
            x = _MARGIN + label + column * (cell + _GAP)
            facts = SCENE if topic == "nuisance" else SCENE.but(**{topic: value})
            picture = render(facts, random_for("sheet", column if topic == "nuisance" else 0))
            sheet.paste(_enlarged(Image.fromarray(picture), scale), (x, y))
            pen.text((x + cell // 2, y + cell + under // 2), value, _FAINT, _font(15), anchor="mm")
    return sheet


def pairs_sheet(pairs: Sequence[AcceptedPair], world: World, scale: int = 3) -> Image:
    """Draw accepted pairs, one below the other: both pictures, the question, the answers, and the cosines.

    Args:
        pairs: pairs of this world, in the order in which they are shown.
        world: where their pictures are.
        scale: pixels of the sheet for one of a picture, enlarged without smoothing.

    Raises:
        KeyError: a pair shows an image that is not of this world.
        OSError: a picture cannot be read.
    """
    from PIL import Image, ImageDraw

    cell, words = scale * SIZE, 470
    width = 2 * _MARGIN + 2 * cell + 3 * _GAP + words
    sheet = Image.new("RGB", (width, 2 * _MARGIN + len(pairs) * (cell + 2 * _GAP) - 2 * _GAP), _PAPER)
    pen = ImageDraw.Draw(sheet)
    for line, pair in enumerate(pairs):
        x, y = _MARGIN, _MARGIN + line * (cell + 2 * _GAP)
        for image_id in (pair.image_a, pair.image_b):
            with Image.open(world.path(image_id)) as picture:
                sheet.paste(_enlarged(picture.convert("RGB"), scale), (x, y))
            x += cell + _GAP
        x += _GAP
        pen.text((x, y + 4), pair.question, _INK, _font(20))
        pen.text((x, y + 40), f"(a) {pair.options[0]}     (b) {pair.options[1]}", _INK, _font(18))
        for below, side, answer in ((76, "left", pair.answer_a), (102, "right", pair.answer_b)):
            pen.text((x, y + below), f"{side} picture: {pair.options[answer]}", _RIGHT, _font(17))
        cosines = (
            f"{name} cosine {'not known' if value is None else f'{value:.3f}'}"
            for name, value in (("blind", pair.blind_cosine), ("reference", pair.reference_cosine))
        )
        pen.text((x, y + cell - 46), "     ".join(cosines), _FAINT, _font(16))
        pen.text((x, y + cell - 22), f"pattern: {', '.join(pair.patterns)}", _FAINT, _font(16))
    return sheet


def _enlarged(picture: Image, scale: int) -> Image:
    from PIL import Image

    return picture.resize((scale * picture.width, scale * picture.height), Image.Resampling.NEAREST)


def _font(size: int) -> FreeTypeFont | ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(size)
