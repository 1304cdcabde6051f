"""The verb `statements`: propose a statement for each image of a benchmark that has questions only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import PIL.Image

from snellen.benchmarks import Benchmark
from snellen.errors import Incomplete, StudyError
from snellen.exam import ledger
from snellen.exam.match import statements_file
from snellen.exam.match.statement_reply import NAME, Reply, prompt, read_reply, reply
from snellen.exam.match.statement_rules import RULES, by_rule
from snellen.exam.match.statements_file import Both, Lines
from snellen.exam.match.verb_match import find_benchmark
from snellen.exam.side_by_side import side_by_side
from snellen.exam.sittings import Asks
from snellen.images.decode import decode
from snellen.mllms.base import MultimodalModel
from snellen.progress import SILENT, Progress
from snellen.records import Ask, Key, Question, Statement
from snellen.runs.files import PLAIN
from snellen.study import Study

REPLIES: Final = "statements.replies.log.jsonl"

Answers = Mapping[str, tuple[str, str]]
"""The options that are true of image a and image b, by pair_id."""


@dataclass(frozen=True, slots=True)
class StatementsResult:
    """What was proposed for the `pairs` of a benchmark that bring no two statements of their own.

    `proposed` counts pairs that now have unconfirmed statements by `by`, `others` those that had confirmed ones, or any
    by somebody else, which stay as they are; `refused` those of which a person has refused just these; `none` those for
    which nothing could be made; `dropped` those that an erratum drops.
    """

    path: Path
    by: str
    pairs: int
    proposed: int
    others: int
    refused: int
    none: int
    dropped: int


def statements(
    study: str | Path,
    benchmark: str,
    *,
    model: MultimodalModel | None = None,
    with_images: bool = False,
    progress: Progress = SILENT,
) -> StatementsResult:
    """Propose two statements for every pair that has none, into the overlay `statements.jsonl`, all unconfirmed.

    By rule, from the question and its answers (`statement_rules`); or by a model, whose replies are kept, so that no
    pair is asked about twice. Answers are taken as the errata correct them, since a statement is to be true. Run again,
    it puts its own unconfirmed lines anew; no confirmed line, and no line of anybody else, is ever changed.

    Args:
        study: the study that holds the benchmark.
        benchmark: its name, or the path of its folder.
        model: who writes the statements; None: the rules do.
        with_images: show the model both images of a pair, side by side, too.
        progress: told of every pair that a model is asked about.

    Raises:
        UsageError: there is no such benchmark.
        StudyError: the benchmark, its overlay or the replies so far are damaged, or an image cannot be decoded.
        ModelError: the model cannot be asked at all.
        Incomplete: some pairs have no reply yet; statements are written from those that came.
        StorageError: the disk is full, or another process is writing to the overlay.
    """
    opened = Study(Path(study))
    found = find_benchmark(opened, benchmark)
    pairs = statements_file.wanting(found)
    answers = true_answers(found, pairs)
    by = RULES if model is None else model.name
    failed = None
    if model is None:
        made = {name: _by_rule(pairs[name][0], answers[name]) for name in answers}
    else:
        lines = statements_file.read(found)
        open_ = {name: answers[name] for name in answers if not _taken(lines, name, by)}
        made, failed = _by_model(found, open_, model, with_images, progress)
    result = _written(opened, found, pairs, answers, made, by)
    if failed is not None:
        raise Incomplete(f"{failed}; what came is kept, and the same command asks for the rest.")
    return result


def true_answers(benchmark: Benchmark, pairs: Mapping[str, tuple[Question, Question]]) -> dict[str, tuple[str, str]]:
    """Return the options that are true of a pair's images, errata corrected; pairs that one drops are left out."""
    errata = {one.question_id: one.action for one in benchmark.errata()}
    found = {}
    for name, (a, b) in pairs.items():
        assert a.options is not None  # a pair without text has statements of its own
        assert a.answer is not None
        assert b.answer is not None
        action = errata.get(a.question_id)
        if action != "drop":
            swapped = action == "swap"
            found[name] = (a.options[a.answer ^ swapped], a.options[b.answer ^ swapped])
    return found


def _by_rule(question: Question, answers: tuple[str, str]) -> Both | None:
    assert question.text is not None
    made = by_rule(question.text, answers)
    return None if made is None else Both(*made)


def _taken(lines: Lines, pair_id: str, by: str) -> bool:
    """Has a pair a line that is confirmed, or by somebody else?"""
    there = statements_file.of_pair(lines, pair_id)
    return any(one is not None and (one.confirmed or one.by != by) for one in there)


