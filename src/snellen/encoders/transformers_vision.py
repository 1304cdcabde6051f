"""Image encoders of transformers: DINOv2, DINOv3, ViT-MAE, ViT, and the vision towers of CLIP and SigLIP.

Poolings:

- `cls`: the class token after the final LayerNorm. DINOv2 (arXiv 2304.07193, section 7) and DINOv3 (arXiv 2508.10104)
  evaluate it with linear probes; with registers (arXiv 2309.16588) it is the same token, the registers are dropped.
  ViT (arXiv 2010.11929, section 3.1, equation 4); the pooler that the library may add behind it is left out.
  ViT-MAE (arXiv 2111.06377, section 4.3): the encoder's class token, nothing masked and nothing shuffled.
- `mean`: DINOv3 ConvNeXt has no class token: the mean of the last feature map, after its LayerNorm.
- `projected`, `attention`: as in `transformers_dual`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from snellen.encoders.torch_encoder import TorchEncoder, block_index
from snellen.errors import Unsupported

if TYPE_CHECKING:
    from torch import Tensor

    from snellen.encoders.transformers import Loaded

CONVNEXT_STRIDE = 32


class VisionEncoder(TorchEncoder):
    """A vision-only checkpoint."""

    def __init__(self, *, name: str, loaded: Loaded, recipe: Mapping[str, Any], device: str, dtype: str) -> None:
        """Wrap a loaded checkpoint; see `TorchEncoder`."""
        self._network: Any = loaded.model
        self._type = loaded.model_type
        self._pooling = loaded.family.pooling
        super().__init__(
            name=name, model=loaded.model, preprocess=loaded.preprocess, recipe=recipe, device=device, dtype=dtype
        )

    def _pool(self, pixels: Tensor) -> Tensor:
        seen = self._forward(pixels)
        pooled: Tensor
        if self._pooling == "projected":
            pooled = seen.image_embeds
        elif self._pooling == "cls":
            pooled = seen.last_hidden_state[:, 0]
        else:
            pooled = seen.pooler_output
        return pooled

    def _patches(self, pixels: Tensor, layer: int) -> tuple[Tensor, int, int]:
        if self._type == "dinov3_convnext":
            if layer != -1:
                raise Unsupported(f"{self.name} is a ConvNeXt: only its last feature map (layer -1) can be had")
            height, width = (-(-side // CONVNEXT_STRIDE) for side in pixels.shape[2:])
            return self._forward(pixels).last_hidden_state[:, 1:], height, width
        config = self._network.config
        index = block_index(layer, config.num_hidden_layers, self.name)
        seen = self._forward(pixels, output_hidden_states=True)
        values: Tensor = seen.hidden_states[index + 1]
        if index == config.num_hidden_layers - 1:
            values = self._final_norm()(values)
        height, width = (side // config.patch_size for side in pixels.shape[2:])
        prefix = values.shape[1] - height * width  # the class token, and registers where there are any
        return values[:, prefix:], height, width

    def _final_norm(self) -> Any:  # noqa: ANN401 - a LayerNorm under several names
        tower = getattr(self._network, "vision_model", self._network)
        for attribute in ("post_layernorm", "layernorm", "norm"):
            if hasattr(tower, attribute):
                return getattr(tower, attribute)
        raise Unsupported(f"{self.name}: no final norm found, so its last patch tokens cannot be given")

    def _forward(self, pixels: Tensor, **options: bool) -> Any:  # noqa: ANN401 - a ModelOutput
        if self._type != "vit_mae":
            return self._network(pixel_values=pixels, **options)
        # Even with nothing masked the model orders its patches by noise; increasing noise keeps their order.
        import torch

        count = self._network.embeddings.patch_embeddings.num_patches
        noise = torch.arange(count, dtype=torch.float32, device=pixels.device).expand(len(pixels), -1)
        return self._network(pixel_values=pixels, noise=noise, **options)
