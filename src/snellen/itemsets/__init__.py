"""Item sets as they lie on disk: questions about single images that come in no pairs, to see what a remedy costs.

Of two kinds: `yes_no` (POPE) and `free` (LLaVA-Bench). The folder is that of a benchmark, with `itemset.json` and
`items.jsonl`; its content hash is what `sha256sum items.jsonl images/* | sha256sum` prints inside it.
"""

from snellen.itemsets.nouns import Item, ItemSet
from snellen.itemsets.reader import read

__all__ = ["Item", "ItemSet", "read"]
