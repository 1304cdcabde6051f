"""Scenes: what is true of them, how they look, what captions and questions say of them."""
