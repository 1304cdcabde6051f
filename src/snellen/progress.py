"""How long work tells what it does, without knowing who listens."""

from __future__ import annotations

from typing import Final, Protocol


class Progress(Protocol):
    """Told of one piece of work at a time; the command line shows it (`snellen.cli.progress`)."""

    def start(self, label: str, total: int | None, unit: str) -> None:
        """Begin a piece of work of `total` units (None: unknown), for example images."""

    def advance(self, n: int = 1) -> None:
        """Say that `n` more units are done."""

    def note(self, text: str) -> None:
        """Say one line that stays on the screen."""

    def finish(self) -> None:
        """End the piece of work."""


class _Silent:
    def start(self, label: str, total: int | None, unit: str) -> None:
        pass

    def advance(self, n: int = 1) -> None:
        pass

    def note(self, text: str) -> None:
        pass

    def finish(self) -> None:
        pass


SILENT: Final[Progress] = _Silent()
"""Says nothing: the default of the Python functions."""
