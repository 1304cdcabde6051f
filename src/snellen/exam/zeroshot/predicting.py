"""From images to predictions, part by part: what is finished is on disk, and a killed run loses one part at most."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, Final

import numpy as np

from snellen import jsonl, storage
from snellen.encoders.base import FloatArray
from snellen.errors import EncoderError
from snellen.exam.zeroshot.classes import Classes
from snellen.exam.zeroshot.classifier import Doubles, class_rows, cosines
from snellen.exam.zeroshot.dataset import Dataset, Labelled
from snellen.exam.zeroshot.files import Prediction, read_predictions
from snellen.exam.zeroshot.loading import Loaded
from snellen.exam.zeroshot.metrics import ranked
from snellen.exam.zeroshot.templates import Templates
from snellen.jsonl import quoted
from snellen.progress import Progress
from snellen.records import Status

PART_IMAGES: Final = 512
PART_CLASSES: Final = 32
PLAN: Final = "plan.json"


@dataclass(frozen=True)
class Work:
    """What is to be predicted by what; parts lie in `folder` until all are there."""

    folder: Path
    loaded: Loaded
    dataset: Dataset
    classes: Classes
    templates: Templates
    batch_size: int
    workers: int
    progress: Progress

    def begin(self, plan: Mapping[str, Any]) -> None:
        """Go on with the parts of an earlier run that was made in the same way; others are thrown away."""
        path = self.folder / PLAN
        if self.folder.is_dir() and not (path.is_file() and storage.read_json(path) == plan):
            shutil.rmtree(self.folder)
        if not path.is_file():
            storage.write_json(path, plan)

    def predictions(self) -> list[Prediction]:
        """Return what every image is taken for, in order.

        Raises:
            EncoderError: the encoder gives an image or a sentence no direction.
            StudyError: an image changed meanwhile, or a part is damaged.
        """
        paths = [
            self.folder / f"images-{part:05d}.jsonl" for part in range(-(-len(self.dataset.images) // PART_IMAGES))
        ]
        rows = None if all(path.is_file() for path in paths) else self._classifier()
        found: list[Prediction] = []
        self.progress.start(f"classifying with {self.loaded.encoder.name}", len(self.dataset.images), "images")
        with ThreadPoolExecutor(self.workers, thread_name_prefix="classify") as pool:
            for part, path in enumerate(paths):
                if not path.is_file():
                    assert rows is not None  # computed above, since this part is missing
                    images = self.dataset.images[part * PART_IMAGES : (part + 1) * PART_IMAGES]
                    storage.write_bytes(path, jsonl.lines_of(self._part(images, rows, pool)))
                lines = read_predictions(path)
                found += lines
                self.progress.advance(len(lines))
        self.progress.finish()
        return found

    def end(self) -> None:
        """Throw the parts away."""
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- texts ------------------------------------------------------------------------------------------------------

    def _classifier(self) -> Doubles:
        """Return a row for each class: float64 [classes, dim]; classes of the same names are computed once."""
        different = list(dict.fromkeys(self.classes.names))
        sentences = len(self.templates.lines)
        self.progress.start("embedding class names", sum(map(len, different)) * sentences, "sentences")
        parts = []
        for first in range(0, len(different), PART_CLASSES):
            names = different[first : first + PART_CLASSES]
            path = self.folder / f"classes-{first // PART_CLASSES:05d}.npy"
            if not path.is_file():
                storage.write_npy(path, class_rows(self.loaded.encoder, names, self.templates.lines))
            parts.append(np.load(path, allow_pickle=False))
            self.progress.advance(sum(map(len, names)) * sentences)
        self.progress.finish()
        rows: Doubles = np.concatenate(parts)
        place = {names: row for row, names in enumerate(different)}
        return rows[[place[names] for names in self.classes.names]]

    # -- images -----------------------------------------------------------------------------------------------------

    def _part(self, images: Sequence[Labelled], classes: Doubles, pool: ThreadPoolExecutor) -> Iterator[Prediction]:
        gate = BoundedSemaphore(self.loaded.streams)
        batches = [images[first : first + self.batch_size] for first in range(0, len(images), self.batch_size)]
        done = list(pool.map(lambda batch: self._batch(batch, gate), batches))
        statuses = [status for some, _ in done for status in some]
        held = [rows for _, rows in done if rows is not None]
        fine = [image for image, status in zip(images, statuses, strict=True) if status == "ok"]
        index = {label: place for place, label in enumerate(self.classes.labels)}
        found: Iterator[tuple[int, list[int], bool]] = iter(())
        if held:
            table = cosines(np.concatenate(held).astype(np.float64), classes)
            found = zip(*ranked(table, [index[image.label] for image in fine]), strict=True)
        for image, status in zip(images, statuses, strict=True):
            if status != "ok":
                yield Prediction(image.image_id, image.ref.uri, image.label, status, (), None, False)
                continue
            rank, top, tie = next(found)
            labels = tuple(self.classes.labels[place] for place in top)
            yield Prediction(image.image_id, image.ref.uri, image.label, status, labels, rank, tie)

    def _batch(self, images: Sequence[Labelled], gate: BoundedSemaphore) -> tuple[list[Status], FloatArray | None]:
        encoder = self.loaded.encoder
        statuses, prepared, names = [], [], []
        for image in images:
            decoded = self.dataset.decoded(image)
            statuses.append(decoded.status)
            if decoded.image is not None:
                prepared.append(encoder.preprocess(decoded.image))
                names.append(image.ref.uri)
        if not prepared:
            return statuses, None
        try:
            with gate:
                return statuses, encoder.embed(np.stack(prepared))
        except FloatingPointError as error:
            raise EncoderError(
                f"{encoder.name} gives one of {len(names)} images ({', '.join(map(quoted, names[:3]))}, ...) no "
                "direction (a vector of zeros or NaN): take it out, or use another --dtype or encoder."
            ) from error
