"""From accepted pairs to a benchmark that others can use, and whether one can be trusted: `build` and `validate`.

`lots` draws what is left to chance, `images` copies the bytes, `datasheet` writes the page, `folder` keeps what is
there from being written over. Reading a benchmark is a library: `snellen.benchmarks`.
"""

from snellen.benchmark.verb_build import BuildResult, build
from snellen.benchmark.verb_validate import Validation, validate

__all__ = ["BuildResult", "Validation", "build", "validate"]
