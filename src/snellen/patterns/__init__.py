"""Visual patterns: taxonomies as data, tags by models and by people, and how far these agree.

`tag` writes the overlay `tags.jsonl` of a benchmark; `propose` has a model propose a taxonomy from its questions.
"""

from snellen.patterns.propose import Proposal, propose
from snellen.patterns.taxonomy import Pattern, Taxonomy, read_taxonomy
from snellen.patterns.verb_tag import TagResult, tag

__all__ = ["Pattern", "Proposal", "TagResult", "Taxonomy", "propose", "read_taxonomy", "tag"]
