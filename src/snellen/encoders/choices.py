"""How messages list valid choices: the nearest ones first, and never a wall of a thousand."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

SHOWN = 8


def closest(wrong: str, choices: Iterable[str], *, prefix: str = "") -> str:
    """Return the choices for a message: all of them if few, else the nearest to `wrong`; "did you mean" if one is near.

    `prefix` is put before each name, so that it can be copied as it stands.
    """
    names = list(choices)
    near = get_close_matches(wrong.lower(), [name.lower() for name in names], n=SHOWN, cutoff=0.5)
    by_lower = {name.lower(): name for name in names}
    shown = names if len(names) <= SHOWN else [by_lower[name] for name in near] or names[:SHOWN]
    listed = ", ".join(prefix + name for name in shown) + ("" if len(shown) == len(names) else ", ...")
    return listed + (f" (did you mean {prefix}{by_lower[near[0]]}?)" if near else "")
