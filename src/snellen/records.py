"""The nouns of the domain, on one page.

Fields and file formats are those of the study folder (docs/study-folder.md); words are those of docs/glossary.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal, get_args

Status = Literal[
    "ok",
    "truncated",
    "corrupt",
    "not_an_image",
    "unsupported",
    "too_large",
    "too_small",
    "unreadable",
    "decoder_crash",
]
"""What became of one image; only `ok` images are embedded and mined."""

Flag = Literal["exif_rotated", "alpha", "cmyk", "sixteen_bit", "animated", "palette"]
"""What was unusual about an image that was decoded all the same."""

Slot = Literal["a", "b"]
"""Which of a pair's two questions: a name, drawn by lot, that says nothing of the answer."""

Action = Literal["swap", "drop"]
"""What an erratum does to a question: take the other option as the answer, or leave the question out."""

STATUSES: tuple[Status, ...] = get_args(Status)
FLAGS: tuple[Flag, ...] = get_args(Flag)


@dataclass(frozen=True, slots=True)
class ImageRef:
    """Where one image of a source lies, and what the source says of it; no pixels, no bytes.

    `uri` is POSIX, relative to the source, percent-encoded (`a%20b.jpg`, `shard.tar#key.jpg`, `part.parquet#7`).
    `offset` and `length` are the byte range inside a tar file. `orientation` is an EXIF orientation (1 to 8) that
    the source knows although the bytes have lost it (img2dataset re-encodes and keeps EXIF only as JSON).
    """

    uri: str
    offset: int | None = None
    length: int | None = None
    label: str | None = None
    caption: str | None = None
    meta: Mapping[str, Any] | None = None
    orientation: int | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """One row of `images.parquet`: one image of the source, with its status and flags.

    `image_id` is the sha256 of the file's bytes in hex, None where they could not be read; `width` and `height` are
    in pixels after EXIF rotation; `meta` is JSON; `duplicate_of` is the first row with the same `image_id`.
    """

    row: int
    image_id: str | None
    uri: str
    status: Status
    width: int | None = None
    height: int | None = None
    offset: int | None = None
    length: int | None = None
    label: str | None = None
    caption: str | None = None
    meta: str | None = None
    flags: tuple[Flag, ...] = field(default=())
    duplicate_of: int | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """One blind pair: `row_a < row_b`; cosines are float64 dot products of the stored float16 rows."""

    pair_id: str
    image_a: str
    image_b: str
    row_a: int
    row_b: int
    blind_cosine: float
    reference_cosine: float

    @property
    def gap(self) -> float:
        """Blind minus reference cosine: how much more alike the pair is to the blind encoder."""
        return self.blind_cosine - self.reference_cosine


@dataclass(frozen=True, slots=True)
class AcceptedPair:
    """One line of `accepted.jsonl`: a blind pair whose visual difference is confirmed, with the question about it.

    `image_a` and `image_b` are image_ids; `answer_a` and `answer_b`, which differ, are indices into `options`; the
    statements are true of their own image alone. `difference` is what was seen, `decided_by` who saw it, `drafted_by`
    who wrote the first wording, where somebody else did.
    """

    pair_id: str
    image_a: str
    image_b: str
    difference: str
    question: str
    options: tuple[str, str]
    answer_a: int
    answer_b: int
    patterns: tuple[str, ...]
    statement_a: str | None
    statement_b: str | None
    blind_cosine: float | None
    reference_cosine: float | None
    decided_by: tuple[str, ...]
    drafted_by: str | None


@dataclass(frozen=True, slots=True)
class Question:
    """One line of `questions.jsonl`: one image with a text and two options, or with a statement, or with both.

    `question_id` is `<pair_id>-<slot>`; `image` is the file's path inside the benchmark; `answer` is an index into
    `options`; `source_id` is what the question was called where it comes from ("MMVP:37").
    """

    question_id: str
    pair_id: str
    slot: Slot
    image: str
    image_id: str
    text: str | None = None
    options: tuple[str, str] | None = None
    answer: int | None = None
    statement: str | None = None
    source_id: str | None = None


@dataclass(frozen=True, slots=True)
class Tag:
    """One line of a benchmark's `tags.jsonl`: the visual patterns of one question, by one way of tagging (`tagset`)."""

    question_id: str
    tagset: str
    patterns: tuple[str, ...]
    by: str
    prompt_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """One line of a benchmark's `statements.jsonl`: a statement that is true of one question's image alone."""

    question_id: str
    statement: str
    by: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Erratum:
    """One line of a benchmark's `errata.jsonl`: a published answer that is wrong (`swap`) or undecidable (`drop`)."""

    question_id: str
    action: Action
    reason: str
    source: str


def pair_id(image_id_1: str, image_id_2: str) -> str:
    """Name a pair independently of row numbers and order.

    Returns:
        The first 16 hex digits of sha256(smaller image_id + larger image_id), the ids as lower-case hex text.
    """
    smaller, larger = sorted((image_id_1, image_id_2))
    return sha256((smaller + larger).encode("ascii")).hexdigest()[:16]
