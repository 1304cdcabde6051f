"""What an earlier study already knows about a collection that has grown since.

A cosine depends on two stored vectors and nothing else. So where an earlier study was mined with the same encoders and
thresholds, and this one holds all its images with the same vectors, the pairs of two old images are those that it
found. Only pairs with a new image are joined (`Join.rows`), and both are merged in row order: what is written is what
mining from scratch writes, byte for byte.

Totals add up, since no pair is counted on both sides. The histogram of `mining.json` does not: how its bins are merged
depends on what the whole collection holds, and a merged bin cannot be split again. Therefore `mine` also keeps the
fine cells of the join, `above_cells`, which add up as totals do; pairs below the blind minimum are sampled anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.errors import StudyError, UsageError
from snellen.mining.found.merge import merged
from snellen.mining.found.parts import PAIR, Records
from snellen.mining.found.sort import by_rows, sort_records
from snellen.mining.found.stripe import Totals
from snellen.mining.join.tiles import Positions
from snellen.study import Study

if TYPE_CHECKING:
    import pyarrow

COLUMNS = list(PAIR.names or ())


@dataclass(frozen=True)
class Earlier:
    """An earlier study, checked, and what it knows of this one's pairs.

    study: where it lies; manifest: of its pairs; resolved: its thresholds, as in `mining.json`; totals: of its join,
    all pairs of two old images; order: int64 [n], the rows of *this* study that are mined, new images first, each part
    in row order; n_new: how many are new; rows_here: int64 [rows of the earlier study], where each of its images is in
    this one, -1 if it was not mined.
    """

    study: Study
    manifest: Mapping[str, Any]
    resolved: Mapping[str, Any]
    totals: Totals
    order: Positions
    n_new: int
    rows_here: Positions

    def as_json(self) -> dict[str, Any]:
        """Return what names it in this study's manifest: sha256 of all that it was made from, and of what it wrote."""
        return {"inputs": self.manifest["inputs"], "outputs": self.manifest["outputs"]}

    def with_new(self, new: Totals) -> Totals:
        """Add the totals of the pairs with at least one new image."""
        old = self.totals
        return Totals(
            above_blind_min=old.above_blind_min + new.above_blind_min,
            below_reference_max=old.below_reference_max + new.below_reference_max,
            after_labels=old.after_labels + new.after_labels,
            above=old.above.joined(new.above),
        )

    def records(self) -> Iterator[Records]:
        """Yield the pairs of two old images as PAIR records, the smaller row of this study first, in no order.

        Raises:
            StudyError: `pairs.parquet` has been replaced since it was checked.
        """
        import pyarrow.parquet as pq

        path = self.study.pairs
        try:
            file = path.open("rb")
        except FileNotFoundError:
            raise self._replaced() from None
        with file:
            # Once more, and of the very file that is read: a join may take hours, and the name be taken by another.
            if hashlib.file_digest(file, "sha256").hexdigest() != self.manifest["outputs"][self.study.relative(path)]:
                raise self._replaced()
            file.seek(0)
            with pq.ParquetFile(file) as pairs:
                for batch in pairs.iter_batches(columns=COLUMNS):
                    yield self._moved(batch)

    def _replaced(self) -> StudyError:
        return StudyError(
            f"{self.study.pairs} was replaced while it was used for --earlier: run the same command again."
        )

    def merged(self, new: Iterable[Records], folder: Path) -> Iterator[Records]:
        """Yield the old pairs and the new ones in row order.

        Args:
            new: PAIR records of the pairs with at least one new image, in row order.
            folder: for temporary files.
        """
        return merged(sort_records(self.records(), by_rows, folder), new)

    def _moved(self, batch: pyarrow.RecordBatch) -> Records:
        left, right = (self.rows_here[batch[name].to_numpy()] for name in ("row_a", "row_b"))
        chunk = np.empty(len(batch), dtype=PAIR)
        chunk["row_a"], chunk["row_b"] = np.minimum(left, right), np.maximum(left, right)
        for name in ("blind_cosine", "reference_cosine"):
            chunk[name] = batch[name].to_numpy()
        # A pair_id does not depend on which of the two comes first.
        chunk["pair_id"] = np.frombuffer(bytes.fromhex("".join(batch["pair_id"].to_pylist())), dtype=">u8")
        return chunk


def check_thresholds(earlier: Study, resolved: Mapping[str, Any], thresholds: Mapping[str, float]) -> None:
    """Check that a study's thresholds are those of an earlier one.

    Args:
        earlier: the earlier study.
        resolved: its thresholds, the entry of `mining.json`.
        thresholds: the other's, by name; those that are known.

    Raises:
        UsageError: one of them is another number, as a quantile mostly is when a collection grows.
    """
    for name, ours in thresholds.items():
        option, theirs = f"--{name.replace('_', '-')}", resolved[name]["value"]
        if ours != theirs:
            raise UsageError(
                f"{option} is {ours!r} here and was {theirs!r} in --earlier {earlier.root}: give {option} {theirs!r}, "
                "or run `snellen mine` without --earlier."
            )
