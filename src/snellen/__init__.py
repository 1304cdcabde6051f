"""Snellen: an eye exam for vision encoders and multimodal LLMs.

The verbs are functions of the same name and parameters as on the command line:

    import snellen

    snellen.run("photos", "study", blind_min="q0.9999")

`report` is the name of its package already: `from snellen.report import report`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snellen.benchmark import build, validate
    from snellen.benchmarks import read_benchmark
    from snellen.embedding import embed
    from snellen.errors import SnellenError
    from snellen.exam import ask, grade
    from snellen.exam.compare import compare
    from snellen.exam.power import power
    from snellen.mining import mine
    from snellen.providers import load_encoder, load_mllm
    from snellen.recipes.run import run
    from snellen.study import Study

_HOME = {
    "SnellenError": "snellen.errors",
    "Study": "snellen.study",
    "ask": "snellen.exam",
    "build": "snellen.benchmark",
    "compare": "snellen.exam.compare",
    "embed": "snellen.embedding",
    "grade": "snellen.exam",
    "load_encoder": "snellen.providers",
    "load_mllm": "snellen.providers",
    "mine": "snellen.mining",
    "power": "snellen.exam.power",
    "read_benchmark": "snellen.benchmarks",
    "run": "snellen.recipes.run",
    "validate": "snellen.benchmark",
}

__all__ = [
    "SnellenError",
    "Study",
    "ask",
    "build",
    "compare",
    "embed",
    "grade",
    "load_encoder",
    "load_mllm",
    "mine",
    "power",
    "read_benchmark",
    "run",
    "validate",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever is asked for
    """Import a public name when it is first asked for, so that `snellen --help` stays quick."""
    if name not in _HOME:
        raise AttributeError(f"module 'snellen' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
