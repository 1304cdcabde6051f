"""What a probe reads where there should be nothing to read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snellen.probes.engine import Places, coins, held_out
from snellen.probes.features import Features, image_rows
from snellen.probes.interval import permutation_p
from snellen.probes.nouns import ProbePair, ProbeResult, Readable, normalised
from snellen.probes.probe import FOLDS, SHUFFLES, Asked, checked, tested
from snellen.probes.ridge import Floats
from snellen.stats import clustered_interval, wilson_interval

DRAWS: Final = 20
"""Control tasks that are averaged."""

LEAST_HALF: Final = 0.4
"""The smaller half of a control task's pairs: at 0.5 whoever learned the real task alone is right on just half."""

_WORDS: Final = re.compile(r"\w+")


def control_task(
    pairs: Sequence[ProbePair], features: Features, *, seed: int = 0, folds: int = FOLDS, draws: int = DRAWS
) -> ProbeResult:
    """Probe answers that mean nothing: for half of the types of items, by lot, what is left is called right.

    The control task of Hewitt and Liang (2019, "Designing and interpreting probes with control tasks", section 2) gives
    each type of item a random answer, the same wherever it occurs. Here a type is a pair's `kind`, and the answer drawn
    says whether the two images' answers are swapped in all of its pairs. Types occur in training and in testing, so
    that a probe which can learn any rule by heart does well; one that reads the asked thing itself is at chance.
    `Readable.value` averages over the draws; accuracy minus this is the probe's selectivity (`selectivity`).

    Where types cannot be halved (one type, or one that has most pairs) each unit is a type. Then none occurs twice, and
    the control can only be at chance: `note` says so.

    Args:
        pairs: as for `pair_probe`.
        features: as for `pair_probe`.
        seed: of folds and lots; give the probe's.
        folds: as for `pair_probe`.
        draws: how many control tasks, at least 1.

    Raises:
        ValueError: an argument is out of range, or features do not fit.
    """
    checked(pairs, folds, SHUFFLES)
    if draws < 1:
        raise ValueError(f"draws must be at least 1, got {draws}")
    asked = Asked.of(pairs)
    if asked.why_not is not None:
        return asked.refused()
    kinds = [normalised(pair.question if pair.kind is None else pair.kind) for pair in asked.pairs]
    signs, note = _halved(kinds, draws, seed), ""
    if signs is None:
        signs = coins(asked.units, draws, seed + 2)
        note = (
            "The types of items cannot be halved, so each unit got an answer of its own: the control is at chance by "
        )
        note += "construction, and tells nothing of what the probe can learn by heart."
    held = held_out(image_rows(asked.pairs, features, None), asked.classes, asked.units, signs, folds=folds, seed=seed)
    left, places = asked.seen(held)
    if left.why_not is not None:
        return left.refused()
    return ProbeResult(
        _averaged(left, held.margins[:, places] > 0),
        unreadable=left.left_out,
        n_units=len(set(left.units)),
        note=note,
    )


def _averaged(left: Asked, right: NDArray[np.bool_]) -> Readable:
    """Average over tasks, bool [tasks, n]; the interval is clustered by unit, all of a unit's tasks together."""
    found = clustered_interval([int(value) for value in right.ravel()], list(left.units) * len(right))
    each = {pair.pair_id: float(share) for pair, share in zip(left.pairs, right.mean(axis=0), strict=True)}
    return Readable(float(right.mean()), found.low, found.high, len(left.pairs), None, each)


def _halved(kinds: Sequence[str], draws: int, seed: int) -> Floats | None:
    """Split types by lot in two halves of nearly equally many pairs: 1 or -1, [n, draws]; None where that fails.

    Types that occur once are no types: where most pairs are such, it fails too.
    """
    sizes = Counter(kinds)
    if 2 * sum(size == 1 for size in sizes.values()) > len(kinds):
        return None
    rng = np.random.Generator(np.random.PCG64(seed + 2))
    names, drawn = sorted(sizes), []
    for _ in range(50 * draws):
        side: dict[str, int] = {}
        filled = [0, 0]
        for at in rng.permutation(len(names)):
            name = names[at]
            side[name] = 0 if filled[0] < filled[1] or (filled[0] == filled[1] and rng.integers(2)) else 1
            filled[side[name]] += sizes[name]
        if min(filled) >= LEAST_HALF * len(kinds):
            drawn.append([1.0 - 2 * side[name] for name in kinds])
        if len(drawn) == draws:
            return np.array(drawn).T
    return None


