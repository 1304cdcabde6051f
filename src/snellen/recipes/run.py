"""The way that needs no person: embed with two encoders, mine, report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from snellen import defaults
from snellen.embedding import check_place, embed, load
from snellen.errors import UsageError
from snellen.images.open import open_source
from snellen.mining import Backend, Options, mine
from snellen.progress import SILENT, Progress
from snellen.report import report


@dataclass(frozen=True)
class RunResult:
    """Where the page is, how many pairs were found, and how many images were embedded, of how many.

    suggestions: thresholds to try where no pair was found, as in `mining.json`; note: what the user should know of how
    pairs were mined, if anything; truncated: pairs dropped by each cap, as in `mining.json`.
    """

    report: Path
    pairs: int
    embedded: int
    images: int
    suggestions: Sequence[Mapping[str, Any]] | None = None
    note: str | None = None
    truncated: Mapping[str, int] = field(default_factory=dict)


def run(
    source: str | Path,
    out: str | Path,
    *,
    blind: str = defaults.BLIND_ENCODER,
    reference: str = defaults.REFERENCE_ENCODER,
    blind_min: float | str = defaults.BLIND_MIN,
    reference_max: float | str = defaults.REFERENCE_MAX,
    max_pairs: int | str | None = None,
    max_per_image: int | None = None,
    top_k: int | None = None,
    collapse_copies: float | None = None,
    labels: Literal["any", "within", "across"] = "any",
    seed: int = 0,
    device: str = "auto",
    dtype: str = "float32",
    batch_size: int | None = None,
    workers: int | None = None,
    column: str | None = None,
    follow_links: bool = False,
    threads: int | None = None,
    backend: Backend = "auto",
    max_shown: int = 200,
    progress: Progress = SILENT,
) -> RunResult:
    """Go from a source of images to a page of blind pairs.

    Every parameter is that of `embed`, `mine` or `report`. A killed run goes on where it stopped.

    Raises:
        SnellenError: see `embed`, `mine` and `report`.
    """
    # What is wrong is said now, not after hours of embedding: options, source, and both encoders before either is used.
    asked: dict[str, Any] = {
        "blind_min": blind_min,
        "reference_max": reference_max,
        "max_pairs": max_pairs,
        "max_per_image": max_per_image,
        "top_k": top_k,
        "collapse_copies": collapse_copies,
        "labels": labels,
        "seed": seed,
        "threads": threads,
        "backend": backend,
    }
    Options.checked(blind=blind, reference=reference, **asked)
    check_place(Path(out), Path(source))
    open_source(source, column=column, follow_links=follow_links)
    encoders = [load(name, device=device, dtype=dtype) for name in (blind, reference)]
    if encoders[0].encoder.fingerprint == encoders[1].encoder.fingerprint:
        raise UsageError(f"{blind} and {reference} are one encoder: an encoder is compared with another one.")
    embedded = [
        embed(
            out,
            images=source,
            encoder=encoder,
            batch_size=batch_size,
            workers=workers,
            column=column,
            follow_links=follow_links,
            progress=progress,
        )
        for encoder in encoders
    ]
    mined = mine(out, blind=embedded[0].slug, reference=embedded[1].slug, **asked, progress=progress)
    page = report(out, max_shown=max_shown, progress=progress)
    counts, suggestions = mined.counts, mined.details["suggestions"]
    truncated = mined.details["truncated"]
    return RunResult(page, counts["written"], counts["ok"], counts["images"], suggestions, mined.note, truncated)
