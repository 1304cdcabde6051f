"""Import to rescore: answers that another tool has, as a run of ours, to be graded without paying again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from snellen import jsonl, storage
from snellen.errors import StudyError, UsageError
from snellen.exam.imports.detect import reader
from snellen.exam.imports.foreign import Foreign
from snellen.exam.imports.match import Matched, match
from snellen.exam.refusals import failed
from snellen.exam.verb_ask import askable
from snellen.records import Key, Response
from snellen.runs import RESPONSES, RUN, Header, read_header, run_id, write_header
from snellen.runs.files import Sitting
from snellen.study import Study, software


def import_answers(
    study: str | Path,
    file: str | Path,
    *,
    benchmark: str,
    model: str | None = None,
    source: str | None = None,
    allow_missing: bool = False,
) -> Path:
    """Make a run of the answers in another tool's file; `grade` then works on it as on any other.

    Every answer is put to the question that the file names, and text, options and key are compared; the order of lines
    counts for nothing. Notes that a request failed, which some tools store as answers, become errors. Imported again, a
    file makes the same run, and one that is there already is left as it is.

    Args:
        study: the study that holds the benchmark.
        file: what the tool wrote.
        benchmark: its name, or the path of its folder.
        model: which model answered; None: the file says so.
        source: which tool wrote it: official, lmms-eval, vlmevalkit, inspect or jsonl; None: as its content says.
        allow_missing: import although questions have no answer; they then block the score until told otherwise.

    Returns:
        The run's folder.

    Raises:
        UsageError: there is no such file, benchmark or source, or the file is of no one source or names no model.
        StudyError: the file is damaged, or its answers are not to this benchmark's questions.
        Incomplete: a question has no answer.
        StorageError: the disk is full, or another process is writing to the run.
    """
    opened, path = Study(Path(study)), Path(file)
    source, read = reader(path, source)
    asked = askable(opened, benchmark)
    answers = read(path)
    found = match(asked, answers, file=path.name, allow_missing=allow_missing)
    header = Header(
        kind="import",
        model=_model(path, model, answers),
        fingerprint=storage.sha256_of_file(path),
        benchmark=asked.name,
        content_sha256=asked.content_sha256,
        profile=f"{source}@1",
        decoding={},
        template=None,
        software=software(),
        sittings=_sittings(found),
    )
    folder = opened.run(run_id(header.model, header.fingerprint or "", header.benchmark, header.settings()))
    with opened.lock_run(folder):
        if (folder / RUN).exists() and read_header(folder / RUN).settings() == header.settings():
            return folder
        order = {question.question_id: at for at, question in enumerate(asked.questions)}
        keys = sorted(found, key=lambda key: (header.sittings.index(key[1:]), order[key[0]]))
        storage.write_bytes(folder / RESPONSES, jsonl.lines_of(_response(key, found[key]) for key in keys))
        write_header(folder / RUN, header)  # last: a folder without it is no run
    return folder


def _model(path: Path, given: str | None, answers: Sequence[Foreign]) -> str:
    named = sorted({one.model for one in answers if one.model is not None})
    if len(named) > 1:
        raise StudyError(
            f"{path} holds answers of {len(named)} models, {jsonl.quoted(named[0])} and {jsonl.quoted(named[1])}: give "
            "a file for each."
        )
    try:
        return jsonl.text(given if given is not None else named[0] if named else None)
    except jsonl.Bad:
        raise UsageError(f"{path} does not say which model answered: say it with --model.") from None


def _sittings(found: Mapping[Key, Matched]) -> tuple[Sitting, ...]:
    """List how questions were put, the first repeat in the published order first."""
    return tuple(sorted({key[1:] for key in found}, key=lambda one: (one[1], one[0])))


def _response(key: Key, matched: Matched) -> Response:
    question_id, order, repeat, control, variant = key
    answer = matched.answer
    text, error, finish = answer.text, answer.error, answer.finish
    if text is not None and failed(text):
        text, error, finish = None, text, "error"
    return Response(
        question_id=question_id,
        order=order,
        repeat=repeat,
        control=control,
        variant=variant,
        prompt=answer.prompt or "",
        text=text,
        finish=finish,
        error=error,
        logprobs=None,
        tokens_in=None,
        tokens_out=None,
        cost_usd=None,
        seconds=0.0,
        at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        model_reported=answer.model,
    )
