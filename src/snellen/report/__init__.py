"""The page that people read: the verb `report`."""

from snellen.report.report import report

__all__ = ["report"]
