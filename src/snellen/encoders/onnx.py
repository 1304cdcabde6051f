"""Any ONNX file as an image encoder, through onnxruntime.

The file takes pixels [n, 3, H, W] and gives vectors [n, dim]; `onnx_recipe` says where the preprocessing comes from.
The type it computes in was fixed when it was exported. Vectors are scaled to unit length here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from snellen.encoders import onnx_recipe
from snellen.encoders.base import FloatArray, Tokens, unit_rows
from snellen.encoders.fingerprint import of_files
from snellen.encoders.paths import local_path
from snellen.errors import EncoderError, Unsupported, UsageError

ONNX_VERSION = 1
"""Goes into the fingerprints; raise it when the same file starts to give other rows."""

INPUT_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class OnnxEncoder:
    """An image encoder in an ONNX file."""

    def __init__(self, name: str, path: Path, *, device: str = "cpu", threads: int | None = None) -> None:
        """Open the file.

        Args:
            name: The model's name as the user gave it.
            path: The file.
            device: `cpu`, or a CUDA device if the GPU build of onnxruntime is installed.
            threads: Threads inside one operation; None is onnxruntime's own choice, one for each core.

        Raises:
            EncoderError: the file is no such model, or does not say how to prepare images.
            ModuleNotFoundError: onnxruntime is not installed.
        """
        self.name = name
        self._session = _session(path, device, threads)
        fields = onnx_recipe.settings(path, self._session.get_modelmeta().custom_metadata_map)
        self.preprocess = onnx_recipe.pixels(fields, path)
        self._input = _pick(self._session.get_inputs(), fields.get("input"), "input", 4, path)
        self._output = _pick(self._session.get_outputs(), fields.get("output"), "output", 2, path)
        if self._input.type not in INPUT_TYPES:
            raise EncoderError(f"{path} takes {self._input.type}; an image encoder must take floating-point pixels")
        asked = (3, *self.preprocess.size)
        if any(isinstance(has, int) and has != want for has, want in zip(self._input.shape[1:], asked, strict=True)):
            raise EncoderError(
                f"{path} takes pixels {self._input.shape}, but its preprocessing makes {list(asked)} of every image: "
                "correct image_size in its metadata or in the JSON beside it"
            )
        self._batch = self._input.shape[0] if isinstance(self._input.shape[0], int) else None
        self.dim = self._output.shape[1] if isinstance(self._output.shape[1], int) else self._probe(asked)
        self.fingerprint = of_files(
            {
                "onnx": ONNX_VERSION,
                "input": self._input.name,
                "output": self._output.name,
                "preprocess": self.preprocess.recipe(),
            },
            [path, *_external_data(path)],
        )

    def embed(self, batch: FloatArray) -> FloatArray:
        """Embed float32 [n, 3, H, W] to unit rows float32 [n, dim].

        A file exported for one batch size gets slices of it, the last one filled up with copies of its last image.
        """
        if self._batch is None:
            return unit_rows(self._run(batch))
        rows = []
        for start in range(0, len(batch), self._batch):
            part = batch[start : start + self._batch]
            filling = np.repeat(part[-1:], self._batch - len(part), axis=0)
            rows.append(self._run(np.concatenate([part, filling]))[: len(part)])
        return unit_rows(np.concatenate(rows))

    def tokens(self, batch: FloatArray, layer: int = -1) -> Tokens:
        """Raise Unsupported: an ONNX file gives its output and nothing from inside."""
        return self._no_tokens()

    def _no_tokens(self) -> NoReturn:
        raise Unsupported(f"{self.name} is an ONNX file and shows no patch tokens; use the model's own format for them")

    def _run(self, batch: FloatArray) -> FloatArray:
        pixels = np.ascontiguousarray(batch, dtype=INPUT_TYPES[self._input.type])
        try:
            rows = self._session.run([self._output.name], {self._input.name: pixels})[0]
        except _onnx_errors() as error:
            raise EncoderError(
                f"{self.name} failed on a batch of shape {pixels.shape}: {_first_line(error)}"
            ) from error
        return np.asarray(rows, dtype=np.float32)

    def _probe(self, shape: tuple[int, ...]) -> int:
        return int(self._run(np.zeros((self._batch or 1, *shape), dtype=np.float32)).shape[1])


def _session(path: Path, device: str, threads: int | None) -> Any:  # noqa: ANN401 - onnxruntime is untyped
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # problems come back as exceptions
    # Waiting threads that spin take the core from the decode workers that feed them.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.inter_op_num_threads = 1
    if threads is not None:
        options.intra_op_num_threads = threads
    provider = "CPUExecutionProvider"
    choice: list[Any] = [provider]
    if device != "cpu":
        provider = "CUDAExecutionProvider"
        there = onnxruntime.get_available_providers()
        if not device.startswith("cuda") or provider not in there:
            raise EncoderError(
                f"this onnxruntime cannot use {device} (it has {', '.join(there)}): use --device cpu, or install "
                "onnxruntime-gpu in its place"
            )
        choice = [(provider, {"device_id": int(device.partition(":")[2] or 0)})]
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=choice)
    except _onnx_errors() as error:
        raise EncoderError(f"cannot load {path} as an ONNX model: {_first_line(error)}") from error
    if provider not in session.get_providers():
        raise EncoderError(f"onnxruntime could not start {provider} for {path}; use --device cpu")
    return session


def _onnx_errors() -> tuple[type[Exception], ...]:
    """All that onnxruntime raises for a file that it cannot load or run: it has no common base of its own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NoModel", "NoSuchFile", "NotFound")
    return tuple(getattr(state, name) for name in (*names, "NotImplemented", "RuntimeException", "EPFail"))


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]


