"""Do an encoder's failures and a multimodal LLM's go together? Over patterns, and on the same pairs."""

from snellen.diagnosis.correlation.nouns import Correlated, CorrelateResult
from snellen.diagnosis.correlation.published import Published, published
from snellen.diagnosis.correlation.verb import correlate

__all__ = ["CorrelateResult", "Correlated", "Published", "correlate", "published"]
