"""The verb `correlate`: do an encoder's failures and those of multimodal LLMs go together?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from snellen import storage
from snellen.benchmarks import Benchmark
from snellen.diagnosis.correlation import words
from snellen.diagnosis.correlation.nouns import (
    Accuracy,
    AgainstEncoder,
    Correlated,
    CorrelateResult,
    Examined,
    OverPatterns,
    Point,
)
from snellen.diagnosis.correlation.sides import METRICS, Metric, Side, benchmark_of, find, side_of
from snellen.errors import UsageError
from snellen.plain import plain
from snellen.runs import Run, read_runs
from snellen.stats.association import association
from snellen.stats.clusters import connected
from snellen.stats.hierarchy import Interaction, model_by_pattern
from snellen.stats.over_patterns import correlate_patterns
from snellen.stats.proportions import wilson_interval
from snellen.study import Study, software


def correlate(
    study: str | Path,
    *,
    encoder_run: str,
    runs: Sequence[str],
    tagset: str | None = None,
    encoder_tagset: str | None = None,
    metric: Metric = "image",
    allow_incomplete: bool = False,
    seed: int = 0,
) -> CorrelateResult:
    """Set an image-text encoder's run beside those of multimodal LLMs, and write what can be said.

    For each run: (a) over visual patterns, the encoder's score against pair accuracy, as the paper does (section 3.3);
    (b) pair by pair, where both were examined on one benchmark: do they err on the same pairs? And for all of them
    together: (c) do their profiles over patterns differ? Written to `diagnosis/correlation--<8 hex>.json`, named after
    the settings, with a manifest.

    None of the three says that the encoder causes the errors: what is hard for everybody goes together, too.

    Args:
        study: the study.
        encoder_run: a run_id of an image-text encoder, or how it begins.
        runs: run_ids with graded answers, or how they begin; one at least.
        tagset: whose visual patterns; by default the one that the benchmarks have.
        encoder_tagset: the encoder's benchmark calls it that, where it is another benchmark.
        metric: what counts as right for the encoder: image, text or group score.
        allow_incomplete: leave out pairs that lack an answer, instead of refusing.
        seed: of everything that is drawn.

    Raises:
        UsageError: there is no such run or tagset, or an argument is not known.
        StudyError: a run is unfinished, damaged or incomplete, or its benchmark is not in the study.
        StorageError: it cannot be written.
    """
    opened = Study(Path(study))
    if metric not in METRICS:
        raise UsageError(f"metric {metric!r} is not known: choose {', '.join(METRICS)}.")
    if not runs:
        raise UsageError("No run is given to set beside the encoder's: name one or more with --run.")
    there, unfinished = read_runs(opened)
    matched = find(there, unfinished, encoder_run, encoder=True)
    chosen = {run.run_id: run for run in (find(there, unfinished, name, encoder=False) for name in runs)}
    one, *others = _sides(opened, [matched, *chosen.values()], metric, allow_incomplete)
    tagset, encoder_tagset = _chosen_tagset(one, others, tagset, encoder_tagset)
    found = _correlated(one, others, tagset, encoder_tagset, seed)
    settings = {
        "encoder_run": one.run.run_id,
        "runs": list(chosen),
        "tagset": tagset,
        "encoder_tagset": encoder_tagset,
        "metric": metric,
        "allow_incomplete": allow_incomplete,
        "seed": seed,
    }
    path = opened.root / "diagnosis" / f"correlation--{storage.sha256_of_json(settings)[:8]}.json"
    inputs: dict[str, str] = {}
    for side in (one, *others):
        inputs |= dict(side.run.files) | side.overlay()
    with opened.lock((path.parent,)):
        storage.write_json(path, plain(found))
        opened.write_manifest(
            path,
            verb="correlate",
            settings=settings,
            software=software("numpy", "scipy", "statsmodels"),
            inputs=inputs,
            outputs={opened.relative(path): storage.sha256_of_file(path)},
            counts={"runs": len(others), "patterns": max(len(each.over_patterns.points) for each in found.runs)},
        )
    return CorrelateResult(path, found)


def _sides(study: Study, runs: Sequence[Run], metric: Metric, allow_incomplete: bool) -> list[Side]:
    """Read every benchmark once."""
    asked: dict[str, Benchmark] = {}
    for run in runs:
        if run.content_sha256 not in asked:
            asked[run.content_sha256] = benchmark_of(study, run)
    return [side_of(asked[run.content_sha256], run, metric, allow_incomplete=allow_incomplete) for run in runs]


# -- which patterns ---------------------------------------------------------------------------------------------------


def _chosen_tagset(
    encoder: Side, others: Sequence[Side], wanted: str | None, wanted_encoder: str | None
) -> tuple[str | None, str | None]:
    """Return whose patterns are taken on the runs' side and on the encoder's; None where there are none to take."""
    shared = set.intersection(*(set(side.tagsets()) for side in others))
    there = shared if wanted_encoder else shared & set(encoder.tagsets())
    if wanted is None:
        if not there:
            return None, None
        if len(there) > 1:
            raise UsageError(
                f"Several tagsets have the patterns: choose one with --tagset: {', '.join(sorted(there))}."
            )
        wanted = next(iter(there))
    for side, name, option in (
        (encoder, wanted_encoder or wanted, "--encoder-tagset" if wanted_encoder else "--tagset"),
        *((side, wanted, "--tagset") for side in others),
    ):
        if name not in side.tagsets():
            known = ", ".join(map(repr, side.tagsets())) or "none: run `snellen tag`"
            raise UsageError(f"{option} {name!r} is no tagset of {side.benchmark.folder}: there is {known}.")
    return wanted, wanted_encoder or wanted


# -- what goes with what ----------------------------------------------------------------------------------------------


def _correlated(
    encoder: Side, others: Sequence[Side], tagset: str | None, encoder_tagset: str | None, seed: int
) -> Correlated:
    own = encoder.tagged(encoder_tagset) if encoder_tagset else {}
    found = [_against(encoder, own, side, tagset, seed) for side in others]
    interaction = _interaction(encoder, [side for side in others if _same(encoder, side)], own) if own else None
    return Correlated(
        tagset=tagset,
        encoder_tagset=encoder_tagset,
        encoder=_examined(encoder),
        runs=tuple(found),
        interaction=interaction,
        says=(*words.of_interaction(interaction), words.NO_CAUSE),
    )


def _same(one: Side, other: Side) -> bool:
    return one.run.content_sha256 == other.run.content_sha256


def _examined(side: Side) -> Examined:
    run = side.run
    return Examined(
        run_id=run.run_id,
        model=run.model,
        kind=run.kind,
        benchmark=run.benchmark,
        content_sha256=run.content_sha256,
        metric=side.metric,
        n_pairs=len(side.right),
        left_out=len(side.left_out),
    )


def _against(
    encoder: Side, own: Mapping[str, Sequence[str]], side: Side, tagset: str | None, seed: int
) -> AgainstEncoder:
    same = _same(encoder, side)
    shared = [name for name in encoder.right if name in side.right] if same else []
    patterns = _over_patterns(encoder, own, side, side.tagged(tagset) if tagset else {}, seed)
    says = [f"Over patterns nothing can be said: {patterns.reason}."]
    if patterns.pearson is not None:
        says = words.of_patterns(patterns.pearson)
    pairs = None
    if same:
        wrong = [[not one.right[name] for name in shared] for one in (encoder, side)]
        pairs = association(wrong[0], wrong[1], _clusters(encoder, shared), seed=seed)
        says += words.of_pairs(pairs)
    else:
        says.append(
            f"Pair by pair nothing can be said: the encoder was matched on {encoder.run.benchmark}, and this model was "
            f"asked {side.run.benchmark}, which has other pairs."
        )
    return AgainstEncoder(_examined(side), same, len(shared), patterns, pairs, tuple(says))


def _clusters(side: Side, names: Sequence[str]) -> list[int]:
    """Number what pairs belong to: those that share an image are one cluster."""
    pairs = side.benchmark.pairs
    return connected([(pairs[name][0].image_id, pairs[name][1].image_id) for name in names])


def _over_patterns(
    encoder: Side, own: Mapping[str, Sequence[str]], side: Side, theirs: Mapping[str, Sequence[str]], seed: int
) -> OverPatterns:
    """Correlate over the patterns that both have pairs of; on one benchmark, over the pairs that both have."""
    if not own or not theirs:
        return OverPatterns((), None, None, "there are no visual patterns: run `snellen tag`, or name a tagset")
    points, counts = [], []
    same = _same(encoder, side)
    for pattern in own:
        left = [name for name in own[pattern] if name in encoder.right and (not same or name in side.right)]
        right = left if same else [name for name in theirs.get(pattern, ()) if name in side.right]
        if left and right:
            hits, others = [encoder.right[name] for name in left], [side.right[name] for name in right]
            points.append(Point(pattern, _accuracy(hits), _accuracy(others)))
            counts.append(_counts(hits, others, same))
    if not points:
        return OverPatterns((), None, None, "no visual pattern has pairs that were examined on both sides")
    both: dict[str, Any] = {"same_pairs" if same else "own_pairs": counts}
    names = [point.pattern for point in points]
    x, y = [point.encoder.value for point in points], [point.model.value for point in points]
    pearson, spearman = (
        correlate_patterns(names, x, y, method=method, seed=seed, **both) for method in ("pearson", "spearman")
    )
    return OverPatterns(tuple(points), pearson, spearman, None)


def _accuracy(hits: Sequence[bool]) -> Accuracy:
    return Accuracy(sum(hits) / len(hits), *wilson_interval(sum(hits), len(hits)), len(hits))


def _counts(encoder: Sequence[bool], model: Sequence[bool], same: bool) -> list[int]:
    if not same:
        return [sum(encoder), len(encoder), sum(model), len(model)]
    kinds = list(zip(encoder, model, strict=True))
    return [kinds.count(kind) for kind in ((True, True), (True, False), (False, True), (False, False))]


def _interaction(encoder: Side, others: Sequence[Side], own: Mapping[str, Sequence[str]]) -> Interaction | None:
    """Fit all runs on the encoder's benchmark together, over the pairs that all have; None: there is no other run."""
    if not others:
        return None
    sides = [encoder, *others]
    pairs = [name for name in encoder.right if all(name in side.right for side in others)]
    cluster = dict(zip(pairs, _clusters(encoder, pairs), strict=True))
    # One model under two profiles is two models here: the run_id tells them apart.
    rows = [
        (side.right[name], side.run.run_id, pattern, cluster[name])
        for side in sides
        for pattern, names in own.items()
        for name in names
        if name in cluster
    ]
    right, models, patterns, clusters = zip(*rows, strict=True) if rows else ((), (), (), ())
    return model_by_pattern(list(right), list(models), list(patterns), list(clusters))
