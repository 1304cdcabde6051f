"""The exception tree: everything that Snellen raises on purpose.

    SnellenError                  exit code 1
    ├── UsageError                exit code 2: an argument is wrong; the message lists the valid choices
    ├── SourceError               the images' source cannot be read as what it was said to be
    ├── EncoderError              a model cannot be found, loaded or trusted
    │   └── Unsupported           the model is fine, but has not got what was asked for (no patch tokens, say)
    ├── ModelError                a multimodal LLM cannot be found, loaded, reached or trusted
    ├── Incomplete                exit code 3: some of what was asked for is missing; what is there is kept
    ├── StudyError                an artefact is missing, damaged, or made from other inputs
    └── StorageError              the disk is full, read-only or in use by another process

Every message is one sentence that says what is wrong, where, and what to do.
"""

from __future__ import annotations


class SnellenError(Exception):
    """Base of all errors whose message is meant for the user."""

    exit_code = 1


class UsageError(SnellenError):
    """An argument is wrong: a missing folder, an unknown name, a value out of range."""

    exit_code = 2


class SourceError(SnellenError):
    """The images' source cannot be read as what it was said to be."""


class EncoderError(SnellenError):
    """A model cannot be found, loaded or trusted."""


class Unsupported(EncoderError):
    """The model has not got what was asked of it, for example patch tokens."""


class ModelError(SnellenError):
    """A multimodal LLM cannot be found, loaded, reached or trusted."""


class Incomplete(SnellenError):
    """Some answers are missing: the budget is spent, or an endpoint failed; what is there is kept."""

    exit_code = 3


class StudyError(SnellenError):
    """An artefact of the study is missing, damaged, or was made from other inputs."""


class StorageError(SnellenError):
    """Writing failed: the disk is full, read-only, or the study is in use by another process."""
