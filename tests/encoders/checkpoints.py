"""Tiny random checkpoints, in the real on-disk formats of the libraries.

Each builder writes a folder or file under `root` and returns the model's name for `load_encoder`.
"""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

SIDE = 32
PATCH = 8

VISION: dict[str, Any] = {
    "hidden_size": 24,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "image_size": SIDE,
    "patch_size": PATCH,
}
TEXT: dict[str, Any] = {
    "hidden_size": 20,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "vocab_size": 120,
    "max_position_embeddings": 16,
}


def randomise(model: Any, seed: int = 0, strength: float = 0.2) -> Any:
    """Give every floating-point weight a size that matters; fresh models have zeros where mistakes would hide."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                noise = torch.randn(tensor.shape, generator=generator) * strength
                tensor.copy_(tensor + noise if tensor.ndim != 1 else tensor.abs() + noise.abs())
    return model.eval()


def words() -> dict[str, int]:
    """A vocabulary of single characters, as CLIP writes them."""
    tokens = ["<|startoftext|>", "<|endoftext|>", *string.ascii_lowercase, *string.digits]
    tokens += [f"{token}</w>" for token in (*string.ascii_lowercase, *string.digits)]
    return {token: index for index, token in enumerate(tokens)}


def clip_tokenizer() -> Any:
    from transformers import CLIPTokenizer

    return CLIPTokenizer(vocab=words(), merges=[])


def gemma_like_tokenizer(length: int) -> Any:
    from transformers import Siglip2Tokenizer

    letters = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "▁", *string.ascii_letters, *string.digits]
    vocab = {token: index for index, token in enumerate(letters)}
    return Siglip2Tokenizer(vocab=vocab, merges=[], model_max_length=length, padding_side="right")


def sentencepiece_tokenizer(root: Path) -> Any:
    import sentencepiece
    from transformers import SiglipTokenizer

    corpus = ["a photo of a cat", "a photo of two dogs", "left and right", "the quick brown fox jumps"] * 5
    prefix = root / "spiece"
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus),
        model_prefix=str(prefix),
        vocab_size=60,
        hard_vocab_limit=False,
        minloglevel=2,
        pad_id=-1,
        eos_id=1,
        unk_id=0,
        bos_id=-1,
    )
    return SiglipTokenizer(str(prefix.with_suffix(".model")), model_max_length=16)


def clip(root: Path) -> str:
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

    config = CLIPConfig(
        text_config={**TEXT, "eos_token_id": 1, "bos_token_id": 0, "pad_token_id": 1, "projection_dim": 12},
        vision_config={**VISION, "projection_dim": 12},
        projection_dim=12,
    )
    randomise(CLIPModel(config)).save_pretrained(root)
    clip_tokenizer().save_pretrained(root)
    CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}).save_pretrained(root)
    return f"transformers/{root}"


def clip_vision(root: Path) -> str:
    """A dual checkpoint whose configuration says that only its vision tower is wanted."""
    source = root.parent / "clip_for_vision"
    clip(source)
    config = json.loads((source / "config.json").read_text())
    vision = {**config["vision_config"], "model_type": "clip_vision_model"}
    root.mkdir()
    (root / "config.json").write_text(json.dumps(vision))
    for name in ("model.safetensors", "preprocessor_config.json"):
        (root / name).write_bytes((source / name).read_bytes())
    return f"transformers/{root}"


def metaclip_2(root: Path) -> str:
    from transformers import CLIPImageProcessorPil, MetaClip2Config, MetaClip2Model

    text = {**TEXT, "eos_token_id": 1, "bos_token_id": 0, "pad_token_id": 1, "projection_dim": 12}
    vision = {**VISION, "projection_dim": 12}
    randomise(
        MetaClip2Model(MetaClip2Config(text_config=text, vision_config=vision, projection_dim=12))
    ).save_pretrained(root)
    clip_tokenizer().save_pretrained(root)
    CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}).save_pretrained(root)
    return f"transformers/{root}"


def siglip(root: Path) -> str:
    from transformers import SiglipConfig, SiglipImageProcessorPil, SiglipModel

    config = SiglipConfig(text_config={**TEXT, "projection_size": 24}, vision_config=VISION)
    randomise(SiglipModel(config)).save_pretrained(root)
    sentencepiece_tokenizer(root).save_pretrained(root)
    SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE}).save_pretrained(root)
    return f"transformers/{root}"


def siglip_vision(root: Path) -> str:
    from transformers import SiglipImageProcessorPil, SiglipVisionConfig, SiglipVisionModel

    randomise(SiglipVisionModel(SiglipVisionConfig(**VISION))).save_pretrained(root)
    SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE}, resample=2).save_pretrained(root)
    return f"transformers/{root}"


def siglip2(root: Path) -> str:
    """NaFlex: pictures of any proportions."""
    from transformers import Siglip2Config, Siglip2ImageProcessorPil, Siglip2Model

    vision = {key: value for key, value in VISION.items() if key != "image_size"} | {"num_patches": 16}
    config = Siglip2Config(text_config={**TEXT, "projection_size": 24}, vision_config=vision)
    randomise(Siglip2Model(config)).save_pretrained(root)
    gemma_like_tokenizer(16).save_pretrained(root)
    Siglip2ImageProcessorPil(patch_size=PATCH, max_num_patches=20).save_pretrained(root)
    return f"transformers/{root}"


def _bit_processor(root: Path) -> None:
    from transformers import BitImageProcessorPil

    BitImageProcessorPil(size={"shortest_edge": 36}, crop_size={"height": SIDE, "width": SIDE}).save_pretrained(root)


def dinov2(root: Path) -> str:
    from transformers import Dinov2Config, Dinov2Model

    sizes = {key: value for key, value in VISION.items() if key != "intermediate_size"}
    randomise(Dinov2Model(Dinov2Config(**{**sizes, "image_size": 48}))).save_pretrained(root)
    _bit_processor(root)
    return f"transformers/{root}"


def dinov2_with_registers(root: Path) -> str:
    from transformers import Dinov2WithRegistersConfig, Dinov2WithRegistersModel

    sizes = {key: value for key, value in VISION.items() if key != "intermediate_size"}
    randomise(Dinov2WithRegistersModel(Dinov2WithRegistersConfig(**sizes))).save_pretrained(root)
    _bit_processor(root)
    return f"transformers/{root}"


def dinov3_vit(root: Path) -> str:
    from transformers import DINOv3ViTConfig, DINOv3ViTImageProcessor, DINOv3ViTModel

    config = DINOv3ViTConfig(**{**VISION, "num_register_tokens": 4})
    randomise(DINOv3ViTModel(config)).save_pretrained(root)
    DINOv3ViTImageProcessor(size={"height": SIDE, "width": SIDE}).save_pretrained(root)
    return f"transformers/{root}"


def dinov3_convnext(root: Path) -> str:
    from transformers import DINOv3ConvNextConfig, DINOv3ConvNextModel, DINOv3ViTImageProcessor

    config = DINOv3ConvNextConfig(hidden_sizes=[8, 12, 16, 20], depths=[1, 1, 1, 1])
    randomise(DINOv3ConvNextModel(config)).save_pretrained(root)
    DINOv3ViTImageProcessor(size={"height": 64, "width": 64}).save_pretrained(root)
    return f"transformers/{root}"


def vit_mae(root: Path) -> str:
    """As published: the pre-training model, decoder and all, with its mask ratio of 0.75."""
    from transformers import ViTImageProcessorPil, ViTMAEConfig, ViTMAEForPreTraining

    decoder = {"decoder_hidden_size": 16, "decoder_num_hidden_layers": 1, "decoder_num_attention_heads": 2}
    randomise(ViTMAEForPreTraining(ViTMAEConfig(**VISION, **decoder, decoder_intermediate_size=32))).save_pretrained(
        root
    )
    ViTImageProcessorPil(size={"height": SIDE, "width": SIDE}).save_pretrained(root)
    return f"transformers/{root}"


def vit(root: Path) -> str:
    """As published: a classifier."""
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessorPil

    randomise(ViTForImageClassification(ViTConfig(**VISION))).save_pretrained(root)
    ViTImageProcessorPil(size={"height": SIDE, "width": SIDE}).save_pretrained(root)
    return f"transformers/{root}"
