"""The part of the page that is about twos of encoders: blind pairs, rescued pairs, partners."""

from __future__ import annotations

from snellen.diagnosis.shopping.comparison import Encoders, Partners
from snellen.diagnosis.shopping.nouns import Candidate
from snellen.diagnosis.shopping.partners import Ranking
from snellen.diagnosis.shopping.separation import Separation
from snellen.diagnosis.shopping.text import cell, percent, points, table


def separations(found: Encoders, separation: Separation) -> list[str]:
    """The matrix of blind pairs, and of the mined ones."""
    rule = separation.rule
    pairs = f"{rule.n_pairs:,} pairs of images" + (", a sample" if rule.sampled else ", all there are")
    said = [
        f"Of {pairs}, {rule.n_blind:,} are above the mined blind threshold: an encoder's blind pairs are as many of "
        f"its own most alike ones. {rule.n_separated:,} are below the mined reference threshold: an encoder separates "
        "a pair that is among as many of its own least alike ones. Thresholds are the same rank, not the same cosine.",
        f"An encoder that knows nothing of a pair separates {100 * rule.chance:.1f} % of them: separating is not "
        "seeing. Copies of one picture are blind pairs too, and nobody should separate them.",
        "Share in % of the row's blind pairs that the column separates, with 95 % intervals that allow for pairs that "
        "share an image (bootstrap over images).",
    ]
    labels = [each.label for each in found.candidates if each.label in separation.shares]
    head = ["blind pairs of", "pairs", "blind above", "separated below", *map(cell, labels)]
    rows = []
    for a in labels:
        few = separation.blind[a]
        count = f"{few.found:,}" if len(few.pairs) == few.found else f"{len(few.pairs):,} of {few.found:,}"
        cosines = [f"{separation.above[a]:.4f}", f"{separation.below[a]:.4f}"]
        row = ["-" if a == b else percent(separation.shares[a][b]) for b in labels]
        rows.append([cell(a), count, *cosines, *row])
    parts = ["\n".join(said), table(head, rows)]
    if found.mined is not None:
        mined = found.mined
        count = f"{mined.looked_at:,}" if mined.looked_at == mined.found else f"{mined.looked_at:,} of {mined.found:,}"
        parts.append(
            f"The study's mined pairs ({count}). They were selected to be alike for {cell(mined.blind)} and unlike for "
            f"{cell(mined.reference)}: of those two this says nothing.\n\n"
            + table(
                ["mined pairs", *map(cell, labels)],
                [["separated", *(percent(mined.shares[b]) if b in mined.shares else "-" for b in labels)]],
            )
        )
    return parts


def rescues(found: Encoders) -> list[str]:
    """The matrices of rescued pairs and of unions."""
    labels = [each.label for each in found.candidates if each.label in found.rescues]
    rescued, unions = [], []
    for a in labels:
        row = found.rescues[a]
        wrong = max((each.rescued.n for each in row.values()), default=0)
        rescued.append(
            [cell(a), str(wrong), *("-" if a == b else percent(row[b].rescued) for b in labels)],
        )
        own = percent(found.scores[a].image)
        unions.append([cell(a), *(own if a == b else percent(row[b].union) for b in labels)])
    return [
        "Of the pairs that the row's encoder gets wrong, the share in % that the column's gets right (image score; "
        "Wilson). A guesser gets 25 % of any pairs right.\n\n"
        + table(["wrong for", "pairs", *map(cell, labels)], rescued),
        "Share in % of all pairs that one of the two at least gets right: an oracle, which no mixture has to reach, "
        "and which a guesser too would raise, by a quarter of what is wrong. On the diagonal: the encoder alone.\n\n"
        + table(["either", *map(cell, labels)], unions),
    ]


def partners(found: Encoders, which: Partners) -> list[str]:
    """Both rankings, with what each partner costs, and what cannot be told apart."""
    parts = list(which.why)
    by_label = {each.label: each for each in found.candidates}
    if which.by_separated is not None:
        parts.append(_ranking("separates blind pairs of it", which.by_separated, by_label))
    if which.by_rescued is not None:
        parts.append(_ranking("gets right pairs that it gets wrong", which.by_rescued, by_label))
    firsts = [each.places[0].partner for each in (which.by_separated, which.by_rescued) if each is not None]
    both = (
        set()
        if which.by_separated is None or which.by_rescued is None
        else {each.partner for each in which.by_separated.places} & {each.partner for each in which.by_rescued.places}
    )
    if len(set(firsts)) == 2 and set(firsts) <= both:
        parts.append(
            f"The two measures differ: {cell(firsts[0])} by blind pairs, {cell(firsts[1])} by rescued pairs. Neither "
            "says what a trained mixture will do."
        )
    elif firsts:
        parts.append("This does not say what a trained mixture will do.")
    return parts


def _ranking(what: str, ranking: Ranking, by_label: dict[str, Candidate]) -> str:
    first = ranking.places[0]
    rows = []
    for place in ranking.places:
        each = by_label[place.partner]
        rows.append(
            [
                cell(place.partner),
                f"{100 * place.value:.1f}",
                "-" if place.behind is None else points(place.behind),
                "first" if place.behind is None else ("behind" if place.distinguishable else "not distinguishable"),
                "-" if each.parameters is None else f"{each.parameters / 1e6:,.1f}",
                "-" if each.tokens is None else f"{each.tokens:,}",
            ]
        )
    head = ["partner", "share, %", "first minus this, points", "from the first", "params, M", "tokens"]
    level = ranking.level_with_first
    controls = [name for name in (first.partner, *level) if name.startswith("control/")]
    if len(ranking.places) == 1:
        said = f"{cell(first.partner)} is the only one that can be compared."
    elif level:
        said = f"{cell(first.partner)} is first; not distinguishable from it: {', '.join(map(cell, level))}."
    else:
        said = f"{cell(first.partner)} is first, and every other one is behind it."
    if controls:
        said += f" {cell(controls[0])}, which has learned nothing, is among them: this measure chooses nobody here."
    return (
        f"Who {what} (n = {first.n:,} pairs; paired intervals, all together 95 %, each "
        f"{100 * ranking.confidence:.2f} %). {said}\n\n" + table(head, rows)
    )
