"""The study folder: the only code that knows where artefacts lie.

One folder holds one investigation (docs/study-folder.md). Every artefact has a manifest beside it, written last: an
artefact without its manifest is unfinished. Manifests hold no clock, host name or absolute path; what is true only of
this machine (where the images were last found, how long things took) goes into `*.log.jsonl`.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from snellen import storage
from snellen.errors import StorageError, StudyError, UsageError

SCHEMA = 1
"""Version of the study folder's formats; a study of another version is refused."""

BENCHMARK_NAME = re.compile(r"(?!.*\.(?:json|partial)\Z)[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
"""What a benchmark may be called: a safe folder name that no file beside it can have."""

SLUG_FORBIDDEN = re.compile(r"[^A-Za-z0-9._-]+")


def slug(name: str, fingerprint: str) -> str:
    """Name a model's folder: its name in `[A-Za-z0-9._-]`, `-`, 8 hex digits of its fingerprint."""
    safe = SLUG_FORBIDDEN.sub("-", name).strip("-.") or "model"
    return f"{safe[-100:].lstrip('-.')}-{fingerprint[:8]}"


def software(*packages: str) -> dict[str, str]:
    """Return the versions of Snellen and of the given packages, by distribution name."""
    versions = {}
    for package in ("snellen", *sorted(packages)):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "absent"
    return versions


@dataclass(frozen=True)
class Study:
    """Paths, manifests and the lock of one study folder; `root` need not exist yet."""

    root: Path

    @classmethod
    def existing(cls, root: str | Path) -> Study:
        """Open a study that an earlier verb has written.

        Raises:
            UsageError: there is no study in that folder.
        """
        study = cls(Path(root))
        if not study.images.exists() and not study.embeddings.is_dir():
            raise UsageError(
                f"There is no study in {root}: name a folder that `snellen embed` or `snellen run` wrote to."
            )
        return study

    # -- where things lie -------------------------------------------------------------------------------------------

    @property
    def images(self) -> Path:
        """`images.parquet`: a file, or a folder of parts where there are over a million rows."""
        return self.root / "images.parquet"

    @property
    def images_parts(self) -> Path:
        """Where the shards of `images.parquet` gather until all are there."""
        return self.root / "images.parts"

    @property
    def images_plan(self) -> Path:
        """What the shards of an unfinished `images.parquet` are made by."""
        return self.root / "images.plan.json"

    @property
    def images_log(self) -> Path:
        """Where on this machine the images were found, and when: not part of what is reproducible."""
        return self.root / "images.log.jsonl"

    @property
    def embeddings(self) -> Path:
        """The folder with one folder of shards for each encoder."""
        return self.root / "embeddings"

    def embedding(self, slug: str) -> Path:
        """The folder of one encoder's shards."""
        return self.embeddings / slug

    @property
    def pairs(self) -> Path:
        """`pairs.parquet`, the blind pairs."""
        return self.root / "pairs.parquet"

    @property
    def mining(self) -> Path:
        """`mining.json`: counts, histogram, resolved thresholds."""
        return self.root / "mining.json"

    @property
    def counts(self) -> Path:
        """`counts.json`: the same of pairs that were only counted."""
        return self.root / "counts.json"

    @property
    def mining_parts(self) -> Path:
        """Where `mine` keeps its finished stripes until all are there."""
        return self.root / "mining.parts"

    @property
    def counts_parts(self) -> Path:
        """The same while pairs are only counted."""
        return self.root / "counts.parts"

    @property
    def accepted(self) -> Path:
        """`accepted.jsonl`: the pairs whose visual difference is confirmed, with their questions."""
        return self.root / "accepted.jsonl"

    @property
    def benchmarks(self) -> Path:
        """The folder with one folder for each benchmark."""
        return self.root / "benchmarks"

    def benchmark(self, name: str) -> Path:
        """The folder of one benchmark.

        Raises:
            UsageError: a benchmark cannot be called that.
        """
        if not BENCHMARK_NAME.fullmatch(name):
            raise UsageError(
                f"A benchmark cannot be called {name!r}: use at most 100 of A-Z a-z 0-9 . _ -, not a dot first, and no "
                ".json or .partial last."
            )
        return self.benchmarks / name

    def benchmark_plan(self, name: str) -> Path:
        """What an unfinished benchmark is built by; it lies beside the folder."""
        return self.benchmark(name).with_name(f"{name}.plan.json")

    @property
    def itemsets(self) -> Path:
        """The folder with one folder for each item set: questions that come in no pairs."""
        return self.root / "itemsets"

    def itemset(self, name: str) -> Path:
        """The folder of one item set.

        Raises:
            UsageError: an item set cannot be called that.
        """
        if not BENCHMARK_NAME.fullmatch(name):
            raise UsageError(
                f"An item set cannot be called {name!r}: use at most 100 of A-Z a-z 0-9 . _ -, not a dot first, and no "
                ".json or .partial last."
            )
        return self.itemsets / name

    @property
    def runs(self) -> Path:
        """The folder with one folder for each exam of a model on a benchmark."""
        return self.root / "runs"

    def run(self, run_id: str) -> Path:
        """The folder of one run (`snellen.runs.run_id`)."""
        return self.runs / run_id

    @property
    def diagnosis(self) -> Path:
        """The folder of verdicts: `<run_id>.jsonl`, a line a pair."""
        return self.root / "diagnosis"

    @property
    def report(self) -> Path:
        """`report.html`."""
        return self.root / "report.html"

    def relative(self, path: Path) -> str:
        """Return the path as manifests write it: POSIX, relative to the study."""
        return path.relative_to(self.root).as_posix()

    # -- manifests --------------------------------------------------------------------------------------------------

    def manifest_path(self, artefact: Path) -> Path:
        """`<artefact>.manifest.json`."""
        return artefact.with_name(artefact.name + ".manifest.json")

    def write_manifest(
        self,
        artefact: Path,
        *,
        verb: str,
        settings: Mapping[str, Any],
        software: Mapping[str, str],
        inputs: Mapping[str, str],
        outputs: Mapping[str, str],
        counts: Mapping[str, Any],
    ) -> None:
        """Write an artefact's manifest, which declares it finished; write it last."""
        storage.write_json(
            self.manifest_path(artefact),
            {
                "schema": SCHEMA,
                "artefact": self.relative(artefact),
                "verb": verb,
                "settings": settings,
                "software": software,
                "inputs": inputs,
                "outputs": outputs,
                "counts": counts,
            },
        )

    def read_manifest(self, artefact: Path) -> dict[str, Any] | None:
        """Read an artefact's manifest; None while the artefact is unfinished.

        Raises:
            StudyError: the manifest is damaged or of another schema version.
        """
        path = self.manifest_path(artefact)
        if not path.exists():
            return None
        manifest = storage.read_json(path)
        if manifest.get("schema") != SCHEMA:
            raise StudyError(
                f"{path} has schema version {manifest.get('schema')!r}, and this Snellen reads version {SCHEMA}: "
                "use the Snellen that wrote the study, or begin a new one."
            )
        return manifest

    def finished_embeddings(self) -> dict[str, dict[str, Any]]:
        """Return the manifest of every finished embedding, by slug, sorted by slug."""
        if not self.embeddings.is_dir():
            return {}
        found = {}
        for folder in sorted(path for path in self.embeddings.iterdir() if path.is_dir()):
            manifest = self.read_manifest(folder)
            if manifest is not None:
                found[folder.name] = manifest
        return found

    # -- this machine -----------------------------------------------------------------------------------------------

    def log_source(self, location: Path, options: Mapping[str, Any]) -> None:
        """Remember where on this machine the images are, so that later verbs find them."""
        entry = {"source": os.fspath(location), "options": dict(options)}
        if self.last_source() != entry:
            storage.append_line(self.images_log, {**entry, "at": datetime.now(UTC).isoformat(timespec="seconds")})

    def last_source(self) -> dict[str, Any] | None:
        """Return `{source, options}` as last logged, or None."""
        if not self.images_log.exists():
            return None
        for line in reversed(self.images_log.read_text("utf-8").splitlines()):
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:
                continue  # a line cut short by a kill: the one before it still holds
            return {"source": entry["source"], "options": entry.get("options", {})}
        return None

    @contextmanager
    def lock(self, folders: Sequence[Path] = ()) -> Iterator[None]:
        """Be the only writer, and sweep away what killed writers left half-written.

        Raises:
            StorageError: another process is writing to this study.
        """
        busy = f"Another process is writing to {self.root}: wait until it ends."
        with _locked(self.root / "study.lock", busy, (self.root, self.embeddings, *folders)):
            yield

    @contextmanager
    def lock_diagnosis(self, name: str) -> Iterator[None]:
        """Be the only one to write one diagnosis.

        Raises:
            StorageError: another process is writing it.
        """
        busy = f"Another process is diagnosing {name}: wait until it ends."
        with _locked(self.diagnosis / f"{name}.lock", busy, (self.diagnosis,)):
            yield

    @contextmanager
    def lock_run(self, folder: Path) -> Iterator[None]:
        """Be the only one to write to one run, `runs/<run_id>/`; other runs, and other verbs, go on beside it.

        Raises:
            StorageError: another process is writing to this run.
        """
        busy = f"Another process is asking or grading {folder}: wait until it ends."
        with _locked(folder.with_name(folder.name + ".lock"), busy, (folder,)):
            yield


@contextmanager
def _locked(path: Path, busy: str, folders: Sequence[Path]) -> Iterator[None]:
    with storage.storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StorageError(busy) from None
        for folder in folders:
            for leftover in folder.glob("*" + storage.TEMPORARY_SUFFIX):
                leftover.unlink()
        yield
    finally:
        os.close(descriptor)
