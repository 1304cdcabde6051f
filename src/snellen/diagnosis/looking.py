"""Looking into a model, picture by picture: what a verdict needs, every stop, and a control with a random encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from snellen import profiles
from snellen.benchmarks import Benchmark
from snellen.diagnosis.hidden import Held, collect
from snellen.errors import Unsupported, UsageError
from snellen.mllms.base import MultimodalModel, Transparent
from snellen.progress import Progress
from snellen.records import Ask
from snellen.runs import Run

NEEDED: Final = ("pooled", "tap", "projector")
"""Stops that a verdict needs; `pooled` is a note alone."""


@dataclass(frozen=True)
class Looker:
    """One model and the pictures of one benchmark; what was seen is kept in folders of this name."""

    folder: Path
    model: Transparent
    asks: Mapping[str, Ask]
    variants: Sequence[str]
    progress: Progress

    def needed(self) -> dict[str, Held]:
        """Look at the stops that a verdict needs, with all variants."""
        return self._look(self.folder, self.variants, [stop for stop in NEEDED if stop in self.model.stops])

    def everywhere(self) -> dict[str, Held]:
        """Look at every stop, at the pictures as they are."""
        return self._look(self.folder.with_name(self.folder.name + "-everywhere"), (), self.model.stops)

    def random(self, seed: int) -> Held | None:
        """Look at the tap with a random encoder; None where that cannot be had."""
        try:
            with self.model.random_encoder(seed):
                return self._look(self.folder.with_name(f"{self.folder.name}-random-{seed}"), (), ("tap",))["tap"]
        except Unsupported as error:
            self.progress.note(f"no random encoder to compare with: {error}")
            return None

    def _look(self, folder: Path, variants: Sequence[str], stops: Sequence[str]) -> dict[str, Held]:
        return collect(folder, self.model, self.asks, variants, stops, self.progress)


def looker(folder: Path, run: Run, model: MultimodalModel, exam: Benchmark, progress: Progress) -> Looker | None:
    """Prepare to look at every picture of a benchmark; None where the model's hidden states cannot be seen.

    Raises:
        UsageError: the model is not the run's.
    """
    if model.fingerprint != run.fingerprint:
        raise UsageError(f"{model.name} is not the model that was asked in {run.run_id}: load the same weights.")
    if not (model.supports.hidden and isinstance(model, Transparent)) or "tap" not in model.stops:
        return None
    wording = profiles.profile_named(run.profile)
    asks: dict[str, Ask] = {}
    for question in exam.questions:
        if question.image_id not in asks:
            prompt = profiles.prompt(wording, question, "ab")
            asks[question.image_id] = Ask(question.question_id, prompt, exam.image(question), letters=wording.letters)
    return Looker(folder, model, asks, sorted({sitting[3] for sitting in run.sittings if sitting[3]}), progress)
