"""SigLIP 2 NaFlex: packing and its inverse, against the library's processor."""

from __future__ import annotations

import numpy as np
import pytest

from snellen.encoders.naflex import NaflexPixels, unpack
from snellen.encoders.transformers_pixels import translate
from snellen.errors import Unsupported
from tests.encoders.conftest import Case
from tests.encoders.pictures import PICTURES


@pytest.mark.parametrize(("patch", "count"), [(8, 20), (16, 256), (14, 7)])
def test_unpacked_is_what_the_library_makes(patch: int, count: int) -> None:
    import torch
    from transformers import Siglip2ImageProcessorPil

    processor = Siglip2ImageProcessorPil(patch_size=patch, max_num_patches=count)
    recipe = translate(processor)
    assert isinstance(recipe, NaflexPixels)
    packed = np.stack([recipe(image) for image in PICTURES])
    assert packed.shape == (len(PICTURES), 3, 1 + count, patch * patch) and packed.dtype == np.float32
    patches, mask, grids = unpack(torch.from_numpy(packed))
    theirs = processor(images=PICTURES, return_tensors="pt")
    assert (patches - theirs["pixel_values"]).abs().max() <= 1e-6
    assert torch.equal(mask, theirs["pixel_attention_mask"].long())
    assert torch.equal(grids, theirs["spatial_shapes"])


@pytest.mark.parametrize("case", ["siglip2_naflex"], indirect=True)
def test_tokens_need_one_grid(case: Case) -> None:
    with pytest.raises(Unsupported, match="several shapes"):
        case.encoder.tokens(case.batch)
    wide = case.encoder.tokens(case.batch[3:4])
    assert wide.grid_width > wide.grid_height
    assert wide.values.shape[1] == wide.grid_width * wide.grid_height
