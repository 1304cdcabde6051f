"""What a figure of the miner's benchmark was measured on: machine, instruction sets, compiler, versions."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from snellen.mining import kernels

TOLD = ("avx2", "f16c", "avx512f", "avx512bw", "avx512_vnni", "avx_vnni", "amx_int8", "asimd", "asimddp", "sve")


def describe() -> str:
    """Return one line about this machine and what is installed on it."""
    names = [kernel.name for kernel in kernels.available()]
    return (
        f"{os.cpu_count()} cores ({_processor()}), {_memory_gb():.0f} GB; Python {platform.python_version()}, "
        f"numpy {version('numpy')}, faiss-cpu {version('faiss-cpu')}, torch {version('torch')}. "
        + (f"Compiled kernels: {', '.join(names)}, by {_compiler()}." if names else "No compiled kernels.")
    )


def _processor() -> str:
    """Model name, family and model (a cloud machine's name says little), and instruction sets that matter here."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.machine()

    def entry(key: str) -> str:
        match = re.search(rf"^{key}\s*:\s*(.*)$", text, re.MULTILINE)
        return match[1].strip() if match else "?"

    flags = set((entry("flags") if "flags" in text else entry("Features")).split())
    which = " ".join(flag for flag in TOLD if flag in flags)
    return f"{entry('model name')}, family {entry('cpu family')} model {entry('model')}: {which}"


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def _compiler() -> str:
    """What the compiler wrote about itself into the compiled module."""
    spec = find_spec("snellen.mining.kernels._compiled")
    content = Path(spec.origin).read_bytes() if spec and spec.origin else b""
    match = re.search(rb"(GCC: \([^)\0]*\) [\d.]+|clang version [\d.]+)", content)
    return match[1].decode() if match else "a compiler that left no name"
