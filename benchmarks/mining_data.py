"""Rows for the miner's benchmark: unit vectors with the spectrum of CLIP's, made chunk by chunk and kept as .npy files.

A blind row is a mean direction, plus the centre of one of 1,000 classes, plus something of its own, each in a random
basis whose variances fall as a power law; how tight a class is varies from class to class (log-normal). 6 % of the rows
are near-copies of others, with cosines of 0.90 to 0.999, and a few rows are copied often (Pareto): 60 % of the copies
are copies for the reference encoder as well, the rest keep a reference row of their own. Reference rows are made in
the same way with hardly any mean; classes that are tight for one encoder mostly are for the other. `statistics` says
how near this comes to what the design was measured on, `FROM_NOTE`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CLASSES = 1000
COPIES = 0.06
COPIED_FOR_BOTH = 0.6
COPY_COSINES = (0.90, 0.999)
TAIL_OF_SOURCES = 1.5
TIGHT_FOR_BOTH = 0.8
"""Correlation of the logarithms of a class's tightness."""
CHUNK_ROWS = 8192
VERSION = 1
"""Part of the files' names; raise it when the same arguments come to give other rows."""

Rows16 = NDArray[np.float16]
Rows32 = NDArray[np.float32]
Integers = NDArray[np.int64]

FROM_NOTE = {
    "mean cosine": 0.517,
    "mean cosine within a class": 0.727,
    "share above 0.95": 6.4e-5,
    "variance in 32 components": 0.52,
    "variance in 64 components": 0.63,
    "variance in 128 components": 0.74,
    "variance in 256 components": 0.85,
    "reference: mean cosine": 0.03,
    "reference: mean cosine within a class": 0.53,
}
"""What the statistics were in the data that the design was measured on, 20,000 rows of 768 numbers."""


@dataclass(frozen=True)
class Recipe:
    """The parts of a row before it is scaled to unit length: energies that add up to 1, and two shapes.

    mean, between, within: energy of the mean direction, of the class centre, and of what is the row's own.
    spread: standard deviation of the logarithm of a class's tightness. law: variances fall as k to the power -law.
    """

    mean: float
    between: float
    within: float
    spread: float = 0.53
    law: float = 0.97


BLIND = Recipe(mean=0.48, between=0.19, within=0.33)
REFERENCE = Recipe(mean=0.03, between=0.38, within=0.59)


class Collection(NamedTuple):
    """Two .npy files with the same rows: float16 [n, d1] of the blind encoder, float16 [n, d2] of the reference."""

    blind: Path
    reference: Path


class Plan(NamedTuple):
    """Which row is of which class and which rows are copies: `classes` int64 [n], `copies` and `sources` int64 [m]."""

    classes: Integers
    copies: Integers
    sources: Integers


def plan(n: int, seed: int) -> Plan:
    """Draw classes, copies and their sources; a copy is of its source's class, and no copy is a source."""
    random = np.random.default_rng([seed, n])
    classes = random.integers(CLASSES, size=n)
    order = random.permutation(n)
    copies, originals = np.sort(order[: round(COPIES * n)]), np.sort(order[round(COPIES * n) :])
    weights = random.pareto(TAIL_OF_SOURCES, size=len(originals)) + 1
    sources = random.choice(originals, size=len(copies), p=weights / weights.sum())
    classes[copies] = classes[sources]
    return Plan(classes, copies, sources)


def synthetic(folder: Path, n: int, *, blind_dim: int = 768, reference_dim: int = 384, seed: int = 0) -> Collection:
    """Return a collection of n rows, made if it is not in the folder yet; needs memory for a few chunks only."""
    stem = f"synthetic-v{VERSION}-{n}-seed{seed}"
    files = Collection(folder / f"{stem}-blind{blind_dim}.npy", folder / f"{stem}-reference{reference_dim}.npy")
    drawn = plan(n, seed)
    both = np.random.default_rng([seed, n, 1]).random(len(drawn.copies)) < COPIED_FOR_BOTH
    every = np.ones_like(both)
    for side, (path, dim, recipe, copied) in enumerate(
        [(files.blind, blind_dim, BLIND, every), (files.reference, reference_dim, REFERENCE, both)]
    ):
        shared = Plan(drawn.classes, drawn.copies[copied], drawn.sources[copied])
        _write(path, (n, dim), partial(_fill, recipe=recipe, drawn=shared, seed=(seed, side)))
    return files


def burst(folder: Path, n: int, alike: int, *, blind_dim: int = 768, reference_dim: int = 384) -> Collection:
    """Return a synthetic collection in which `alike` rows are near-copies of one, for both encoders.

    Any two of them have a blind cosine above 0.95. For the reference encoder they are alike as well, but for one in
    2,000: so nearly all of the alike * (alike - 1) / 2 pairs above the blind threshold fall to the second condition.
    """
    base = synthetic(folder, n, blind_dim=blind_dim, reference_dim=reference_dim)
    files = Collection(*(path.with_name(path.name.replace("synthetic", f"burst{alike}")) for path in base))
    chosen = np.sort(np.random.default_rng([n, alike]).permutation(n)[:alike])
    for side, (source, path) in enumerate(zip(base, files, strict=True)):
        before: Rows16 = np.load(source, mmap_mode="r")
        replaced = chosen if side == 0 else np.delete(chosen, slice(0, None, 2000))
        _write(path, before.shape, partial(_fill_burst, before=before, replaced=replaced, seed=side))
    return files


def unlike(folder: Path, n: int, dim: int = 384) -> Path:
    """Return a file of n unit rows drawn at random, no two of which have a cosine near to 0.6."""
    path = folder / f"unlike-v{VERSION}-{n}x{dim}.npy"
    _write(path, (n, dim), _fill_unlike)
    return path


