"""A small mined study, for the tests of the verb."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from snellen.mining import MiningResult, mine
from snellen.mining.asked import question
from snellen.mining.join.tiles import Tiling
from snellen.study import Study
from tests import studies
from tests.mining.conftest import Half

NAMES: dict[str, Any] = {"blind": "control/blind", "reference": "control/reference"}


def data(rows: int = 240, seed: int = 0) -> tuple[Half, Half]:
    rng = np.random.default_rng(seed)
    blind = studies.with_copies(rng, studies.spectrum_rows(rng, rows, 32), 0.3, 0.93, 1.0)
    return studies.unit_rows(blind), studies.unit_rows(studies.spectrum_rows(rng, rows, 20, mean=0.2))


def run(study: Study, **options: Any) -> MiningResult:
    return mine(study.root, **{**NAMES, **options})


def use_tiling(monkeypatch: pytest.MonkeyPatch, tiling: Tiling) -> None:
    monkeypatch.setattr(question, "TILING", tiling)


def files(study: Study) -> dict[str, bytes]:
    """Everything in the study but the lock."""
    paths = [path for path in study.root.rglob("*") if path.is_file() and path.name != "study.lock"]
    return {study.relative(path): path.read_bytes() for path in paths}


def sys_verb() -> Any:
    return sys.modules["snellen.mining.verb"]
