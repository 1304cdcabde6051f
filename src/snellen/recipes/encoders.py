"""One command over a list of encoders: match, zero-shot and costs of each, then all side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from snellen.diagnosis.shopping import EncodersResult, encoders, measure, measured_size
from snellen.diagnosis.shopping.cost import Size
from snellen.diagnosis.shopping.cost_files import BATCHES
from snellen.encoder_lists import encoder_list
from snellen.errors import EncoderError, UsageError
from snellen.exam.match import match
from snellen.exam.match.texts import TEMPLATE
from snellen.exam.zeroshot import zeroshot
from snellen.progress import SILENT, Progress
from snellen.providers import split_name
from snellen.study import Study


@dataclass(frozen=True)
class SurveyResult:
    """The encoders side by side; `skipped` are those that could not be had, `(name, why)`.

    `without_text` are those that embed images alone: they have no image score and no zero-shot accuracy.
    """

    side_by_side: EncodersResult
    skipped: tuple[tuple[str, str], ...]
    without_text: tuple[str, ...]


@dataclass(frozen=True)
class LabelledImages:
    """What zero-shot accuracy is measured on: a source of labelled images, class names, templates, and a name."""

    images: str | Path
    classes: str | Path
    templates: str | Path
    name: str | None = None


def survey(
    study: str | Path,
    names: Sequence[str] = (),
    *,
    listed: str | Path | None = None,
    benchmark: str | None = None,
    labelled: LabelledImages | None = None,
    template: str = TEMPLATE,
    tagset: str | None = None,
    base: str | None = None,
    runs: Sequence[str] = (),
    dataset: str | None = None,
    latency: bool = True,
    skip_missing: bool = False,
    device: str = "auto",
    dtype: str = "float32",
    batch_size: int | None = None,
    seed: int = 0,
    progress: Progress = SILENT,
) -> SurveyResult:
    """Examine every encoder, as far as that is not done yet, and put all encoders of the study side by side.

    An encoder is matched where a benchmark is named, its zero-shot accuracy is measured where labelled images are, and
    what it costs is measured once. What is finished is kept: run again, it goes on where it stopped.

    Args:
        study: the study folder; made if it is not there.
        names: encoders, `provider/model[@weights]`.
        listed: a list of encoders, by its name (`paper`, `newer`) or as a .toml file, in the place of names.
        benchmark: its name in the study, or the path of its folder.
        labelled: what zero-shot accuracy is measured on.
        template: what a statement is put into, at `{statement}`.
        tagset: see `encoders`, as the next three.
        base: whom the others are compared with, and whose partner is looked for.
        runs: which runs are meant, where an encoder has several.
        dataset: which labelled set is shown; None: that of `labelled`, or else the only one.
        latency: whether to time the encoders on this machine.
        skip_missing: go on without encoders that cannot be had, and name them.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        dtype: what the networks compute in.
        batch_size: images at a time; None: what match and zeroshot take by themselves.
        seed: of bootstraps and samples.
        progress: told of what is done.

    Raises:
        UsageError: both a list and names, an encoder twice, an unknown provider; or see `encoders`.
        EncoderError: an encoder cannot be had, and `skip_missing` is not set.
        SnellenError: see `match`, `zeroshot` and `encoders`.
    """
    wanted = _wanted(names, listed)
    skipped: list[tuple[str, str]] = []
    without_text: list[str] = []
    for name in wanted:
        try:
            size = _size(study, name, latency=latency, device=device, dtype=dtype)
            if not size.text_tower:
                without_text.append(name)
                continue
            if benchmark is not None:
                match(
                    study,
                    [name],
                    benchmark=benchmark,
                    template=template,
                    device=device,
                    dtype=dtype,
                    batch_size=batch_size,
                    progress=progress,
                )
            if labelled is not None:
                measured = zeroshot(
                    study,
                    [name],
                    images=labelled.images,
                    classes=labelled.classes,
                    templates=labelled.templates,
                    name=labelled.name,
                    device=device,
                    dtype=dtype,
                    batch_size=batch_size,
                    progress=progress,
                )
                way = measured.folders[0].name.rpartition("--")[2]
                dataset = dataset or f"{measured.measured[0].dataset}--{way}"
        except EncoderError as error:
            if not skip_missing:
                raise EncoderError(f"{error} (--skip-missing goes on without it)") from error
            skipped.append((name, str(error)))
            progress.note(f"skipped: {error}")
    found = encoders(
        study,
        benchmark=benchmark,
        tagset=tagset,
        base=base,
        runs=runs,
        dataset=dataset,
        seed=seed,
        progress=progress,
    )
    return SurveyResult(found, tuple(skipped), tuple(without_text))


def _wanted(names: Sequence[str], listed: str | Path | None) -> tuple[str, ...]:
    if names and listed is not None:
        raise UsageError("Name encoders or a list of encoders, not both.")
    wanted = tuple(names) if listed is None else encoder_list(listed).names
    for name in wanted:
        split_name(name)  # a name that cannot be one is said now, not after hours
        if wanted.count(name) > 1:
            raise UsageError(f"The encoder {name!r} is named twice: name each once.")
    return wanted


def _size(study: str | Path, name: str, *, latency: bool, device: str, dtype: str) -> Size:
    """Measure what an encoder costs, where that was not done yet in this way on this machine."""
    known = measured_size(Study(Path(study)), name, latency=latency, device=device, dtype=dtype)
    if known is not None:
        return known
    return measure(study, name, device=device, dtype=dtype, batches=BATCHES if latency else ())[0]
