"""What holds for every test: no network, no model hub, and one place for the shared data."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", MPLBACKEND="agg")

if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers share the cores. BLAS threads of each, spinning, make many small products ten times as slow. Said before
    # numpy is imported; programs that tests start inherit it.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared" / "data"

_connect = socket.socket.connect


def _loopback_only(self: socket.socket, address: Any) -> None:
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise PermissionError(f"a test tried to connect to {address!r}; tests stay on this machine")
    _connect(self, address)


@pytest.fixture(autouse=True, scope="session")
def closed_network() -> Any:
    """Close every socket but those to this machine."""
    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", _loopback_only)
    yield
    patch.undo()


@pytest.fixture
def shared_data() -> Path:
    """The workplace's photographs and encoders; tests that want them pass without them."""
    if not SHARED.is_dir():
        pytest.skip("no shared data beside this clone")
    return SHARED
