"""Faults planted on purpose in the tiny multimodal LLMs, so that it is known which organ is to blame."""

from snellen.world.faults.verb_fault import FAULTS, FaultResult, fault

__all__ = ["FAULTS", "FaultResult", "fault"]
