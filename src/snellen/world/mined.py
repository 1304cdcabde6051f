"""What mining found, against what is true: the shares of table 1 of the world's study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snellen.errors import StudyError
from snellen.stats import wilson_interval
from snellen.study import Study
from snellen.world.known import FACTOR_NAMES, Known, Pairs, know
from snellen.world.table import World


@dataclass(frozen=True, slots=True)
class Share:
    """So many of `n`, with Wilson's 95 % interval; `value` is None where there is nothing to count.

    The interval takes pairs as independent, which pairs that share an image are not quite.
    """

    count: int
    n: int
    value: float | None
    low: float
    high: float

    @classmethod
    def of(cls, which: NDArray[np.bool_]) -> Share:
        """Count what is true: bool [n]."""
        count, n = int(np.count_nonzero(which)), len(which)
        low, high = wilson_interval(count, n)
        return cls(count, n, count / n if n else None, low, high)


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of a set of pairs.

    `same_kind`, `same_context` and `same_scene` (both) are shares of all its pairs; `differ` (in at least one factor)
    and `by_factor` are shares of those of one scene.
    """

    same_kind: Share
    same_context: Share
    same_scene: Share
    differ: Share
    by_factor: Mapping[str, Share]

    @classmethod
    def of(cls, known: Known, pairs: Pairs) -> Truth:
        """Look up every pair."""
        one_scene = known.same_scene(pairs)
        differs = known.differs(pairs)[one_scene]
        return cls(
            same_kind=Share.of(np.asarray(known.kinds[pairs.a] == known.kinds[pairs.b])),
            same_context=Share.of(np.asarray(known.contexts[pairs.a] == known.contexts[pairs.b])),
            same_scene=Share.of(one_scene),
            differ=Share.of(np.asarray(differs.any(axis=1))),
            by_factor={name: Share.of(differs[:, at]) for at, name in enumerate(FACTOR_NAMES)},
        )


@dataclass(frozen=True, slots=True)
class MinedTruth:
    """What mining found, against what is true.

    `mined` are the pairs of `pairs.parquet`, `blind_alone` all pairs above the blind threshold whatever the reference
    encoder says, `random` all pairs of one kind and context. Of the single-factor pairs that were planted,
    `planted_passing` passed both thresholds, `planted_by_factor` for each factor; of the re-renders, which differ in
    nothing, `re_renders_passing`.
    """

    blind_min: float
    reference_max: float
    mined: Truth
    blind_alone: Truth
    random: Truth
    planted_passing: Share
    planted_by_factor: Mapping[str, Share]
    re_renders_passing: Share

    def as_json(self) -> dict[str, Any]:
        """Return plain dicts, lists and numbers."""
        return asdict(self)


def mined_truth(study: Study, world: World) -> MinedTruth:
    """Compare what was mined in a study of a world's pictures with the known facts.

    Every pair of images is looked at once: 2,800 pictures take a second.

    Raises:
        StudyError: the study is not mined, is damaged, or is of another world.
    """
    known = know(study, world)
    if known.mined is None:
        raise StudyError(f"{study.root} is not mined: run `snellen mine` first.")
    planted, again = known.sibling_pairs("one-factor"), known.sibling_pairs("re-render")
    passing, differs = known.passing(planted), known.differs(planted)
    return MinedTruth(
        blind_min=known.mined.blind_min,
        reference_max=known.mined.reference_max,
        mined=Truth.of(known, known.mined.pairs),
        blind_alone=Truth.of(known, known.blind_alone()),
        random=Truth.of(known, known.scene_pairs()),
        planted_passing=Share.of(passing),
        planted_by_factor={name: Share.of(passing[differs[:, at]]) for at, name in enumerate(FACTOR_NAMES)},
        re_renders_passing=Share.of(known.passing(again)),
    )
