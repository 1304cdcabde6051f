"""Everything that is said about a study's encoders, put together from its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snellen import image_table
from snellen.diagnosis.shopping.cost import Latency
from snellen.diagnosis.shopping.cost_files import read_latencies
from snellen.diagnosis.shopping.gather import Gathered, gather
from snellen.diagnosis.shopping.image_pairs import image_pairs
from snellen.diagnosis.shopping.mined import Mined, mined_rows, read_mined
from snellen.diagnosis.shopping.nouns import Candidate
from snellen.diagnosis.shopping.partners import Ranking, by_rescued, by_separated
from snellen.diagnosis.shopping.rescue import Rescue, rescue
from snellen.diagnosis.shopping.scores import Base, Contrast, Scores, against_zeroshot, contrasts, scores
from snellen.diagnosis.shopping.separation import (
    BlindPairs,
    Separation,
    chosen,
    separated,
    separated_shares,
    separation,
)
from snellen.errors import UsageError
from snellen.jsonl import quoted
from snellen.progress import SILENT, Progress
from snellen.stats import Correlation, Proportion
from snellen.study import Study
from snellen.vectors import Vectors


@dataclass(frozen=True)
class MinedPairs:
    """The study's mined pairs: of `found`, `pairs` were looked at; `shares` is what others separate of them.

    They were selected to be alike for `blind` and unlike for `reference`: of those two they say nothing.
    """

    blind: str
    reference: str
    looked_at: int
    found: int
    shares: Mapping[str, Proportion]


@dataclass(frozen=True)
class Partners:
    """Who makes up best for `base`, by two measures; None where one cannot be taken, and then `why` says so."""

    base: str
    by_separated: Ranking | None
    by_rescued: Ranking | None
    why: tuple[str, ...]


@dataclass(frozen=True)
class Encoders:
    """A study's encoders side by side; everything by label, and `statements` say what cannot be said, and why.

    `rescues[a][b]` is what b adds to a. `latencies` are this machine's, and in none of the files that are reproducible.
    """

    gathered: Gathered
    scores: Mapping[str, Scores]
    base: Base | None
    contrasts: Sequence[Contrast]
    correlation: Correlation
    separation: Separation | None
    mined: MinedPairs | None
    rescues: Mapping[str, Mapping[str, Rescue]]
    partners: Partners | None
    latencies: Sequence[Latency]
    statements: tuple[str, ...]
    files: Mapping[str, str]

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The encoders, the highest image score first, those without one last, then by label."""

        def key(each: Candidate) -> tuple[float, str]:
            found = self.scores.get(each.label)
            return (-1.0 if found is None else found.image.value or 0.0), each.label

        return tuple(sorted(self.gathered.candidates, key=lambda each: (-key(each)[0], key(each)[1])))


def compared(
    study: Study,
    *,
    benchmark: str | Path | None,
    tagset: str | None,
    base: str | None,
    runs: Sequence[str],
    dataset: str | None,
    seed: int,
    progress: Progress = SILENT,
) -> Encoders:
    """Read a study and compare its encoders; arguments as `encoders` has them."""
    gathered = gather(study, benchmark=benchmark, runs=runs, dataset=dataset, tagset=tagset)
    candidates = gathered.candidates
    labels = [each.label for each in candidates]
    if not candidates:
        raise UsageError(
            f"There is no encoder in {study.root}: match one (`snellen match`), embed with one (`snellen embed`), or "
            "measure its zero-shot accuracy (`snellen zeroshot`)."
        )
    if base is not None and base not in labels:
        raise UsageError(f"The base {quoted(base)} is not an encoder of this study: choose one of {', '.join(labels)}.")
    matched = {each.label: each.matches for each in candidates if each.matches}
    statements = list(gathered.notes) + _missing(candidates, gathered)
    versus, differences = contrasts(candidates, base if base in matched else None, seed)
    space = _space(study, candidates, seed, progress)
    statements += space.statements
    named = base or (space.blind if space.blind in labels else None)
    partners = None
    if named is None:
        statements.append("Partners are not ranked: say whose partner is looked for, with --base.")
    elif len(candidates) > 1:
        partners = _partners(named, matched, space, seed)
    return Encoders(
        gathered=gathered,
        scores={label: scores(each, gathered.patterns) for label, each in matched.items()},
        base=versus,
        contrasts=differences,
        correlation=against_zeroshot(candidates),
        separation=space.separation,
        mined=space.mined,
        rescues={a: {b: rescue(matched[a], matched[b]) for b in matched if b != a} for a in matched},
        partners=partners,
        latencies=read_latencies(study),
        statements=tuple(statements),
        files={**gathered.files, **space.files},
    )


