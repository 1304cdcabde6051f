"""What makes two encoders the same: a digest over weights, architecture, pooling, preprocessing and compute dtype.

Not in it: where the files lie, the device, and the versions of the libraries.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

CHUNK = 1 << 20


def canonical(recipe: Mapping[str, Any]) -> bytes:
    """Return JSON with sorted keys and no spaces: the same bytes for the same content."""
    return json.dumps(recipe, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def of_recipe(recipe: Mapping[str, Any]) -> str:
    """Return 64 hex digits over a recipe alone: for encoders without weights."""
    return sha256(canonical(recipe)).hexdigest()


def of_tensors(recipe: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    """Return 64 hex digits over a recipe and a state dict: name, dtype, shape and bytes of every tensor."""
    import torch

    digest = sha256(canonical(recipe))
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(canonical({"name": name, "dtype": str(tensor.dtype), "shape": list(tensor.shape)}))
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def of_files(recipe: Mapping[str, Any], files: Iterable[Path]) -> str:
    """Return 64 hex digits over a recipe and the contents of files, in the order given; names do not count."""
    digest = sha256(canonical(recipe))
    for path in files:
        digest.update(canonical({"bytes": path.stat().st_size}))
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
    return digest.hexdigest()
