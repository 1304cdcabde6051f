"""Multimodal LLMs behind one protocol (`base`): one file a provider; names are in `snellen.providers`."""
