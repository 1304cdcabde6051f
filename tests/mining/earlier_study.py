"""Studies of some images of one collection, in any order: before and after it grew."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from snellen.records import Image
from snellen.study import Study
from tests import studies
from tests.mining.conftest import Planted
from tests.mining.mine_study import run


def write(root: Path, values: Planted, chosen: Sequence[int], broken: Iterable[int] = ()) -> Study:
    """Write a study of the chosen images; one chosen again is an exact duplicate, a broken one has no vector."""
    ids = studies.image_ids(len(values.blind))
    table: list[Image] = []
    first: dict[int, int] = {}
    for row, image in enumerate(chosen):
        table.append(
            Image(
                row=row,
                image_id=ids[image],
                uri=f"{root.name}/{row:04d}-{image:04d}.jpg",
                status="corrupt" if image in set(broken) else "ok",
                label=f"class {image % 3} of {root.name}" if image % 4 else None,
                duplicate_of=first.get(image),
            )
        )
        first.setdefault(image, row)
    blind, reference = values.blind[list(chosen)], values.reference[list(chosen)]
    for row, image in enumerate(chosen):
        if image in set(broken):
            blind[row] = reference[row] = 0
    return studies.write_study(root, blind, reference, table, shard_rows=60)


def copied(study: Study) -> Study:
    """Copy a study, to be mined from scratch."""
    twin = Study(study.root.with_name(f"{study.root.name} again"))
    shutil.copytree(study.root, twin.root)
    return twin


def written(study: Study) -> dict[str, bytes]:
    """What `mine` leaves, but for the manifest, which says how it was made."""
    assert not study.mining_parts.exists()
    return {path.name: path.read_bytes() for path in (study.pairs, study.mining)}


def same_as_from_scratch(study: Study, earlier: Study, **options: Any) -> None:
    """Mine a study with and without the earlier one, and compare what is written, byte for byte."""
    scratch = copied(study)
    run(scratch, **options)
    run(study, earlier=earlier.root, **options)
    assert written(study) == written(scratch)


def shuffled(images: Iterable[int], seed: int) -> list[int]:
    order: list[int] = np.random.default_rng(seed).permutation(list(images)).tolist()
    return order
