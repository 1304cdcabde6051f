"""The compiled kernels: the scan of small-integer sketches, and exact dot products of float16 rows.

They are C (beside this file), built with the package where a compiler is, for every instruction set at once; which one
runs is decided by the machine. Without them the miner works all the same, slower: `snellen.mining.filters` has a
portable filter, and numpy computes the dot products.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

GROUP = 32
"""Columns that are scanned at once (kernels.h)."""

MOST_ROWS = 1024
"""Rows that one call of a scan may have (kernels.h)."""


class Kernel(NamedTuple):
    """One instruction set's kernels.

    `number` is its place in the compiled module; `interleave`, how many numbers of one column lie side by side in a
    packed group; `levels`, the largest integer of a coarse sketch; `offset`, what is added to a column's; `wraps`,
    whether sums are int16, modulo 2^16.
    """

    number: int
    name: str
    interleave: int
    levels: int
    offset: int
    wraps: bool


@cache
def _module() -> Any:  # noqa: ANN401  a compiled module has no types
    try:
        return import_module("snellen.mining.kernels._compiled")
    except ImportError:
        return None


@cache
def available() -> tuple[Kernel, ...]:
    """Return the kernels that this machine can run, the fastest first; none where they were not built."""
    module = _module()
    if module is None:
        return ()
    return tuple(
        Kernel(number, name, interleave, levels, offset, bool(wraps))
        for number, (name, interleave, levels, offset, wraps) in enumerate(module.kernels())
    )


def best() -> Kernel | None:
    """Return the fastest kernel that this machine can run, or None where none was built."""
    return available()[0] if available() else None


def functions() -> Any:  # noqa: ANN401
    """Return the compiled module: `scan`, `dots`, `widen`; their arguments are documented in module.c.

    Raises:
        ImportError: it was not built.
    """
    if _module() is None:
        raise ImportError("the compiled kernels were not built: install a C compiler and the package again")
    return _module()
