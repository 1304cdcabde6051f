"""Grading several runs in one go, by hand first where a person is there; what the command line calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from snellen.errors import Incomplete, SnellenError, UsageError
from snellen.exam.hand import grade_by_hand
from snellen.exam.summary import described
from snellen.exam.verb_grade import grade, run_folder, unparsed
from snellen.mllms.base import Decoding, Traffic
from snellen.progress import SILENT, Progress
from snellen.providers import load_mllm
from snellen.runs import RUN, read_header
from snellen.study import Study

Person = tuple[Callable[[str], str], Callable[[str], None]]
"""Who grades by hand: what asks for a line, and what shows one."""

JUDGE_TOKENS = 1024
"""Room for judges that think aloud before their one word."""


def grade_runs(
    study: str | Path,
    runs: Sequence[str] = (),
    *,
    benchmark: str | Path | None = None,
    judge: str | None = None,
    traffic: Traffic | None = None,
    hand: str | None = None,
    ask_person: Person | None = None,
    allow_incomplete: bool = False,
    patterns: bool = False,
    progress: Progress = SILENT,
) -> Iterator[str]:
    """Grade runs, and yield what came out, a line at a time.

    What is wrong with one run does not keep the others from being graded: it is said at the end.

    Args:
        study: the study.
        runs: run_ids, or how they begin; none: all.
        benchmark: where the benchmark's folder is, if not in the study.
        judge: name of the model that reads what the rules cannot.
        traffic: how the judge's endpoint is treated.
        hand: a person's pseudonym: what is unparsed is shown to them first.
        ask_person: how the person is asked.
        allow_incomplete: see `grade`.
        patterns: say it by visual pattern, too.
        progress: told of what the judge does.

    Raises:
        UsageError: there is no run.
        SnellenError: see `grade`: what is wrong with the first run that could not be graded.
    """
    opened = Study(Path(study))
    folders = [run_folder(opened, run) for run in runs]
    folders = folders or sorted(
        path.parent for path in opened.runs.glob(f"*/{RUN}") if read_header(path).kind != "encoder"
    )
    if not folders:
        raise UsageError(f"There is no run in {study}: ask a model first, with `snellen ask`.")
    model = None
    if judge is not None:
        model = load_mllm(judge, decoding=Decoding(max_tokens=JUDGE_TOKENS), traffic=traffic)
    wrong: list[SnellenError] = []
    for folder in folders:
        try:
            if hand is not None and ask_person is not None:
                grade_by_hand(folder, unparsed(opened, folder, benchmark), hand, *ask_person)
            result = grade(
                opened.root,
                folder.name,
                benchmark=benchmark,
                judge_model=model,
                allow_incomplete=allow_incomplete,
                progress=progress,
            )
        except SnellenError as error:
            wrong.append(error)
            continue
        yield from described(result, patterns)
    if wrong:
        first = next((one for one in wrong if not isinstance(one, Incomplete)), wrong[0])
        more = f" ({len(wrong)} of {len(folders)} runs could not be graded)" if len(wrong) > 1 else ""
        raise type(first)(f"{first}{more}")
