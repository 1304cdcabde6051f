"""Saving and loading of the tiny models, through transformers' own formats; weights lie in float16."""

# ruff: noqa: TID253 - this module is imported only where a model is wanted
from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import CLIPModel, Dinov2Model, LlamaForCausalLM

from snellen.encoders.quiet import quiet_libraries
from snellen.errors import StudyError
from snellen.mllms.world_llava import WorldLlavaForConditionalGeneration
from snellen.world.nets.build import image_processor, processor
from snellen.world.nets.tokenizer import tokenizer


def save(model: Any, folder: Path) -> None:  # noqa: ANN401 - transformers is untyped
    """Save a model and what feeds it; the folder appears whole, or not at all.

    The model itself is in float16 afterwards: let saving be the last thing done to it.
    """
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    with quiet_libraries():
        model.half().save_pretrained(partial, save_original_format=False)
    if isinstance(model, CLIPModel):
        tokenizer(ends=True).save_pretrained(partial)
        image_processor().save_pretrained(partial)
    elif isinstance(model, Dinov2Model):
        image_processor().save_pretrained(partial)
    elif isinstance(model, LlamaForCausalLM):
        tokenizer(ends=False).save_pretrained(partial)
    else:
        processor(model).save_pretrained(partial)
    for file in partial.iterdir():
        file.chmod(0o644)  # safetensors leaves them readable to their owner alone
    partial.rename(folder)


def clip(folder: Path) -> CLIPModel:
    """Load the image-text encoder."""
    return _load(CLIPModel, folder)


def vision_only(folder: Path) -> Dinov2Model:
    """Load the vision-only encoder."""
    return _load(Dinov2Model, folder)


def language(folder: Path) -> LlamaForCausalLM:
    """Load the language model."""
    return _load(LlamaForCausalLM, folder)


def mllm(folder: Path) -> WorldLlavaForConditionalGeneration:
    """Load a multimodal LLM."""
    loaded: WorldLlavaForConditionalGeneration = _load(WorldLlavaForConditionalGeneration, folder)
    return loaded


def _load(kind: Any, folder: Path) -> Any:  # noqa: ANN401
    with quiet_libraries():
        model, told = kind.from_pretrained(folder, local_files_only=True, dtype=torch.float32, output_loading_info=True)
    wrong = sorted({key for name in ("missing_keys", "unexpected_keys", "mismatched_keys") for key in told[name]})
    if wrong:
        raise StudyError(f"{folder} does not hold a whole {kind.__name__} (first: {wrong[0]}): train it again.")
    loaded: nn.Module = model
    return loaded.eval()
