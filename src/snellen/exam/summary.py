"""Scores in words, a line each: no number without its unit, its interval, its n and its chance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from snellen.exam.judge import Judged
from snellen.exam.verb_grade import GradeResult
from snellen.records import Score
from snellen.runs.files import REAL

SMALL: Final = 30
"""Below so many pairs it is said aloud that they are few."""

FULL: Final = ("ab", "both")
"""Orders whose every score is printed, a line each; of the others there is a line for each sitting."""

SHORT: Final = ("pair_accuracy", "question_accuracy", "same_answer_twice", "repeat_agreement", "variant_agreement")
"""What that line holds."""

NAMES: Final[dict[str, str]] = {
    "pair_accuracy": "pair accuracy",
    "question_accuracy": "question accuracy",
    "pair_accuracy_strict": "pair accuracy, strict",
    "logprob_contrast": "log-probability contrast",
    "same_answer_twice": "same answer twice",
    "both_wrong": "both wrong",
    "unreadable": "not readable",
    "same_answer_rate": "same-answer rate",
    "position_bias": "chose the first shown",
    "d_prime": "d'",
    "criterion": "criterion",
    "order_agreement": "same in both orders",
    "repeat_agreement": "same in all repeats",
    "variant_agreement": "same on all variants",
    "yes_no_accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "yes_rate": "said yes",
    "relative_score": "relative score",
}
"""How metrics are called; those of `Score.metric` that are not here are shown as they are."""


def described(result: GradeResult, patterns: bool = False) -> Iterator[str]:
    """Say what a run came to, a line each.

    Args:
        result: What `grade` returned.
        patterns: Say it by visual pattern, too.
    """
    header = result.header
    answers = sum(result.counts.values())
    yield f"{header.model} on {header.benchmark} ({header.profile}; {result.folder.name})"
    for score in result.scores:
        if score.order in FULL and (score.group == "all" or patterns):
            yield f"  {line(score)}"
    others = [score for score in result.scores if score.order not in FULL and score.group == "all"]
    for order, errata in dict.fromkeys((score.order, score.errata) for score in others):
        yield f"  {in_short([score for score in others if (score.order, score.errata) == (order, errata)])}"
    if result.cut:
        yield f"  {result.cut:,} answers were cut off by the limit on their length: ask with more --max-tokens"
    unread = [f"{result.counts[name]:,} {name}" for name in ("unparsed", "refused", "error")]
    if answers:  # free answers have no verdicts
        yield f"  of {answers:,} answers: {', '.join(unread)}; unparsed and refused count as wrong"
    judged = result.judged
    if judged is not None:
        yield f"  {judged.describe()}"
    if isinstance(judged, Judged):
        yield f"  {_checked(result)}"
    few = [score.n_pairs for score in result.scores if score.group == "all" and score.metric == "pair_accuracy"]
    if few and few[0] < SMALL:
        yield f"  {few[0]} pairs are few: look at the interval, not at the value"


def line(score: Score) -> str:
    """Say one score: `pair accuracy  47.1 % [40.9, 53.4]  n = 240 pairs, chance 25 %`."""
    where = [] if score.order == "ab" else [score.order]
    where += [] if score.tagset is None else [f"{score.group}, tagged by {score.tagset}"]
    where += [] if score.errata == "published" else ["errata corrected"]
    name = NAMES.get(score.metric, score.metric) + (f" ({'; '.join(where)})" if where else "")
    n = f"n = {score.n_pairs:,} pairs" if score.n_pairs else f"n = {score.n_questions:,} questions"
    if score.value is None:
        return f"{name:<28} nothing to score"
    chance = "" if score.chance is None else f", chance {_number(score, score.chance, chance=True)}"
    reach = " (interval not defined)"
    if score.low is not None and score.high is not None:
        reach = f" [{_number(score, score.low, unit=False)}, {_number(score, score.high, unit=False)}]"
    left_out = f", {score.n_error:,} not covered" if score.n_error else ""
    return f"{name:<28} {_number(score, score.value)}{reach}  {n}{chance}{left_out}"


def in_short(scores: Sequence[Score]) -> str:
    """Say a sitting in one line: `ab, no_image: pair accuracy 0.0 % [0.0, 1.6], ...; n = 240 pairs`."""
    said = []
    for score in scores:
        if score.metric in SHORT and score.value is not None and score.low is not None and score.high is not None:
            reach = f"[{_number(score, score.low, unit=False)}, {_number(score, score.high, unit=False)}]"
            said.append(f"{NAMES[score.metric]} {_number(score, score.value)} {reach}")
    where = scores[0].order + (", errata corrected" if scores[0].errata != "published" else "")
    return f"{where}: {', '.join(said) or 'nothing to score'}; n = {scores[0].n_pairs:,} pairs"


def _checked(result: GradeResult) -> str:
    """Say how far the judge can be trusted."""
    found = result.checked
    if found is None or found.value is None:
        return "nobody has checked the judge: grade some of these answers by hand, with --hand"
    kappa = "not defined" if found.kappa is None else f"{found.kappa:.2f}"
    return (
        f"the judge agrees with a person on {found.agreed:,} of {found.n:,} answers "
        f"({100 * found.value:.0f} % [{100 * found.low:.0f}, {100 * found.high:.0f}]), kappa {kappa}"
    )


def _number(score: Score, value: float, *, unit: bool = True, chance: bool = False) -> str:
    if score.metric in REAL:
        return f"{value:.0f}" if chance else f"{value:.2f}"
    text = f"{100 * value:.3g}" if chance else f"{100 * value:.1f}"
    return f"{text} %" if unit else text


def find(scores: Sequence[Score], metric: str, *, order: str = "ab", errata: str = "published") -> Score:
    """Return the score of all pairs under a metric.

    Raises:
        KeyError: there is none.
    """
    for score in scores:
        if (score.metric, score.group, score.order, score.errata) == (metric, "all", order, errata):
            return score
    raise KeyError(metric)
