from __future__ import annotations

import pytest

from snellen.errors import ModelError, UsageError
from snellen.mllms.base import MultimodalModel, Traffic
from snellen.mllms.endpoints import ENDPOINTS, endpoint_named, key_for, one_line, redacted
from snellen.providers import load_mllm


def test_short_names_and_urls() -> None:
    assert endpoint_named("openai/x", None).base_url == "https://api.openai.com/v1"
    assert endpoint_named("openai/x@vllm", "vllm").base_url == "http://localhost:8000/v1"
    assert endpoint_named("openai/x@u", "https://example.org/api/v1/").base_url == "https://example.org/api/v1"
    for name in ENDPOINTS:
        assert endpoint_named("openai/x", name).is_loopback == (name in ("ollama", "vllm", "sglang", "llama.cpp"))


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:1/v1", True),
        ("http://127.9.9.9/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://localhost/v1", True),
        ("http://localhost.example.org/v1", False),
        ("http://127.0.0.1.example.org/v1", False),
        ("http://10.0.0.1:8000/v1", False),
    ],
)
def test_what_is_on_this_machine(url: str, loopback: bool) -> None:
    assert endpoint_named("openai/x", url).is_loopback is loopback


@pytest.mark.parametrize(
    "url",
    [
        "http://me:hunter2@example.org/v1",
        "https://example.org/v1?key=hunter2",
        "https://example.org/v1#hunter2",
        "http://hunter2@[oops/v1",
    ],
)
def test_a_secret_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_mllm(f"openai/x@{url}")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("endpoint", ["opnai", "ftp://example.org/v1", "http:///v1", "http://exam ple.org/v1"])
def test_what_is_no_endpoint_is_refused(endpoint: str) -> None:
    with pytest.raises(UsageError, match="http://localhost:8000/v1"):
        load_mllm(f"openai/x@{endpoint}")


def test_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ModelError, match="environment variable OPENAI_API_KEY"):
        load_mllm("openai/gpt-5-mini")
    monkeypatch.setenv("OPENAI_API_KEY", "  ")
    with pytest.raises(ModelError, match="environment variable OPENAI_API_KEY"):
        load_mllm("openai/gpt-5-mini")
    with pytest.raises(ModelError, match="environment variable MY_KEY"):
        load_mllm("openai/x@http://localhost:1/v1", traffic=Traffic(key_variable="MY_KEY"))
    monkeypatch.setenv("MY_KEY", "two words")
    with pytest.raises(ModelError, match="MY_KEY holds spaces") as caught:
        load_mllm("openai/x", traffic=Traffic(key_variable="MY_KEY"))
    assert "two words" not in str(caught.value)


def test_a_key_goes_to_its_own_endpoint_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai")
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-router")
    for endpoint, key in (("openai", "sk-openai"), ("openrouter", "sk-router"), ("https://example.org/v1", None)):
        assert key_for("x", endpoint_named("x", endpoint), None) == key
    assert key_for("x", endpoint_named("x", "vllm"), None) is None
    assert key_for("x", endpoint_named("x", "vllm"), "OPENROUTER_API_KEY") == "sk-router"


def test_a_model_is_ready_without_any_request() -> None:
    model = load_mllm("openai/llava@vllm")
    assert isinstance(model, MultimodalModel)
    assert model.name == "openai/llava@vllm"
    assert model.template is None
    assert list(model.software) == ["openai"]


def test_fingerprints_tell_endpoints_and_models_apart() -> None:
    names = ["openai/a@vllm", "openai/b@vllm", "openai/a@sglang", "openai/a@http://localhost:8000/v1/"]
    prints = [load_mllm(name).fingerprint for name in names]
    assert len(set(prints[:3])) == 3
    assert prints[3] == prints[0]  # the same address
    assert all(len(found) == 64 and int(found, 16) >= 0 for found in prints)


def test_text_is_redacted_and_fits_one_line() -> None:
    key = "sk-secret-123"
    shown = one_line(f"no\nsuch \x1b[31mkey: {key}; Authorization: Bearer abc.def; sk-other99", key)
    assert key not in shown
    assert "abc.def" not in shown and "sk-other99" not in shown
    assert "\n" not in shown and "\x1b" not in shown
    assert len(one_line("x" * 10_000, None)) == 301
    assert redacted("the word is EMPTY", None) == "the word is EMPTY"


@pytest.mark.parametrize(
    ("traffic", "says"),
    [
        (Traffic(budget_usd=1.0), "needs prices"),
        (Traffic(price_in=1.0), "Only one price"),
        (Traffic(price_in=1.0, price_out=-1.0), "0 or more"),
        (Traffic(price_in=1.0, price_out=float("nan")), "0 or more"),
        (Traffic(concurrency=0), "above 0"),
        (Traffic(timeout=0.0), "above 0"),
        (Traffic(retries=-1), "above 0"),
        (Traffic(per_minute=0), "above 0"),
    ],
)
def test_numbers_out_of_range_are_refused(traffic: Traffic, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        load_mllm("openai/x@vllm", traffic=traffic)
