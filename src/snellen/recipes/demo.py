"""The demo: the whole way on drawn scenes, with two encoders that need no weights."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from snellen.progress import SILENT, Progress
from snellen.recipes.run import RunResult, run
from snellen.world.scenes import draw_scenes

BLIND: Final = "control/colour-histogram"
REFERENCE: Final = "control/gradient-grid"


def demo(out: str | Path = "demo", *, progress: Progress = SILENT) -> RunResult:
    """Draw 300 scenes into `out/scenes`, and find the pairs of equal colours and other layout into `out/study`."""
    folder = Path(out)
    draw_scenes(folder / "scenes")
    return run(
        folder / "scenes", folder / "study", blind=BLIND, reference=REFERENCE, max_per_image=1, progress=progress
    )