class Calibration(NamedTuple):
    """How often shuffled labels pass for more than chance, of `shuffles`.

    `rejected` is the share with p at most `level` by the permutation test, with Wilson's interval; `by_binomial` the
    same by a binomial test over pairs, which is too often where folds train one another's probes.
    """

    rejected: float
    low: float
    high: float
    by_binomial: float
    shuffles: int
    level: float


def calibration(
    pairs: Sequence[ProbePair],
    features: Features,
    *,
    seed: int = 0,
    folds: int = FOLDS,
    shuffles: int = 400,
    level: float = 0.05,
) -> Calibration:
    """Shuffle the labels, probe them as if they were true, and count how often the test calls that more than chance.

    Every shuffle is put to the test of `pair_probe`, against shuffles other than those that are tested.

    Args:
        pairs: as for `pair_probe`, and enough of them.
        features: as for `pair_probe`.
        seed: of folds and shuffles.
        folds: as for `pair_probe`.
        shuffles: how many are put to the test, at least 200.
        level: of the test, in (0, 1).

    Raises:
        ValueError: an argument is out of range, features do not fit, or there are too few pairs for a probe.
    """
    from scipy.stats import binom

    checked(pairs, folds, shuffles)
    if not 0 < level < 1:
        raise ValueError(f"level must lie strictly between 0 and 1, got {level}")
    asked = Asked.of(pairs)
    if asked.why_not is not None:
        raise ValueError(asked.why_not)
    signs = coins(asked.units, shuffles + SHUFFLES, seed + 3)
    held = held_out(image_rows(asked.pairs, features, None), asked.classes, asked.units, signs, folds=folds, seed=seed)
    left, places = asked.seen(held)
    if left.why_not is not None:
        raise ValueError(left.why_not)
    right = (held.margins[:, places] > 0).sum(axis=1)
    shares: Floats = right / len(places)
    passed = sum(permutation_p(share, shares[shuffles:]) <= level for share in shares[:shuffles])
    binomial = float((binom.sf(right[:shuffles] - 1, len(places), 0.5) <= level).mean())
    return Calibration(passed / shuffles, *wilson_interval(passed, shuffles), binomial, shuffles, level)


def questions_only(
    pairs: Sequence[ProbePair], *, seed: int = 0, folds: int = FOLDS, shuffles: int = SHUFFLES
) -> ProbeResult:
    """Guess the key without any image: is the first or the second option true of image a?

    The contrast of `pair_probe` cannot be guessed from words, which a pair's two images share. What can leak is the
    key, if which image is called a, or which option comes first, was not drawn by lot. The words of the question, those
    of each option with its place, which option comes first in the alphabet and which is longer are all it is given.
    Chance is 1/2 by construction; more is a fault of the benchmark, and nothing about any encoder.

    Args:
        pairs: as for `pair_probe`.
        seed: of folds and shuffles.
        folds: as for `pair_probe`.
        shuffles: for p, at least 200.

    Raises:
        ValueError: an argument is out of range, or two pairs have one id.
    """
    checked(pairs, folds, shuffles)
    asked = Asked.of(pairs)
    if asked.why_not is not None:
        return asked.refused()
    words = _words(asked.pairs)

    def rows(left: Places, out: Places) -> tuple[Floats, Floats, Floats]:
        return words[left], words[out], np.zeros((len(out), 0, words.shape[1]))

    key = [("first", "second") if pair.answer_a == 0 else ("second", "first") for pair in asked.pairs]
    return tested(asked, rows, seed=seed, folds=folds, shuffles=shuffles, classes=key)


def _words(pairs: Sequence[ProbePair]) -> Floats:
    """Return what there is to guess from: [n, words], 1 where it is so."""
    lines = []
    for pair in pairs:
        one, other = (normalised(option) for option in pair.options)
        line = {
            "always": 1.0,
            "alphabet": 1.0 if one < other else -1.0,
            "longer": float(np.sign(len(one) - len(other))),
        }
        for place, text in (("question", pair.question), ("first", one), ("second", other)):
            line |= {f"{place}:{word}": 1.0 for word in [normalised(text), *_WORDS.findall(normalised(text))]}
        lines.append(line)
    names = {name: at for at, name in enumerate(sorted({name for line in lines for name in line}))}
    found = np.zeros((len(pairs), len(names)))
    for row, line in zip(found, lines, strict=True):
        for name, value in line.items():
            row[names[name]] = value
    return found