def _written(
    study: Study,
    benchmark: Benchmark,
    pairs: Mapping[str, tuple[Question, Question]],
    answers: Answers,
    made: Mapping[str, Both | None],
    by: str,
) -> StatementsResult:
    """Put the proposals into the overlay, and count what became of each pair."""
    refused = statements_file.refused(benchmark.folder)
    counts = dict.fromkeys(("proposed", "others", "refused", "none", "dropped"), 0)

    def put(lines: Lines) -> Lines:
        after = dict(lines)
        for name in pairs:
            both = made.get(name)
            if _taken(lines, name, by):
                counts["others"] += 1
                continue
            for slot in "ab":
                after.pop(f"{name}-{slot}", None)
            if name not in answers:
                counts["dropped"] += 1
            elif both is None or both.a is None or both.b is None:
                counts["none"] += 1
            elif (name, both) in refused:
                counts["refused"] += 1
            else:
                counts["proposed"] += 1
                after[f"{name}-a"] = Statement(f"{name}-a", both.a, by, confirmed=False)
                after[f"{name}-b"] = Statement(f"{name}-b", both.b, by, confirmed=False)
        return after

    statements_file.change(study, benchmark, put)
    return StatementsResult(benchmark.folder / statements_file.STATEMENTS, by, len(pairs), **counts)


# -- by a model -----------------------------------------------------------------------------------------------------


def _by_model(
    benchmark: Benchmark, answers: Answers, model: MultimodalModel, with_images: bool, progress: Progress
) -> tuple[dict[str, Both | None], str | None]:
    """Ask about every pair that has no reply yet.

    Returns:
        The statements by pair_id, None where a reply is of no use, and why some pairs have no reply.
    """
    wordings = {name: _prompt(benchmark, name, both, with_images) for name, both in answers.items()}
    hashes = {name: sha256((NAME + wording).encode()).hexdigest() for name, wording in wordings.items()}
    path = benchmark.folder / REPLIES
    before = _read(path, model.name, hashes)
    left = [name for name in answers if name not in before]

    def make(key: Key) -> Ask:
        pictures = [_picture(benchmark, question) for question in benchmark.pairs[key[0]]] if with_images else []
        return Ask(key[0], wordings[key[0]], side_by_side(*pictures) if with_images else None)

    failed = _ask(path, Asks([(name, *PLAIN) for name in left], make), model, hashes, with_images, progress)
    found = _read(path, model.name, hashes)
    missing = len(answers) - len(found)
    why = (
        f"{missing:,} of {len(answers):,} pairs have no reply: {failed or 'asking stopped early'}" if missing else None
    )
    return {name: None if one.problems else Both(one.statement_a, one.statement_b) for name, one in found.items()}, why


def _ask(
    path: Path,
    asks: Asks,
    model: MultimodalModel,
    hashes: Mapping[str, str],
    with_images: bool,
    progress: Progress,
) -> str | None:
    """Ask, keep every reply at once, and return why some are missing, if it is known."""
    failed: str | None = None
    if not len(asks):
        return None
    progress.start(f"statements by {model.name}", len(asks), "pairs")
    try:
        for response in model.answer(asks):
            if response.text is None:
                failed = failed or response.error
                continue
            both, problems = read_reply(response.text)
            raw = response.text.encode("utf-8", "replace").decode()
            name = response.question_id
            ledger.add(path, asdict(Reply(name, model.name, hashes[name], with_images, both.a, both.b, problems, raw)))
            progress.advance()
    except Incomplete as stopped:
        failed = str(stopped).rstrip(".")
    progress.finish()
    if asks.failed is not None:
        raise asks.failed
    return failed


def _read(path: Path, by: str, hashes: Mapping[str, str]) -> dict[str, Reply]:
    """Return a model's replies to these prompts, by pair_id."""
    return {
        one.pair_id: one
        for one in ledger.read(path, reply)
        if one.by == by and hashes.get(one.pair_id) == one.prompt_sha256
    }


def _prompt(benchmark: Benchmark, pair_id: str, answers: tuple[str, str], with_images: bool) -> str:
    question = benchmark.pairs[pair_id][0]
    assert question.text is not None
    assert question.options is not None
    return prompt(question.text, question.options, answers, with_images)


def _picture(benchmark: Benchmark, question: Question) -> PIL.Image.Image:
    decoded = decode(benchmark.image(question))
    if decoded.image is None:
        raise StudyError(f"{benchmark.folder / question.image} cannot be decoded ({decoded.status}): show no images.")
    return decoded.image
