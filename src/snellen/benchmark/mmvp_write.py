"""Writing an import: as `build` does, begun by a plan, finished by a manifest, and never over another benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from snellen import storage
from snellen.benchmark.folder import Folder
from snellen.benchmark.mmvp_folder import Layout
from snellen.benchmark.mmvp_images import Picture, copy_all
from snellen.benchmarks.files import BENCHMARK, IMAGES, QUESTIONS
from snellen.errors import StudyError
from snellen.study import Study, software

VERB = "import"


def write(
    study: Study,
    name: str,
    settings: Mapping[str, Any],
    inputs: Mapping[str, str],
    files: Mapping[str, bytes],
    layout: Layout,
    pictures: Mapping[int, Picture],
    counts: Mapping[str, int],
) -> bool:
    """Write `benchmarks/<name>/`, or make sure that this very benchmark is there; tell whether it was.

    Args:
        study: which need not exist yet.
        name: of the benchmark.
        settings: what was asked for, for the manifest.
        inputs: sha256 of what was read, by path.
        files: content by path inside the benchmark.
        layout: where the images come from.
        pictures: the images.
        counts: for the manifest.

    Raises:
        StudyError: there is another benchmark of this name, or this one was changed.
    """
    folder = Folder(study, name)
    images = {picture.path: picture.image_id for picture in pictures.values()}
    with study.lock([study.benchmarks, folder.path, folder.images]):
        there = _there(study, folder, settings, files, images)
        if not there:
            storage.write_json(folder.plan, {"verb": VERB, "settings": settings, "inputs": inputs})
        copy_all(layout, pictures, folder.path)
        if there:
            for path, content in files.items():
                if not (folder.path / path).exists():  # what others made of overlays and datasheet stays
                    storage.write_bytes(folder.path / path, content)
        else:
            study.write_manifest(
                folder.path,
                verb=VERB,
                settings=settings,
                software=software("pillow"),
                inputs=inputs,
                outputs=folder.fill(files, images),
                counts=counts,
            )
        folder.plan.unlink(missing_ok=True)
    return there


def _there(
    study: Study, folder: Folder, settings: Mapping[str, Any], files: Mapping[str, bytes], images: Mapping[str, str]
) -> bool:
    """Tell whether this very benchmark is finished; False: the place is free, or holds what a kill left of it.

    Raises:
        StudyError: the place is taken.
    """
    manifest = study.read_manifest(folder.path)
    if manifest is None:
        taken = folder.path.exists() and any(folder.path.iterdir()) and not folder.plan.exists()
        if taken or (folder.plan.exists() and storage.read_json(folder.plan).get("verb") != VERB):
            raise StudyError(
                f"{folder.path} holds files that `snellen import` did not write: choose another --name, or move them."
            )
        return False
    expected: dict[str, str] = manifest["outputs"]
    now = {path: sha256(content).hexdigest() for path, content in files.items() if path in (QUESTIONS, BENCHMARK)}
    now |= images
    fixed = {
        path: digest
        for path, digest in expected.items()
        if _inside(study, folder, path) in (QUESTIONS, BENCHMARK)
        or _inside(study, folder, path).startswith(f"{IMAGES}/")
    }
    same = {study.relative(folder.path / path): digest for path, digest in now.items()} == fixed
    if manifest["verb"] != VERB or manifest["settings"] != settings or not same:
        raise StudyError(
            f"{folder.path} is there already, written by `snellen {manifest['verb']}` from other files or with other "
            "settings: choose another --name, or move it away."
        )
    for path in (QUESTIONS, BENCHMARK):
        file = folder.path / path
        if file.exists() and storage.sha256_of_file(file) != now[path]:
            raise StudyError(
                f"{file} was changed after it was imported: put it back, or delete it and import again; what is wrong "
                "with a question is said in errata.jsonl."
            )
    return True


def _inside(study: Study, folder: Folder, path: str) -> str:
    return (study.root / path).relative_to(folder.path).as_posix()
