"""Models by name: first from the local cache, then from the network, and else one clear sentence.

The cache comes first, without a request: a cached model loads at once on a plane, and loads the same revision
tomorrow. huggingface_hub retries an unreachable host five times, 23 seconds for each file, before it looks there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.error import URLError
from urllib.request import Request, urlopen

from snellen.errors import EncoderError, SnellenError

T = TypeVar("T")

PATIENCE = 10.0
"""Seconds that the first answer from the network may take."""

LOCAL = (
    "a local model (transformers/./folder, open_clip/./folder, timm/./folder, onnx/file.onnx) or a parameter-free "
    "control (control/gradient-grid)"
)
"""What stands in for an encoder that cannot be had."""


def fetch(
    name: str,
    load: Callable[[], T],
    *,
    repository: str | None,
    url: str | None = None,
    url_file: Path | None = None,
    instead: str = LOCAL,
) -> T:
    """Run `load` against the local cache alone, and if something is missing there, with the network.

    Args:
        name: The model's name as the user gave it, for messages.
        load: Loads the model with its library; it may be run twice.
        repository: The Hugging Face repository that it asks, if any.
        url: The address that it downloads from, where there is no repository.
        url_file: Where that download is kept.
        instead: What the user may turn to, for the message.

    Raises:
        EncoderError: the model is not in the cache and cannot be downloaded.
    """
    if repository is None and url_file is not None and not url_file.is_file():
        _check_reachable(name, None, url, instead)  # such a download has no time limit of its own
    with _offline():
        try:
            return load()
        except (OSError, RuntimeError, ValueError) as error:
            if not _is_missing(error):
                raise
    _check_reachable(name, repository, url, instead)
    try:
        return load()
    except (OSError, RuntimeError, ValueError) as error:
        if not _is_missing(error):
            raise
        raise unavailable(name, _reason(error), instead) from error


def unavailable(name: str, reason: str, instead: str = LOCAL) -> EncoderError:
    """Return the error for a model that is neither cached nor downloadable."""
    return EncoderError(
        f"{name} is not in the local cache and could not be downloaded ({reason}): check the name and the connection, "
        f"or use {instead}"
    )


def _check_reachable(name: str, repository: str | None, url: str | None, instead: str) -> None:
    """Ask once, with a short patience, so that an unreachable network is told in seconds and not in minutes."""
    import httpx2
    from huggingface_hub import HfApi, constants, is_offline_mode
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    if is_offline_mode():
        raise unavailable(name, "HF_HUB_OFFLINE is set", instead)
    try:
        if repository is not None:
            HfApi().model_info(repository, timeout=PATIENCE)
        else:
            with urlopen(Request(url or constants.ENDPOINT, method="HEAD"), timeout=PATIENCE):  # noqa: S310 - https
                pass
    except GatedRepoError as error:
        raise unavailable(name, "its licence must be accepted on huggingface.co, and HF_TOKEN set", instead) from error
    except HFValidationError as error:
        raise unavailable(name, f"{repository!r} is no name of a Hugging Face repository", instead) from error
    except (HfHubHTTPError, OfflineModeIsEnabled, httpx2.HTTPError, OSError) as error:
        raise unavailable(name, _reason(error), instead) from error


def _is_missing(error: BaseException) -> bool:
    """Say whether an error, or what it was raised from, means that a file is neither cached nor reachable."""
    import httpx2
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    missing = (EntryNotFoundError, HfHubHTTPError, HFValidationError, OfflineModeIsEnabled, httpx2.HTTPError, URLError)
    return not isinstance(error, SnellenError) and any(isinstance(link, missing) for link in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def _reason(error: BaseException) -> str:
    """Say in a few words what failed."""
    import httpx2
    from huggingface_hub.errors import RepositoryNotFoundError

    if isinstance(error, RepositoryNotFoundError):
        return "there is no such repository, or it is private"
    if isinstance(error, httpx2.TransportError | URLError):
        return "no connection"
    return str(error).strip().partition("\n")[0][:160] or type(error).__name__


@contextmanager
def _offline() -> Iterator[None]:
    """Keep huggingface_hub from the network: the switch that HF_HUB_OFFLINE sets, for the block."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
