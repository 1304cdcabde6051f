"""Progress on a terminal, as a bar with rate and time left; elsewhere as plain lines."""

from __future__ import annotations

import sys
import time

from snellen.progress import SILENT, Progress

LINE_SECONDS = 10.0
"""How often a plain line is printed."""

_on_screen: list[_Bar] = []


def clear() -> None:
    """Take an unfinished bar off the screen, and give the cursor back; before an error is said."""
    while _on_screen:
        _on_screen.pop().stop()


def progress_for(quiet: bool) -> Progress:
    """Return what shows progress here: a bar on a terminal, plain lines elsewhere, nothing if `quiet`."""
    if quiet:
        return SILENT
    return _Bar() if sys.stderr.isatty() else _Lines()


class _Bar:
    """A bar on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)

    def start(self, label: str, total: int | None, unit: str) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        self._begun, self._done, self._label, self._unit = time.monotonic(), 0, label, unit
        self._rich = RichProgress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(unit),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._rich.start()
        _on_screen.append(self)
        self._task = self._rich.add_task(label, total=total, rate="")

    def advance(self, n: int = 1) -> None:
        self._done += n
        seconds = time.monotonic() - self._begun
        self._rich.update(self._task, advance=n, rate=f"{self._done / seconds:,.0f}/s" if seconds > 0 else "")

    def note(self, text: str) -> None:
        self._console.print(text, markup=False)

    def stop(self) -> None:
        self._rich.stop()

    def finish(self) -> None:
        clear()
        self.note(_summary(self._label, self._done, self._unit, time.monotonic() - self._begun))


class _Lines:
    """A line every ten seconds, for logs."""

    def start(self, label: str, total: int | None, unit: str) -> None:
        self._begun = self._last = time.monotonic()
        self._done, self._total, self._label, self._unit = 0, total, label, unit

    def advance(self, n: int = 1) -> None:
        self._done += n
        now = time.monotonic()
        if now - self._last >= LINE_SECONDS:
            self._last = now
            rate = self._done / (now - self._begun)
            left = f", {(self._total - self._done) / rate:,.0f} s left" if self._total and rate else ""
            of = f" of {self._total:,}" if self._total else ""
            self.note(f"{self._label}: {self._done:,}{of} {self._unit}, {rate:,.1f}/s{left}")

    def note(self, text: str) -> None:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def finish(self) -> None:
        self.note(_summary(self._label, self._done, self._unit, time.monotonic() - self._begun))


def _summary(label: str, done: int, unit: str, seconds: float) -> str:
    rate = f", {done / seconds:,.1f}/s" if seconds > 0 else ""
    return f"{label}: {done:,} {unit} in {seconds:,.1f} s{rate}"
