"""Finding one finished run by its run_id, or by how it begins."""

from __future__ import annotations

from snellen.errors import UsageError
from snellen.runs.read import Run, read_run
from snellen.study import Study


def find_run(study: Study, name: str, kind: str | None = None) -> Run:
    """Find a finished run.

    Args:
        study: The study.
        name: A run_id, or how one begins.
        kind: Of which kind it must be; None: any.

    Raises:
        UsageError: there is none, several begin so, it is unfinished, or it is of another kind.
        StudyError: it is damaged.
    """
    folders = sorted(path for path in study.runs.glob("*") if path.is_dir()) if study.runs.is_dir() else []
    exact = [path for path in folders if path.name == name]
    fit = exact or [path for path in folders if path.name.startswith(name)]
    if len(fit) != 1:
        known = ", ".join(path.name for path in fit or folders) or "none"
        how = "several runs begin" if fit else "no run begins"
        raise UsageError(f"In {study.root} {how} with {name!r}: name one of {known}.")
    run = read_run(study, fit[0])
    if run is None:
        raise UsageError(f"{fit[0]} is unfinished: `snellen grade` it first.")
    if kind is not None and run.kind != kind:
        raise UsageError(f"{run.run_id} is a run of kind {run.kind}: name one of kind {kind}.")
    return run
