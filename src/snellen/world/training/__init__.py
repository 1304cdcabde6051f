"""Training of the tiny models, on one thread each, so that a seed gives the same weights on the same machine."""
