"""Costs as they lie in the study, and the measuring that puts them there.

`diagnosis/costs/<slug>.json` holds parameters, picture and patch tokens, the same on every machine;
`diagnosis/costs.log.jsonl` holds latency, a line a measurement, which is this machine's alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from snellen import jsonl, storage
from snellen.diagnosis.shopping.cost import Latency, Size, latency_of, machine, size_of
from snellen.diagnosis.shopping.zeroshot_files import side_lengths
from snellen.encoders.base import ImageEncoder
from snellen.errors import StudyError
from snellen.jsonl import Bad
from snellen.providers import load_encoder, recorded_name, resolve_device
from snellen.study import Study, slug, software

BATCHES: Final = (1, 16)


def measure(
    study: str | Path,
    encoder: str | ImageEncoder,
    *,
    device: str = "auto",
    dtype: str = "float32",
    batches: Sequence[int] = BATCHES,
    clock: Callable[[], float] = perf_counter,
) -> tuple[Size, list[Latency]]:
    """Measure one encoder on this machine, and keep what was found in the study.

    Args:
        study: the study folder.
        encoder: `provider/model[@weights]`, or an encoder that is loaded already.
        device: where it computes; of a loaded encoder, where it was put.
        dtype: what it computes in; of a loaded encoder, what it was loaded in.
        batches: batch sizes to time; none: latency is not measured.
        clock: seconds.

    Raises:
        UsageError: unknown name, device or dtype.
        EncoderError: the encoder cannot be had.
        StorageError: the disk is full, or another process is writing to the study.
    """
    root, device = Study(Path(study)), resolve_device(device)
    loaded = load_encoder(encoder, device=device, dtype=dtype) if isinstance(encoder, str) else encoder
    size = size_of(loaded, dtype)
    latencies = [latency_of(loaded, batch, device=device, dtype=dtype, clock=clock) for batch in batches]
    path = folder(root) / f"{slug(size.encoder, size.fingerprint)}.json"
    with root.lock((folder(root),)):
        storage.write_json(path, asdict(size))
        root.write_manifest(
            path,
            verb="encoders",
            settings={"encoder": size.encoder, "fingerprint": size.fingerprint},
            software=software("numpy", "torch"),
            inputs={},
            outputs={root.relative(path): storage.sha256_of_file(path)},
            counts={},
        )
        at = datetime.now(UTC).isoformat(timespec="seconds")
        for latency in latencies:
            storage.append_line(log(root), {**asdict(latency), "at": at})
    return size, latencies


def measured_size(study: Study, name: str, *, latency: bool, device: str, dtype: str) -> Size | None:
    """Return what was measured of an encoder before, by its name; None where it is to be measured.

    A local folder or file may hold another model by now, so that its encoder is always measured. With `latency` also
    that must be there: every batch size, on the same kind of device, machine and dtype.
    """
    device = resolve_device(device)
    sizes = [each for each in read_sizes(study)[0] if (each.encoder, each.dtype) == (name, dtype)]
    if len(sizes) != 1 or recorded_name(name) != name:
        return None
    timed = {
        each.batch
        for each in read_latencies(study)
        if (each.fingerprint, each.device, each.machine, each.dtype)
        == (sizes[0].fingerprint, device, machine(device), dtype)
    }
    return sizes[0] if not latency or timed >= set(BATCHES) else None


def folder(study: Study) -> Path:
    """`diagnosis/costs/`."""
    return study.root / "diagnosis" / "costs"


def log(study: Study) -> Path:
    """`diagnosis/costs.log.jsonl`."""
    return study.root / "diagnosis" / "costs.log.jsonl"


def read_sizes(study: Study) -> tuple[list[Size], dict[str, str]]:
    """Read every finished `diagnosis/costs/<slug>.json`.

    Returns:
        Sizes, sorted by slug, and sha256 by path relative to the study.

    Raises:
        StudyError: a file is damaged or was changed.
    """
    sizes, files = [], {}
    paths = folder(study).glob("*.json") if folder(study).is_dir() else ()
    for path in sorted(path for path in paths if not path.name.endswith(".manifest.json")):
        manifest = study.read_manifest(path)
        if manifest is None:
            continue
        digest = storage.sha256_of_file(path)
        if digest != manifest["outputs"].get(study.relative(path)):
            raise StudyError(f"{path} was changed after it was written: delete it, and measure again.")
        files[study.relative(path)] = digest
        try:
            sizes.append(Size(**jsonl.fields(storage.read_json(path), _SIZE)))
        except Bad as bad:
            raise StudyError(f"{path} {bad}: delete it, and measure again.") from None
    return sizes, files


def read_latencies(study: Study) -> list[Latency]:
    """Read what was measured on this machine, the last of each encoder, device, dtype and batch; broken lines are not.

    A line that a kill cut short is left out: it can be measured again.
    """
    if not log(study).is_file():
        return []
    found: dict[tuple[Any, ...], Latency] = {}
    with log(study).open("rb") as file:
        for _, each in jsonl.read(file, _latency):
            if isinstance(each, Latency):
                found[each.fingerprint, each.device, each.machine, each.dtype, each.batch] = each
    return list(found.values())


def _latency(line: Mapping[str, Any]) -> Latency:
    values = jsonl.fields(line, {**_LATENCY, "at": jsonl.text})
    del values["at"]
    return Latency(**values)


_COUNT: Final = jsonl.integer(0, 2**53)

_SIZE: Final[dict[str, jsonl.Check]] = {
    "encoder": jsonl.text,
    "fingerprint": jsonl.digits(64),
    "dtype": jsonl.text,
    "parameters": jsonl.nullable(_COUNT),
    "image_size": jsonl.nullable(side_lengths),
    "tokens": jsonl.nullable(_COUNT),
    "text_tower": jsonl.truth,
}

_LATENCY: Final[dict[str, jsonl.Check]] = {
    "encoder": jsonl.text,
    "fingerprint": jsonl.digits(64),
    "device": jsonl.text,
    "machine": jsonl.text,
    "dtype": jsonl.text,
    "threads": jsonl.nullable(_COUNT),
    "batch": _COUNT,
    "seconds": jsonl.number,
    "low": jsonl.nullable(jsonl.number),
    "high": jsonl.nullable(jsonl.number),
    "repeats": _COUNT,
}