def statistics(collection: Collection, classes: Integers) -> dict[str, float]:
    """Measure what `FROM_NOTE` names, over all pairs of a collection of up to some 20,000 rows."""
    blind = np.load(collection.blind).astype(np.float32)
    mean, within, above = _pair_statistics(blind, classes)
    spectrum = np.linalg.eigvalsh(np.cov(blind.T))[::-1].cumsum()
    found = {"mean cosine": mean, "mean cosine within a class": within, "share above 0.95": above}
    for k in (32, 64, 128, 256):
        found[f"variance in {k} components"] = float(spectrum[k - 1] / spectrum[-1])
    mean, within, _ = _pair_statistics(np.load(collection.reference).astype(np.float32), classes)
    return found | {"reference: mean cosine": mean, "reference: mean cosine within a class": within}


def _pair_statistics(rows: Rows32, classes: Integers) -> tuple[float, float, float]:
    """Mean cosine of all pairs, of those within a class, and the share above 0.95."""
    n, above, same, pairs_within = len(rows), 0, 0.0, 0
    for first in range(0, n, 2048):
        part = slice(first, min(first + 2048, n))
        upper = np.arange(part.start, part.stop)[:, None] < np.arange(n)
        cosines = rows[part] @ rows.T
        above += int(np.count_nonzero((cosines > 0.95) & upper))
        within = (classes[part, None] == classes) & upper
        same, pairs_within = same + float(cosines[within].sum()), pairs_within + int(np.count_nonzero(within))
    total = rows.sum(axis=0, dtype=np.float64)
    mean = (float(total @ total) - float(np.vdot(rows, rows))) / (n * (n - 1))
    return mean, same / max(pairs_within, 1), above / (n * (n - 1) / 2)


def _write(path: Path, shape: tuple[int, ...], fill: Callable[[Rows16], None]) -> None:
    """Make a float16 .npy file under a temporary name, and rename it when it is whole; one that is there is kept."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    rows: np.memmap[tuple[int, ...], np.dtype[np.float16]] = np.lib.format.open_memmap(
        unfinished, mode="w+", dtype=np.float16, shape=shape
    )
    fill(rows)
    rows.flush()
    unfinished.rename(path)


def _fill(rows: Rows16, *, recipe: Recipe, drawn: Plan, seed: tuple[int, int]) -> None:
    """Write all rows, then the copies over some of them; sources are no copies, so they are final by then."""
    classes, copies, sources = drawn
    dim = rows.shape[1]
    random = np.random.default_rng([*seed, 2])
    basis: Rows32 = np.linalg.qr(random.standard_normal((dim, dim)))[0].astype(np.float32)
    scales = (np.arange(1, dim + 1) ** (-recipe.law / 2)).astype(np.float32)
    centres = _unit(random.standard_normal((CLASSES, dim), dtype=np.float32) * scales)
    mean = _unit(random.standard_normal((1, dim), dtype=np.float32))
    common = np.random.default_rng([seed[0], 3]).standard_normal(CLASSES)
    own_part = random.standard_normal(CLASSES)
    drawn_looseness = np.exp(recipe.spread * (TIGHT_FOR_BOTH * common + np.sqrt(1 - TIGHT_FOR_BOTH**2) * own_part))
    looseness: Rows32 = np.float32((recipe.within / np.mean(drawn_looseness**2)) ** 0.5) * drawn_looseness.astype(
        np.float32
    )
    fixed: Rows32 = np.float32(recipe.mean**0.5) * mean + np.float32(recipe.between**0.5) * centres
    for number, part in _chunks(len(rows)):
        random = np.random.default_rng([*seed, 4, number])
        own = _unit(random.standard_normal((part.stop - part.start, dim), dtype=np.float32) * scales)
        row: Rows32 = fixed[classes[part]] + looseness[classes[part], None] * own
        rows[part] = _unit(row @ basis)
    for number, part in _chunks(len(copies)):
        random = np.random.default_rng([*seed, 5, number])
        origins = rows[sources[part]].astype(np.float32)
        noise: Rows32 = random.standard_normal(origins.shape, dtype=np.float32) * scales
        rows[copies[part]] = _near(origins, _cosines(random, len(origins), COPY_COSINES), noise @ basis)


def _fill_burst(rows: Rows16, *, before: Rows16, replaced: Integers, seed: int) -> None:
    rows[:] = before
    random = np.random.default_rng(seed)
    origins = np.repeat(before[replaced[:1]].astype(np.float32), len(replaced), axis=0)
    noise = random.standard_normal(origins.shape, dtype=np.float32)
    rows[replaced] = _near(origins, _cosines(random, len(replaced), (0.98, 0.999)), noise)


def _fill_unlike(rows: Rows16) -> None:
    for number, part in _chunks(len(rows)):
        rows[part] = _unit(np.random.default_rng(number).standard_normal(rows[part].shape, dtype=np.float32))


def _chunks(n: int) -> Iterator[tuple[int, slice]]:
    for number, first in enumerate(range(0, n, CHUNK_ROWS)):
        yield number, slice(first, min(first + CHUNK_ROWS, n))


def _cosines(random: np.random.Generator, n: int, bounds: tuple[float, float]) -> Rows32:
    return random.uniform(*bounds, size=(n, 1)).astype(np.float32)


def _near(origins: Rows32, cosines: Rows32, noise: Rows32) -> Rows32:
    """Unit rows that have the given cosines with their origins, each in the direction of its noise."""
    origins = _unit(origins)
    across = _unit(noise - np.sum(noise * origins, axis=1, keepdims=True) * origins)
    sines: Rows32 = np.sqrt(1 - cosines**2)
    return _unit(cosines * origins + sines * across)


def _unit(rows: Rows32) -> Rows32:
    scaled: Rows32 = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return scaled
