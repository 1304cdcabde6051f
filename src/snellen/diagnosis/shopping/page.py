"""What was found as a page of tables, in plain Markdown that a terminal shows as well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from snellen.diagnosis.shopping.comparison import Encoders
from snellen.diagnosis.shopping.page_pairs import partners, rescues, separations
from snellen.diagnosis.shopping.text import cell, p_value, percent, points, table
from snellen.stats import Proportion

FEW: Final = 30
"""Encoders or pairs below which small n is said aloud."""


def page(found: Encoders, figures: Mapping[str, str | None]) -> str:
    """Write every table but latency, which is this machine's; `figures` are file names, None: not drawn."""
    gathered = found.gathered
    on = f" on {cell(gathered.benchmark)}" if gathered.benchmark else ""
    parts = [f"# {len(found.candidates)} encoders{on}" if len(found.candidates) != 1 else f"# One encoder{on}"]
    if found.statements:
        parts.append("\n".join(f"- {cell(said)}" for said in found.statements))
    parts += ["## Scores", _scores(found)]
    if figures.get("patterns"):
        parts.append(f"![Image score by visual pattern]({figures['patterns']})")
    if found.base is not None and found.contrasts:
        parts += [f"## Image score against {cell(found.base.label)}", _contrasts(found)]
    parts += ["## Image score and zero-shot accuracy", _correlation(found)]
    if figures.get("zeroshot"):
        parts.append(f"![Image score against zero-shot accuracy]({figures['zeroshot']})")
    if found.separation is not None:
        parts += ["## Who separates whose blind pairs", *separations(found, found.separation)]
    if any(found.rescues.values()):
        parts += ["## Who gets right what another gets wrong", *rescues(found)]
    if found.partners is not None:
        parts += [f"## Partners for {cell(found.partners.base)}", *partners(found, found.partners)]
    return "\n\n".join(parts) + "\n"


def _scores(found: Encoders) -> str:
    """The layout of the paper's Table 1, with intervals."""
    gathered = found.gathered
    names = list(gathered.patterns)
    zeroshot = f"{cell(gathered.dataset)} top-1" if gathered.dataset else "zero-shot top-1"
    head = ["encoder", "size", "params, M", "tokens", zeroshot]
    head += [f"{cell(name)} ({len(gathered.patterns[name])})" for name in names] + ["average", "all pairs", "n"]
    rows = []
    for each in found.candidates:
        row = [
            cell(each.label),
            "-" if each.image_size is None else _size(each.image_size),
            "-" if each.parameters is None else f"{each.parameters / 1e6:,.1f}",
            "-" if each.tokens is None else f"{each.tokens:,}",
            "-" if each.zeroshot is None else f"{percent(each.zeroshot.top1)}, n = {each.zeroshot.top1.n:,}",
        ]
        scores = found.scores.get(each.label)
        if scores is None:
            row += ["-"] * (len(names) + 1) + [each.why_no_image_score or "-", "-"]
        else:
            counts = {name: len(gathered.patterns[name]) for name in names}
            row += [_of_pattern(scores.patterns[name], counts[name]) for name in names]
            row += ["-" if scores.average is None else percent(scores.average)]
            row += [percent(scores.image), f"{scores.image.n:,}"]
        rows.append(row)
    lines = [
        "Image score in % (each text picks its own image; chance 25 %), as published, with 95 % intervals (Wilson); a "
        "column's number of pairs in brackets. The average is the mean of the patterns, as in the paper's Table 1 "
        "(bootstrap over pairs); all pairs weighs every pair alike."
    ]
    small = [name for name in names if len(gathered.patterns[name]) < FEW]
    if small:
        n = min(len(gathered.patterns[name]) for name in small)
        lines.append(
            f"{len(small)} of {len(names)} patterns have fewer than {FEW} pairs (the fewest {n}): read their "
            "intervals, not their values."
        )
    return "\n".join(lines) + "\n\n" + table(head, rows)


def _of_pattern(share: Proportion, expected: int) -> str:
    return percent(share) if share.n == expected else f"{percent(share)}, n = {share.n}"


def _size(size: tuple[int, int]) -> str:
    height, width = size
    return str(height) if height == width else f"{height} x {width}"


def _contrasts(found: Encoders) -> str:
    base = found.base
    assert base is not None
    why = (
        "It was named, so that p is adjusted (Holm) for one test an encoder"
        if base.how == "named"
        else "It has the highest image score here: since the same pairs picked it, p is adjusted (Holm) for the tests "
        "of all twos"
    )
    rows = [
        [
            cell(each.label),
            points(each.difference),
            f"{each.difference.n:,}",
            f"{each.base_only:,}",
            f"{each.other_only:,}",
            p_value(each.p),
            p_value(each.p_holm),
        ]
        for each in sorted(found.contrasts, key=lambda each: (-each.difference.value, each.label))
    ]
    head = ["encoder", "difference, points", "pairs", "base alone right", "this alone right", "p", "p, Holm"]
    return f"{why} ({base.tests} in all). Paired bootstrap; exact McNemar.\n\n" + table(head, rows)


def _correlation(found: Encoders) -> str:
    each = found.correlation
    if each.r is None or each.low is None or each.high is None or each.p is None:
        return (
            f"Not available: a correlation needs two encoders with both, which differ; n = {each.n} encoders have both."
        )
    aloud = f" {each.n} encoders are few: the interval says how little is known." if each.n < FEW else ""
    return (
        f"Pearson's r = {each.r:.2f} [{each.low:.2f}, {each.high:.2f}] over n = {each.n} encoders (Fisher's interval; "
        f"permutation p = {p_value(each.p)}).{aloud} The encoders are no sample of anything: kin are not independent."
    )


def latency_lines(found: Encoders) -> list[str]:
    """Say how long a picture takes on this machine, a line each; nothing where it was not measured."""
    known = {each.fingerprint: each.label for each in found.candidates}
    rows = [
        [
            cell(known[each.fingerprint]),
            f"{1000 * each.seconds:.2f}" + _interval(each.low, each.high),
            str(each.batch),
            str(each.repeats),
            cell(each.dtype),
            cell(each.device) + ("" if each.threads is None else f", {each.threads} threads"),
            cell(each.machine),
        ]
        for each in sorted(found.latencies, key=lambda each: (each.device, each.batch, known.get(each.fingerprint, "")))
        if each.fingerprint in known
    ]
    if not rows:
        return []
    head = ["encoder", "ms a picture", "batch", "repeats", "dtype", "device", "machine"]
    said = (
        "Latency, measured on this machine alone (median of repeats; forward pass, without decoding and preprocessing):"
    )
    return [said, "", *table(head, rows).splitlines()]


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" [{1000 * low:.2f}, {1000 * high:.2f}]"
