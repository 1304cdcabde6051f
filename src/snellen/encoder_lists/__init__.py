"""Lists of image-text encoders as data: the paper's ten, newer ones, or a file of your own.

encoder_list("paper")            the encoders of Table 1 of Tong et al., "Eyes Wide Shut?" (arXiv 2401.06209)
encoder_list("newer")            SigLIP 2, MetaCLIP 2, Perception Encoder
encoder_list("mine.toml")        the same format: paper.toml beside this file says what it looks like
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from snellen import jsonl
from snellen.encoders.choices import closest
from snellen.errors import StudyError, UsageError
from snellen.jsonl import Bad

READY: Final = ("paper", "newer")
"""Lists that come with the package."""


@dataclass(frozen=True, slots=True)
class ListedEncoder:
    """One encoder of a list; all but its name is what somebody printed, and None where nobody did.

    `label` is how the source calls it; `image_size` is the side of the square picture in pixels; `parameters_m` are
    millions of parameters of both towers; `imagenet_top1` is zero-shot accuracy on ImageNet-1k in percent.
    """

    name: str
    label: str | None = None
    image_size: int | None = None
    parameters_m: float | None = None
    imagenet_top1: float | None = None


@dataclass(frozen=True, slots=True)
class EncoderList:
    """Encoders in order, and where what is said of them comes from."""

    title: str
    source: str
    encoders: tuple[ListedEncoder, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What `snellen.providers.load_encoder` takes."""
        return tuple(encoder.name for encoder in self.encoders)


def encoder_list(name_or_path: str | Path) -> EncoderList:
    """Read a ready list by its name, or a file of your own.

    Raises:
        UsageError: there is neither such a list nor such a file.
        StudyError: the file is not a list of encoders; the message says what is wrong with which.
    """
    if str(name_or_path) in READY:
        return _read(Path(__file__).parent / f"{name_or_path}.toml")
    path = Path(name_or_path).expanduser()
    if not path.is_file():
        raise UsageError(
            f"There is no list of encoders {str(name_or_path)!r}: choose {closest(str(name_or_path), READY)}, or give "
            "a .toml file."
        )
    return _read(path)


def _read(path: Path) -> EncoderList:
    try:
        value = tomllib.loads(path.read_bytes().decode("utf-8"))
        found = jsonl.fields(value, _LIST)
        encoders = tuple(_encoder(number, each) for number, each in enumerate(found["encoder"], 1))
        names = [encoder.name for encoder in encoders]
        for name in names:
            if names.count(name) > 1:
                raise Bad(f"names the encoder {jsonl.quoted(name)} twice")
    except UnicodeDecodeError as error:
        raise StudyError(f"{path} is not UTF-8 (byte {error.start}): save it as UTF-8.") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise StudyError(f"{path} is not TOML ({error}): see docs/zeroshot.md for an example.") from error
    except Bad as bad:
        raise StudyError(f"{path} {bad}: see docs/zeroshot.md for an example.") from None
    return EncoderList(found["title"], found["source"], encoders)


def _encoder(number: int, value: Mapping[str, Any]) -> ListedEncoder:
    try:
        return ListedEncoder(**jsonl.fields(value, _ENCODER))
    except Bad as bad:
        raise Bad(f"has an encoder, number {number}, that {bad}") from None


def _tables(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
        raise Bad("is not a list of [[encoder]] tables")
    return value


def _name(value: object) -> str:
    found = jsonl.text(value)
    if "/" not in found.strip("/"):
        raise Bad("is not provider/model[@weights]")
    return found


def _above_zero(value: object) -> float:
    found = jsonl.number(value)
    if found <= 0:
        raise Bad("is not above 0")
    return found


def _percent(value: object) -> float:
    found = jsonl.number(value)
    if not 0 <= found <= 100:
        raise Bad("is not from 0 to 100")
    return found


_LIST: Final[dict[str, jsonl.Check]] = {"title": jsonl.text, "source": jsonl.text, "encoder": _tables}

_ENCODER: Final[dict[str, jsonl.Check]] = {
    "name": _name,
    "label": jsonl.nullable(jsonl.text),
    "image_size": jsonl.nullable(jsonl.integer(1, 100_000)),
    "parameters_m": jsonl.nullable(_above_zero),
    "imagenet_top1": jsonl.nullable(_percent),
}
