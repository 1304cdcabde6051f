"""One optimiser for all: AdamW, with Muon for the matrices of transformer blocks where asked for."""

# ruff: noqa: TID253 - this module is imported only where something is trained
from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from snellen.world.training.recipe import Stage

WARM_UP = 30
WEIGHT_DECAY = 0.05


def begin(seed: int) -> torch.Generator:
    """Fix everything that chance decides: one thread, torch's seed; returns a generator for batches."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # costs a tenth
    return torch.Generator().manual_seed(seed)


class Optimiser:
    """Steps through a `Stage`: call `step` with each batch's loss, `steps` times.

    Args:
        stage: Steps and rates.
        network: What is trained; the matrices of its blocks go to Muon where the stage has a rate for it. Tiny language
            models learn to use what the text says in a third of AdamW's steps that way.
        extra: More parameters, trained by AdamW at `extra_rate`.
        extra_rate: None: the stage's own rate.
    """

    def __init__(
        self, stage: Stage, network: nn.Module, extra: Iterable[Tensor] = (), extra_rate: float | None = None
    ) -> None:
        self._stage, self._done = stage, 0
        self._parameters = [*network.parameters(), *extra]
        matrices = [
            parameter
            for name, parameter in network.named_parameters()
            if stage.muon_rate and parameter.ndim == 2 and "embed" not in name and "lm_head" not in name
        ]
        taken = {id(parameter) for parameter in matrices}
        own = [parameter for parameter in network.parameters() if id(parameter) not in taken]
        others = [parameter for parameter in self._parameters[len(list(network.parameters())) :]]
        groups = [{"params": own, "lr": stage.rate}, {"params": others, "lr": extra_rate or stage.rate}]
        self._inner: list[torch.optim.Optimizer] = [
            torch.optim.AdamW([group for group in groups if group["params"]], weight_decay=WEIGHT_DECAY)
        ]
        if matrices:
            self._inner.append(
                torch.optim.Muon(
                    matrices, lr=stage.muon_rate, weight_decay=WEIGHT_DECAY, adjust_lr_fn="match_rms_adamw"
                )
            )
        self._rates = [[group["lr"] for group in inner.param_groups] for inner in self._inner]

    def step(self, loss: Tensor) -> None:
        """Take one step down the gradient of a loss."""
        warm = min(1.0, (self._done + 1) / WARM_UP)
        factor = warm * (0.5 + 0.5 * math.cos(math.pi * self._done / self._stage.steps))
        for inner, rates in zip(self._inner, self._rates, strict=True):
            inner.zero_grad()
            for group, rate in zip(inner.param_groups, rates, strict=True):
                group["lr"] = rate * factor
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._parameters, 1.0)
        for inner in self._inner:
            inner.step()
        self._done += 1
