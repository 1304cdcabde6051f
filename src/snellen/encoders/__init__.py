"""Image and image-text encoders, one provider a file; `snellen.providers.load_encoder` loads them by name."""
