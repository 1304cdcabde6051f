"""The filter for GPUs: whole rows multiplied in low precision, and what lies within the error bound named.

Stored rows are float16, so a product in float16 has exact inputs. With sums in float32, which GPUs keep for such
products, one of d terms errs by at most 2 (d + 8) 2^-23 |x| |y|: every term, and every partial sum, may be cut off
rather than rounded. Storing the result as float16 adds 2^-11 of it, 2^-10 if it is cut off. On a CPU the product is
float32, with the first error only.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.errors import UsageError
from snellen.mining.join.exact import Side
from snellen.mining.join.tiles import NOBODY, Positions, Tile
from snellen.vectors import UNIT_TOLERANCE

if TYPE_CHECKING:
    import torch

ROOM_SHARE = 0.01
"""A tile with more candidates is split, and in the end multiplied out."""

CHUNK_ROWS = 8192

CHECKED_PAIRS = 4096

AT_ONCE = 2
"""Threads that use the device at a time: each holds one tile's products there."""


def error_bound(dim: int, dtype: str) -> float:
    """Return how far a product of two stored rows of length `dim` may be from the truth; dtype float16 or float32."""
    longest = (1 + UNIT_TOLERANCE) ** 2
    stored = 2.0**-10 if dtype == "float16" else 2.0**-24
    return longest * (2 * (dim + 8) * 2.0**-23 + stored)


class ProductFilter:
    """Names the pairs whose low-precision product does not rule out that they pass.

    Args:
        side: the blind encoder's vectors; all of them are copied to the device.
        blind_min: pairs with a blind cosine above it are never missed.
        device: "cuda", "cuda:1", "cpu"; None: a GPU if there is one.
        dtype: "float16" or "float32"; None: float16 on a GPU, float32 on a CPU.

    Raises:
        UsageError: the device is not there, or its memory is too small.
        ArithmeticError: a product on this device errs by more than the bound.
    """

    left_out = NOBODY

    def __init__(self, side: Side, blind_min: float, device: str | None = None, dtype: str | None = None) -> None:
        import torch

        self._device = _device(device)
        on_gpu = self._device.type == "cuda"
        self._dtype = dtype or ("float16" if on_gpu else "float32")
        # Many pairs at a time keep a GPU busy; a CPU's cache is small.
        self.rows, self.columns = (8192, 1 << 15) if on_gpu else (512, 4096)
        if on_gpu:
            # No sum may be rounded to float16: the bound rests on it. It stays so for this process.
            torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
            torch.backends.cuda.matmul.allow_fp16_accumulation = False
        self._turns = threading.Semaphore(AT_ONCE)
        lowered = blind_min - error_bound(side.dim, self._dtype)
        numbers = np.float16 if self._dtype == "float16" else np.float32
        self._limit = float(np.nextafter(numbers(lowered), numbers(-2)))
        self._values = _copied(side, self._device, getattr(torch, self._dtype))
        self._check(side)

    def candidates(self, tile: Tile) -> tuple[Positions, Positions] | None:
        """Return the pairs of the tile that may pass, or None where they are more than ROOM_SHARE of it."""
        height, width = tile.row_stop - tile.row_start, tile.column_stop - tile.column_start
        allowed = ROOM_SHARE * height * width + (height if tile.on_diagonal else 0)
        with self._turns:
            flat = (self._products(tile) > self._limit).flatten().nonzero().flatten()
            if len(flat) > allowed:
                return None
            found = flat.cpu().numpy()
        return tile.locate(found)

    def _products(self, tile: Tile) -> torch.Tensor:
        """Multiply a tile out on the device.

        Raises:
            UsageError: its memory is too small.
        """
        import torch

        rows = self._values[tile.row_start : tile.row_stop]
        columns = self._values[tile.column_start : tile.column_stop]
        try:
            return rows @ columns.T
        except torch.OutOfMemoryError as error:
            raise UsageError(
                f"a tile of {len(rows)} x {len(columns)} products does not fit into the memory of {self._device} "
                "beside the rows: use --backend compiled."
            ) from error

    def _check(self, side: Side) -> None:
        """Compare some products of a whole tile with float64.

        A device that adds up otherwise is noticed before it loses a pair. Which code multiplies depends on the sizes,
        so it is a tile as the join will have them.
        """
        tile = Tile(0, min(self.rows, len(side)), 0, min(self.columns, len(side)))
        rng = np.random.default_rng(0)
        a, b = (
            rng.integers(0, max(stop, 1), CHECKED_PAIRS if stop else 0) for stop in (tile.row_stop, tile.column_stop)
        )
        at = torch_indices(a), torch_indices(b)
        found = self._products(tile)[at].double().cpu().numpy()
        off = float(np.abs(found - side.dots(a, b)).max(initial=0.0))
        bound = error_bound(side.dim, self._dtype)
        if not off <= bound:
            raise ArithmeticError(
                f"{self._dtype} products on {self._device} err by {off:.2g} where {bound:.2g} is their bound: use "
                "--backend compiled or portable here."
            )


def torch_indices(positions: Positions) -> torch.Tensor:
    """Return positions as PyTorch indexes with them."""
    import torch

    return torch.from_numpy(positions)


def _device(name: str | None) -> torch.device:
    import torch

    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"device {name} is unknown: use cuda, cuda:1 and so on, or cpu.") from error
    if device.type not in ("cuda", "cpu"):
        raise UsageError(f"device {name} has no products whose errors are known: use cuda or cpu.")
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device.type == "cuda" and (device.index or 0) >= gpus:
        raise UsageError(
            f"device {name} is not there: PyTorch sees {gpus or 'no'} GPU{'s' * (gpus > 1)}; use another, cpu, or "
            "--backend compiled."
        )
    return device


def _copied(side: Side, device: torch.device, dtype: Any) -> torch.Tensor:  # noqa: ANN401  a torch.dtype
    import torch

    try:
        values = torch.empty((len(side), side.dim), dtype=dtype, device=device)
    except torch.OutOfMemoryError as error:
        raise UsageError(
            f"{len(side):,} rows of {side.dim} do not fit into the memory of {device}: use --backend compiled."
        ) from error
    for start in range(0, len(side), CHUNK_ROWS):
        stop = min(start + CHUNK_ROWS, len(side))
        values[start:stop] = torch.from_numpy(np.array(side.half(start, stop))).to(device)
    return values
