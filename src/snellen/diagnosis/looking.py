"""Looking into a model, picture by picture: what a verdict needs, every stop, and a control with a random encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from snellen import profiles
from snellen.benchmarks import Benchmark
from snellen.diagnosis.hidden import FloatArray, Held, collect
from snellen.errors import Unsupported, UsageError
from snellen.mllms.base import MultimodalModel, Transparent
from snellen.profiles import Profile
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
    wording: Profile
    variants: Sequence[str]
    progress: Progress

    def needed(self) -> dict[str, Held]:
        """Look at the stops that a verdict needs, with all variants."""
        return self._look(self.folder, self.variants, self._there(NEEDED))

    def everywhere(self) -> dict[str, Held]:
        """Look at every stop, at the pictures as they are."""
        return self._look(self._beside("everywhere"), (), self._there(self.model.stops))

    def at(self, name: str, exam: Benchmark) -> dict[str, Held]:
        """Look at another benchmark's pictures as they are, at the stops that a verdict needs."""
        return self._of(exam)._look(self._beside(name), (), self._there(NEEDED))

    def random(self, seed: int, more: Mapping[str, Benchmark]) -> dict[str, FloatArray] | None:
        """Look at the tap with a random encoder, float32 [d] by image; None where that cannot be had."""
        looks = [(f"random-{seed}", self), *((f"random-{seed}-{name}", self._of(exam)) for name, exam in more.items())]
        try:
            with self.model.random_encoder(seed):
                seen = [look._look(self._beside(name), (), ("tap",))["tap"].plain for name, look in looks]
        except Unsupported as error:
            self.progress.note(f"no random encoder to compare with: {error}")
            return None
        return {image: row for rows in seen for image, row in rows.items()}

    def _there(self, wanted: Sequence[str]) -> list[str]:
        """Leave out stops that the model has not; a tower without a pooled vector lacks a note and no verdict."""
        there = [stop for stop in wanted if stop in self.model.stops]
        if "pooled" in there:
            try:
                self.model.hidden([next(iter(self.asks.values()))], ("pooled",))
            except Unsupported:
                there.remove("pooled")
        return there

    def _of(self, exam: Benchmark) -> Looker:
        return replace(self, asks=asks_of(exam, self.wording))

    def _beside(self, name: str) -> Path:
        return self.folder.with_name(f"{self.folder.name}-{name}")

    def _look(self, folder: Path, variants: Sequence[str], stops: Sequence[str]) -> dict[str, Held]:
        return collect(folder, self.model, self.asks, variants, stops, self.progress)


def asks_of(exam: Benchmark, wording: Profile) -> dict[str, Ask]:
    """Make an `Ask` for every picture of a benchmark, by image_id, with the first question about it."""
    asks: dict[str, Ask] = {}
    for question in exam.questions:
        if question.image_id not in asks:
            prompt = profiles.prompt(wording, question, "ab")
            asks[question.image_id] = Ask(question.question_id, prompt, exam.image(question), letters=wording.letters)
    return asks


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
    variants = sorted({sitting[3] for sitting in run.sittings if sitting[3]})
    return Looker(folder, model, asks_of(exam, wording), wording, variants, progress)
