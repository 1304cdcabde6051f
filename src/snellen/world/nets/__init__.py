"""The tiny models: stock architectures of transformers wherever there is one, in their real file formats.

Importing this package makes the tiny multimodal LLMs known to transformers' Auto classes.
"""

from snellen.mllms import world_llava

__all__ = ["world_llava"]
