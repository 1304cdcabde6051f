"""Every number that training depends on, in one place."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final


@dataclass(frozen=True)
class Stage:
    """One training run: `steps` of `batch` examples; rates of AdamW and of Muon.

    `muon_rate` is for matrices other than embeddings; 0 trains everything by AdamW. Rates rise over the first 30
    steps and fall as a cosine to zero.
    """

    steps: int
    batch: int
    rate: float
    muon_rate: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """All of one world's training.

    Attributes:
        families: Families of training scenes; each holds 6 scenes, each drawn twice.
        clip: The image-text encoder. Batch: pictures with their captions.
        vision_only: The vision-only encoder. Batch: families, of each scene two drawings.
        language: The language model, without pictures. Batch: questions.
        align: First stage of every multimodal LLM, whatever its diet: the projectors alone. Batch: questions.
        mllm: Second stage: projectors and language model. Batch: questions.
        temperature: Of the vision-only encoder's contrast.
        reconstruction: Weight of drawing the other picture, beside telling it from others.
        rehearsal: Questions on text alone in every batch of the second stage.
        of_each: Questions in a batch about one and the same picture.
        open_share: Share of questions asked without options, answered by a word.
        plain_share: Share of questions about kind and context; the rest is about the nine factors.
        all_divisor: By what the second stage's steps are divided where a model is fed `all` patch tokens.
    """

    families: int = 2500
    clip: Stage = field(default=Stage(300, 256, 1e-3, 8e-3))
    vision_only: Stage = field(default=Stage(450, 21, 2e-3, 1e-2))
    language: Stage = field(default=Stage(1400, 64, 2e-3, 5e-3))
    align: Stage = field(default=Stage(100, 192, 4e-3, 8e-3))
    mllm: Stage = field(default=Stage(900, 128, 7e-4, 2e-3))
    temperature: float = 0.1
    reconstruction: float = 4.0
    rehearsal: int = 8
    of_each: int = 4
    open_share: float = 0.4
    plain_share: float = 0.3
    all_divisor: int = 2

    def of_visual(self, visual: str) -> Recipe:
        """Give the recipe of a visual input: `all` patch tokens take a fraction of the second stage's steps.

        A step with 64 tokens costs twice as much, and a reader of them is through sooner (docs/world.md).
        """
        if visual != "all":
            return self
        return replace(self, mllm=replace(self.mllm, steps=max(1, self.mllm.steps // self.all_divisor)))

    def longer(self, times: int) -> Recipe:
        """Give the multimodal LLMs so many times the steps, encoders and language model being as they are.

        Whether a model is blind or has not learned to look yet shows only in this way.
        """
        align, mllm = (replace(stage, steps=times * stage.steps) for stage in (self.align, self.mllm))
        return replace(self, align=align, mllm=mllm)

    def as_dict(self) -> dict[str, Any]:
        """Return every number, for manifests and model cards."""
        return asdict(self)


FULL: Final = Recipe()
"""How the shipped models were made."""

SMOKE: Final = Recipe(
    families=20,
    clip=Stage(3, 16, 1e-3),
    vision_only=Stage(3, 3, 2e-3),
    language=Stage(3, 16, 2e-3, 4e-3),
    align=Stage(2, 8, 2e-3, 4e-3),
    mllm=Stage(3, 16, 2e-3, 4e-3),
)
"""A few seconds of training that learn nothing: for tests of the way itself."""
