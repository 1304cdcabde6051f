"""The paper's settings, which are the defaults everywhere (Tong et al., CVPR 2024, section 2), and one of ours."""

from typing import Final

BLIND_ENCODER: Final = "open_clip/ViT-L-14-quickgelu@openai"
"""CLIP ViT-L/14 with OpenAI's weights, which were trained with QuickGELU."""

REFERENCE_ENCODER: Final = "transformers/facebook/dinov2-large"
"""DINOv2 ViT-L/14, trained without text."""

BLIND_MIN: Final = 0.95
"""A blind pair's blind cosine is above this."""

REFERENCE_MAX: Final = 0.6
"""A blind pair's reference cosine is below this."""

MAX_PAIRS: Final = 10_000_000
"""Ours: `mine` writes no more pairs than this unless it is told to."""
