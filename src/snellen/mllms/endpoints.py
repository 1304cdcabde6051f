"""Endpoints by short name or URL, and the key for each, which comes from the environment and from nowhere else."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from snellen.errors import ModelError, UsageError

ENDPOINTS: Final[dict[str, tuple[str, str | None]]] = {
    # name: base URL, and the environment variable that usually holds the key, if any
    "openai": ("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "gemini": ("https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY"),
    "openrouter": ("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "ollama": ("http://localhost:11434/v1", None),
    "vllm": ("http://localhost:8000/v1", None),
    "sglang": ("http://localhost:30000/v1", None),
    "llama.cpp": ("http://localhost:8080/v1", None),
}
"""Those that have a short name; the last four are the default addresses of servers on this machine."""

NO_KEY: Final = "none"
"""What is sent as the key where there is none: the client insists on something."""

_KEY: Final = re.compile(r"[!-~]+")
_LOOKS_LIKE_KEY: Final = re.compile(r"(?i)\bbearer\s+\S+|\bsk-[\w-]{6,}")
_SHORTEST: Final = 4  # of a key that is looked for in texts; a shorter one would be found in any


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible endpoint: `base_url` without a slash at its end, and where its key usually lies."""

    base_url: str
    key_variable: str | None

    @property
    def is_openai(self) -> bool:
        """Is it OpenAI itself?"""
        return self.base_url == ENDPOINTS["openai"][0]

    @property
    def is_loopback(self) -> bool:
        """Is it on this machine?"""
        host = urlsplit(self.base_url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")


def endpoint_named(name: str, endpoint: str | None) -> Endpoint:
    """Return the endpoint that stands behind the `@` of a model's name.

    Args:
        name: The model's whole name, for messages.
        endpoint: A short name, a URL that begins with http, or None: OpenAI itself.

    Raises:
        UsageError: it is neither, or the URL has a user, a password, a query or a fragment, which could be secrets.
    """
    if endpoint is None:
        endpoint = "openai"
    if endpoint in ENDPOINTS:
        return Endpoint(*ENDPOINTS[endpoint])
    if "://" not in endpoint:
        raise UsageError(
            f"unknown endpoint {endpoint!r} in the model name {name!r}: give one of {', '.join(ENDPOINTS)}, or a URL "
            "such as http://localhost:8000/v1"
        )
    hidden = f"{endpoint.partition('://')[0]}://…"
    try:
        parts = urlsplit(endpoint)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(
            f"The endpoint {hidden} is no URL ({error}): give one like http://localhost:8000/v1."
        ) from None
    if "@" in endpoint or parts.query or parts.fragment:
        raise UsageError(
            f"The endpoint {hidden} has a user, a password, a query or a fragment, which would end up in files: put "
            "the key into an environment variable, and name that with --key-variable."
        )
    if parts.scheme not in ("http", "https") or not host or not endpoint.isascii() or re.search(r"[\s\\]", endpoint):
        raise UsageError(f"The endpoint {endpoint!r} is no http or https URL: give one like http://localhost:8000/v1.")
    return Endpoint(endpoint.rstrip("/"), None)


def key_for(name: str, endpoint: Endpoint, variable: str | None) -> str | None:
    """Return the key for an endpoint, from the environment; None where none is to be sent.

    The usual variable of one endpoint is never read for another, so that no host is sent a key that is not its own.

    Args:
        name: The model's name, for messages.
        endpoint: Who it is for.
        variable: The environment variable that was asked for, where it is not the usual one.

    Raises:
        ModelError: there is none, or it cannot be one.
    """
    variable = variable or endpoint.key_variable
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not key:
        raise ModelError(f"{name} needs a key: put it into the environment variable {variable}.")
    if not _KEY.fullmatch(key):
        raise ModelError(
            f"The environment variable {variable} holds spaces or characters that no key has: set it anew."
        )
    return key


def redacted(text: str, key: str | None) -> str:
    """Take a key out of a text that an endpoint wrote."""
    return text.replace(key, "***") if key is not None and len(key) >= _SHORTEST else text


def one_line(text: str, key: str | None, width: int = 300) -> str:
    """Make what an endpoint wrote fit for an error: one line of printable characters, cut short, without any key."""
    cleaned = _LOOKS_LIKE_KEY.sub("***", redacted(text, key))
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in cleaned[: 4 * width]).split())
    return line if len(line) <= width else line[:width] + "…"
