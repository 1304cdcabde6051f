"""Every number that training depends on, in one place."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final


@dataclass(frozen=True)
class Stage:
    """One training run: `steps` of `batch` examples; rates of AdamW, and of Muon for the matrices of the blocks.

    `muon_rate` 0 trains everything by AdamW. Rates rise over the first 30 steps and fall as a cosine to zero.
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
        language: The language model, on text alone. Batch: questions.
        mllm: Every multimodal LLM, whatever its diet. Batch: questions.
        temperature: Of the vision-only encoder's contrast.
        reconstruction: Weight of drawing the other picture, beside telling it from others.
        open_share: Share of questions asked without options, answered by a word.
        plain_share: Share of questions about kind and context; the rest is about the nine factors.
    """

    families: int = 2500
    clip: Stage = field(default=Stage(400, 256, 1e-3))
    vision_only: Stage = field(default=Stage(450, 21, 2e-3))
    language: Stage = field(default=Stage(1000, 64, 2e-3, 4e-3))
    mllm: Stage = field(default=Stage(800, 128, 2e-3, 4e-3))
    temperature: float = 0.1
    reconstruction: float = 2.0
    open_share: float = 0.3
    plain_share: float = 0.3

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
    mllm=Stage(3, 16, 2e-3, 4e-3),
)
"""A few seconds of training that learn nothing: for tests of the way itself."""
