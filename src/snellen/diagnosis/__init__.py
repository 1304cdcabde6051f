"""Diagnosis: where failures sit, what they go with, and which encoders make up for one another."""

from snellen.diagnosis.flagged import read_flagged
from snellen.diagnosis.verb_diagnose import DiagnoseResult, diagnose

__all__ = ["DiagnoseResult", "diagnose", "read_flagged"]
