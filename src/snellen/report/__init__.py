"""The page that people read: the verb `report`."""

from snellen.report.verb import report

__all__ = ["report"]
