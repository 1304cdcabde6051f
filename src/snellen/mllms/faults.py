"""What an endpoint's errors mean: try again, go on without this question or this parameter, or stop.

Endpoints agree on status codes only roughly, and say the rest in words; the phrases here are those of OpenAI, vLLM,
SGLang, Ollama, llama.cpp, Gemini and OpenRouter. What is not recognised costs one question, never the run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from snellen.errors import Incomplete, ModelError
from snellen.mllms.endpoints import one_line
from snellen.mllms.traffic import retry_after

_ANOTHER_TRY: Final = {408, 409, 425, 429}
_FEW_WORDS: Final = {"seed", "logprobs", "top_logprobs"}
"""Parameters without which answers are the same: any complaint about them is enough to leave them out."""

_REFUSES_PARAMETER: Final = re.compile(
    r"unsupported|not support|n't support|unknown|unrecognized|unexpected|not permitted|not allowed|extra|instead", re.I
)
_NO_IMAGES: Final = re.compile(
    r"(not|n't|no|cannot)\b.{0,40}\b(support|accept|allow|handle|take|process)\w*.{0,40}\b(image|vision|multi-?modal)"
    r"|\b(image|vision|multi-?modal).{0,40}(not|n't|no)\b.{0,15}(support|accept|allow|enabled|available)"
    r"|not an? (multi-?modal|vision)|image_url is only supported|unknown variant `?image_url|content must be a string"
    r"|no endpoints found.{0,40}image|mmproj",
    re.I | re.S,
)
_THIS_IMAGE: Final = re.compile(
    r"\bimage\b.{0,30}(format|mime|file type|media type|dimension|resolution|size)|unsupported image\b|image/", re.I
)
"""Complaints about one image, which others may not share."""

_POLICY: Final = re.compile(
    r"content[ _-]?(policy|filter|management)|safety (system|filter|policy)|moderation|was flagged|responsibleai", re.I
)
_NO_MODEL: Final = re.compile(
    r"(unknown|invalid|no such) model\b|\bmodel\b.{0,100}(not found|does not exist|doesn't exist)|not a valid model",
    re.I,
)
_WRONG_KEY: Final = re.compile(r"api[ _-]?key|invalid_api_key", re.I)
_NO_CREDIT: Final = re.compile(
    r"insufficient[_ ](quota|credit|balance|funds)|exceeded your current quota|billing", re.I
)


class Fault(Exception):
    """Something that went wrong with one try; the message is the endpoint's, or ours about it.

    `charged` tells that an answer may have been written, and so may cost, although it is lost.
    """

    def __init__(self, reason: str, *, charged: bool = False) -> None:
        super().__init__(reason)
        self.charged = charged


class Again(Fault):
    """It may work another time.

    `after` is how many seconds the endpoint asks to wait; `reached` is False where nothing answered at all.
    """

    def __init__(self, reason: str, after: float | None = None, *, charged: bool = False, reached: bool = True) -> None:
        super().__init__(reason, charged=charged)
        self.after = after
        self.reached = reached


class Hopeless(Fault):
    """This question will not be answered, however often it is asked; others may be."""


class Refused(Fault):
    """The endpoint's rules forbid to answer this question; the message is what it says instead of an answer."""


class NotTaken(Fault):
    """A parameter is not taken, and can be done without, or goes by another name."""

    def __init__(self, parameter: str, reason: str) -> None:
        super().__init__(reason)
        self.parameter = parameter


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent, and to whom: the model's recorded name, where its key lies, and the key itself for redaction."""

    name: str
    base_url: str
    key: str | None
    key_variable: str | None
    parameters: Mapping[str, Any]
    image: bool


class Complaint(NamedTuple):
    """An error in the endpoint's words: its message, and its code, type and parameter as one text."""

    message: str
    labels: str
    parameter: str


