"""The verb `world accept`: the known facts accept pairs and ask about them, as people would from the app."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np

from snellen import accepted, storage
from snellen.errors import StudyError, UsageError
from snellen.records import AcceptedPair, pair_id
from snellen.study import Study, software
from snellen.world.asking import WORLD, accepted_pair
from snellen.world.balance import balanced
from snellen.world.known import FACTOR_NAMES, Known, Pairs, know
from snellen.world.scene.facts import FACTORS
from snellen.world.table import TABLE, World, read_world

Kind = Literal["blind", "control", "random", "planted"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

PER_PATTERN: Final = 30
PER_IMAGE: Final = 2
CONTROL: Final = (0.0, 0.8)
"""Blind cosines between which control pairs lie."""


@dataclass(frozen=True, slots=True)
class AcceptResult:
    """What `accept` wrote: pairs by the pattern asked about, and how many more of each there might have been.

    `candidates` counts the pairs that differ in a pattern, before any limit; `short` is what a pattern lacks of
    `per_pattern`, of those that lack any.
    """

    path: Path
    kind: Kind
    counts: Mapping[str, int]
    candidates: Mapping[str, int]
    short: Mapping[str, int]

    @property
    def n_pairs(self) -> int:
        """How many pairs were accepted."""
        return sum(self.counts.values())


def accept(
    study: str | Path,
    world: str | Path | World,
    *,
    kind: Kind = "blind",
    per_pattern: int = PER_PATTERN,
    per_image: int = PER_IMAGE,
    blind_low: float = CONTROL[0],
    blind_high: float = CONTROL[1],
    seed: int = 0,
    out: str | Path | None = None,
) -> AcceptResult:
    """Write accepted pairs from the known facts: two pictures of one kind and context that differ in a factor.

    One factor in which they differ is asked about. The kinds of pairs: `blind`, those that were mined; `control`, those
    whose blind cosine is between `blind_low` and `blind_high` and below the threshold of mining; `random`, any,
    whatever the cosines; `planted`, a family's base and a sibling that differs in one factor alone.

    Args:
        study: a study of the world's pictures; mined, for blind and control pairs.
        world: the world, or its folder.
        kind: which pairs.
        per_pattern: at most so many pairs of each pattern.
        per_image: at most so many pairs of one picture, so that pairs are nearly independent.
        blind_low: control pairs have a blind cosine above this.
        blind_high: and below this.
        seed: of the lots by which pairs are chosen; sha256, so that a seed means the same everywhere.
        out: the file to write; None: the study's `accepted.jsonl` for blind pairs, `accepted-<kind>.jsonl` beside it
            for the others.

    Raises:
        UsageError: an option is wrong, or there is no such study or world.
        StudyError: the study is not mined though the kind needs it, is not of this world, has no such pair; or the
            file holds what people accepted.
        StorageError: the disk is full, or another process is writing to the study.
    """
    if kind not in KINDS:
        raise UsageError(f"--kind {kind!r} is not known: choose {', '.join(KINDS)}.")
    for option, number, least in (("per-pattern", per_pattern, 1), ("per-image", per_image, 1), ("seed", seed, 0)):
        if number < least:
            raise UsageError(f"--{option} {number} is too small: give a whole number from {least}.")
    if not -1 <= blind_low < blind_high <= 1:
        raise UsageError(
            f"--blind-low {blind_low} and --blind-high {blind_high} leave no cosine between: give two from -1 to 1, "
            "the lower one first."
        )
    opened = Study.existing(study)
    known_world = world if isinstance(world, World) else read_world(world)
    path = Path(out) if out is not None else _default(opened, kind)
    settings: dict[str, Any] = {"kind": kind, "per_pattern": per_pattern, "per_image": per_image, "seed": seed}
    if kind == "control":
        settings |= {"blind_low": blind_low, "blind_high": blind_high}
    with opened.lock():
        _refuse_peoples(path)
        known = know(opened, known_world)
        pairs = _candidates(known, kind, blind_low, blind_high)
        asked = _choose(known, pairs, kind, per_pattern, per_image, seed)
        if not asked:
            raise StudyError(
                f"{opened.root} has no {kind} pair of one kind and context that differs in a factor: {_advice(kind)}."
            )
        with storage.storage_errors(path):
            opened.manifest_path(path).unlink(missing_ok=True)  # from here on, what an earlier run wrote is replaced
        accepted.write(path, [_pair(known, pairs, at, factor) for at, factor in asked.items()])
        counts = Counter(asked.values())
        found = known.differs(pairs).sum(axis=0)
        result = AcceptResult(
            path=path,
            kind=kind,
            counts={name: counts[name] for name in FACTORS},
            candidates={name: int(found[at]) for at, name in enumerate(FACTORS)},
            short={name: per_pattern - counts[name] for name in FACTORS if counts[name] < per_pattern},
        )
        _write_manifest(opened, known_world, known, settings, result)
    return result


def _default(study: Study, kind: Kind) -> Path:
    return study.accepted if kind == "blind" else study.accepted.with_name(f"accepted-{kind}.jsonl")


def _advice(kind: Kind) -> str:
    return {
        "blind": "mine with a lower --blind-min or a higher --reference-max",
        "control": "widen --blind-low and --blind-high",
        "random": "draw a world of more --families",
        "planted": "embed the whole of the world",
    }[kind]


def _refuse_peoples(path: Path) -> None:
    """Refuse to write over pairs that anybody but a world accepted."""
    if path.exists() and any(pair.decided_by != (WORLD,) for pair in accepted.read(path)):
        raise StudyError(f"{path} holds pairs that people accepted: give another file with --out.")


def _candidates(known: Known, kind: Kind, low: float, high: float) -> Pairs:
    """Return the pairs of a kind that have one kind and context and differ in a factor."""
    if kind in ("blind", "control") and known.mined is None:
        raise StudyError(f"The study is not mined, which {kind} pairs need: run `snellen mine` first.")
    if kind == "planted":
        pairs = known.sibling_pairs("one-factor")
    elif kind == "blind":
        assert known.mined is not None
        pairs = known.mined.pairs
    else:
        pairs = known.scene_pairs()
    fit = known.same_scene(pairs) & known.differs(pairs).any(axis=1)
    if kind == "control":
        assert known.mined is not None
        assert pairs.blind is not None
        fit &= (pairs.blind > low) & (pairs.blind < min(high, known.mined.blind_min))
    return pairs.where(fit)


def _choose(known: Known, pairs: Pairs, kind: Kind, per_pattern: int, per_image: int, seed: int) -> dict[int, str]:
    """Return the factor asked about, by the pair's place among the candidates."""
    ids = [picture.image_id for picture in known.pictures]
    both = zip(pairs.a.tolist(), pairs.b.tolist(), strict=True)
    lots = [sha256(f"{seed}/{kind}/{pair_id(ids[a], ids[b])}".encode()).digest() for a, b in both]
    chosen = balanced(
        known.differs(pairs),
        np.stack([pairs.a, pairs.b], axis=1),
        lots,
        per_pattern=per_pattern,
        per_image=per_image,
    )
    return {at: FACTOR_NAMES[pattern] for at, pattern in chosen.items()}


def _pair(known: Known, pairs: Pairs, at: int, factor: str) -> AcceptedPair:
    return accepted_pair(
        known.pictures[int(pairs.a[at])],
        known.pictures[int(pairs.b[at])],
        factor,
        blind_cosine=None if pairs.blind is None else float(pairs.blind[at]),
        reference_cosine=None if pairs.reference is None else float(pairs.reference[at]),
    )


def _write_manifest(
    study: Study, world: World, known: Known, settings: Mapping[str, Any], result: AcceptResult
) -> None:
    """Say what the file was made from; a file outside the study has no manifest, as that could not name it."""
    if not result.path.resolve().is_relative_to(study.root.resolve()):
        return
    path = study.root / result.path.resolve().relative_to(study.root.resolve())
    study.write_manifest(
        path,
        verb="world accept",
        settings=settings,
        software=software("numpy", "pyarrow"),
        inputs={**known.inputs, TABLE: storage.sha256_of_file(world.folder / TABLE)},
        outputs={study.relative(path): storage.sha256_of_file(path)},
        counts={"pairs": result.n_pairs, **{key: asdict(result)[key] for key in ("counts", "candidates", "short")}},
    )
