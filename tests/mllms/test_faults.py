"""Errors as endpoints word them, and what each must mean."""

from __future__ import annotations

from typing import Any

import pytest

from snellen.errors import Incomplete, ModelError
from snellen.mllms.faults import Again, Hopeless, NotTaken, Refused, Sent, fault

PARAMETERS = {"max_tokens": 10, "temperature": 0.0, "logprobs": True, "top_logprobs": 20}


def judged(answered: int, message: Any, image: bool = True, parameters: Any = PARAMETERS, **labels: Any) -> Exception:
    sent = Sent("openai/x@here", "http://here/v1", "sk-key-1", "MY_KEY", parameters, image)
    body = {"error": {"message": message, **labels}} if isinstance(message, str) else message
    return fault(answered, body, None, sent)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "Invalid content type. image_url is only supported by certain models."),
        (400, "llama-8b is not a multimodal model"),
        (404, "No endpoints found that support image input"),
        (500, "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"),
        (400, "This model does not support image inputs."),
        (400, "this model is missing data required for image input, vision is not available"),
        (422, "messages[0]: unknown variant `image_url`, expected `text`"),
        (400, "messages.0.content must be a string"),
    ],
)
def test_images_are_refused(status: int, message: str) -> None:
    found = judged(status, message)
    assert isinstance(found, ModelError) and "takes no images" in str(found)
    assert not isinstance(judged(status, message, image=False), ModelError) or status == 404


@pytest.mark.parametrize(
    "message",
    [
        "You uploaded an unsupported image. Please make sure your image is valid.",
        "Image format not supported: image/tiff",
        "image size is not supported: at most 8000 pixels a side",
        "This model's maximum context length is 4096 tokens. However, your messages resulted in 5000 tokens.",
        "'max_tokens' is too large: 5000. This model's maximum context length is 4096 tokens.",
        "something entirely new",
    ],
)
def test_some_errors_cost_one_question(message: str) -> None:
    assert isinstance(judged(400, message), Hopeless)


@pytest.mark.parametrize(
    ("status", "message", "labels", "says"),
    [
        (401, "Incorrect API key provided", {}, "refuses the key in MY_KEY"),
        (403, "forbidden", {}, "refuses the key in MY_KEY"),
        (400, "API key not valid. Please pass a valid API key.", {"status": "INVALID_ARGUMENT"}, "refuses the key"),
        (404, "The model `x` does not exist.", {}, "is not to be found"),
        (404, "page not found", {}, "/chat/completions"),
        (400, "x/y is not a valid model ID", {"code": 400}, "is not to be found"),
        (301, "", {}, "redirection"),
    ],
)
def test_errors_that_end_the_run(status: int, message: str, labels: dict[str, Any], says: str) -> None:
    found = judged(status, message, **labels)
    assert isinstance(found, ModelError) and says in str(found)


def test_without_a_key_one_is_asked_for() -> None:
    sent = Sent("openai/x@here", "http://here/v1", None, None, {}, False)
    assert "--key-variable" in str(fault(401, {"error": "no"}, None, sent))


@pytest.mark.parametrize(
    ("status", "message", "labels"),
    [
        (402, "Insufficient credits", {}),
        (429, "You exceeded your current quota, please check your plan", {"code": "insufficient_quota"}),
    ],
)
def test_no_credit(status: int, message: str, labels: dict[str, Any]) -> None:
    assert isinstance(judged(status, message, **labels), Incomplete)


@pytest.mark.parametrize(
    ("status", "message", "labels"),
    [
        (400, "Your request was rejected as a result of our safety system.", {"code": "content_policy_violation"}),
        (400, "The response was filtered", {"code": "content_filter"}),
        (403, "Your chosen model requires moderation and your input was flagged", {}),
    ],
)
def test_refusals(status: int, message: str, labels: dict[str, Any]) -> None:
    found = judged(status, message, **labels)
    assert isinstance(found, Refused) and str(found) == message


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
def test_worth_another_try(status: int) -> None:
    found = judged(status, "busy")
    assert isinstance(found, Again) and not found.charged and found.after is None
    sent = Sent("openai/x", "http://here/v1", None, None, {}, False)
    again = fault(status, "<html>busy</html>", "3", sent)
    assert isinstance(again, Again) and again.after == 3.0


@pytest.mark.parametrize(
    ("message", "labels", "parameter"),
    [
        (
            "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.",
            {"code": "unsupported_parameter", "param": "max_tokens"},
            "max_tokens",
        ),
        ("Extra inputs are not permitted: max_tokens", {}, "max_tokens"),
        ("top_logprobs must be between 0 and 5", {}, "top_logprobs"),
        ("logprobs are not available for this model", {"param": "logprobs"}, "logprobs"),
        ("You are not allowed to request logprobs from this model", {}, "logprobs"),
    ],
)
def test_parameters_that_can_be_done_without(message: str, labels: dict[str, Any], parameter: str) -> None:
    found = judged(400, message, **labels)
    assert isinstance(found, NotTaken) and found.parameter == parameter


def test_temperature_is_never_dropped_in_silence() -> None:
    message = "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) is supported."
    found = judged(400, message, param="temperature", code="unsupported_value")
    assert isinstance(found, ModelError) and "--temperature 1" in str(found)
    one = judged(400, "'temperature' is not supported with this model.", parameters={"temperature": 1.0})
    assert isinstance(one, NotTaken)


@pytest.mark.parametrize("body", [None, 7, [], [[]], "", {"error": []}, {"error": {"message": {"a": 1}, "code": []}}])
def test_any_body_will_do(body: Any) -> None:
    sent = Sent("openai/x", "http://here/v1", None, None, PARAMETERS, True)
    assert isinstance(fault(400, body, None, sent), Hopeless)
    assert isinstance(fault(500, body, "soon", sent), Again)


def test_the_key_is_not_repeated() -> None:
    for status in (400, 401, 404, 500):
        assert "sk-key-1" not in str(judged(status, "Incorrect API key provided: sk-key-1"))
