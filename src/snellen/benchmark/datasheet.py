"""`DATASHEET.md`: what somebody must know before using a benchmark, filled in from the study's own facts.

The headings follow Gebru et al., "Datasheets for Datasets" (2018), as far as they apply.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from snellen.records import AcceptedPair, Image

_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$])")
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")

NOT_STATED = "**not stated**: say it before this benchmark is passed on"


def datasheet(
    header: Mapping[str, Any],
    pairs: Sequence[AcceptedPair],
    images: Sequence[Image],
    mining: Mapping[str, Any] | None,
) -> str:
    """Write the page.

    Args:
        header: the content of `benchmark.json`.
        pairs: the accepted pairs.
        images: their images' rows, each once.
        mining: the content of `mining.json`; None where the study has none.
    """
    blind = _are_blind(pairs, mining)
    parts = [
        f"# {header['name']}, version {plain(header['version'])}",
        f"Content hash: `{header['content_sha256']}`",
        _motivation(blind),
        _composition(pairs, images),
        _collection(pairs, mining),
        _decisions(pairs),
        _key(header),
        _use(header, len(pairs), blind),
        _rights(header),
    ]
    return "\n\n".join(parts) + "\n"


def plain(text: str) -> str:
    r"""Make text that others wrote harmless in Markdown, on one line: `a|b` becomes `a\|b`."""
    return _MARKUP.sub(r"\\\1", _BREAKS.sub(" ", text)).strip()


def _are_blind(pairs: Sequence[AcceptedPair], mining: Mapping[str, Any] | None) -> bool:
    """Does every pair pass the thresholds that it is said to have been mined by? Control pairs, say, do not."""
    if mining is None:
        return False
    blind, reference = (mining["resolved"][key]["value"] for key in ("blind_min", "reference_max"))
    return all(
        pair.blind_cosine is not None
        and pair.reference_cosine is not None
        and pair.blind_cosine > blind
        and pair.reference_cosine < reference
        for pair in pairs
    )


def _motivation(blind: bool) -> str:
    if not blind:
        return """## Motivation

To find out what a multimodal LLM, or a vision encoder, can tell apart. Every pair holds two images and one question
with two options whose answer differs between them. These pairs are not all known to have been chosen because an encoder
confuses them: as a control they show what such a choice does. The method is that of Tong et al., "Eyes Wide Shut?
Exploring the Visual Shortcomings of Multimodal LLMs" (CVPR 2024, arXiv 2401.06209)."""
    return """## Motivation

To find out what a vision encoder, and a multimodal LLM that sees through it, cannot tell apart. Every pair holds two
images that one image encoder (the blind encoder) maps to nearly the same vector and another one (the reference encoder)
does not, and one question with two options whose answer differs between them. The method is that of Tong et al., "Eyes
Wide Shut? Exploring the Visual Shortcomings of Multimodal LLMs" (CVPR 2024, arXiv 2401.06209)."""


def _composition(pairs: Sequence[AcceptedPair], images: Sequence[Image]) -> str:
    sides = [(image.width, image.height) for image in images if image.width and image.height]
    sizes = [
        f"- Widths {min(w for w, _ in sides)} to {max(w for w, _ in sides)} and heights {min(h for _, h in sides)} to "
        f"{max(h for _, h in sides)} pixels."
        for _ in sides[:1]
    ]
    both = sum(pair.statement_a is not None and pair.statement_b is not None for pair in pairs)
    lines = [
        "## Composition",
        "",
        f"- {len(pairs):,} pairs, {2 * len(pairs):,} questions, {len(images):,} different images.",
        *sizes,
        f"- {both:,} pairs have a statement for each image, for image-text encoders.",
        "",
        "| visual pattern | pairs | of n |",
        "|---|---:|---:|",
    ]
    for pattern, count in _counted(pattern for pair in pairs for pattern in pair.patterns):
        lines.append(f"| {plain(pattern)} | {count:,} | {len(pairs):,} |")
    without = sum(not pair.patterns for pair in pairs)
    lines += [
        f"| (none given) | {without:,} | {len(pairs):,} |",
        "",
        "A pair may have several patterns, so the counts need not add up to n. Of a pattern with few pairs little can",
        "be said: with 15 pairs, a pair accuracy of one half has a 95 % interval from about 0.25 to 0.75.",
    ]
    return "\n".join(lines)


