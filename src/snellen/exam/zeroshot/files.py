"""`STUDY/zeroshot/<id>/`: `zeroshot.json`, what was measured, and `predictions.jsonl`, a line an image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from snellen import jsonl, storage
from snellen.errors import StudyError
from snellen.exam.zeroshot.metrics import ClassScore, ZeroShotScore
from snellen.jsonl import Bad
from snellen.plain import plain
from snellen.records import Status
from snellen.study import Study

ZEROSHOT: Final = "zeroshot.json"
PREDICTIONS: Final = "predictions.jsonl"


@dataclass(frozen=True, slots=True)
class Prediction:
    """One line of `predictions.jsonl`: what one image was taken for.

    `top` holds up to five labels, best first, equal ones in the order of the classes. `rank` is how many classes have
    at least the cosine of the image's own: 1 is right, and a tie counts against it. `tie`: two classes share the first
    place. An image that is not ok has no `top` and no `rank`.
    """

    image_id: str | None
    uri: str
    label: str
    status: Status
    top: tuple[str, ...]
    rank: int | None
    tie: bool


@dataclass(frozen=True, slots=True)
class ZeroShot:
    """`zeroshot.json`: one encoder on one labelled dataset, with one set of class names and templates.

    `n_images` are those that could be decoded, which all scores are over; `counts` are all images by status. `n_ties`
    images come equally close to two classes first of all, and are wrong. `n_duplicates` have the bytes of an image
    before them. `templates` are a name, a hash and the sentences, `classes` a source and a hash; `per_class` holds
    every class with its names. `parameters` are of both towers, None where not known; `image_size` is height and width
    in pixels, None where it depends on the picture. `device` is the kind of device, None for an encoder of one's own.
    """

    encoder: str
    fingerprint: str
    dim: int
    parameters: int | None
    image_size: tuple[int, int] | None
    dataset: str
    content_sha256: str
    classes: Mapping[str, str]
    templates: Mapping[str, Any]
    device: str | None
    dtype: str | None
    batch_size: int
    n_images: int
    n_classes: int
    counts: Mapping[str, int]
    n_ties: int
    n_duplicates: int
    scores: tuple[ZeroShotScore, ...]
    per_class: tuple[ClassScore, ...]

    def score(self, metric: str) -> ZeroShotScore | None:
        """Return one score: `top1`, `top5` or `mean_per_class_recall`; None where there is no such one."""
        return next((score for score in self.scores if score.metric == metric), None)


def folder_of_all(study: Study) -> Path:
    """The folder with one folder for each encoder, dataset and settings."""
    return study.root / "zeroshot"


def write_zeroshot(path: Path, found: ZeroShot) -> None:
    """Write `zeroshot.json` atomically."""
    storage.write_json(path, plain(found))


def read_zeroshot(path: Path) -> ZeroShot:
    """Read `zeroshot.json`.

    Raises:
        StudyError: it is missing or damaged.
    """
    try:
        return ZeroShot(**jsonl.fields(storage.read_json(path), _ZEROSHOT))
    except Bad as bad:
        raise StudyError(f"{path} {bad}: delete its folder and run `snellen zeroshot` again.") from None


def read_predictions(path: Path) -> tuple[Prediction, ...]:
    """Read what every image was taken for, in the order of the source.

    Raises:
        StudyError: the file is missing, or a line is damaged.
    """
    found = []
    try:
        with path.open("rb") as file:
            for number, line in jsonl.read(file, lambda value: Prediction(**jsonl.fields(value, _PREDICTION))):
                if isinstance(line, Bad):
                    raise StudyError(
                        f"{path}, line {number}, {line}: delete its folder and run `snellen zeroshot` again."
                    )
                found.append(line)
    except FileNotFoundError:
        raise StudyError(f"{path} is missing: run `snellen zeroshot` again.") from None
    return tuple(found)


def read_zeroshots(study: Study) -> dict[str, ZeroShot]:
    """Read all finished measurements of a study, by the names of their folders, sorted.

    Raises:
        StudyError: one is damaged, or was changed after it was written.
    """
    found = {}
    for folder in sorted(path for path in folder_of_all(study).glob("*") if path.is_dir()):
        if is_finished(study, folder):
            found[folder.name] = read_zeroshot(folder / ZEROSHOT)
        elif study.read_manifest(folder) is not None:
            raise StudyError(f"{folder} was changed after it was written: delete it and run `snellen zeroshot` again.")
    return found


def is_finished(study: Study, folder: Path) -> bool:
    """Whether a measurement is there, whole, and as it was written."""
    manifest = study.read_manifest(folder)
    if manifest is None:
        return False
    paths = [folder / ZEROSHOT, folder / PREDICTIONS]
    return all(
        path.is_file() and manifest["outputs"].get(study.relative(path)) == storage.sha256_of_file(path)
        for path in paths
    )


# -- fields ---------------------------------------------------------------------------------------------------------


def _listed(check: jsonl.Check) -> jsonl.Check:
    def every(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise Bad("is not a list")
        return tuple(map(check, value))

    return every


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Bad("is not an object")
    return value


def _score(value: object) -> ZeroShotScore:
    return ZeroShotScore(**jsonl.fields(_object(value), _SCORE))


def _class(value: object) -> ClassScore:
    return ClassScore(**jsonl.fields(_object(value), _CLASS))


def _size(value: object) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2:
        raise Bad("is not height and width")
    return _COUNT(value[0]), _COUNT(value[1])


_COUNT: Final = jsonl.integer(0, 10**15)

_SCORE: Final[dict[str, jsonl.Check]] = {
    "metric": jsonl.one_of("top1", "top5", "mean_per_class_recall"),
    "value": jsonl.number,
    "low": jsonl.number,
    "high": jsonl.number,
    "n": _COUNT,
    "method": jsonl.text,
    "chance": jsonl.number,
}

_CLASS: Final[dict[str, jsonl.Check]] = {
    "label": jsonl.text,
    "names": jsonl.texts,
    "n": _COUNT,
    "correct": _COUNT,
    "value": jsonl.nullable(jsonl.number),
    "low": jsonl.number,
    "high": jsonl.number,
}

_ZEROSHOT: Final[dict[str, jsonl.Check]] = {
    "encoder": jsonl.text,
    "fingerprint": jsonl.digits(64),
    "dim": _COUNT,
    "parameters": jsonl.nullable(_COUNT),
    "image_size": jsonl.nullable(_size),
    "dataset": jsonl.text,
    "content_sha256": jsonl.digits(64),
    "classes": _object,
    "templates": _object,
    "device": jsonl.nullable(jsonl.text),
    "dtype": jsonl.nullable(jsonl.text),
    "batch_size": _COUNT,
    "n_images": _COUNT,
    "n_classes": _COUNT,
    "counts": _object,
    "n_ties": _COUNT,
    "n_duplicates": _COUNT,
    "scores": _listed(_score),
    "per_class": _listed(_class),
}

_PREDICTION: Final[dict[str, jsonl.Check]] = {
    "image_id": jsonl.nullable(jsonl.digits(64)),
    "uri": jsonl.text,
    "label": jsonl.text,
    "status": jsonl.one_of(*get_args(Status)),
    "top": jsonl.texts,
    "rank": jsonl.nullable(jsonl.integer(1, 10**9)),
    "tie": jsonl.truth,
}
