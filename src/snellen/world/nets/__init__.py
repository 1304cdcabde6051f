"""The tiny models: stock architectures of transformers wherever there is one, in their real file formats.

Importing this package makes the tiny multimodal LLMs known to transformers' Auto classes.
"""

# ruff: noqa: TID253 - this package is imported only where a model is wanted
from snellen.world.nets import llava

__all__ = ["llava"]
