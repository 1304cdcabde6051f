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
    from snellen.diagnosis import diagnose
    from snellen.diagnosis.correlation import correlate
    from snellen.embedding import embed
    from snellen.errors import SnellenError
    from snellen.exam import ask, grade
    from snellen.exam.compare import compare
    from snellen.exam.match import match, statements
    from snellen.exam.power import power
    from snellen.exam.zeroshot import zeroshot
    from snellen.mining import find_pairs, mine
    from snellen.patterns import tag
    from snellen.providers import load_encoder, load_mllm
    from snellen.recipes.run import run
    from snellen.study import Study

_HOME = {
    "SnellenError": "snellen.errors",
    "Study": "snellen.study",
    "ask": "snellen.exam",
    "build": "snellen.benchmark",
    "compare": "snellen.exam.compare",
    "correlate": "snellen.diagnosis.correlation",
    "diagnose": "snellen.diagnosis",
    "embed": "snellen.embedding",
    "find_pairs": "snellen.mining",
    "grade": "snellen.exam",
    "load_encoder": "snellen.providers",
    "load_mllm": "snellen.providers",
    "match": "snellen.exam.match",
    "mine": "snellen.mining",
    "power": "snellen.exam.power",
    "read_benchmark": "snellen.benchmarks",
    "run": "snellen.recipes.run",
    "statements": "snellen.exam.match",
    "tag": "snellen.patterns",
    "validate": "snellen.benchmark",
    "zeroshot": "snellen.exam.zeroshot",
}

__all__ = [
    "SnellenError",
    "Study",
    "ask",
    "build",
    "compare",
    "correlate",
    "diagnose",
    "embed",
    "find_pairs",
    "grade",
    "load_encoder",
    "load_mllm",
    "match",
    "mine",
    "power",
    "read_benchmark",
    "run",
    "statements",
    "tag",
    "validate",
    "zeroshot",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever is asked for
    """Import a public name when it is first asked for, so that `snellen --help` stays quick."""
    if name not in _HOME:
        raise AttributeError(f"module 'snellen' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
