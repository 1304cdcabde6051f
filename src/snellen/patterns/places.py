"""Where tagging keeps its raw material: `STUDY/tagging/<benchmark>/`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snellen import benchmarks, storage
from snellen.benchmarks import Benchmark
from snellen.errors import StudyError, UsageError
from snellen.jsonl import Bad
from snellen.mllms.base import MultimodalModel
from snellen.patterns.taxonomy import Taxonomy, taxonomy_of
from snellen.study import BENCHMARK_NAME, Study, slug


def folder_of(study: Study, benchmark: Benchmark) -> Path:
    """Return the folder in which replies and decisions about a benchmark lie.

    Raises:
        UsageError: the benchmark's name is no safe name of a folder.
    """
    if not BENCHMARK_NAME.fullmatch(benchmark.name):
        raise UsageError(f"The benchmark in {benchmark.folder} is called {benchmark.name!r}, which names no folder.")
    return study.root / "tagging" / benchmark.name


def benchmark_of(study: Study, benchmark: str | Path) -> Benchmark:
    """Read a benchmark of the study, by name, or of a folder anywhere.

    Raises:
        UsageError: there is none.
        StudyError: it is damaged.
    """
    name = str(benchmark)
    if not BENCHMARK_NAME.fullmatch(name):
        return benchmarks.read(benchmark)
    if not study.benchmark(name).is_dir():
        there = sorted(path.name for path in study.benchmarks.glob("*") if path.is_dir())
        known = f"there are {', '.join(there)}" if there else "`snellen build` or `snellen import` makes one"
        raise UsageError(f"There is no benchmark {name!r} in {study.root}: {known}.")
    return benchmarks.read(study.benchmark(name))


def keep_taxonomy(folder: Path, taxonomy: Taxonomy) -> None:
    """Keep a copy of the taxonomy beside what is tagged by it: a name means the same for every tagger.

    Raises:
        StudyError: another one of that name was used here before.
    """
    path = folder / f"{taxonomy.name}.json"
    if path.exists():
        try:
            before = taxonomy_of(storage.read_json(path))
        except Bad as bad:
            raise StudyError(f"{path} {bad}: put it back as it was.") from None
        if before.sha256 != taxonomy.sha256:
            raise StudyError(
                f"{path} holds other rules under the name {taxonomy.name}, by which was tagged before: give yours "
                "another version, in its name."
            )
        return
    storage.write_json(path, taxonomy.as_json())


def replies_path(folder: Path, model: MultimodalModel, settings: Mapping[str, Any]) -> Path:
    """Return the file of a model's replies: `<slug>--<8 hex digits of the settings>.jsonl`, its latest round.

    The settings lie beside it, as `….json`. Later rounds are `….2.jsonl` and so on.
    """
    stem = f"{slug(model.name, model.fingerprint)}--{storage.sha256_of_json(settings)[:8]}"
    header = folder / f"{stem}.json"
    if not header.exists():
        storage.write_json(header, settings)
    path = folder / f"{stem}.jsonl"
    while next_round(path).exists():
        path = next_round(path)
    return path


def next_round(path: Path) -> Path:
    """Return the file of the round after this one."""
    stem, _, number = path.name.removesuffix(".jsonl").rpartition(".")
    if stem and number.isdigit() and "--" in stem:
        return path.with_name(f"{stem}.{int(number) + 1}.jsonl")
    return path.with_name(f"{path.name.removesuffix('.jsonl')}.2.jsonl")
