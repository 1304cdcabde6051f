"""Images to unit rows, shard by shard: the verb `embed`."""

from snellen.embedding.embed import EmbedResult, embed
from snellen.embedding.forward import LoadedEncoder, load

__all__ = ["EmbedResult", "LoadedEncoder", "embed", "load"]
