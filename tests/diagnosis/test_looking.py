"""A model whose vision tower has no pooled vector is looked into all the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from snellen.diagnosis.looking import Looker
from snellen.errors import Unsupported
from snellen.profiles import PROFILES
from snellen.progress import SILENT
from snellen.records import Ask


class NoPooledVector:
    """Two stops that there are, and one that gives nothing, as of towers that return their tokens alone."""

    name, fingerprint, stops = "transformers/tokens", "7" * 64, ("pooled", "tap", "projector")

    def hidden(self, asks: Sequence[Ask], stops: Sequence[str]) -> list[dict[str, Any]]:
        if "pooled" in stops:
            raise Unsupported("gives nothing at pooled")
        return [{stop: np.ones((4, 3), np.float32) for stop in stops} for _ in asks]


def test_a_tower_without_a_pooled_vector_lacks_a_note_alone(tmp_path: Path) -> None:
    asks = {"a" * 64: Ask("q", "Which?", b"picture")}
    look = Looker(tmp_path / "hidden", NoPooledVector(), asks, PROFILES["letter"], (), SILENT)  # type: ignore[arg-type]
    assert set(look.needed()) == {"tap", "projector"}
    assert set(look.everywhere()) == {"tap", "projector"}
    assert look.needed()["tap"].plain["a" * 64].shape == (12,)
