"""How large a loaded encoder is: parameters, and the picture it looks at. Nothing is loaded a second time."""

from __future__ import annotations

from importlib.util import find_spec
from math import prod
from typing import TYPE_CHECKING

from snellen.encoders.base import ImageEncoder
from snellen.encoders.paths import local_path

if TYPE_CHECKING:
    from snellen.encoders.onnx import OnnxEncoder

PROBE_SIDE = 256


def parameters(encoder: ImageEncoder) -> int | None:
    """Count the parameters in memory: of both towers where there are two, what they share once; buffers are none.

    Torch models count what their module holds; ONNX files what they store, where the package onnx is installed;
    controls have 0. None: not known.
    """
    from snellen.encoders.control import ControlEncoder
    from snellen.encoders.onnx import OnnxEncoder
    from snellen.encoders.torch_encoder import TorchEncoder

    if isinstance(encoder, TorchEncoder):
        return sum(parameter.numel() for parameter in encoder._model.parameters())
    if isinstance(encoder, ControlEncoder):
        return 0
    return _stored(encoder) if isinstance(encoder, OnnxEncoder) else None


def image_size(encoder: ImageEncoder) -> tuple[int, int] | None:
    """Return height and width of the prepared picture in pixels, as a grey picture of 256 x 256 becomes.

    None where it depends on the picture (SigLIP 2 NaFlex).
    """
    from PIL import Image

    from snellen.encoders.naflex import NaflexPixels

    if isinstance(encoder.preprocess, NaflexPixels):
        return None
    _, height, width = encoder.preprocess(Image.new("RGB", (PROBE_SIDE, PROBE_SIDE), "grey")).shape
    return int(height), int(width)


def _stored(encoder: OnnxEncoder) -> int | None:
    path = local_path(encoder.name.partition("/")[2], encoder.name)
    if path is None or find_spec("onnx") is None:
        return None
    import onnx

    kinds = onnx.TensorProto
    floating = (kinds.FLOAT, kinds.FLOAT16, kinds.BFLOAT16, kinds.DOUBLE)  # integers are shapes and indices
    stored = onnx.load(str(path), load_external_data=False).graph.initializer
    return sum(int(prod(tensor.dims)) for tensor in stored if tensor.data_type in floating)
