"""What was found as JSON: `encoders.json`. Nothing in it depends on the machine or the clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from snellen.diagnosis.shopping.comparison import Encoders, Partners
from snellen.diagnosis.shopping.nouns import Candidate
from snellen.diagnosis.shopping.partners import Ranking
from snellen.stats import Difference, Proportion


def plain(found: Encoders, figures: Mapping[str, str | None]) -> dict[str, Any]:
    """Return everything but latencies; `figures` are their file names, None where one could not be drawn."""
    gathered = found.gathered
    correlation = found.correlation
    return {
        "benchmark": gathered.benchmark and {"name": gathered.benchmark, "content_sha256": gathered.content_sha256},
        "tagset": gathered.tagset,
        "zeroshot_dataset": gathered.dataset,
        "statements": list(found.statements),
        "figures": dict(figures),
        "encoders": [_encoder(found, each) for each in found.candidates],
        "base": found.base and {"encoder": found.base.label, "how": found.base.how, "tests": found.base.tests},
        "differences": [
            {
                "encoder": each.label,
                "minus": each.base,
                "image_score": _difference(each.difference),
                "base_only": each.base_only,
                "other_only": each.other_only,
                "p": each.p,
                "p_holm": each.p_holm,
            }
            for each in found.contrasts
        ],
        "image_score_and_zeroshot": {
            "pearson": correlation.r,
            "low": correlation.low,
            "high": correlation.high,
            "p": correlation.p,
            "n_encoders": correlation.n,
        },
        "separation": _separation(found),
        "rescue": {
            a: {
                b: {
                    "rescued": _share(each.rescued),
                    "union": _share(each.union),
                    "union_with_a_guesser": each.guesser,
                }
                for b, each in row.items()
            }
            for a, row in found.rescues.items()
        },
        "partners": found.partners and _partners(found.partners),
    }


def _encoder(found: Encoders, each: Candidate) -> dict[str, Any]:
    scores = found.scores.get(each.label)
    return {
        "encoder": each.label,
        "fingerprint": each.fingerprint,
        "run_id": each.run_id,
        "profile": each.profile,
        "image_score": scores and _share(scores.image),
        "why_no_image_score": each.why_no_image_score,
        "average_over_patterns": scores and scores.average and _share(scores.average),
        "text_score": scores and _share(scores.text),
        "group_score": scores and _share(scores.group),
        "patterns": scores and {name: _share(share) for name, share in scores.patterns.items()},
        "zeroshot_top1": each.zeroshot and _share(each.zeroshot.top1),
        "parameters": each.parameters,
        "image_size": each.image_size and list(each.image_size),
        "tokens": each.tokens,
        "embedding": each.slug,
    }


def _separation(found: Encoders) -> dict[str, Any] | None:
    separation = found.separation
    if separation is None:
        return None
    rule = separation.rule
    return {
        "rule": {
            "n_pairs": rule.n_pairs,
            "sampled": rule.sampled,
            "n_blind": rule.n_blind,
            "n_separated": rule.n_separated,
            "chance": rule.chance,
        },
        "blind_above": {name: _finite(value) for name, value in separation.above.items()},
        "separated_below": {name: _finite(value) for name, value in separation.below.items()},
        "blind_pairs": {
            name: {"looked_at": len(few.pairs), "found": few.found} for name, few in separation.blind.items()
        },
        "shares": {a: {b: _share(share) for b, share in row.items()} for a, row in separation.shares.items()},
        "mined": found.mined
        and {
            "blind": found.mined.blind,
            "reference": found.mined.reference,
            "looked_at": found.mined.looked_at,
            "found": found.mined.found,
            "shares": {name: _share(share) for name, share in found.mined.shares.items()},
        },
    }


def _partners(found: Partners) -> dict[str, Any]:
    return {
        "base": found.base,
        "by_separated": found.by_separated and _ranking(found.by_separated),
        "by_rescued": found.by_rescued and _ranking(found.by_rescued),
        "why": list(found.why),
    }


def _ranking(found: Ranking) -> dict[str, Any]:
    return {
        "confidence_of_each": found.confidence,
        "places": [
            {
                "encoder": place.partner,
                "value": place.value,
                "n": place.n,
                "behind_first": place.behind and _difference(place.behind),
                "distinguishable": None if place.behind is None else place.distinguishable,
            }
            for place in found.places
        ],
    }


def _share(share: Proportion) -> dict[str, Any]:
    known = share.value is not None
    return {
        "value": share.value,
        "low": share.low if known else None,
        "high": share.high if known else None,
        "n": share.n,
    }


def _difference(difference: Difference) -> dict[str, Any]:
    return {"value": difference.value, "low": difference.low, "high": difference.high, "n": difference.n}


def _finite(value: float) -> float | None:
    return value if abs(value) <= 2 else None
