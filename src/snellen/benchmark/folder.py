"""The folder of one benchmark: begun by a plan, finished by a manifest, and never written over by mistake."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from snellen import storage
from snellen.benchmarks.files import BENCHMARK, IMAGES, QUESTIONS
from snellen.benchmarks.questions import IMAGE_PATH
from snellen.errors import StudyError
from snellen.study import Study


class Folder:
    """Where a benchmark is built.

    While it is unfinished, `<name>.plan.json` lies beside the folder and says what it is built from; only then are
    files in it written over. A folder with neither plan nor manifest belongs to somebody else.
    """

    def __init__(self, study: Study, name: str) -> None:
        self.study = study
        self.name = name
        self.path = study.benchmark(name)
        self.images = self.path / IMAGES
        self.plan = study.benchmark_plan(name)

    def stored_seed(self) -> int | None:
        """Return the seed that this benchmark was begun with, or None."""
        stored = storage.read_json(self.plan) if self.plan.exists() else self.study.read_manifest(self.path)
        seed: int | None = (stored or {}).get("settings", {}).get("option_seed")
        return seed

    def finished(self, settings: Mapping[str, Any], inputs: Mapping[str, str]) -> dict[str, Any] | None:
        """Return the manifest, where this very benchmark is finished.

        Raises:
            StudyError: the folder holds another benchmark, which must not be written over.
        """
        manifest = self.study.read_manifest(self.path)
        if manifest is None:
            if not self.plan.exists() and self.path.exists() and any(self.path.iterdir()):
                raise StudyError(
                    f"{self.path} holds files that `snellen build` did not write: choose another --name, or move them."
                )
            return None
        # What mining found is only told in the datasheet: mining again does not make another benchmark.
        same = settings == manifest["settings"] and _without_mining(inputs) == _without_mining(manifest["inputs"])
        if same and manifest["verb"] == "build":
            return manifest
        self._refuse_to_replace(manifest, settings, inputs)
        return None

    def _refuse_to_replace(
        self, manifest: Mapping[str, Any], settings: Mapping[str, Any], inputs: Mapping[str, str]
    ) -> None:
        old = manifest["settings"]
        if manifest["verb"] != "build":
            raise StudyError(f"{self.path} was written by `snellen {manifest['verb']}`: choose another --name.")
        if old["version"] == settings["version"]:
            changed = [f"--{key.replace('_', '-')}" for key in settings if settings[key] != old.get(key)]
            changed += [path for path in _without_mining(inputs) if inputs[path] != manifest["inputs"].get(path)]
            raise StudyError(
                f"{self.path} is there already, version {old.get('version')}, made with another {', '.join(changed)}: "
                "give the new one another --version or --name."
            )
        expected: dict[str, str] = manifest["outputs"]
        found = {self.study.relative(path) for path in self.path.rglob("*") if not path.is_dir()}
        touched = sorted(found - set(expected)) + [path for path in sorted(expected) if self._touched(path, expected)]
        if touched:
            raise StudyError(
                f"{self.path} holds what others added to or changed in version {old['version']} ({touched[0]}), which "
                "a new version would lose: choose another --name."
            )

    def _touched(self, path: str, expected: Mapping[str, str]) -> bool:
        file = self.study.root / path
        return file.exists() and storage.sha256_of_file(file) != expected[path]

    def missing(self, manifest: Mapping[str, Any]) -> bool:
        """Tell whether a finished benchmark has lost files that can be written again, damaged images among them.

        Raises:
            StudyError: the questions were changed by hand.
        """
        expected: dict[str, str] = manifest["outputs"]
        for name in (QUESTIONS, BENCHMARK):
            path = self.path / name
            if self._touched(self.study.relative(path), expected):
                raise StudyError(
                    f"{path} was changed after it was built: put it back, or delete it and run `snellen build` again; "
                    "what is wrong with a question is mended in accepted.jsonl, or said in errata.jsonl."
                )
        images = self.study.relative(self.images) + "/"
        return any(
            not (self.study.root / path).exists() or (path.startswith(images) and self._touched(path, expected))
            for path in expected
        )

    def begin(self, settings: Mapping[str, Any], inputs: Mapping[str, str]) -> None:
        """Say what is being built; from here on, what an earlier run wrote is being replaced."""
        storage.write_json(self.plan, {"settings": settings, "inputs": inputs})
        manifest = self.study.manifest_path(self.path)
        with storage.storage_errors(manifest):
            manifest.unlink(missing_ok=True)

    def fill(self, files: Mapping[str, bytes], images: Mapping[str, str]) -> dict[str, str]:
        """Write everything but the images, which are there, and take away images that no question shows.

        Args:
            files: content by path inside the folder.
            images: sha256 by path inside the folder.

        Returns:
            sha256 by path relative to the study.
        """
        with storage.storage_errors(self.images):
            for path in self.images.iterdir():
                relative = f"{IMAGES}/{path.name}"
                if IMAGE_PATH.fullmatch(relative) and relative not in images:
                    path.unlink()
        for name, content in files.items():
            storage.write_bytes(self.path / name, content)
        return self._outputs(files, images)

    def mend(self, manifest: Mapping[str, Any], files: Mapping[str, bytes], images: Mapping[str, str]) -> None:
        """Write again what a finished benchmark has lost; what others made of tags and datasheet stays.

        Raises:
            StudyError: today's software would write other questions than those.
        """
        now = self._outputs(files, images)
        for path, expected in manifest["outputs"].items():
            name = Path(path).relative_to(self.study.relative(self.path)).as_posix()
            if name in (QUESTIONS, BENCHMARK) and now[path] != expected:
                raise StudyError(
                    f"{self.path / name} would not be what it was: use the versions of the software that "
                    f"{self.study.manifest_path(self.path).name} names."
                )
            if name in files and not (self.path / name).exists():
                storage.write_bytes(self.path / name, files[name])

    def _outputs(self, files: Mapping[str, bytes], images: Mapping[str, str]) -> dict[str, str]:
        hashes = {name: sha256(content).hexdigest() for name, content in files.items()} | dict(images)
        return {self.study.relative(self.path / name): hashes[name] for name in sorted(hashes)}


def _without_mining(inputs: Mapping[str, str]) -> dict[str, str]:
    return {path: digest for path, digest in inputs.items() if path != "mining.json"}
