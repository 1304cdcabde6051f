"""Classes: which labels there are, and what each is called."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from snellen import jsonl, storage
from snellen.errors import StudyError, UsageError
from snellen.jsonl import Bad, quoted

READY: Final = ("labels", "imagenet")
"""The labels themselves, underscores as spaces; the 1,000 classes of ImageNet-1k with open_clip's names."""

MOST: Final = 64 << 20
"""Bytes of the largest file of classes that is read."""

Pair = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Classes:
    """Labels in order, with one or several names each; `source` is `labels`, `imagenet` or `file`."""

    source: str
    labels: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]

    @property
    def sha256(self) -> str:
        """64 hex digits over labels and names, in order."""
        return storage.sha256_of_json([[label, *names] for label, names in zip(self.labels, self.names, strict=True)])


def read_classes(asked: str | Path, labels: Collection[str]) -> Classes:
    """Say what the classes of a labelled dataset are; a class that no image has is a candidate all the same.

    Args:
        asked: `labels`; `imagenet`; or a file: `.json` (an object from label to a name or a list of names), `.jsonl`
            (`{"label": ..., "names": [...]}` a line) or `.tsv` (label and names, no heading).
        labels: those that the images have.

    Raises:
        UsageError: there is no such file, or a label of the images is not among the classes.
        StudyError: the file is damaged, or names a label twice.
    """
    if asked == "labels":
        found = Classes("labels", tuple(sorted(labels)), tuple((_spoken(label),) for label in sorted(labels)))
    elif asked == "imagenet":
        found = imagenet(labels)
    else:
        pairs = _read(Path(asked).expanduser())
        found = Classes("file", tuple(label for label, _ in pairs), tuple(names for _, names in pairs))
    known = set(found.labels)
    unknown = sorted(label for label in labels if label not in known)
    if unknown:
        raise UsageError(
            f"{len(unknown):,} labels of the images are not among the {len(known):,} classes ({_some(unknown)}): add "
            "them to the file of classes, or give images of these classes alone."
        )
    if len(known) < 2:
        raise UsageError(f"There is only one class, {_some(found.labels)}: with one there is nothing to choose from.")
    return found


def imagenet(labels: Iterable[str]) -> Classes:
    """Return the 1,000 classes of ImageNet-1k, labelled as these images are.

    The order of WordNet ids is timm's (`ImageNetInfo`); names are open_clip's, in the same order. Two names belong to
    two classes each (missile, sunglasses): an image that comes closest to one of these is a tie.

    Args:
        labels: WordNet ids (n01440764) or indices (0 to 999), all of one kind.

    Raises:
        UsageError: they are something else.
    """
    from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES
    from timm.data import ImageNetInfo

    wordnet = tuple(ImageNetInfo("imagenet-1k").label_names())
    indices = tuple(map(str, range(len(wordnet))))
    given = set(labels)
    for kind in (wordnet, indices):
        if given <= set(kind):
            return Classes("imagenet", kind, tuple((name,) for name in IMAGENET_CLASSNAMES))
    wrong = sorted(given - set(wordnet if given & set(wordnet) else indices))
    raise UsageError(
        f"Labels must be WordNet ids of ImageNet-1k (n01440764), or its indices from 0 to 999, and {len(wrong):,} are "
        f"not ({_some(wrong)}): name the folders so, or give a file with --classes."
    )


def _spoken(label: str) -> str:
    name = label.replace("_", " ").strip()
    if not name:
        raise UsageError(f"The label {quoted(label)} is no name: give a file with --classes.")
    return name


def _some(labels: Iterable[str]) -> str:
    shown = list(labels)
    return ", ".join(map(quoted, shown[:5])) + (", ..." if len(shown) > 5 else "")


# -- files ----------------------------------------------------------------------------------------------------------


def _read(path: Path) -> list[Pair]:
    if not path.is_file() or path.suffix.lower() not in _READERS:
        raise UsageError(
            f"{str(path)!r} is no file of classes: give labels, imagenet, or the path of a {', '.join(_READERS)} file."
        )
    if path.stat().st_size > MOST:
        raise StudyError(f"{path} has more than {MOST:,} bytes: that is no file of classes.")
    try:
        pairs = _READERS[path.suffix.lower()](path)
        seen: set[str] = set()
        for label, _ in pairs:
            if label in seen:
                raise Bad(f"names the label {quoted(label)} twice")
            seen.add(label)
    except Bad as bad:
        raise StudyError(f"{path} {bad}.") from None
    if not pairs:
        raise StudyError(f"{path} is empty: say what every label is called.")
    return pairs


def _json(path: Path) -> list[Pair]:
    import json

    try:
        value = json.loads(path.read_bytes().decode("utf-8"), object_pairs_hook=lambda pairs: pairs)
    except (ValueError, RecursionError) as error:
        raise Bad(f"is not JSON ({error})") from error
    if not isinstance(value, list) or not all(isinstance(each, tuple) for each in value):
        raise Bad("is not a JSON object from labels to names")
    return [_pair(f"at {quoted(label)}", label, names) for label, names in value]


def _json_lines(path: Path) -> list[Pair]:
    def make(value: dict[str, Any]) -> Pair:
        found = jsonl.fields(value, {"label": jsonl.text, "names": _names})
        return found["label"], found["names"]

    pairs = []
    with path.open("rb") as file:
        for number, made in jsonl.read(file, make):
            if isinstance(made, Bad):
                raise Bad(f"has line {number}, which {made}")
            pairs.append(made)
    return pairs


def _table(path: Path) -> list[Pair]:
    try:
        lines = path.read_bytes().decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise Bad(f"is not UTF-8 (byte {error.start})") from error
    pairs = []
    for number, line in enumerate(lines[: -1 if lines[-1] == "" else None], 1):
        label, *names = line.rstrip("\r").split("\t")
        if not names:
            raise Bad(f"has line {number} without a tab: label, tab, name, and further names behind further tabs")
        pairs.append(_pair(f"in line {number}", label, names))
    return pairs


def _pair(place: str, label: str, names: object) -> Pair:
    for what, value, check in (("a label", label, jsonl.text), ("names", names, _names)):
        try:
            check(value)
        except Bad as bad:
            raise Bad(f"has {what} {place}, {quoted(value)}, which {bad}") from None
    return label, _names(names)


def _names(value: object) -> tuple[str, ...]:
    """A text, or a list of texts that is not empty."""
    found = jsonl.texts([value] if isinstance(value, str) else value)
    if not found:
        raise Bad("is empty")
    return found


_READERS: Final[dict[str, Callable[[Path], list[Pair]]]] = {".json": _json, ".jsonl": _json_lines, ".tsv": _table}
