"""The verb `world fault`: a copy of a tiny multimodal LLM with one organ damaged, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from snellen.errors import UsageError
from snellen.world.scene.facts import FACTORS

FAULTS: Final = {
    "encoder": "eyes",
    "projector": "connector",
    "bias": "language model or bias",
    "ignores": "language model or bias",
}
"""What can be damaged, and the verdict that names it."""

NEEDS_FACTOR: Final = ("encoder", "projector")


@dataclass(frozen=True, slots=True)
class FaultResult:
    """The damaged copy's folder, and the verdict that is right about what it fails at."""

    folder: Path
    verdict: str


def fault(
    model: str | Path,
    out: str | Path,
    *,
    organ: str,
    factor: str | None = None,
    strength: float = 1.0,
    world: int = 0,
    seed: int = 0,
) -> FaultResult:
    """Copy a model with one encoder and damage one organ of the copy.

    - `encoder`: blind to a factor at the tap; at strength 0.5 in three contexts of six.
    - `projector`: drops a factor; below strength 1 only what a linear reader finds of it.
    - `bias`: the language model likes the first letter, by about 12 nats times the strength.
    - `ignores`: the language model was taught that pictures have nothing to do with answers, for 300 steps times the
      strength.

    The copy is a checkpoint like any other. Repeated with the same arguments it has the same bytes.

    Args:
        model: Folder of a model on a diet of one encoder.
        out: Folder to write; refused where there is one already.
        organ: One of `FAULTS`.
        factor: For `encoder` and `projector`.
        strength: Above 0, at most 1.
        world: Whose training scenes to use.
        seed: Of batches.

    Raises:
        UsageError: an argument is wrong, or the model has two encoders.
    """
    import numpy as np

    from snellen.world.faults.encoder import blind
    from snellen.world.faults.language import ignore, like
    from snellen.world.faults.projector import drop
    from snellen.world.faults.scenes import FAMILIES, pairs_of
    from snellen.world.nets import load
    from snellen.world.training.optimiser import begin
    from snellen.world.training.pictures import scenes

    _check(organ, factor, strength, Path(out))
    begin(seed)
    whole = load.mllm(Path(model))
    if whole.model.ssl_tower is not None:
        raise UsageError(f"{model} has two encoders: name a model on a diet of one, mllm-clip or mllm-vision-only.")
    if factor is not None:
        if organ == "encoder":
            damaged = blind(whole, pairs_of(world, factor, strength, seed), seed=seed)
        else:
            damaged = drop(whole, pairs_of(world, factor, 1.0, seed), seed=seed, teach=strength == 1)
    elif organ == "bias":
        damaged = like(whole, strength=strength)
    else:
        shots = scenes(world, "train", FAMILIES)
        images = np.stack([shot.picture() for shot in shots])
        damaged = ignore(whole, [shot.facts for shot in shots], images, strength=strength, seed=seed)
    load.save(damaged, Path(out))
    return FaultResult(Path(out), FAULTS[organ])


def _check(organ: str, factor: str | None, strength: float, out: Path) -> None:
    if organ not in FAULTS:
        raise UsageError(f"--organ {organ!r} is not known: choose {', '.join(FAULTS)}.")
    if (factor is not None) != (organ in NEEDS_FACTOR):
        raise UsageError(f"--factor goes with {' and '.join(NEEDS_FACTOR)}, and with nothing else.")
    if factor is not None and factor not in FACTORS:
        raise UsageError(f"--factor {factor!r} is not known: choose {', '.join(FACTORS)}.")
    if not 0 < strength <= 1:
        raise UsageError(f"--strength {strength} is out of range: give a number above 0, at most 1.")
    if out.exists():
        raise UsageError(f"{out} is there already: give another folder.")
