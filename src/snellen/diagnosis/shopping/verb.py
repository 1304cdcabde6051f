"""The verb `encoders`: a study's encoders side by side, as tables and two figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from snellen import storage
from snellen.diagnosis.shopping.comparison import Encoders, compared
from snellen.diagnosis.shopping.figure_patterns import Row, figure_patterns
from snellen.diagnosis.shopping.figure_zeroshot import Bubble, figure_zeroshot
from snellen.diagnosis.shopping.page import latency_lines, page
from snellen.diagnosis.shopping.plain import plain
from snellen.errors import UsageError
from snellen.progress import SILENT, Progress
from snellen.study import Study, software

JSON: Final = "encoders.json"
PAGE: Final = "encoders.md"
FIGURES: Final = {"zeroshot": "encoders-zeroshot.png", "patterns": "encoders-patterns.png"}


@dataclass(frozen=True)
class EncodersResult:
    """What `encoders` found and wrote: `folder` is `STUDY/diagnosis`, `figures` those that could be drawn.

    `text` is the page; `latencies` are lines about this machine, which stand in none of the files.
    """

    folder: Path
    found: Encoders
    figures: tuple[Path, ...]
    text: str
    latencies: tuple[str, ...]


def encoders(
    study: str | Path,
    *,
    benchmark: str | Path | None = None,
    tagset: str | None = None,
    base: str | None = None,
    runs: Sequence[str] = (),
    dataset: str | None = None,
    seed: int = 0,
    progress: Progress = SILENT,
) -> EncodersResult:
    """Put a study's encoders side by side: the paper's Table 1 and its figure, and who makes up for whom.

    Everything is read from the study: runs of `match` on one benchmark, `zeroshot`, embeddings with the thresholds of
    `mine`, and measured costs. What is missing is said. Written are `diagnosis/encoders.json`, `encoders.md`, and
    figures; the same study gives the same bytes.

    Args:
        study: the study.
        benchmark: its name, or the path of its folder; None: the only one that encoders were matched on.
        tagset: whose visual patterns; needed where the benchmark has several tagsets.
        base: the encoder that others are compared with, and whose partner is looked for, by its name here. None: the
            highest image score, and the encoder that was mined as blind.
        runs: run_ids, or how they begin; needed where an encoder was matched on the benchmark in several ways.
        dataset: the labelled set of zero-shot accuracy; needed where there are several.
        seed: of the bootstrap, and of samples where there are too many pairs to look at all.
        progress: told of encoders.

    Raises:
        UsageError: there is no such study, benchmark, tagset, base, run or set, or it is not clear which is meant.
        StudyError: a file is damaged, or was changed.
        StorageError: the disk is full, or another process is writing to the study.
    """
    root = Study(Path(study))
    if not root.root.is_dir():
        raise UsageError(f"There is no study in {study}: name the folder of one.")
    folder = root.root / "diagnosis"
    found = compared(
        root,
        benchmark=benchmark,
        tagset=tagset,
        base=base,
        runs=runs,
        dataset=dataset,
        seed=seed,
        progress=progress,
    )
    drawn = _drawn(found)
    figures = {name: file if name in drawn else None for name, file in FIGURES.items()}
    text = page(found, figures)
    with root.lock((folder,)):
        target = folder / JSON
        manifest = root.manifest_path(target)
        with storage.storage_errors(manifest):
            manifest.unlink(missing_ok=True)  # until all files are new they are unfinished
            for name, file in FIGURES.items():
                if name not in drawn:
                    (folder / file).unlink(missing_ok=True)  # it showed what can no longer be said
        for name, data in drawn.items():
            storage.write_bytes(folder / FIGURES[name], data)
        storage.write_json(target, plain(found, figures))
        storage.write_bytes(folder / PAGE, text.encode())
        outputs = [target, folder / PAGE, *(folder / FIGURES[name] for name in drawn)]
        root.write_manifest(
            target,
            verb="encoders",
            settings={
                "benchmark": found.gathered.benchmark,
                "tagset": found.gathered.tagset,
                "base": base,
                "runs": [each.run_id for each in found.candidates if each.run_id],
                "dataset": found.gathered.dataset,
                "seed": seed,
            },
            software=software("numpy", "scipy", "statsmodels", "matplotlib"),
            inputs=dict(sorted(found.files.items())),
            outputs={root.relative(path): storage.sha256_of_file(path) for path in outputs},
            counts={"encoders": len(found.candidates), "matched": len(found.scores)},
        )
    paths = tuple(folder / FIGURES[name] for name in drawn)
    return EncodersResult(folder, found, paths, text, tuple(latency_lines(found)))


def _drawn(found: Encoders) -> dict[str, bytes]:
    """Draw the figures that there is something for."""
    gathered = found.gathered
    drawn = {}
    bubbles = [
        Bubble(each.label, each.zeroshot.top1, found.scores[each.label].image, each.parameters)
        for each in found.candidates
        if each.zeroshot is not None and each.label in found.scores
    ]
    if bubbles and gathered.dataset and gathered.benchmark:
        drawn["zeroshot"] = figure_zeroshot(bubbles, gathered.dataset, gathered.benchmark)
    rows = [
        Row(each.label, found.scores[each.label].image, found.scores[each.label].patterns)
        for each in found.candidates
        if each.label in found.scores
    ]
    if rows and gathered.benchmark:
        drawn["patterns"] = figure_patterns(rows, list(gathered.patterns), gathered.benchmark)
    return drawn
