"""Asking, whatever is asked: a run's folder, what has an answer already, and one line on disk for every answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from snellen import storage
from snellen.benchmarks import Benchmark
from snellen.errors import Incomplete, StudyError
from snellen.exam.sittings import Asks, merged
from snellen.itemsets import ItemSet
from snellen.mllms.base import MultimodalModel
from snellen.progress import Progress
from snellen.records import Ask, Key, Response
from snellen.runs import RESPONSES, RUN, Header, append, read_header, read_responses, run_id, write_header
from snellen.runs.files import Sitting
from snellen.runs.responses import mend
from snellen.study import Study, software

CLIENTS: Final = {"snellen", "openai"}
"""Software of which no answer depends on the version: prompts have versions of their own."""


@dataclass(frozen=True, slots=True)
class AskResult:
    """What was asked: the run's folder, how many answers there are, how many are new, and what these came to.

    `cost_usd` is None where no price is known; tokens are those that the engine reports.
    """

    folder: Path
    answers: int
    new: int
    tokens_in: int
    tokens_out: int
    cost_usd: float | None


def header_of(
    asked: Benchmark | ItemSet, model: MultimodalModel, profile: str, sittings: tuple[Sitting, ...]
) -> Header:
    """Say who is asked what, and how: the content of `run.json`."""
    return Header(
        kind="mllm",
        model=model.name,
        fingerprint=model.fingerprint,
        benchmark=asked.name,
        content_sha256=asked.content_sha256,
        profile=profile,
        decoding=model.decoding.as_json(),
        template=model.template,
        software={**software(), **model.software},
        sittings=sittings,
    )


def put(
    study: Study,
    header: Header,
    question_ids: Sequence[str],
    make: Callable[[Key], Ask],
    model: MultimodalModel,
    progress: Progress,
) -> AskResult:
    """Ask everything that has no answer yet, and append each answer as it comes.

    Args:
        study: where the run is written.
        header: who is asked what; where the run is there already, its sittings are added to it.
        question_ids: what is asked in every sitting.
        make: makes the `Ask` of a key.
        model: who is asked.
        progress: told of every answer.

    Raises:
        StudyError: an image is gone, or the run was begun with other software; the answers so far are kept.
        Incomplete: some questions still have no answer.
        ModelError: see `MultimodalModel.answer`.
        StorageError: the disk is full, or another process is writing to the study.
    """
    folder = study.run(run_id(header.model, header.fingerprint or "", header.benchmark, header.settings()))
    with study.lock_run(folder):
        old = read_header(folder / RUN) if (folder / RUN).exists() else None
        header = header if old is None else replace(header, sittings=merged(old.sittings, header.sittings))
        mend(folder / RESPONSES)
        before = read_responses(folder / RESPONSES)
        keys = [(question, *sitting) for sitting in header.sittings for question in question_ids]
        missing = [key for key in keys if key not in before or before[key].finish == "error"]
        new: list[Response] = []
        stopped: str | None = None
        if missing:
            _refuse_other_software(folder, old if before else None, header)
            new, stopped = _answered(study, folder, header, Asks(missing, make), model, progress)
        after = {**before, **{one.key: one for one in new if one.finish != "error"}}
        left = [key for key in keys if key not in after or after[key].finish == "error"]
        costs = [one.cost_usd for one in new if one.cost_usd is not None]
        result = AskResult(
            folder=folder,
            answers=len(keys) - len(left),
            new=sum(one.finish != "error" for one in new),
            tokens_in=sum(one.tokens_in or 0 for one in new),
            tokens_out=sum(one.tokens_out or 0 for one in new),
            cost_usd=sum(costs) if costs else None,
        )
    if left:
        raise Incomplete(f"{len(left):,} of {len(keys):,} answers are missing: {stopped or _why(left, new)}; {AGAIN}.")
    return result


AGAIN: Final = "what came is kept, and the same command asks the rest"


def _refuse_other_software(folder: Path, old: Header | None, header: Header) -> None:
    """See that the answers to come are made like those that are there."""
    if old is not None and _answering(old.software) != _answering(header.software):
        raise StudyError(
            f"{folder} was begun with other software ({_difference(old.software, header.software)}), and answers of "
            "two are not mixed: go on with that, or delete the folder."
        )


def _begin(study: Study, folder: Path, header: Header) -> None:
    """Say in `run.json` who is asked; from here on the run is unfinished."""
    manifest = study.manifest_path(folder)
    with storage.storage_errors(manifest):
        manifest.unlink(missing_ok=True)
    write_header(folder / RUN, header)


def _answering(software: Mapping[str, str]) -> dict[str, str]:
    return {name: version for name, version in software.items() if name not in CLIENTS}


def _difference(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    names = sorted(name for name in {*old, *new} - CLIENTS if old.get(name) != new.get(name))
    return ", ".join(f"{name} {old.get(name, 'absent')}, now {new.get(name, 'absent')}" for name in names)


def _answered(
    study: Study, folder: Path, header: Header, asks: Asks, model: MultimodalModel, progress: Progress
) -> tuple[list[Response], str | None]:
    """Ask, and keep every answer at once; the run begins with the first, so that who never answers leaves none.

    Returns:
        What came, and why the engine stopped early, where it did.
    """
    came: list[Response] = []
    stopped = None
    progress.start(f"asking {header.model}", len(asks), "questions")
    try:
        for response in model.answer(asks):
            if not came:
                _begin(study, folder, header)
            append(folder / RESPONSES, [response])
            came.append(response)
            progress.advance()
    except Incomplete as early:
        stopped = str(early).rstrip(".")
    progress.finish()
    if asks.failed is not None:
        raise asks.failed
    return came, stopped


def _why(left: Sequence[Key], new: Sequence[Response]) -> str:
    """Say why answers are missing: the errors that came, the most frequent one first."""
    missing = set(left)
    errors = [one.error for one in new if one.key in missing and one.error is not None]
    if not errors:
        return "asking stopped early"
    most = max(dict.fromkeys(errors), key=errors.count)
    return f"{errors.count(most):,} ended in {most!r}"
