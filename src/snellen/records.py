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

Order = Literal["ab", "ba"]
"""Of a question's two options as shown: as published, or the other way round."""

Control = Literal["none", "no_image", "blank_image"]
"""What stood for the image, to see what is answered without it."""

Finish = Literal["stop", "length", "refusal", "error"]
"""Why an answer ended."""

Verdict = Literal["correct", "incorrect", "unparsed", "refused", "error"]
"""On one answer; unparsed: no one option can be read from it."""

Key = tuple[str, Order, int, Control, str]
"""Names an answer within a run: question_id, order, repeat, control, variant."""

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


@dataclass(frozen=True, slots=True)
class Ask:
    """One question as it is put to a multimodal LLM, alone and without history.

    `prompt` is the user's whole text; `image` is the image file's bytes as they are shown (a variant or a blank image
    where `variant` or `control` says so), None: no image. `letters` are how the prompt names the option that is shown
    first and the one shown second ("(a)", "(b)", or "A", "B"), None where there are no options.
    """

    question_id: str
    prompt: str
    image: bytes | None
    order: Order = "ab"
    repeat: int = 0
    control: Control = "none"
    variant: str = ""
    letters: tuple[str, str] | None = None

    @property
    def key(self) -> Key:
        """What the answer is filed under."""
        return self.question_id, self.order, self.repeat, self.control, self.variant


@dataclass(frozen=True, slots=True)
class Response:
    """One line of `responses.jsonl`: what came back for one `Ask`; never rewritten.

    `text` is None only where `finish` is `error`, and then `error` says what went wrong. `logprobs` are the natural
    logarithms of the probabilities that the answer begins with the letter shown first ("a") and second ("b").
    `prompt` is the text that was sent, with the model's chat template where the engine applies it itself. `cost_usd` is
    None where no price is known; `at` is UTC in ISO 8601; `model_reported` is what the endpoint says it is.
    """

    question_id: str
    order: Order
    repeat: int
    control: Control
    variant: str
    prompt: str
    text: str | None
    finish: Finish
    error: str | None
    logprobs: Mapping[str, float] | None
    tokens_in: int | None
    tokens_out: int | None
    cost_usd: float | None
    seconds: float
    at: str
    model_reported: str | None

    @property
    def key(self) -> Key:
        """What it is the answer to."""
        return self.question_id, self.order, self.repeat, self.control, self.variant


@dataclass(frozen=True, slots=True)
class Grade:
    """One line of `grades.jsonl`: the verdict on one answer.

    `choice` is an index into the question's options (the order in which they were shown is undone), None where no one
    choice can be read; `span` is the part of the answer that it was read from. `grader` is `rules@N`,
    `judge:<model>@<8 hex digits of its prompt>` or `hand:<who>`.
    """

    question_id: str
    order: Order
    repeat: int
    control: Control
    variant: str
    choice: int | None
    verdict: Verdict
    grader: str
    span: str | None

    @property
    def key(self) -> Key:
        """What it is the grade of."""
        return self.question_id, self.order, self.repeat, self.control, self.variant

    @property
    def plain(self) -> bool:
        """Is this the question as it was published: its own image, its own order of options, asked once?"""
        return self.key[1:] == ("ab", 0, "none", "")


@dataclass(frozen=True, slots=True)
class Match:
    """One line of `matches.jsonl`: how an image-text encoder matches a pair's two images with its two statements.

    `cosine[i][j]` is of image i (a, b) and text j (a, b). `image_correct[j]`: text j picks its own image;
    `text_correct[i]`: image i picks its own text; a tie picks nothing. `tie`: two cosines that are compared are equal.
    Names are Winoground's (Thrush et al., CVPR 2022, section 3.3); the image score is MMVP-VLM's official rule.
    """

    pair_id: str
    cosine: tuple[tuple[float, float], tuple[float, float]]
    image_correct: tuple[bool, bool]
    text_correct: tuple[bool, bool]
    tie: bool

    @property
    def image_score(self) -> bool:
        """Each text picks its own image. Chance 1/4."""
        return all(self.image_correct)

    @property
    def text_score(self) -> bool:
        """Each image picks its own text. Chance 1/4."""
        return all(self.text_correct)

    @property
    def group_score(self) -> bool:
        """Both. Chance 1/6."""
        return self.image_score and self.text_score


@dataclass(frozen=True, slots=True)
class Score:
    """One number of `scores.json` with its interval, its chance, and what it is of.

    `group` is `all`, with `tagset` None, or a visual pattern of that tagset. `order` says how the questions were put:
    `ab`, `ba`, `both`, and after a comma what else was unusual (`ab, blank_image`). `value` is None where nothing could
    be scored. `chance` is what guessing gives, None where that is no fixed number. What is unparsed or refused counts
    as wrong, and is counted here.
    """

    metric: str
    group: str
    tagset: str | None
    errata: str
    order: str
    n_pairs: int
    n_questions: int
    value: float | None
    low: float | None
    high: float | None
    method: str
    chance: float | None
    n_unparsed: int
    n_refused: int
    n_error: int


def pair_id(image_id_1: str, image_id_2: str) -> str:
    """Name a pair independently of row numbers and order.

    Returns:
        The first 16 hex digits of sha256(smaller image_id + larger image_id), the ids as lower-case hex text.
    """
    smaller, larger = sorted((image_id_1, image_id_2))
    return sha256((smaller + larger).encode("ascii")).hexdigest()[:16]
