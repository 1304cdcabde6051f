"""Tiny models with random weights, and pictures to show them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image

from snellen.world.nets import build
from snellen.world.scene.families import families
from snellen.world.training import mllm as training
from tests.encoders.checkpoints import randomise

VISUAL = ("all", "pool:1", "pool:4", "pool:16", "global")
TOKENS = {"all": 64, "pool:1": 1, "pool:4": 4, "pool:16": 16, "global": 1}
DIETS = {diet.name: diet for diet in training.DIETS}


def reader_on(parts: tuple[Any, Any, Any], name: str, visual: str = "pool:4") -> Any:
    """A multimodal LLM on one diet, projectors random and lively, standards not those that it was built with."""
    clip, vision_only, language = parts
    diet = DIETS[name]
    torch.manual_seed(2)
    model = build.multimodal_llm(
        clip if diet.first_is_clip else vision_only,
        vision_only if diet.mixture != "none" else None,
        language,
        mixture=diet.mixture,
        ssl_ratio=diet.ssl_ratio,
        visual=visual,
    )
    inner = model.model
    for projector in (inner.multi_modal_projector, inner.ssl_projector):
        if projector is not None:
            randomise(projector, strength=0.2)
    for standard in (inner.standard, inner.ssl_standard):
        if standard is not None:
            standard.mean.copy_(torch.linspace(-1, 1, build.WIDTH))
            standard.deviation.fill_(1.5)
    return model.eval()


def drawn(count: int = 3) -> tuple[list[Any], np.ndarray[Any, Any]]:
    """The bases of some families of the exam, and how they look."""
    shots = [shot for shot in families(3, "exam", count) if shot.role == "base"]
    return shots, np.stack([shot.picture() for shot in shots])


def chats(processor: Any, texts: list[str]) -> list[str]:
    """Prompts with a picture and a text each."""
    content = [[{"type": "image"}, {"type": "text", "text": text}] for text in texts]
    return [
        str(processor.apply_chat_template([{"role": "user", "content": each}], add_generation_prompt=True))
        for each in content
    ]


def fed(processor: Any, texts: list[str], images: np.ndarray[Any, Any]) -> Any:
    """Everything that a model is called with."""
    pictures = [Image.fromarray(image) for image in images]
    return processor(text=chats(processor, texts), images=pictures, padding=True, return_tensors="pt")


# The vocabulary


def as_saved(model: Any) -> Any:
    """Round a model's weights to float16; unlike `half`, nothing else of it."""
    model.load_state_dict({name: weight.half().float() for name, weight in model.state_dict().items()})
    return model.eval()
