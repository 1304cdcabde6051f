"""Linear probes with controls: can the asked thing be read off vectors, from pairs that the probe has not seen?

Pure functions of pairs and vectors: they know nothing of models or studies. What a probe can say and cannot is in
docs/probes.md.
"""

from snellen.probes.compare import Compared, comparable, compare, selectivity
from snellen.probes.controls import Calibration, calibration, control_task, questions_only
from snellen.probes.folds import folds_of, units_of
from snellen.probes.nouns import CHANCE, LEAST_PAIRS, LEAST_UNITS, Enough, ProbePair, ProbeResult, Readable, enough
from snellen.probes.probe import pair_probe

__all__ = [
    "CHANCE",
    "LEAST_PAIRS",
    "LEAST_UNITS",
    "Calibration",
    "Compared",
    "Enough",
    "ProbePair",
    "ProbeResult",
    "Readable",
    "calibration",
    "comparable",
    "compare",
    "control_task",
    "enough",
    "folds_of",
    "pair_probe",
    "questions_only",
    "selectivity",
    "units_of",
]
