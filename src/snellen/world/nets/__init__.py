"""The tiny models: stock architectures of transformers wherever there is one, in their real file formats.

Importing this package makes the tiny multimodal LLMs known to transformers' Auto classes.
"""

from snellen.world.nets import llava

__all__ = ["llava"]
