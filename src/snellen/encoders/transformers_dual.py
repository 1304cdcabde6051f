"""Image-text encoders of transformers: CLIP, MetaCLIP, SigLIP, SigLIP 2.

Poolings:

- `projected` (CLIP, arXiv 2103.00020, section 2.4; MetaCLIP, arXiv 2309.16671, has the same architecture, and
  MetaCLIP 2, arXiv 2507.22062, but for its tokenizer): the class token after the last block and a LayerNorm, times
  the visual projection. Text: the end-of-text token, times the text projection.
- `attention` (SigLIP, arXiv 2303.15343, section 3; SigLIP 2, arXiv 2502.14786, section 2): a multi-head attention
  pooling over the patch tokens after the final LayerNorm, no projection. Text: the last position, through a linear
  head; texts are lower-cased and padded to the full length (64), as in training, and no mask is passed.

Vectors are then scaled to unit length.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from snellen.encoders import hub
from snellen.encoders.base import FloatArray, IntArray, unit_rows
from snellen.encoders.naflex import unpack
from snellen.encoders.quiet import quiet_libraries
from snellen.encoders.torch_encoder import TorchEncoder, block_index
from snellen.errors import EncoderError, Unsupported

if TYPE_CHECKING:
    from torch import Tensor

    from snellen.encoders.transformers import Loaded


class DualEncoder(TorchEncoder):
    """CLIP, MetaCLIP, and SigLIP or SigLIP 2 of fixed resolution."""

    def __init__(self, *, name: str, loaded: Loaded, recipe: Mapping[str, Any], device: str, dtype: str) -> None:
        """Wrap a loaded checkpoint; see `TorchEncoder`."""
        self._loaded = loaded
        self._network: Any = loaded.model
        self._tokenizer: Any = None
        self._sigmoid = loaded.family.pooling == "attention"
        super().__init__(
            name=name, model=loaded.model, preprocess=loaded.preprocess, recipe=recipe, device=device, dtype=dtype
        )

    def embed_text(self, texts: list[str]) -> FloatArray:
        """Embed texts to unit rows float32 [n, dim]; longer ones are cut by the tokenizer, its end token kept.

        Raises:
            EncoderError: the checkpoint has no tokenizer.
        """
        import torch

        encoded = self._tokens(texts)
        inputs = {"input_ids": encoded["input_ids"].to(self._device)}
        if not self._sigmoid:
            inputs["attention_mask"] = encoded["attention_mask"].to(self._device)
        with torch.inference_mode():
            return unit_rows(self._array(self._network.get_text_features(**inputs).pooler_output))

    def token_ids(self, texts: list[str]) -> IntArray:
        """Return what `embed_text` gives to the network: int64 [n, length]. Raises as it does."""
        ids: IntArray = self._tokens(texts)["input_ids"].numpy()
        return ids

    def _tokens(self, texts: list[str]) -> Mapping[str, Tensor]:
        if self._tokenizer is None:
            self._tokenizer = self._load_tokenizer()
        tokens: Mapping[str, Tensor] = self._tokenizer(
            [text.lower() for text in texts] if self._sigmoid else texts,
            padding="max_length",
            truncation=True,
            max_length=self._network.config.text_config.max_position_embeddings,
            return_tensors="pt",
        )
        return tokens

    def _pool(self, pixels: Tensor) -> Tensor:
        pooled: Tensor = self._network.get_image_features(**self._inputs(pixels)).pooler_output
        return pooled

    def _patches(self, pixels: Tensor, layer: int) -> tuple[Tensor, int, int]:
        tower = self._network.vision_model
        blocks = tower.config.num_hidden_layers
        index = block_index(layer, blocks, self.name)
        seen = tower(**self._inputs(pixels), output_hidden_states=True)
        values: Tensor = seen.hidden_states[index + 1]
        if index == blocks - 1:
            values = tower.post_layernorm(values)
        if not self._sigmoid:
            values = values[:, 1:]  # the class token
        height, width = self._grid(pixels)
        return values[:, : height * width], height, width

    def _inputs(self, pixels: Tensor) -> dict[str, Tensor]:
        return {"pixel_values": pixels}

    def _grid(self, pixels: Tensor) -> tuple[int, int]:
        side = self._network.config.vision_config.patch_size
        return pixels.shape[2] // side, pixels.shape[3] // side

    def _load_tokenizer(self) -> Any:  # noqa: ANN401 - transformers' tokenizers are untyped
        from transformers import AutoTokenizer

        loaded = self._loaded

        def load() -> Any:  # noqa: ANN401
            return AutoTokenizer.from_pretrained(
                loaded.source,
                revision=loaded.revision or "main",
                local_files_only=loaded.local,
                trust_remote_code=False,
            )

        problem = f"{self.name} cannot embed texts: its tokenizer cannot be loaded from {loaded.source}"
        with quiet_libraries():
            try:
                tokenizer = load() if loaded.local else hub.fetch(self.name, load, repository=loaded.source)
            except (OSError, ValueError) as error:
                raise EncoderError(f"{problem} ({' '.join(str(error).split())[:200]})") from error
        # Without files transformers makes an empty tokenizer, in silence, to which all texts are the same.
        first, second = tokenizer(["left", "a photo of 2 dogs"])["input_ids"]
        if set(first) == set(second):
            raise EncoderError(f"{problem} (its vocabulary is missing or empty)")
        return tokenizer


class NaflexEncoder(DualEncoder):
    """SigLIP 2 NaFlex: pictures of any proportions, packed by `NaflexPixels`."""

    def _pixels(self, batch: FloatArray) -> Tensor:
        import torch

        # Stays float32 until unpacked: bfloat16 has no 257, and the grid's sides are counts.
        return torch.from_numpy(batch).to(self._device)

    def _inputs(self, pixels: Tensor) -> dict[str, Tensor]:
        patches, mask, grids = unpack(pixels)
        return {
            "pixel_values": patches.to(self._dtype),
            "pixel_attention_mask": mask,
            "spatial_shapes": grids,
        }

    def _grid(self, pixels: Tensor) -> tuple[int, int]:
        grids = {(int(height), int(width)) for height, width in pixels[:, 0, 0, :2].tolist()}
        if len(grids) != 1:
            raise Unsupported(f"{self.name} gives grids of several shapes in one batch; ask for one picture at a time")
        return next(iter(grids))
