"""Keep Pillow's warnings about odd files from reaching the user: a row's status and flags say it better."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_inside: list[warnings.catch_warnings[None]] = []
_users = 0


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Ignore warnings raised by Pillow's own code, and only those, in any number of threads at once.

    `warnings.catch_warnings` saves and restores a global list, so two threads inside it at the same time would leave
    the filter behind for good. Here the first thread in saves the list, and the last one out restores it.
    """
    global _users
    with _lock:
        if _users == 0:
            guard = warnings.catch_warnings(record=False)
            guard.__enter__()
            warnings.filterwarnings("ignore", module=r"PIL\.")
            _inside.append(guard)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _inside.pop().__exit__(None, None, None)
