"""Which statements are matched: a benchmark's own, or those of its overlay; and how a template puts them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from snellen import jsonl
from snellen.benchmarks import Benchmark
from snellen.errors import Incomplete, StudyError, UsageError
from snellen.exam.match.wording import same

Use = Literal["published", "confirmed", "all"]
"""Whose statements may be used: the benchmark's own; those that a person confirmed, too; unconfirmed ones, too."""

Source = Literal["published", "confirmed", "unconfirmed"]
"""Where a pair's two statements come from."""

TEMPLATE: Final = "a photo of {statement}"
"""What MMVP-VLM's own script puts a statement into: no article, no full stop."""

PLACE: Final = "{statement}"


@dataclass(frozen=True, slots=True)
class PairTexts:
    """The statements of a pair's image a and image b; both come from one source, so that they are worded alike."""

    a: str
    b: str
    source: Source


@dataclass(frozen=True)
class Texts:
    """The statements of every pair that has two, by pair_id, sorted; and what the other pairs lack.

    `without` counts pairs that are not among them, `waiting` those of them whose statements nobody has confirmed.
    """

    pairs: Mapping[str, PairTexts]
    without: int
    waiting: int

    @property
    def source(self) -> Source:
        """The least certain source among the pairs."""
        sources = {pair.source for pair in self.pairs.values()}
        return next((name for name in ("unconfirmed", "confirmed") if name in sources), "published")


def texts_of(benchmark: Benchmark, use: Use) -> Texts:
    """Choose the statements of every pair: its own where it has both, else those of the overlay.

    Raises:
        StudyError: the overlay is damaged, or says the same of both images of a pair.
    """
    overlay = {} if use == "published" else {one.question_id: one for one in benchmark.statements()}
    pairs: dict[str, PairTexts] = {}
    waiting = 0
    for name, (a, b) in benchmark.pairs.items():
        if a.statement is not None and b.statement is not None:
            pairs[name] = PairTexts(a.statement, b.statement, "published")
            continue
        one, other = overlay.get(a.question_id), overlay.get(b.question_id)
        if one is None or other is None:
            continue
        if same(one.statement, other.statement):
            raise StudyError(
                f"{benchmark.folder}: statements.jsonl says the same of both images of the pair {name} "
                f"({jsonl.quoted(one.statement)}): each is true of its own image alone."
            )
        confirmed = one.confirmed and other.confirmed
        if confirmed or use == "all":
            pairs[name] = PairTexts(one.statement, other.statement, "confirmed" if confirmed else "unconfirmed")
        else:
            waiting += 1
    return Texts(pairs, len(benchmark.pairs) - len(pairs), waiting)


def refuse_incomplete(benchmark: Benchmark, texts: Texts, allow_incomplete: bool) -> None:
    """See that every pair has two statements, or that it may be left out.

    Raises:
        UsageError: no pair has.
        Incomplete: some pairs have not, and were not allowed to be left out.
    """
    advice = (
        f"`snellen statements STUDY {benchmark.name}` proposes some, and with --confirm NAME a person confirms them"
    )
    waiting = ""
    if texts.waiting:
        waiting = f" ({texts.waiting:,} have statements that nobody has confirmed: --statements all uses them)"
    if not texts.pairs:
        raise UsageError(f"No pair of {benchmark.folder} has the two statements that a match needs{waiting}: {advice}.")
    if texts.without and not allow_incomplete:
        raise Incomplete(
            f"{texts.without:,} of {len(benchmark.pairs):,} pairs of {benchmark.folder} have no two statements to "
            f"match{waiting}: {advice}; --allow-incomplete leaves those pairs out, and counts them."
        )


def check_template(template: str) -> str:
    """Return the template.

    Raises:
        UsageError: it does not hold `{statement}` just once, or more than printable text.
    """
    if template.count(PLACE) != 1 or not template.isprintable():
        raise UsageError(
            f"The template {jsonl.quoted(template)} must be one line that holds {PLACE} once, such as {TEMPLATE!r}."
        )
    return template


def put(template: str, statement: str) -> str:
    """Put a statement into a template; whatever braces it has itself stay as they are.

    Example:
        >>> put("a photo of {statement}", "two {cats}")
        'a photo of two {cats}'
    """
    before, _, after = template.partition(PLACE)
    return before + statement + after
