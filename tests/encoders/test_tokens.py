"""Patch tokens against what leaves the libraries' own blocks, caught by a hook."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.encoders.conftest import KINDS, Case

WITH_BLOCKS = [kind for kind, made in KINDS.items() if made.grid is not None and made.blocks > 1]


def blocks_of(network: Any, count: int) -> Any:
    """Find the image tower's list of blocks."""
    import torch

    tower = getattr(network, "vision_model", getattr(network, "visual", network))
    lists = [
        module
        for module in tower.modules()
        if isinstance(module, torch.nn.ModuleList | torch.nn.Sequential) and len(module) == count
    ]
    return lists[0]


@pytest.mark.parametrize("case", WITH_BLOCKS, indirect=True)
def test_second_last_layer_is_what_leaves_that_block(case: Case) -> None:
    """Layer -2 is what LLaVA takes from CLIP."""
    network: Any = case.encoder._network  # type: ignore[attr-defined]
    seen: list[Any] = []

    def keep(_module: Any, _inputs: Any, output: Any) -> None:
        seen.append(output[0] if isinstance(output, tuple) else output)

    handle = blocks_of(network, case.blocks)[case.blocks - 2].register_forward_hook(keep)
    try:
        tokens = case.encoder.tokens(case.batch[4:5], layer=-2).values
    finally:
        handle.remove()
    assert case.grid is not None
    patches = case.grid[0] * case.grid[1]
    raw = seen[0].float().numpy()
    prefix = 0 if case.kind == "siglip2_naflex" else raw.shape[1] - patches
    assert prefix == {"dinov2_with_registers": 5, "dinov3_vit": 5}.get(case.kind, 0 if "siglip" in case.kind else 1)
    assert np.array_equal(tokens, raw[:, prefix : prefix + patches])


@pytest.mark.parametrize("case", ["dinov2", "dinov2_with_registers", "dinov3_vit", "vit", "vit_mae"], indirect=True)
def test_last_layer_is_the_librarys_last_hidden_state(case: Case) -> None:
    import torch

    network: Any = case.encoder._network  # type: ignore[attr-defined]
    options: dict[str, Any] = {"noise": torch.arange(16)[None]} if case.kind == "vit_mae" else {}
    with torch.no_grad():
        state = network(pixel_values=torch.from_numpy(case.batch[:1]), **options).last_hidden_state.numpy()
    assert np.array_equal(case.encoder.tokens(case.batch[:1]).values, state[:, -16:])


@pytest.mark.parametrize("case", ["open_clip_folder"], indirect=True)
def test_last_layer_is_what_open_clips_head_sees(case: Case) -> None:
    import torch

    network: Any = case.encoder._network  # type: ignore[attr-defined]
    network.visual.output_tokens = True
    try:
        with torch.no_grad():
            _, tokens = network.visual(torch.from_numpy(case.batch[:1]))
    finally:
        network.visual.output_tokens = False
    assert np.array_equal(case.encoder.tokens(case.batch[:1]).values, tokens.numpy())


@pytest.mark.parametrize("case", ["vit_mae"], indirect=True)
def test_mae_tokens_follow_the_picture(case: Case) -> None:
    """Nothing is shuffled: changing one patch's pixels changes that patch's embedding most."""
    batch = case.batch[:1].copy()
    before = case.encoder.tokens(batch, layer=0).values
    batch[:, :, 8:16, 16:24] += 2  # row 1, column 2 of the 4 x 4 grid
    change = np.abs(case.encoder.tokens(batch, layer=0).values - before).mean(axis=(0, 2))
    assert change.argmax() == 6
