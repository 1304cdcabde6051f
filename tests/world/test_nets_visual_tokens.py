"""Visual tokens and their mixtures, as a hand would compute them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from snellen.mllms.world_llava import tapped, visual_tokens
from snellen.mllms.world_llava import token_count as count_tokens
from snellen.world.nets import build
from snellen.world.training.pictures import pixels
from tests.world.tiny_nets import TOKENS, VISUAL, drawn, fed, reader_on


def test_pooling_is_the_mean_of_squares_of_patches() -> None:
    random = np.random.default_rng(0)
    hidden = random.standard_normal((2, 65, 5)).astype(np.float32)
    grid = hidden[:, 1:].reshape(2, 8, 8, 5)
    quarters = [grid[:, :4, :4], grid[:, :4, 4:], grid[:, 4:, :4], grid[:, 4:, 4:]]
    due = np.stack([quarter.reshape(2, 16, 5).mean(1) for quarter in quarters], 1)
    tensor, pooled = torch.from_numpy(hidden), torch.from_numpy(random.standard_normal((2, 5)).astype(np.float32))
    assert np.abs(visual_tokens(tensor, pooled, "pool:4").numpy() - due).max() <= 1e-6
    sixteenths = np.stack(
        [grid[:, y : y + 2, x : x + 2].mean((1, 2)) for y in range(0, 8, 2) for x in range(0, 8, 2)], 1
    )
    assert np.abs(visual_tokens(tensor, pooled, "pool:16").numpy() - sixteenths).max() <= 1e-6
    assert np.abs(visual_tokens(tensor, pooled, "pool:1").numpy()[:, 0] - grid.mean((1, 2))).max() <= 1e-6
    assert torch.equal(visual_tokens(tensor, pooled, "all"), tensor[:, 1:])
    assert torch.equal(visual_tokens(tensor, pooled, "global"), pooled[:, None])


def test_patches_lie_in_rows_from_the_top_left(parts: tuple[Any, Any, Any]) -> None:
    """A change in the top right quarter of a picture changes, of the embedded patches, those of the second square."""
    blank = np.zeros((1, 64, 64, 3), np.uint8)
    changed = blank.copy()
    changed[:, :32, 32:] = 255
    for tower in (parts[0].vision_model, parts[1]):
        with torch.no_grad():
            before, after = (tapped(tower, pixels(each), 0, "pool:4") for each in (blank, changed))
        assert (before != after).any(-1).tolist() == [[False, True, False, False]]


def test_towers_are_tapped_where_llava_taps_them(parts: tuple[Any, Any, Any]) -> None:
    """CLIP after its last block but one, the vision-only encoder after its last, before the LayerNorm."""
    images = pixels(drawn()[1])
    clip, vision_only = parts[0].vision_model, parts[1]
    caught: dict[str, Tensor] = {}

    def catch(name: str) -> Any:
        return lambda module, args, out: caught.update({name: out[0] if isinstance(out, tuple) else out})

    hooks = [
        clip.encoder.layers[1].register_forward_hook(catch("clip")),
        vision_only.encoder.layer[2].register_forward_hook(catch("vision-only")),
    ]
    with torch.no_grad():
        first, second = tapped(clip, images, -2, "all"), tapped(vision_only, images, -1, "all")
        normed = vision_only(images).last_hidden_state[:, 1:]
    for hook in hooks:
        hook.remove()
    assert torch.equal(first, caught["clip"][:, 1:])
    assert torch.equal(second, caught["vision-only"][:, 1:])
    assert (second - normed).abs().max() > 0.01


def test_the_encoders_row_is_a_linear_map_of_the_global_token(parts: tuple[Any, Any, Any]) -> None:
    images = pixels(drawn()[1])
    with torch.no_grad():
        token = tapped(parts[0].vision_model, images, -2, "global")[:, 0]
        row = parts[0].get_image_features(pixel_values=images).pooler_output
    assert np.abs(token.numpy() @ parts[0].visual_projection.weight.detach().numpy().T - row.numpy()).max() <= 1e-4


@pytest.mark.parametrize("visual", VISUAL)
@pytest.mark.parametrize("name", ["clip", "additive-0.5", "interleaved"])
def test_as_many_places_as_features(parts: tuple[Any, Any, Any], name: str, visual: str) -> None:
    shots, images = drawn()
    model = reader_on(parts, name, visual)
    due = TOKENS[visual] * (2 if name == "interleaved" else 1)
    assert count_tokens(visual, build.GRID) == TOKENS[visual]
    inputs = fed(build.processor(model), ["Which letter?"] * len(shots), images)
    assert (inputs["input_ids"] == 4).sum(1).tolist() == [due] * len(shots)
    with torch.no_grad():
        features = model.model.get_image_features(pixel_values=inputs["pixel_values"]).pooler_output
        assert [tuple(each.shape) for each in features] == [(due, build.WIDTH)] * len(shots)
        assert model(**inputs).logits.isfinite().all()


def test_interleaved_alternates_the_first_encoders_tokens_and_the_seconds(parts: tuple[Any, Any, Any]) -> None:
    inner = reader_on(parts, "interleaved").model
    images = pixels(drawn()[1])
    with torch.no_grad():
        features = inner.get_image_features(pixel_values=images).last_hidden_state
        mean = torch.linspace(-1, 1, build.WIDTH)
        first = inner.multi_modal_projector((tapped(inner.vision_tower, images, -2, "pool:4") - mean) / 1.5)
        second = inner.ssl_projector((tapped(inner.ssl_tower, images, -1, "pool:4") - mean) / 1.5)
    assert torch.allclose(features[:, 0::2], first, atol=1e-5)
    assert torch.allclose(features[:, 1::2], second, atol=1e-5)
    assert (first - second).abs().max() > 0.1


def test_additive_goes_from_the_one_encoder_to_the_other(parts: tuple[Any, Any, Any]) -> None:
    images = pixels(drawn()[1])
    mixed = reader_on(parts, "additive-0.5")
    alone = {name: reader_on(parts, name) for name in ("clip", "vision-only")}
    for model in alone.values():
        model.model.multi_modal_projector.load_state_dict(mixed.model.multi_modal_projector.state_dict())
    with torch.no_grad():
        due = {
            name: model.model.get_image_features(pixel_values=images).last_hidden_state for name, model in alone.items()
        }
        assert (due["clip"] - due["vision-only"]).abs().max() > 0.1
        for ratio, name in ((0.0, "clip"), (1.0, "vision-only")):
            mixed.config.ssl_ratio = mixed.model.config.ssl_ratio = ratio
            got = mixed.model.get_image_features(pixel_values=images).last_hidden_state
            assert torch.allclose(got, due[name], atol=1e-5), name
        mixed.model.config.ssl_ratio = 0.25
        tokens = [
            (tapped(tower, images, layer, "pool:4") - torch.linspace(-1, 1, build.WIDTH)) / 1.5
            for tower, layer in ((mixed.model.vision_tower, -2), (mixed.model.ssl_tower, -1))
        ]
        quarter = mixed.model.multi_modal_projector(0.75 * tokens[0] + 0.25 * tokens[1])
        assert torch.allclose(mixed.model.get_image_features(pixel_values=images).last_hidden_state, quarter, atol=1e-5)


def test_standardising_is_one_mean_a_feature_and_one_deviation_for_all() -> None:
    from snellen.mllms.world_llava import Standard

    tokens = (np.random.default_rng(0).standard_normal((50, 4, 6)) * [1, 2, 3, 4, 5, 6] + 7).astype(np.float32)
    standard = Standard(6)
    standard.fit(torch.from_numpy(tokens))
    rows = tokens.reshape(200, 6).astype(np.float64)
    centred = rows - rows.mean(0)
    due = centred / np.sqrt((centred**2).mean())
    assert np.abs(standard(torch.from_numpy(tokens)).numpy().reshape(200, 6) - due).max() <= 1e-5


# What is trained is what is asked
