"""What `mine` left in the study, as far as encoders are compared with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from snellen import storage
from snellen.diagnosis.shopping.image_pairs import Rows
from snellen.errors import StudyError
from snellen.study import Study


@dataclass(frozen=True)
class Mined:
    """The two encoders by slug, their resolved thresholds, and how many pairs were written; `files` are sha256."""

    blind: str
    reference: str
    blind_min: float
    reference_max: float
    written: int
    files: dict[str, str]


def read_mined(study: Study) -> Mined | None:
    """Read `mining.json`; None where `mine` has not finished.

    Raises:
        StudyError: it is damaged, or was changed after it was written.
    """
    manifest = study.read_manifest(study.pairs)
    if manifest is None:
        return None
    files = {}
    for path in (study.pairs, study.mining):
        name = study.relative(path)
        if not path.is_file() or storage.sha256_of_file(path) != manifest["outputs"].get(name):
            raise StudyError(f"{path} was changed after it was written: run `snellen mine {study.root}` again.")
        files[name] = manifest["outputs"][name]
    found = storage.read_json(study.mining)
    return Mined(
        blind=found["blind"]["slug"],
        reference=found["reference"]["slug"],
        blind_min=found["resolved"]["blind_min"]["value"],
        reference_max=found["resolved"]["reference_max"]["value"],
        written=found["counts"]["written"],
        files=files,
    )


def mined_rows(path: Path, places: np.ndarray[Any, np.dtype[np.int64]]) -> Rows:
    """Read the rows of the given pairs of `pairs.parquet`, int64 [places, 2]; places increase.

    Raises:
        StudyError: the table is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    found, first = [np.empty((0, 2), dtype=np.int64)], 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=["row_a", "row_b"]):
                here = places[(places >= first) & (places < first + len(batch))] - first
                found.append(np.stack([batch[name].to_numpy()[here] for name in ("row_a", "row_b")], axis=1))
                first += len(batch)
    except (pa.ArrowInvalid, OSError, KeyError) as error:
        raise StudyError(f"{path} cannot be read ({error}): run `snellen mine` again.") from error
    return np.concatenate(found)
