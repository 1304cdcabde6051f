"""Wrong arguments for compiled functions: each changes a list of right ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Change = Callable[[list[Any]], Any]


def put(at: int, value: Any) -> Change:
    def change(arguments: list[Any]) -> None:
        arguments[at] = value

    return change


def shortened(at: int) -> Change:
    return lambda arguments: arguments.__setitem__(at, arguments[at][:-1])


def strided(at: int) -> Change:
    return lambda arguments: arguments.__setitem__(at, np.repeat(arguments[at], 2, axis=0)[::2])
