"""Runs: what was asked of whom, how each answer was graded, and the scores; one folder a run (docs/study-folder.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from snellen import storage
from snellen.records import Grade, Response, Score, Verdict
from snellen.runs.files import GRADES, RESPONSES, RUN, SCORES, Header, read_header, write_header, write_scores
from snellen.runs.matches import MATCHES, matched, read_matches, write_matches
from snellen.runs.read import Run, read_run, read_runs
from snellen.runs.responses import append, read_responses
from snellen.study import SLUG_FORBIDDEN, slug


def run_id(model: str, fingerprint: str, benchmark: str, settings: Mapping[str, Any]) -> str:
    """Name a run: `<model slug>--<benchmark>--<8 hex digits of the settings>`."""
    safe = SLUG_FORBIDDEN.sub("-", benchmark).strip("-.")[:100] or "benchmark"
    return f"{slug(model, fingerprint)}--{safe}--{storage.sha256_of_json(settings)[:8]}"


__all__ = [
    "GRADES",
    "MATCHES",
    "RESPONSES",
    "RUN",
    "SCORES",
    "Grade",
    "Header",
    "Response",
    "Run",
    "Score",
    "Verdict",
    "append",
    "matched",
    "read_header",
    "read_matches",
    "read_responses",
    "read_run",
    "read_runs",
    "run_id",
    "write_header",
    "write_matches",
    "write_scores",
]
