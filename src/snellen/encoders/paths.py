"""Telling local folders and files from names of models."""

from __future__ import annotations

from pathlib import Path

from snellen.errors import UsageError


def local_path(model: str, name: str) -> Path | None:
    """Return the local folder or file that `model` means, None if it is a name in some library or hub.

    Whatever begins with `/`, `.` or `~` is a path; anything else is one if it exists.

    Raises:
        UsageError: it is a path, and nothing is there; `name` is the whole name, for the message.
    """
    looks = model.startswith(("/", ".", "~"))
    if not looks and not model:
        return None
    path = Path(model).expanduser() if model.startswith("~") else Path(model)
    try:
        there = path.exists()
    except (OSError, ValueError):  # a name too long for a path, or with a zero byte in it
        there = False
    if there:
        return path
    if looks:
        raise UsageError(f"no folder or file {model!r} (in the model name {name!r}); paths start from {Path.cwd()}")
    return None
