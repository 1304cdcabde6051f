"""What a multimodal LLM holds of a picture on its way from the encoder to the answer.

    encoder.N     behind block N of the vision tower, from 0
    pooled        the tower's pooled vector, where it has one: what image-text matching and mining look at
    tap           what the projector is given: the layer and the tokens that this very model receives
    projector     what it gives to the language model
    language.N    behind block N of the language model, from 0; all tokens of the prompt, the pictures' among them

Modules are found by the names that transformers' architectures give them, and watched by hooks, so that everything
comes from the same forward pass that answers. Where a name is not known, nothing is guessed.
"""

# ruff: noqa: TID253 - this module is imported only where a model is wanted
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from snellen.errors import Unsupported, UsageError

FloatArray = NDArray[np.float32]

PROJECTORS: Final = ("multi_modal_projector", "ssl_projector", "mm_projector", "merger", "connector", "mlp1")
"""What architectures call the way from the encoder's width to the language model's; a mixture may have two."""

TOWERS: Final = ("vision_tower", "vision_model", "visual", "vision_encoder")
LANGUAGE: Final = ("language_model", "text_model")


class Stops:
    """The stops of one model, by the names above.

    Args:
        model: Any of transformers' image-text-to-text models.
        name: For messages.
    """

    def __init__(self, model: nn.Module, name: str) -> None:
        self._name = name
        self._projectors = _outermost(model, PROJECTORS)
        self._tower = next(iter(_outermost(model, TOWERS)), None)
        self._language = next(iter(_outermost(model, LANGUAGE)), None)
        self._blocks = {
            "encoder": [] if self._tower is None else _blocks(self._tower),
            "language": [] if self._language is None else _blocks(self._language),
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Every stop that there is, in the order of the way."""
        encoder, language = (
            [f"{part}.{number}" for number in range(len(self._blocks[part]))] for part in ("encoder", "language")
        )
        own = (["pooled"] if self._tower is not None else []) + (["tap", "projector"] if self._projectors else [])
        return (*encoder, *own, *language)

    def check(self, wanted: Sequence[str]) -> None:
        """Refuse stops that the model has not.

        Raises:
            Unsupported: the architecture's parts are not known here.
            UsageError: there is no such stop.
        """
        if not self._projectors:
            raise Unsupported(
                f"{self._name} has no projector under a name that is known here ({', '.join(PROJECTORS)}): its hidden "
                "states are not available, and a diagnosis has its answers alone."
            )
        for stop in wanted:
            if stop not in self.names:
                raise UsageError(f"{self._name} has no stop {stop!r}: it has {', '.join(self.names)}.")

    def watch(
        self, wanted: Sequence[str], run: Callable[[], object], pictures: int = 1
    ) -> list[dict[str, FloatArray]] | None:
        """Run a forward pass and return what stood at the stops, for every picture: [tokens, width].

        The pass ends at the language model's door unless a stop inside it is wanted.

        Returns:
            One dict a picture; None where the model puts the tokens of several pictures together, so that they cannot
            be told apart: pass one at a time.

        Raises:
            Unsupported: the model has no such parts, or no pooled vector.
            UsageError: there is no such stop.
        """
        self.check(wanted)
        seen: dict[str, list[Tensor]] = {}
        with ExitStack() as hooks:
            for projector in self._projectors:
                hooks.enter_context(_hooked(projector, seen, "tap", "projector"))
            if "pooled" in wanted and self._tower is not None:
                hooks.enter_context(_pooled(self._tower, seen))
            for part, blocks in self._blocks.items():
                for number, block in enumerate(blocks):
                    if f"{part}.{number}" in wanted:
                        hooks.enter_context(_hooked(block, seen, None, f"{part}.{number}"))
            if self._language is not None and not any(stop.startswith("language.") for stop in wanted):
                hooks.enter_context(_stopped(self._language))
            with suppress(_Enough):
                run()
        missing = [stop for stop in wanted if stop not in seen]
        if missing:
            raise Unsupported(f"{self._name} gives nothing at {missing[0]}: leave that stop out.")
        if pictures == 1:
            return [{stop: _rows(seen[stop]) for stop in wanted}]
        parts = [(stop, part) for stop in wanted for part in seen[stop]]
        if any((part.ndim != 3 and stop != "pooled") or len(part) != pictures for stop, part in parts):
            return None
        return [
            {stop: _rows([part[at] if part.ndim == 3 else part[at : at + 1] for part in seen[stop]]) for stop in wanted}
            for at in range(pictures)
        ]


@contextmanager
def random_towers(model: nn.Module, name: str, seed: int) -> Iterator[None]:
    """Give a model vision towers of the same architecture with random weights, for as long as this lasts.

    What a probe reads from these owes nothing to training: it is in the pixels, and an untrained network keeps much of
    them.

    Raises:
        Unsupported: there is no vision tower under a name that is known here.
    """
    places = [
        (parent, child)
        for parent in model.modules()
        for child, tower in parent.named_children()
        if child in (*TOWERS, "ssl_tower") and hasattr(tower, "config") and not _inside(parent)
    ]
    if not places:
        raise Unsupported(f"{name} has no vision tower under a name that is known here: {', '.join(TOWERS)}.")
    kept = [getattr(parent, child) for parent, child in places]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for (parent, child), tower in zip(places, kept, strict=True):
            example = next(tower.parameters())
            setattr(parent, child, type(tower)(tower.config).to(example.device, example.dtype).eval())
    try:
        yield
    finally:
        for (parent, child), tower in zip(places, kept, strict=True):
            setattr(parent, child, tower)


def _inside(parent: nn.Module) -> bool:
    """Is this a tower's own wrapper, whose inner part goes with it?"""
    return any(word in type(parent).__name__ for word in ("Vision", "Dinov2"))


class _Enough(Exception):
    """All stops that are wanted have been passed."""


def _rows(parts: Sequence[Tensor]) -> FloatArray:
    """Put what the modules of one stop gave one below the other: float32 [tokens, width]."""
    rows: FloatArray = torch.cat([part.reshape(-1, part.shape[-1]) for part in parts]).float().cpu().numpy()
    return rows


def _outermost(model: nn.Module, names: Sequence[str]) -> list[nn.Module]:
    """Return the modules of these names that lie in no other of them, in the order of the names."""
    found: dict[str, nn.Module] = {}
    for path, module in model.named_modules():
        last = path.rpartition(".")[2]
        if last in names and not any(path.startswith(f"{above}.") for above in found):
            found[path] = module
    ordered = sorted(found, key=lambda path: names.index(path.rpartition(".")[2]))
    return [found[path] for path in ordered]


def _blocks(part: nn.Module) -> list[nn.Module]:
    """Return the blocks of a transformer: its longest list of modules."""
    lists = [list(module) for module in part.modules() if isinstance(module, nn.ModuleList)]
    return max(lists, key=len, default=[])


@contextmanager
def _hooked(module: nn.Module, seen: dict[str, list[Tensor]], before: str | None, after: str) -> Iterator[None]:
    def keep(_module: nn.Module, given: tuple[Any, ...], got: Any) -> None:  # noqa: ANN401 - what modules give
        if before is not None and given:
            seen.setdefault(before, []).append(given[0].detach())
        value = got[0] if isinstance(got, tuple) else got
        seen.setdefault(after, []).append(value.detach())

    handle = module.register_forward_hook(keep)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def _pooled(tower: nn.Module, seen: dict[str, list[Tensor]]) -> Iterator[None]:
    def keep(_module: nn.Module, _given: tuple[Any, ...], got: Any) -> None:  # noqa: ANN401 - what towers give
        value = got.get("pooler_output") if isinstance(got, Mapping) else getattr(got, "pooler_output", None)
        if value is not None:
            seen.setdefault("pooled", []).append(value.detach())

    handle = tower.register_forward_hook(keep)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def _stopped(language: nn.Module) -> Iterator[None]:
    def stop(_module: nn.Module, _given: tuple[Any, ...]) -> None:
        raise _Enough

    handle = language.register_forward_pre_hook(stop)
    try:
        yield
    finally:
        handle.remove()
