"""The miniature world: drawn scenes whose every fact is known, and tiny models trained on them (docs/world.md)."""