@dataclass(frozen=True)
class _Space:
    """What the embeddings give; `vectors` by label."""

    vectors: Mapping[str, Vectors]
    separation: Separation | None
    mined: MinedPairs | None
    blind: str | None
    files: dict[str, str]
    statements: list[str]


def _space(study: Study, candidates: Sequence[Candidate], seed: int, progress: Progress) -> _Space:
    label_of = {each.slug: each.label for each in candidates if each.slug is not None}
    start = "Who separates whose blind pairs is not available: "
    if len(label_of) < 2:
        said = f"{len(label_of)} encoder(s) embedded, two are needed (`snellen embed`)."
        return _Space({}, None, None, None, {}, [start + said])
    mined = read_mined(study)
    if mined is None:
        said = "no thresholds were set in this study (`snellen mine` sets them)."
        return _Space({}, None, None, None, {}, [start + said])
    blind = label_of.get(mined.blind)
    if blind is None or mined.reference not in label_of:
        said = "the embeddings that were mined are no longer there: embed with them again."
        return _Space({}, None, None, blind, mined.files, [start + said])
    images = image_table.read(study)
    rows = np.array([each.row for each in images if each.status == "ok" and each.duplicate_of is None], dtype=np.int64)
    if len(rows) < 2:
        return _Space({}, None, None, blind, mined.files, [start + "fewer than two images are usable."])
    vectors = {label: Vectors.open(study.embedding(slug), len(images)) for slug, label in label_of.items()}
    files = dict(mined.files)
    for each in vectors.values():
        files |= {study.relative(path): digest for path, digest in each.shard_hashes().items()}
    found = separation(
        vectors,
        image_pairs(rows, seed),
        blind=blind,
        blind_min=mined.blind_min,
        reference=label_of[mined.reference],
        reference_max=mined.reference_max,
        seed=seed,
        progress=progress,
    )
    statements = []
    if not found.rule.n_blind:
        statements.append(
            f"No pair of {found.rule.n_pairs:,} that were looked at is above the blind threshold: there are no blind "
            "pairs to compare but those that were mined."
        )
    table = _mined_pairs(study, mined, blind, label_of[mined.reference], vectors, found, seed)
    return _Space(vectors, found, table, blind, files, statements)


def _mined_pairs(
    study: Study,
    mined: Mined,
    blind: str,
    reference: str,
    vectors: Mapping[str, Vectors],
    found: Separation,
    seed: int,
) -> MinedPairs:
    pairs = mined_rows(study.pairs, chosen(mined.written, seed))
    others = {label: each for label, each in vectors.items() if label != blind}
    shares = separated_shares(pairs, others, found.below, seed)
    return MinedPairs(blind, reference, len(pairs), mined.written, shares)


def _partners(base: str, matched: Mapping[str, Mapping[str, object]], space: _Space, seed: int) -> Partners:
    why = []
    separates = None
    if space.separation is None or base not in space.vectors:
        why.append(f"By separated blind pairs: not available, since {base} is not embedded here beside another.")
    else:
        few: BlindPairs = space.separation.blind[base]
        others = {label: each for label, each in space.vectors.items() if label != base}
        hits = {label: separated(few.pairs, each, space.separation.below[label]) for label, each in others.items()}
        separates = by_separated(base, few.pairs, hits, seed)
        if separates is None:
            why.append(f"By separated blind pairs: not available, since {base} has none here.")
    rescues = None
    if base not in matched:
        why.append(f"By rescued pairs: not available, since {base} has no image score here.")
    else:
        others_matched = {label: each for label, each in matched.items() if label != base}
        rescues = by_rescued(base, matched[base], others_matched, seed)  # type: ignore[arg-type]
        if rescues is None:
            none = "no other encoder has an image score here" if not others_matched else f"{base} has no pair wrong"
            why.append(f"By rescued pairs: not available, since {none}.")
    return Partners(base, separates, rescues, tuple(why))


def _missing(candidates: Sequence[Candidate], gathered: Gathered) -> list[str]:
    """Say what is not available of whom."""
    said = []
    if gathered.benchmark is None:
        said.append("Image scores are not available: no encoder was matched here (`snellen match`).")
    if gathered.benchmark is not None and not gathered.patterns:
        said.append("Scores by visual pattern are not available: the benchmark has no tags here (`snellen tag`).")
    if gathered.dataset is None:
        said.append("Zero-shot accuracy is not available: it was not measured here (`snellen zeroshot`).")
    sizes = {len(each.matches) for each in candidates if each.matches}
    if len(sizes) > 1:
        said.append("Not all encoders were matched on the same pairs: two are compared on those that both were.")
    if len(candidates) == 1:
        said.append("There is one encoder: nothing can be compared.")
    return said
