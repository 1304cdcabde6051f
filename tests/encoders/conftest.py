"""One tiny checkpoint of every kind, built and loaded once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from snellen.encoders.base import FloatArray, ImageEncoder
from snellen.encoders.quiet import quiet_libraries
from snellen.providers import load_encoder
from tests.encoders import checkpoints, checkpoints_other, direct
from tests.encoders.pictures import PICTURES

Build = Callable[[Path], str]
Library = Callable[[str], direct.Direct]


@dataclass(frozen=True)
class Kind:
    """A kind of checkpoint: how to build it, how the library runs it, and what it has."""

    build: Build
    library: Library
    grid: tuple[int, int] | None = None
    blocks: int = 3
    text: bool = False


KINDS = {
    "clip": Kind(checkpoints.clip, direct.of_transformers, (4, 4), text=True),
    "clip_vision": Kind(checkpoints.clip_vision, direct.of_transformers, (4, 4)),
    "metaclip_2": Kind(checkpoints.metaclip_2, direct.of_transformers, (4, 4), text=True),
    "siglip": Kind(checkpoints.siglip, direct.of_transformers, (4, 4), text=True),
    "siglip_vision": Kind(checkpoints.siglip_vision, direct.of_transformers, (4, 4)),
    "siglip2_naflex": Kind(checkpoints.siglip2, direct.of_transformers, (4, 4), text=True),
    "dinov2": Kind(checkpoints.dinov2, direct.of_transformers, (4, 4)),
    "dinov2_with_registers": Kind(checkpoints.dinov2_with_registers, direct.of_transformers, (4, 4)),
    "dinov3_vit": Kind(checkpoints.dinov3_vit, direct.of_transformers, (4, 4)),
    "dinov3_convnext": Kind(checkpoints.dinov3_convnext, direct.of_transformers, (2, 2), blocks=1),
    "vit_mae": Kind(checkpoints.vit_mae, direct.of_transformers, (4, 4)),
    "vit": Kind(checkpoints.vit, direct.of_transformers, (4, 4)),
    "open_clip_folder": Kind(checkpoints_other.open_clip_folder, direct.of_open_clip, (4, 4), text=True),
    "open_clip_timm": Kind(checkpoints_other.open_clip_timm_tower, direct.of_open_clip, (10, 10), 6, text=True),
    "open_clip_file": Kind(checkpoints_other.open_clip_file, direct.of_open_clip, (4, 4), text=True),
    "timm_vit": Kind(checkpoints_other.timm_vit, direct.of_timm, (10, 10), 6),
    "timm_cnn": Kind(checkpoints_other.timm_cnn, direct.of_timm),
    "timm_border": Kind(checkpoints_other.timm_border, direct.of_timm),
    "timm_squash": Kind(checkpoints_other.timm_squash, direct.of_timm),
    "timm_file": Kind(checkpoints_other.timm_file, direct.of_timm, (10, 10), 8),
    "onnx": Kind(checkpoints_other.onnx_file, direct.of_onnx),
    "onnx_fixed_batch": Kind(checkpoints_other.onnx_fixed_batch, direct.of_onnx),
    "world_clip": Kind(checkpoints_other.world_clip, direct.of_transformers, (8, 8), text=True),
    "world_vision_only": Kind(checkpoints_other.world_vision_only, direct.of_transformers, (8, 8)),
}


@dataclass(frozen=True)
class Case:
    """A checkpoint on disk, our encoder for it, and the library's own way."""

    kind: str
    name: str
    encoder: ImageEncoder
    library: direct.Direct
    grid: tuple[int, int] | None
    blocks: int
    text: bool

    @property
    def location(self) -> Path:
        """The checkpoint's folder or file."""
        text = self.name.partition("/")[2]
        return Path(text.partition("@")[2] or text)

    def moved(self, folder: Path) -> tuple[str, Path]:
        """Copy the checkpoint; return the copy's name and its weights file."""
        source = self.location
        if source.is_dir():
            shutil.copytree(source, folder, dirs_exist_ok=True)
            target = folder
        else:
            folder.mkdir(exist_ok=True)
            target = folder / source.name
            shutil.copyfile(source, target)
        found = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.onnx"))
        return self.name.replace(str(source), str(target)), found[0]

    @property
    def batch(self) -> FloatArray:
        """The pictures, prepared."""
        import numpy as np

        return np.stack([self.encoder.preprocess(picture) for picture in PICTURES])


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tiny networks gain nothing from threads, and lose much where cores are busy."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """The checkpoint of the kind that the test asks for by indirect parameter."""
    kind: str = request.param
    with quiet_libraries():
        name = KINDS[kind].build(tmp_path_factory.mktemp(kind) / "model")
        library = KINDS[kind].library(name)
    encoder = load_encoder(name)
    return Case(kind, name, encoder, library, KINDS[kind].grid, KINDS[kind].blocks, KINDS[kind].text)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that takes a `case` on every kind, one kind after the other."""
    if "case" in metafunc.fixturenames and not any(
        mark.args[0] == "case" for mark in metafunc.definition.iter_markers("parametrize")
    ):
        metafunc.parametrize("case", list(KINDS), indirect=True, scope="session")
