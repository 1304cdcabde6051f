"""A multimodal LLM's folder: brought here where it is a name on the hub, loaded strictly, and fingerprinted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from snellen.encoders import fingerprint, hub
from snellen.encoders.paths import local_path
from snellen.encoders.quiet import quiet_libraries
from snellen.errors import EncoderError, ModelError, UsageError

PARTS: Final = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "*.tiktoken")
"""What of a folder makes the model; weights in other formats are not loaded."""

WORLD: Final = "snellen_world_llava"
"""The `model_type` of the miniature world's own architecture."""


@dataclass(frozen=True)
class Checkpoint:
    """A model's folder with its processor; `name` is as runs record it, without the folders of this machine.

    Weights are read when they are first wanted: whoever finds every question answered needs none.
    """

    name: str
    fingerprint: str
    folder: Path
    dtype: str
    processor: Any

    def load(self) -> Any:  # noqa: ANN401 - transformers is untyped
        """Load the model.

        Raises:
            ModelError: its weights do not fit its configuration.
        """
        return _model(self.name, self.folder, self.dtype)


def open_checkpoint(name: str, model: str, revision: str | None, dtype: str) -> Checkpoint:
    """Open a folder, or a name on the hub.

    Args:
        name: The whole name, for messages.
        model: A folder, or a repository on the hub.
        revision: Of the repository.
        dtype: What the network computes in.

    Raises:
        UsageError: a path leads nowhere.
        ModelError: the model cannot be had, or its processor cannot be loaded.
    """
    path = local_path(model, name)
    if path is not None and revision is not None:
        raise UsageError(f"{name}: a folder has no revisions; leave out @{revision}")
    folder = path.resolve() if path is not None else _from_hub(name, model, revision)
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} holds no config.json: name a folder that save_pretrained wrote.")
    recorded = name if path is None or name.startswith("world/") else f"{name.partition('/')[0]}/{folder.name}"
    files = sorted({file for part in PARTS for file in folder.glob(part)})
    digest = fingerprint.of_files({"files": [file.name for file in files], "dtype": dtype}, files)
    return Checkpoint(recorded, digest, folder, dtype, _processor(name, folder))


def _from_hub(name: str, repository: str, revision: str | None) -> Path:
    """Bring a repository into the local cache, or find it there."""
    from huggingface_hub import snapshot_download

    def bring() -> Path:
        return Path(snapshot_download(repository, revision=revision, allow_patterns=list(PARTS)))

    try:
        with quiet_libraries():
            return hub.fetch(name, bring, repository=repository, instead="a local folder (transformers/./folder)")
    except EncoderError as error:
        raise ModelError(str(error)) from error


def _processor(name: str, folder: Path) -> Any:  # noqa: ANN401 - transformers is untyped
    from transformers import AutoProcessor

    with _said_simply(name), quiet_libraries():
        _know_world(folder)
        return AutoProcessor.from_pretrained(folder, local_files_only=True)


def _model(name: str, folder: Path, dtype: str) -> Any:  # noqa: ANN401 - transformers is untyped
    import torch
    from transformers import AutoModelForImageTextToText

    with _said_simply(name), quiet_libraries():
        model, told = AutoModelForImageTextToText.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            dtype=getattr(torch, dtype),
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # so that they are listed, and refused below
        )
    kinds = ("missing_keys", "unexpected_keys", "mismatched_keys")
    wrong = [f"{kind.replace('_', ' ')}: {min(map(_key, told[kind]))}" for kind in kinds if told[kind]]
    if wrong:
        raise ModelError(f"{name} has weights that do not fit ({'; '.join(wrong)}): get a whole copy of its folder.")
    return model


@contextmanager
def _said_simply(name: str) -> Iterator[None]:
    """Turn what the library raises over a damaged or unknown folder into one sentence."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
        reason = str(error).strip().partition("\n")[0][:200]
        raise ModelError(f"{name} cannot be loaded ({reason}): get a whole copy of its folder.") from error


def _know_world(folder: Path) -> None:
    """Make the world's own architecture known to the Auto classes, where it is the one."""
    try:
        found = json.loads((folder / "config.json").read_bytes())
    except ValueError as error:
        raise ModelError(f"{folder / 'config.json'} is damaged ({error}): get a whole copy of it.") from error
    if isinstance(found, dict) and found.get("model_type") == WORLD:
        import snellen.mllms.world_llava  # noqa: F401


def _key(found: str | tuple[Any, ...]) -> str:
    """Return the weight's name; of a mismatch, the library gives both shapes too."""
    return found if isinstance(found, str) else str(found[0])