def fault(status: int, body: object, wait: str | None, sent: Sent) -> Exception:
    """Return what an error status means, as the exception to raise.

    Args:
        status: The HTTP status, 300 or more.
        body: The parsed body, or its text.
        wait: The `Retry-After` header.
        sent: What was sent.

    Returns:
        Again, Hopeless, Refused or NotTaken for this try; ModelError or Incomplete where none can be answered.
    """
    complaint = _complaint(body)
    words = f"{complaint.labels} {complaint.message}"
    said = f"HTTP {status}: {one_line(complaint.message, sent.key) or 'no reason given'}"
    if status in (400, 422) and (about := _parameter(complaint, sent.parameters)):
        return _of_parameter(about, said, words, sent)
    if sent.image and status in (400, 404, 415, 422, 500, 501) and _no_images(words):
        return ModelError(f"{sent.name} takes no images ({said}): name a model that does.")
    if status in (400, 403, 451) and _POLICY.search(words):
        return Refused(complaint.message or "refused")
    if status in (401, 403) or (status == 400 and _WRONG_KEY.search(words)):
        return _of_key(said, sent)
    if status == 402 or (status == 429 and _NO_CREDIT.search(words)):
        return Incomplete(f"The account at {sent.base_url} has no credit left ({said}): add some, and go on.")
    if status == 404 or (status == 400 and _NO_MODEL.search(words)):
        return ModelError(
            f"{sent.name} is not to be found at {sent.base_url} ({said}): check the model's name, and that the "
            "endpoint's URL is the part before /chat/completions."
        )
    if status < 400:
        return ModelError(f"{sent.base_url} answers with a redirection ({said}): give the endpoint's final URL.")
    if status >= 500 or status in _ANOTHER_TRY:
        return Again(said, retry_after(wait))
    return Hopeless(said)


def _no_images(words: str) -> bool:
    return bool(_NO_IMAGES.search(words)) and not _THIS_IMAGE.search(words)


def _of_key(said: str, sent: Sent) -> ModelError:
    if sent.key is None:
        return ModelError(
            f"{sent.base_url} wants a key ({said}): put it into an environment variable, and name that with "
            "--key-variable."
        )
    return ModelError(f"{sent.base_url} refuses the key in {sent.key_variable} ({said}): put the right one there.")


def _of_parameter(parameter: str, said: str, words: str, sent: Sent) -> Exception:
    if parameter == "temperature":
        given = sent.parameters["temperature"]
        # 1 is what the API says is used where none is given, so that leaving it out changes nothing.
        if given == 1 and _REFUSES_PARAMETER.search(words):
            return NotTaken(parameter, said)
        return ModelError(
            f"{sent.name} does not take temperature {given:g} ({said}): give --temperature 1, as models that reason "
            "first want it."
        )
    return NotTaken(parameter, said)


def _parameter(complaint: Complaint, sent: Mapping[str, Any]) -> str | None:
    """Return which of the parameters that were sent is complained about, if any."""
    for name in ("top_logprobs", "logprobs", "seed", "temperature", "max_completion_tokens", "max_tokens"):
        if name not in sent:
            continue
        named = complaint.parameter == name or re.search(rf"\b{name}\b", complaint.message)
        words = f"{complaint.labels} {complaint.message}"
        if named and (name in _FEW_WORDS or name == "temperature" or _REFUSES_PARAMETER.search(words)):
            return name
    return None


def _complaint(body: object) -> Complaint:
    """Find the message in any of the shapes in which endpoints give it."""
    if isinstance(body, list) and body:
        body = body[0]
    inner = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(inner, dict):
        return Complaint(inner if isinstance(inner, str) else "", "", "")
    text = inner.get("message") or inner.get("detail")
    labels = [str(inner[name]) for name in ("code", "type", "status") if isinstance(inner.get(name), str | int)]
    parameter = inner.get("param")
    return Complaint(
        text if isinstance(text, str) else "", " ".join(labels), parameter if isinstance(parameter, str) else ""
    )
