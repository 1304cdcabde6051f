"""Which two embeddings of the study are meant, and whether they may be trusted."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from snellen.errors import StudyError, UsageError
from snellen.mining.inputs.collection import Collection
from snellen.progress import SILENT, Progress
from snellen.providers import recorded_name
from snellen.study import Study
from snellen.vectors import Vectors


@dataclass(frozen=True)
class Embedding:
    """One encoder's checked vectors; `inputs` is sha256 of each shard, by path relative to the study."""

    name: str
    slug: str
    fingerprint: str
    vectors: Vectors
    inputs: dict[str, str]

    def as_json(self) -> dict[str, str]:
        """Return the entry of `mining.json`."""
        return {"name": self.name, "slug": self.slug, "fingerprint": self.fingerprint}


def find_slug(embeddings: Mapping[str, Mapping[str, Any]], asked: str, option: str) -> str:
    """Find the embedding that a model's name or a slug means; names are compared as studies record them.

    Args:
        embeddings: manifests by slug, from `Study.finished_embeddings`.
        asked: what the user wrote.
        option: how the user knows it, for the message.

    Raises:
        UsageError: there is none, or several of that name; lists what there is.
    """
    if asked in embeddings:
        return asked
    names = {slug: str(manifest["settings"]["encoder"]["name"]) for slug, manifest in embeddings.items()}
    matches = [slug for slug, name in names.items() if name in (asked, recorded_name(asked))]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UsageError(
            f"{option} {asked} names {len(matches)} embeddings of this study: say which by its slug, "
            f"{' or '.join(matches)}."
        )
    if not names:
        raise UsageError(
            f"{option} {asked}: this study has no finished embedding; run `snellen embed STUDY --encoder {asked}` "
            "first."
        )
    near = difflib.get_close_matches(asked, [*names.values(), *names], n=1, cutoff=0.6)
    hint = f" (did you mean {near[0]}?)" if near else ""
    raise UsageError(
        f"{option} {asked} is not embedded in this study{hint}: choose one of "
        f"{', '.join(sorted(set(names.values())))}, or run `snellen embed STUDY --encoder {asked}` first."
    )


def open_embedding(
    study: Study, slug: str, manifest: Mapping[str, Any], collection: Collection, progress: Progress = SILENT
) -> Embedding:
    """Open one embedding, and check all of it: shapes, dtypes, hashes, and that every image's vector has length 1.

    Raises:
        StudyError: something is missing, damaged, or belongs to other images; names the file, and any row.
    """
    folder = study.embedding(slug)
    for path, sha256 in collection.inputs.items():
        if manifest["inputs"].get(path) != sha256:
            raise StudyError(
                f"{folder} was made from another {path} than the study has now: delete that folder and run "
                "`snellen embed` again."
            )
    vectors = Vectors.open(folder, len(collection), int(manifest["settings"]["encoder"]["dim"]))
    progress.start(f"checking {slug}", len(collection), "rows")
    # Rows before hashes: a zero or NaN then names its row, not only its file.
    vectors.check(collection.ok, collection.names)
    hashes = {study.relative(path): sha256 for path, sha256 in vectors.shard_hashes().items()}
    if hashes != manifest["outputs"]:
        raise StudyError(
            f"{folder} is not the one that {study.manifest_path(folder).name} describes: run `snellen embed` again to "
            "complete it."
        )
    progress.advance(len(collection))
    progress.finish()
    encoder = manifest["settings"]["encoder"]
    return Embedding(str(encoder["name"]), slug, str(encoder["fingerprint"]), vectors, hashes)