def _pick(nodes: list[Any], asked: str | None, what: str, axes: int, path: Path) -> Any:  # noqa: ANN401
    """Choose the input or output: the one named, or the only one with that many axes."""
    listed = ", ".join(f"{node.name} {node.type} {node.shape}" for node in nodes)
    fitting = [node for node in nodes if (node.name == asked if asked else len(node.shape) == axes)]
    shape = "[n, 3, H, W]" if axes == 4 else "[n, dim]"
    if len(fitting) != 1:
        problem = f"has no {what} {asked!r}" if asked else f"has {len(fitting)} {what}s of shape {shape}"
        raise EncoderError(
            f'{path} {problem}; it has {listed}: name one, as "{what}": "...", in {path.name}.json beside it'
        )
    if len(fitting[0].shape) != axes:
        raise EncoderError(f"{path}: the {what} {asked!r} has shape {fitting[0].shape}, but must be {shape}")
    return fitting[0]


def _external_data(path: Path) -> list[Path]:
    """List the files beside a model that hold its larger weights, in order of their names.

    They are named inside the file, in protobuf entries with the key "location"; finding those needs no ONNX package.
    """
    entry = re.compile(rb"\x0a\x08location\x12([\x01-\x7f])")
    data = path.read_bytes()
    names = {data[match.end() : match.end() + match.group(1)[0]] for match in entry.finditer(data)}
    files = {path.parent / name.decode("utf-8", "replace") for name in names}
    return sorted(file for file in files if file.is_file())


def load(name: str, model: str, weights: str | None, *, device: str, dtype: str, threads: int | None) -> OnnxEncoder:
    """Load `onnx/<file>`.

    Raises:
        UsageError: there is no such file, or a dtype is asked for that the file does not decide.
        EncoderError: the file is no image encoder, or does not say how to prepare images.
    """
    path = local_path(model if weights is None else f"{model}@{weights}", name)
    if path is None or not path.is_file():
        raise UsageError(f"no file {model!r} (in the model name {name!r}): onnx/ takes the path of an .onnx file")
    if dtype != "float32":
        raise UsageError(f"{name} computes in the type it was exported in: leave --dtype at float32")
    return OnnxEncoder(name, path, device=device, threads=threads)
