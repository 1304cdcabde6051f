"""What becomes of pairs that were found: stored stripe by stripe, capped, sorted and written."""
