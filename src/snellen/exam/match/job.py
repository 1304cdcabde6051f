"""One encoder and all that it is to match, and what of it names the run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from snellen import storage
from snellen.benchmarks import Benchmark
from snellen.encoders.base import ImageTextEncoder, ShowsTokens
from snellen.exam.match.texts import Texts
from snellen.providers import recorded_name
from snellen.runs import Header
from snellen.runs.files import PLAIN
from snellen.study import Study, software

VERSION: Final = "match@1"
"""Name and version of the way of matching; raise it when the same encoder starts to give other matches."""

PACKAGES: Final = ("numpy", "scipy", "pillow", "torch", "torchvision", "open_clip_torch", "timm", "transformers")
"""Whose versions can change the last bits of a cosine, or of an interval."""

PROBES: Final = ("a photo of the left dog", "Two cups, 3 plates: no lid!", "Über café №7", "x" * 400)
"""Texts by whose tokens a tokenizer is known: words, punctuation, other scripts, and one that is cut."""


@dataclass(frozen=True)
class Job:
    """One encoder, and all that it is to match."""

    study: Study
    asked: Benchmark
    texts: Texts
    template: str
    encoder: ImageTextEncoder
    dtype: str | None
    device: str | None
    streams: int
    batch_size: int

    @property
    def order(self) -> str:
        """How scores say it was matched."""
        return "ab, unconfirmed statements" if self.texts.source == "unconfirmed" else "ab"

    def header(self) -> Header:
        """Say who is matched with what, and how."""
        recipe = getattr(self.encoder.preprocess, "recipe", None)
        return Header(
            kind="encoder",
            model=recorded_name(self.encoder.name),
            fingerprint=self.encoder.fingerprint,
            benchmark=self.asked.name,
            content_sha256=self.asked.content_sha256,
            profile=f"{VERSION}: {self.template}",
            decoding={
                "template": self.template,
                "statements": self.texts.source,
                "dtype": self.dtype,
                "preprocessing": None if recipe is None else json.loads(json.dumps(recipe())),  # as it is read again
                "tokenizer": _tokenizer(self.encoder),
            },
            template=None,
            software=software(*PACKAGES),
            sittings=(PLAIN,),
        )

    def texts_sha256(self) -> str:
        """Name the statements that are matched: those of an overlay are no part of the benchmark's hash."""
        return storage.sha256_of_json([[name, pair.a, pair.b] for name, pair in self.texts.pairs.items()])


def _tokenizer(encoder: ImageTextEncoder) -> dict[str, Any] | None:
    """Say what tokenizer an encoder has: how many tokens of a text it reads, and a digest of what it makes of probes.

    A tokenizer's files are no part of the encoder's fingerprint; this is. None: the encoder does not show its tokens.
    """
    if not isinstance(encoder, ShowsTokens):
        return None
    ids = encoder.token_ids(list(PROBES))
    return {"length": ids.shape[1], "probes_sha256": storage.sha256_of_json(ids.tolist())}
