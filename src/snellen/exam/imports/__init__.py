"""Answers that other tools wrote, brought in to be graded anew (docs/rescoring.md): one file a tool."""

from snellen.exam.imports.detect import READERS
from snellen.exam.imports.verb import import_answers

__all__ = ["READERS", "import_answers"]
