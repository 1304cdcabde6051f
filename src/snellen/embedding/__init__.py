"""Images to unit rows, shard by shard: the verb `embed`."""

from snellen.embedding.forward import LoadedEncoder, load
from snellen.embedding.verb import EmbedResult, check_place, embed

__all__ = ["EmbedResult", "LoadedEncoder", "check_place", "embed", "load"]
