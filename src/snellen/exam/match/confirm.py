"""Confirming statements in the terminal: a person looks at a pair, and decides. Each decision is on disk at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from snellen import jsonl
from snellen.benchmarks import Benchmark
from snellen.errors import UsageError
from snellen.exam.hand import visible
from snellen.exam.match import statements_file
from snellen.exam.match.statement_reply import statement
from snellen.exam.match.statements_file import Both, Decided, Lines
from snellen.exam.match.verb_match import find_benchmark
from snellen.exam.match.verb_statements import true_answers
from snellen.exam.match.wording import problem, same
from snellen.jsonl import Bad
from snellen.records import Statement
from snellen.study import Study

COMMANDS: Final = (
    "y: both are true of their own image alone; a, b: write the statement of that image; n: refuse both; s: skip; "
    "u: undo; q: quit"
)

_NAME: Final = re.compile(r"[\w.-]{1,40}")


def confirm(study: str | Path, benchmark: str, who: str, ask: Callable[[str], str], show: Callable[[str], None]) -> int:
    """Show a person the pairs whose statements nobody has confirmed, one at a time, and keep what they say of each.

    Pairs that have a proposal come first; then those that have none, for which the person can write statements. Both
    statements of a pair are decided together, since each has to be true of its own image alone; two that are the same
    cannot be confirmed.

    Args:
        study: the study that holds the benchmark.
        benchmark: its name, or the path of its folder.
        who: the person's pseudonym.
        ask: shows a question and returns the line that the person types; see `COMMANDS`.
        show: shows a line or several.

    Returns:
        How many pairs have been decided now.

    Raises:
        UsageError: the pseudonym is none, or there is no such benchmark.
        StudyError: the benchmark or the overlay is damaged.
        StorageError: the disk is full, or another process is writing to the overlay.
    """
    if not _NAME.fullmatch(who):
        raise UsageError(
            f"{jsonl.quoted(who)} is no pseudonym: take up to 40 letters, digits, dots, dashes or underscores."
        )
    opened = Study(Path(study))
    desk = _Desk(opened, find_benchmark(opened, benchmark), who)
    lines = statements_file.read(desk.benchmark)
    pairs = statements_file.wanting(desk.benchmark)
    left = [name for name in pairs if not statements_file.confirmed(lines, name)]
    left.sort(key=lambda name: None in statements_file.of_pair(lines, name))
    without = sum(None in statements_file.of_pair(lines, name) for name in left)
    show(
        f"{len(left):,} pairs to decide, {without:,} of them without a proposal; {len(pairs) - len(left):,} confirmed "
        f"before. {COMMANDS}."
    )
    decided: list[tuple[int, tuple[Statement | None, Statement | None], Both]] = []
    at = 0
    while at < len(left):
        name = left[at]
        before = statements_file.of_pair(statements_file.read(desk.benchmark), name)
        said, after = _decide(desk, name, f"{at + 1:,} of {len(left):,}", ask, show)
        if said == "q":
            break
        if said == "u":
            if decided:
                at, was, gone = decided.pop()
                desk.put(left[at], was, "undone", gone)
            else:
                show("Nothing to undo.")
            continue
        if said != "s":
            decided.append((at, before, after))
        at += 1
    return len(decided)


def _decide(
    desk: _Desk, name: str, place: str, ask: Callable[[str], str], show: Callable[[str], None]
) -> tuple[str, Both]:
    """Show one pair until something is decided; what is written is on disk at once, unconfirmed.

    Returns:
        The command, and the statements that it was given for.
    """
    while True:
        there = statements_file.of_pair(statements_file.read(desk.benchmark), name)
        both = Both(*(None if one is None else one.statement for one in there))
        show(page(desk.benchmark, name, desk.answers.get(name), there, place))
        said = ask("y/a/b/n/s/u/q> ").strip().lower()
        while said not in ("y", "a", "b", "n", "s", "u", "q"):
            said = ask(f"{COMMANDS}> ").strip().lower()
        if said in ("s", "u", "q"):
            return said, both
        if said in ("a", "b"):
            written = ask(f"statement of image {said} (empty: leave it)> ").strip()
            if written in ("", "q"):  # an input that is closed says q
                continue
            try:
                line = Statement(f"{name}-{said}", statement(written), f"hand:{desk.who}", confirmed=False)
            except Bad as bad:
                show(f"The statement {bad}.")
                continue
            there = (line, there[1]) if said == "a" else (there[0], line)
            desk.put(name, there, "edited", Both(*(None if one is None else one.statement for one in there)))
        elif said == "n":
            if both.a is not None and both.b is not None:
                desk.put(name, (None, None), "refused", both)
                return said, both
            show("There is nothing to refuse: s skips the pair.")
        elif there[0] is None or there[1] is None:
            show("Both images need a statement: a and b write them.")
        elif same(there[0].statement, there[1].statement):
            show("Both statements are the same: each has to be true of its own image alone.")
        else:
            desk.put(name, (replace(there[0], confirmed=True), replace(there[1], confirmed=True)), "confirmed", both)
            return said, both


def page(
    benchmark: Benchmark,
    name: str,
    answers: tuple[str, str] | None,
    there: tuple[Statement | None, Statement | None],
    place: str,
) -> str:
    """Return what a person is shown of one pair; whatever a terminal would act on is escaped.

    Args:
        benchmark: Where the images are.
        name: The pair_id.
        answers: What is true of image a and b, errata corrected; None: an erratum drops the pair.
        there: The pair's lines so far.
        place: How far the person has come.
    """
    lines = [f"\n{place}", f"Question: {visible(benchmark.pairs[name][0].text or '')}"]
    for at, (slot, question, one) in enumerate(zip("ab", benchmark.pairs[name], there, strict=True)):
        lines += [
            f"  image {slot}: {benchmark.folder / question.image}",
            f"    answer:    {visible(answers[at]) if answers else '(an erratum drops this pair)'}",
            f"    statement: {'(none yet)' if one is None else f'{visible(one.statement)}  [{visible(one.by)}]'}",
        ]
    wrong = problem(there[0].statement, there[1].statement) if there[0] and there[1] else None
    return "\n".join([*lines, *([] if wrong is None else [f"  {wrong}"])])


class _Desk:
    """Where a person's decisions go: the log first, so that none is lost, then the overlay."""

    def __init__(self, study: Study, benchmark: Benchmark, who: str) -> None:
        self._study, self.benchmark, self.who = study, benchmark, who
        self.answers = true_answers(benchmark, statements_file.wanting(benchmark))

    def put(self, name: str, there: tuple[Statement | None, Statement | None], decided: Decided, both: Both) -> None:
        """Make these two a pair's lines, and log the decision."""
        statements_file.log(self.benchmark.folder, name, decided, both, self.who)

        def made(lines: Lines) -> Lines:
            after = {key: one for key, one in lines.items() if key not in (f"{name}-a", f"{name}-b")}
            return {**after, **{one.question_id: one for one in there if one is not None}}

        statements_file.change(self._study, self.benchmark, made)
