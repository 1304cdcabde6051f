"""Asking and grading item sets: what the verbs `ask` and `grade` do for questions that come in no pairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from snellen.errors import Incomplete, StudyError, UsageError
from snellen.exam.asking import AskResult, header_of, put
from snellen.exam.itemset_profiles import ITEM_PROFILES, ItemProfile, item_profile, item_prompt
from snellen.exam.itemset_scores import relative_scores, yes_no_scores
from snellen.exam.outcome import Outcome
from snellen.exam.rating import ToRate, rate
from snellen.exam.refusals import refuses
from snellen.exam.rules import RULES, yes_or_no
from snellen.itemsets import ItemSet, read
from snellen.mllms.base import MultimodalModel
from snellen.progress import Progress
from snellen.records import Ask, Grade, Key, Response, Verdict
from snellen.runs import Header
from snellen.runs.files import PLAIN
from snellen.study import Study


def itemset_of(study: Study, name: str) -> ItemSet:
    """Read an item set of the study, or of a folder anywhere.

    Raises:
        UsageError: there is none.
        StudyError: it is damaged.
    """
    folder = Path(name) if "/" in name else study.itemset(name)
    if "/" not in name and not folder.is_dir():
        there = sorted(path.name for path in study.itemsets.glob("*") if path.is_dir())
        known = f"there are {', '.join(there)}" if there else "`snellen import pope` makes one"
        raise UsageError(f"There is no item set {name!r} in {study.root}: {known}.")
    return read(folder)


def ask_items(
    study: Study,
    items: ItemSet,
    profile: str | None,
    model: Callable[[ItemProfile], MultimodalModel],
    progress: Progress,
) -> AskResult:
    """Ask a model every item of a set, each alone; see `snellen.exam.ask`.

    Args:
        study: where the run is written.
        items: what is asked.
        profile: how items are worded; None: the default of their kind.
        model: loads the model, told how items are worded.
        progress: told of every answer.

    Raises:
        SnellenError: see `snellen.exam.ask`.
    """
    wording = item_profile(profile, items.kind)
    loaded = model(wording)
    header = header_of(items, loaded, wording.label, (PLAIN,))
    by_id = {one.item_id: one for one in items.items}

    def make(key: Key) -> Ask:
        item = by_id[key[0]]
        return Ask(question_id=item.item_id, prompt=item_prompt(wording, item), image=items.image(item))

    return put(study, header, list(by_id), make, loaded, progress)


def is_of_items(header: Header) -> bool:
    """Was an item set asked, and no benchmark of pairs?"""
    return header.profile.partition("@")[0] in ITEM_PROFILES


def grade_items(
    folder: Path,
    items: ItemSet,
    responses: Mapping[Key, Response],
    model: MultimodalModel | None,
    allow_incomplete: bool,
    progress: Progress,
) -> Outcome:
    """Grade and score the answers to an item set.

    Free answers get no verdict: a judge rates them against their references, and the ratings are kept beside the run.

    Args:
        folder: the run's folder.
        items: what was asked.
        responses: the raw answers, by key.
        model: the judge, for free answers.
        allow_incomplete: score although answers are missing; they are left out, and counted.
        progress: told of what the judge does.

    Raises:
        StudyError: an answer belongs to no item.
        Incomplete: answers are missing, or the judge did not reply to all.
        UsageError: free answers, and no judge.
    """
    expected = {(one.item_id, *PLAIN) for one in items.items}
    strange = sorted(set(responses) - expected)
    if strange:
        raise StudyError(f"{folder} answers items that were not asked, the first {strange[0][0]!r}: put it back.")
    missing = sum(key not in responses or responses[key].finish == "error" for key in expected)
    if missing and not allow_incomplete:
        raise Incomplete(
            f"{folder.name} is not complete: {missing:,} of {len(expected):,} answers are missing; run `snellen ask` "
            "again, or give --allow-incomplete to leave them out."
        )
    found = {one.item_id: responses[one.item_id, *PLAIN] for one in items.items if (one.item_id, *PLAIN) in responses}
    if items.kind == "yes_no":
        return _yes_no(items, found)
    if model is None:
        raise UsageError(f"{folder.name} holds free answers, which a judge has to rate: name one with --judge.")
    answers = [
        ToRate(one.item_id, one.text, one.context or "", one.reference or "", found[one.item_id].text or "")
        for one in items.items
        if one.item_id in found and found[one.item_id].finish != "error"
    ]
    rated = rate(folder, answers, model, progress)
    refused: dict[str, Verdict] = {
        name: "refused" for name, one in found.items() if one.finish == "refusal" or refuses(one.text or "")
    }
    verdicts = {one.item_id: refused.get(one.item_id, "correct") for one in answers}
    return Outcome([], relative_scores(items.items, rated.ratings, verdicts), rated)


def _yes_no(items: ItemSet, found: Mapping[str, Response]) -> Outcome:
    grades: list[Grade] = []
    said: dict[str, bool | None] = {}
    for one in items.items:
        response = found.get(one.item_id)
        if response is None:
            continue
        yes = (
            yes_or_no(response.text, cut=response.finish == "length")
            if response.text is not None and response.finish != "refusal"
            else None
        )
        verdict: Verdict = "unparsed"
        if response.finish == "error":
            verdict = "error"
        elif yes is not None:
            verdict = "correct" if yes == (one.answer == "yes") else "incorrect"
        elif response.finish == "refusal" or refuses(response.text or ""):
            verdict = "refused"
        if verdict != "error":
            said[one.item_id] = yes
        choice = None if yes is None else int(not yes)
        grades.append(Grade(one.item_id, *PLAIN, choice, verdict, RULES, None))
    return Outcome(grades, yes_no_scores(items.items, said, {one.question_id: one.verdict for one in grades}))
