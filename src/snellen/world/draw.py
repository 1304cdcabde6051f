"""The verb `world draw`: the pictures of a world, and the table of what is true of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from snellen import jsonl, storage
from snellen.errors import StudyError, UsageError
from snellen.progress import SILENT, Progress
from snellen.study import Study, software
from snellen.world.scene.canvas import png
from snellen.world.scene.captions import MENTION_RATES, caption
from snellen.world.scene.facts import FACTORS, random_for
from snellen.world.scene.families import MEMBERS, SPLITS, Shot, families
from snellen.world.table import IMAGES, MOST, PLAN, TABLE, Picture, counts, file_of, read_world

__all__ = ["DrawResult", "caption_of", "checked_rates", "draw", "read_world"]

FAMILIES: Final = 400
"""Families of a world by default: 2,800 pictures, with 133 or 134 single-factor pairs of every pattern."""


@dataclass(frozen=True, slots=True)
class DrawResult:
    """What `draw` wrote; `reused` says that it was all there already. `images` is the folder to embed."""

    folder: Path
    images: Path
    table: Path
    counts: Mapping[str, Any]
    reused: bool


def draw(
    out: str | Path,
    *,
    families: int = FAMILIES,
    world: int = 0,
    split: str = "exam",
    rates: Mapping[str, float] = MENTION_RATES,
    progress: Progress = SILENT,
) -> DrawResult:
    """Draw a world: `OUT/images/*.png`, and `OUT/world.jsonl`, a line a picture.

    Equal settings give equal bytes, on every machine. Run again after a kill it completes the world, run again on a
    finished one it draws every picture once more, compares, and writes again what is lost or damaged.

    Args:
        out: the folder to write.
        families: how many families of seven pictures.
        world: the world's number: another one has other scenes.
        split: `exam` or `train`: scenes drawn independently of one another.
        rates: how often captions mention a factor, from 0 to 1; factors left out keep the rates of `MENTION_RATES`.
        progress: told of every picture.

    Raises:
        UsageError: a setting is out of range.
        StudyError: the folder holds another world, or files that are nobody's.
        StorageError: the disk is full, or another process is writing there.
    """
    for option, number, least in (("families", families, 1), ("world", world, 0)):
        if not least <= number <= MOST:
            raise UsageError(f"--{option} {number} is out of range: give a whole number from {least} to {MOST}.")
    if split not in SPLITS:
        raise UsageError(f"--split {split!r} is not known: choose {', '.join(SPLITS)}.")
    settings = {"world": world, "split": split, "families": families, "rates": checked_rates(rates)}
    folder = Study(Path(out))
    with folder.lock([folder.root / IMAGES]):
        return _Draw(folder, settings, progress).run()


def checked_rates(rates: Mapping[str, float]) -> dict[str, float]:
    """Return a rate for every factor, in the order of `FACTORS`; factors left out keep those of `MENTION_RATES`.

    Raises:
        UsageError: a name is no factor, or a rate is not from 0 to 1.
    """
    for name, rate in rates.items():
        if name not in FACTORS:
            raise UsageError(f"--rate {name!r} is no factor: choose {', '.join(FACTORS)}.")
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
            raise UsageError(f"--rate {name}={rate} is out of range: give a number from 0 (never) to 1 (always).")
    return {name: float({**MENTION_RATES, **rates}[name]) for name in FACTORS}


def caption_of(shot: Shot, rates: Mapping[str, float] = MENTION_RATES) -> str:
    """Write the caption that a picture has in its world."""
    parts = (shot.world, shot.split, shot.family, shot.member, shot.frame)
    return caption(shot.facts, random_for(*parts, "caption"), rates)


class _Draw:
    """One run, step by step."""

    def __init__(self, folder: Study, settings: dict[str, Any], progress: Progress) -> None:
        self.folder = folder
        self.settings = settings
        self.progress = progress
        self.images = folder.root / IMAGES
        self.table = folder.root / TABLE
        self.plan = folder.root / PLAN

    def run(self) -> DrawResult:
        """Do what is not done yet."""
        manifest = self.folder.read_manifest(self.table)
        self._refuse_another(manifest)
        self._refuse_strangers()
        if manifest is None:
            storage.write_json(self.plan, {"settings": self.settings})
        damaged: list[Shot] = []
        pictures = self._pictures(damaged, mend=manifest is None)
        lines = jsonl.lines_of(pictures)
        if manifest is not None and manifest["outputs"].get(TABLE) != sha256(lines).hexdigest():
            raise StudyError(
                f"{self.folder.root} was drawn by another version of Snellen, which drew it otherwise: use the "
                f"versions that {self.folder.manifest_path(self.table).name} names, or another folder."
            )
        for shot in damaged:
            self._write(self.folder.root / file_of(shot.family, shot.member), png(shot.picture()))
        reused = manifest is not None and not damaged and self._is(self.table, lines)
        if not self._is(self.table, lines):
            storage.write_bytes(self.table, lines)
        if manifest is None:
            self._finish(lines, pictures)
        with storage.storage_errors(self.plan):
            self.plan.unlink(missing_ok=True)
        return DrawResult(self.folder.root, self.images, self.table, counts(pictures), reused)

    def _refuse_another(self, manifest: Mapping[str, Any] | None) -> None:
        stored = manifest or (storage.read_json(self.plan) if self.plan.exists() else None)
        if stored is None:
            if self.table.exists() or (self.images.exists() and any(self.images.iterdir())):
                raise StudyError(
                    f"{self.folder.root} holds {TABLE} or {IMAGES}/ that `snellen world draw` did not write: choose "
                    "another folder."
                )
            return
        old = stored.get("settings", {})
        changed = [f"--{name}" for name in self.settings if old.get(name) != self.settings[name]]
        if changed:
            raise StudyError(
                f"{self.folder.root} holds a world drawn with another {', '.join(changed).replace('rates', 'rate')}: "
                "choose another folder."
            )

    def _refuse_strangers(self) -> None:
        """Refuse files that would be embedded with the world's and of which nothing is known."""
        if self.images.exists():
            due = {Path(file_of(n, m)).name for n in range(self.settings["families"]) for m in range(len(MEMBERS))}
            strange = sorted({path.name for path in self.images.iterdir()} - due)
            if strange:
                raise StudyError(
                    f"{self.images / strange[0]} is no picture of this world: move it away, or choose another folder."
                )

    def _pictures(self, damaged: list[Shot], *, mend: bool) -> list[Picture]:
        """Draw every picture and compare it with its file; write the file if it may be mended, else list it."""
        total = self.settings["families"] * len(MEMBERS)
        self.progress.start("drawing the world", total, "pictures")
        pictures = []
        with storage.storage_errors(self.images):
            self.images.mkdir(parents=True, exist_ok=True)
        for shot in families(self.settings["world"], self.settings["split"], self.settings["families"]):
            data, file = png(shot.picture()), file_of(shot.family, shot.member)
            if not self._is(self.folder.root / file, data):
                if mend:
                    self._write(self.folder.root / file, data)
                else:
                    damaged.append(shot)
            pictures.append(self._picture(shot, data, file))
            self.progress.advance()
        self.progress.finish()
        return pictures

    def _picture(self, shot: Shot, data: bytes, file: str) -> Picture:
        said = caption_of(shot, self.settings["rates"])
        place = (shot.world, shot.split, shot.family, shot.member)
        return Picture(sha256(data).hexdigest(), file, *place, shot.role, shot.changed, shot.facts, said)

    def _is(self, path: Path, data: bytes) -> bool:
        try:
            return path.read_bytes() == data
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StudyError(f"{path} cannot be read ({error.strerror}): delete it and draw again.") from error

    def _write(self, path: Path, data: bytes) -> None:
        """Write a picture so that a kill leaves it whole or absent.

        Unlike `storage.write_bytes` this does not wait for the disk: thousands of small files would wait for most of
        the time. After a power cut the last ones may be damaged; drawing again finds and mends them, and no
        embedding takes them for the world's, since their hashes are not in the table.
        """
        temporary = path.with_name(path.name + storage.TEMPORARY_SUFFIX)
        with storage.storage_errors(path):
            try:
                temporary.write_bytes(data)
                temporary.replace(path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise

    def _finish(self, lines: bytes, pictures: list[Picture]) -> None:
        self.folder.write_manifest(
            self.table,
            verb="world draw",
            settings=self.settings,
            software=software("numpy"),
            inputs={},
            outputs={TABLE: sha256(lines).hexdigest()},
            counts=counts(pictures),
        )
