"""Keeping the libraries' own logs, progress bars and known warnings out of the user's sight while a model loads.

What they would say that matters, we say ourselves, as one error.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

KNOWN_WARNINGS = (
    # Messages (regular expressions, from the start) of warnings about the libraries' insides, which no user can act on.
    r".*is_gradient_checkpointing",
    r".*QuickGELU mismatch",  # checked by us before loading, and refused
    r".*`torch\.jit\.",
    r".*TypedStorage is deprecated",
)


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Silence logging, the Hugging Face progress bars and `KNOWN_WARNINGS` within the block, for this process."""
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars
    from transformers.utils import logging as transformers_logging

    # open_clip logs through the root logger, which adds a handler to it if there is none, for good.
    root, handler = logging.getLogger(), logging.NullHandler()
    disabled = root.manager.disable
    bars = [not are_progress_bars_disabled(), transformers_logging.is_progress_bar_enabled()]
    root.addHandler(handler)
    logging.disable(logging.CRITICAL)
    disable_progress_bars()
    transformers_logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            for message in KNOWN_WARNINGS:
                warnings.filterwarnings("ignore", message=message)
            yield
    finally:
        logging.disable(disabled)
        root.removeHandler(handler)
        if bars[0]:
            enable_progress_bars()
        if bars[1]:
            transformers_logging.enable_progress_bar()
