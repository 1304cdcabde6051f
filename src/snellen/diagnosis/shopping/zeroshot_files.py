"""What `snellen zeroshot` left in the study: `zeroshot/<id>/zeroshot.json`, as far as encoders are compared."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from snellen import jsonl, storage
from snellen.diagnosis.shopping.nouns import ZeroShot
from snellen.errors import StudyError, UsageError
from snellen.jsonl import Bad, quoted
from snellen.stats import Proportion
from snellen.study import Study

ZEROSHOT: Final = "zeroshot.json"


def read_zeroshots(study: Study, dataset: str | None) -> tuple[list[ZeroShot], dict[str, str]]:
    """Read every encoder's zero-shot accuracy on one labelled set, with one list of classes and of templates.

    Args:
        study: the study.
        dataset: its name; where it was measured in several ways, `<name>--<8 hex digits>`, the end of a measurement's
            name. None: the only one there is.

    Returns:
        Measurements, sorted by their names, and sha256 by path relative to the study.

    Raises:
        UsageError: there are several and none is named, or there is no such one.
        StudyError: a file is damaged or was changed.
    """
    groups: dict[tuple[str, ...], list[tuple[str, ZeroShot]]] = {}
    hashes: dict[str, str] = {}
    root = study.root / "zeroshot"
    for folder in sorted(path for path in root.glob("*") if path.is_dir()):
        manifest = study.read_manifest(folder)
        if manifest is None:
            continue
        path = folder / ZEROSHOT
        name = study.relative(path)
        if not path.is_file() or storage.sha256_of_file(path) != manifest["outputs"].get(name):
            raise StudyError(f"{path} was changed after it was written: run `snellen zeroshot` again.")
        hashes[name] = manifest["outputs"][name]
        way, found = _read(path)
        groups.setdefault(way, []).append((folder.name, found))
    if not groups:
        if dataset is not None:
            raise UsageError(f"There is no zero-shot set {quoted(dataset)} in {study.root}: run `snellen zeroshot`.")
        return [], {}
    chosen = _chosen(groups, dataset)
    seen: set[str] = set()
    for name, each in chosen:
        if each.fingerprint in seen:
            raise StudyError(f"{root / name} measures an encoder that another folder measures: delete one of them.")
        seen.add(each.fingerprint)
    files = [study.relative(root / name / ZEROSHOT) for name, _ in chosen]
    return [each for _, each in chosen], {name: hashes[name] for name in files}


def _chosen(
    groups: Mapping[tuple[str, ...], list[tuple[str, ZeroShot]]], dataset: str | None
) -> list[tuple[str, ZeroShot]]:
    names = [way[0] for way in groups]
    known = {way: {f"{way[0]}--{name.rsplit('--', 1)[-1]}" for name, _ in each} for way, each in groups.items()}
    asked = [way for way in groups if dataset in (None, way[0]) or dataset in known[way]]
    if len(asked) == 1:
        return groups[asked[0]]
    choices = sorted({way[0] if names.count(way[0]) == 1 else min(known[way]) for way in asked or groups})
    what = "There are several zero-shot sets" if dataset is None or asked else f"{quoted(dataset)} was not measured"
    raise UsageError(f"{what}: name one of {', '.join(choices)} with --dataset.")


def _read(path: Path) -> tuple[tuple[str, ...], ZeroShot]:
    """Return what makes measurements comparable (set, content, classes, templates), and the measurement."""
    try:
        found = storage.read_json(path)
        value = jsonl.fields({name: found.get(name) for name in _FIELDS}, _FIELDS)
        top1 = next((each for each in value["scores"] if each.get("metric") == "top1"), None)
        if top1 is None:
            raise Bad("has no score top1")
        score = jsonl.fields({name: top1.get(name) for name in _SCORE}, _SCORE)
    except Bad as bad:
        raise StudyError(f"{path} {bad}: delete its folder and run `snellen zeroshot` again.") from None
    n = score["n"]
    measured = ZeroShot(
        encoder=value["encoder"],
        fingerprint=value["fingerprint"],
        dataset=value["dataset"],
        top1=Proportion(score["value"], score["low"], score["high"], n, n),
        chance=score["chance"],
        parameters=value["parameters"],
        image_size=value["image_size"],
    )
    return (value["dataset"], value["content_sha256"], value["classes"], value["templates"]), measured


def _sha256_of(value: object) -> str:
    if not isinstance(value, dict):
        raise Bad("is not an object")
    return str(jsonl.digits(64)(value.get("sha256")))


def _objects(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Bad("is not a list of objects")
    return value


def _share(value: object) -> float:
    found = jsonl.number(value)
    if not 0 <= found <= 1:
        raise Bad("is not a share from 0 to 1")
    return found


def side_lengths(value: object) -> tuple[int, int]:
    """Height and width in pixels."""
    if not isinstance(value, list) or len(value) != 2:
        raise Bad("is not [height, width]")
    side = jsonl.integer(1, 1_000_000)
    return side(value[0]), side(value[1])


_COUNT: Final = jsonl.integer(0, 2**53)

_FIELDS: Final[dict[str, jsonl.Check]] = {
    "encoder": jsonl.text,
    "fingerprint": jsonl.digits(64),
    "dataset": jsonl.text,
    "content_sha256": jsonl.digits(64),
    "classes": _sha256_of,
    "templates": _sha256_of,
    "scores": _objects,
    "parameters": jsonl.nullable(_COUNT),
    "image_size": jsonl.nullable(side_lengths),
}

_SCORE: Final[dict[str, jsonl.Check]] = {
    "value": _share,
    "low": _share,
    "high": _share,
    "n": _COUNT,
    "chance": jsonl.nullable(_share),
}
