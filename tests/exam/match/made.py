"""Benchmarks written by hand, as a stranger would, and an encoder whose every cosine is given."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from snellen.benchmarks import content_sha256
from snellen.encoders.base import FloatArray, Tokens
from snellen.records import pair_id

Picture = Image.Image


def png(picture: Picture) -> bytes:
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def flat(red: int, blue: int = 0) -> Picture:
    """A picture of one color."""
    return Image.new("RGB", (16, 16), (red, 0, blue))


@dataclass(frozen=True)
class Made:
    """One pair to be written: two images' bytes, and what is said or asked of them."""

    a: bytes
    b: bytes
    statements: tuple[str | None, str | None] = (None, None)
    text: str | None = None
    options: tuple[str, str] = ("left", "right")
    answers: tuple[int, int] = (0, 1)

    @property
    def name(self) -> str:
        return pair_id(sha256(self.a).hexdigest(), sha256(self.b).hexdigest())


def write_benchmark(study: Path, pairs: Sequence[Made], name: str = "made", **overlays: Sequence[Any]) -> Path:
    """Write `benchmarks/<name>/`, and overlays: `tags=[...]` writes tags.jsonl."""
    folder = study / "benchmarks" / name
    (folder / "images").mkdir(parents=True)
    lines, hashes = [], {}
    for pair in pairs:
        for slot, data, statement, answer in zip("ab", (pair.a, pair.b), pair.statements, pair.answers, strict=True):
            image_id = sha256(data).hexdigest()
            path = f"images/{image_id}.png"
            (folder / path).write_bytes(data)
            hashes[path] = image_id
            lines.append(
                {
                    "question_id": f"{pair.name}-{slot}",
                    "pair_id": pair.name,
                    "slot": slot,
                    "image": path,
                    "image_id": image_id,
                    "text": pair.text,
                    "options": None if pair.text is None else list(pair.options),
                    "answer": None if pair.text is None else answer,
                    "statement": statement,
                    "source_id": None,
                }
            )
    write_lines(folder / "questions.jsonl", lines)
    header = {
        "name": name,
        "version": "1",
        "content_sha256": content_sha256(sha256((folder / "questions.jsonl").read_bytes()).hexdigest(), hashes),
        "licence": None,
        "source": None,
        "n_pairs": len(pairs),
        "option_seed": None,
    }
    (folder / "benchmark.json").write_text(json.dumps(header))
    for overlay, found in overlays.items():
        write_lines(folder / f"{overlay}.jsonl", found)
    return folder


def write_lines(path: Path, lines: Sequence[Any]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def statement_lines(pair: Made, a: str, b: str, *, by: str = "rules@1", confirmed: bool = True) -> list[dict[str, Any]]:
    """Two lines of statements.jsonl."""
    return [
        {"question_id": f"{pair.name}-{slot}", "statement": text, "by": by, "confirmed": confirmed}
        for slot, text in (("a", a), ("b", b))
    ]


def erratum(pair: Made, action: str) -> list[dict[str, Any]]:
    """Two lines of errata.jsonl."""
    return [{"question_id": f"{pair.name}-{slot}", "action": action, "reason": "seen", "source": "us"} for slot in "ab"]


class Corner:
    """Keeps the color of a picture's first pixel: float32 [3, 1, 1] in [0, 255]."""

    def __call__(self, image: Picture) -> FloatArray:
        return np.asarray(image, dtype=np.float32)[:1, :1].transpose(2, 0, 1)

    def recipe(self) -> dict[str, Any]:
        return {"corner": (1, 1)}


@dataclass
class Given:
    """An image-text encoder with given vectors: of images by the red of their first pixel, of texts by the text."""

    images: Mapping[int, Sequence[float]]
    texts: Mapping[str, Sequence[float]]
    name: str = "open_clip/given"
    fingerprint: str = "a" * 64
    dim: int = 3
    preprocess: Corner = field(default_factory=Corner)
    embedded: list[int] = field(default_factory=list)
    read: list[str] = field(default_factory=list)

    def embed(self, batch: FloatArray) -> FloatArray:
        reds = [int(one[0, 0, 0]) for one in batch]
        self.embedded += reds
        return np.array([self.images[red] for red in reds], dtype=np.float32)

    def embed_text(self, texts: list[str]) -> FloatArray:
        self.read += texts
        return np.array([self.texts[text] for text in texts], dtype=np.float32)

    def tokens(self, batch: FloatArray, layer: int = -1) -> Tokens:
        raise AssertionError("nobody needs them")