def _collection(pairs: Sequence[AcceptedPair], mining: Mapping[str, Any] | None) -> str:
    lines = ["## How the pairs were found", ""]
    if mining is None:
        lines += ["The study has no `mining.json`, so thresholds and encoders are not known.", ""]
    else:
        counts = mining["counts"]
        for key, name in (("blind", "Blind encoder"), ("reference", "Reference encoder")):
            lines.append(f"- {name}: {plain(mining[key]['name'])}, fingerprint `{mining[key]['fingerprint']}`.")
        blind, reference = (mining["resolved"][key]["value"] for key in ("blind_min", "reference_max"))
        passing = "" if _are_blind(pairs, mining) else " Not all accepted pairs pass both."
        lines += [
            f"- Blind cosine above {blind!r}, reference cosine below {reference!r}, both strictly and exactly."
            + passing,
            f"- {counts['distinct']:,} distinct images were compared in {counts['pairs']:,} pairs; "
            f"{counts['after_labels']:,} passed and {counts['written']:,} were kept.",
            "- These are the study's settings as the benchmark was built; pairs accepted earlier may stem from others.",
        ]
    for field, name in (("blind_cosine", "Blind"), ("reference_cosine", "Reference")):
        values = [value for pair in pairs if (value := getattr(pair, field)) is not None]
        if values:
            lines.append(
                f"- {name} cosines of the accepted pairs: {min(values):.4f} to {max(values):.4f} (n = {len(values):,})."
            )
    return "\n".join(lines).rstrip()


def _decisions(pairs: Sequence[AcceptedPair]) -> str:
    lines = ["## Who decided", "", "| decided by | pairs | of n |", "|---|---:|---:|"]
    for name, count in _counted(name for pair in pairs for name in pair.decided_by):
        lines.append(f"| {plain(name)} | {count:,} | {len(pairs):,} |")
    drafts = _counted(pair.drafted_by for pair in pairs if pair.drafted_by is not None)
    said = "; ".join(f"{plain(name)}: {count:,}" for name, count in drafts)
    return "\n".join([*lines, "", f"First wordings drafted by somebody or something else: {said or 'none'}."])


def _key(header: Mapping[str, Any]) -> str:
    return f"""## Order of options, slots and lines

Drawn by lot from `option_seed` {header["option_seed"]}, by sha256: which image is slot a, which option comes first (the
same for both questions of a pair), and the order of the lines. Neither ids nor file names nor any order says anything
of the answers; `snellen validate` tests that."""


def _use(header: Mapping[str, Any], n: int, blind: bool) -> str:
    if blind:
        chosen = """Pairs were chosen because one encoder confuses them. Scores say how a model does on what that
  encoder cannot see, not how it does on images at large, and they favour models that see with the reference
  encoder."""
    else:
        chosen = "Scores say how a model does on such pairs as these, not how it does on images at large."
    return f"""## Use

- Chance is 50 % for a question and 25 % for a pair (both questions right). Say which of the two a number is, with its
  interval and n = {n:,} pairs. The pair is the unit of evidence: its two questions are not independent.
- Whoever publishes a number names the content hash; the first 16 digits will do: `{header["content_sha256"][:16]}`.
- {chosen}
- Two options do not show what a model would say unasked.
- The answers lie beside the questions in `questions.jsonl`: keep the file out of training data."""


def _rights(header: Mapping[str, Any]) -> str:
    licence, source = (NOT_STATED if header[key] is None else plain(header[key]) for key in ("licence", "source"))
    return f"""## Rights and origin

- Images from: {source}.
- Licence: {licence}."""


def _counted(names: Iterable[str]) -> list[tuple[str, int]]:
    """Count names, the most frequent first, ties in the order of the alphabet."""
    return sorted(Counter(names).items(), key=lambda item: (-item[1], item[0]))
