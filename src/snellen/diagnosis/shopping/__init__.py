"""Encoder shopping: encoders side by side, what each costs, and who makes up for whom."""

from snellen.diagnosis.shopping.comparison import Encoders
from snellen.diagnosis.shopping.cost import Latency, Size
from snellen.diagnosis.shopping.cost_files import measure, measured_size
from snellen.diagnosis.shopping.verb import EncodersResult, encoders

__all__ = ["Encoders", "EncodersResult", "Latency", "Size", "encoders", "measure", "measured_size"]
