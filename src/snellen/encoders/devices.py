"""Names of devices, and which of them this machine has."""

from __future__ import annotations

import re

from snellen.errors import UsageError


def available_devices() -> list[str]:
    """Return the devices that torch can use here: `cpu`, then `cuda:0` and on, then `mps`."""
    import torch

    devices = ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    return devices + (["mps"] if torch.backends.mps.is_available() else [])


def resolve_device(device: str) -> str:
    """Return the device to use; `auto` is the first GPU, or the CPU where there is none.

    Args:
        device: `auto`, `cpu`, `cuda` (the first GPU), `cuda:1` or `mps`.

    Raises:
        UsageError: there is no such device here; the message lists those there are.
    """
    if device == "cpu":
        return device  # without importing torch: the control and ONNX encoders do not need it
    there = available_devices()
    if device == "auto":
        return there[1] if len(there) > 1 else "cpu"
    wanted = "cuda:0" if device == "cuda" else device
    if wanted in there:
        return wanted
    problem = "is not here" if re.fullmatch(r"cuda:\d+|mps", wanted) else "is not a device"
    raise UsageError(f"--device {device} {problem}; on this machine there is {', '.join(there)} (or auto)")
