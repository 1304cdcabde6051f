"""What a model sees, apart from what it likes to say: d' and criterion of signal detection."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Estimate(NamedTuple):
    """A number with its interval."""

    value: float
    low: float
    high: float


class Detection(NamedTuple):
    """`d_prime` and `criterion` over `n` pairs, in standard deviations, and the two counts that they come from."""

    d_prime: Estimate
    criterion: Estimate
    hits: int
    false_alarms: int
    n: int


def detection(
    said_first_on_signal: ArrayLike,
    said_first_on_noise: ArrayLike,
    *,
    resamples: int = 10_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Detection:
    """Separate how well a model tells a pair's images apart from how readily it says the first option.

    Each pair gives one signal trial (its question that the first option answers) and one noise trial (the other).
    Saying the first option is a hit on the signal, a false alarm on the noise:

        H = (hits + 0.5) / (n + 1)    F = (false alarms + 0.5) / (n + 1)
        d' = z(H) - z(F)              criterion = -(z(H) + z(F)) / 2

    z is the inverse of the normal distribution. d' is 0 for who does not look, whatever they like to say. A criterion
    above 0 means reluctant to say the first option, below 0 fond of it. This is the yes/no form: there is no factor of
    sqrt(2). The log-linear correction (0.5 and 1: Hautus 1995, Behavior Research Methods 27) keeps both finite where
    all or none are hits, and is applied always; it draws d' towards 0, noticeably for few pairs.

    The intervals are percentiles of the bootstrap over pairs, both trials of a pair together; equal arguments give
    equal numbers (PCG64). Few pairs make them too short; where all pairs are answered alike they have no width.

    Example:
        >>> found = detection([1, 1, 1, 0], [1, 0, 0, 0], seed=1)  # H = 0.7, F = 0.3
        >>> round(found.d_prime.value, 3), round(abs(found.criterion.value), 3)
        (1.049, 0.0)

    Args:
        said_first_on_signal: bool [n], one a pair, n at least 1: was the first option chosen where it is the answer?
        said_first_on_noise: bool [n], of the same pairs in the same order: was it chosen where the second is?
        resamples: how often n pairs are drawn.
        seed: of the draws.
        confidence: of the two-sided intervals, in (0, 1).
    """
    signal, noise = np.asarray(said_first_on_signal), np.asarray(said_first_on_noise)
    if signal.ndim != 1 or signal.shape != noise.shape or not len(signal):
        raise ValueError(f"both must hold one value for each of the same pairs, got {signal.shape} and {noise.shape}")
    if not np.isin(signal, (0, 1)).all() or not np.isin(noise, (0, 1)).all():
        raise ValueError("both must hold true or false only")
    if resamples < 1 or not 0 < confidence < 1:
        raise ValueError(f"resamples must be at least 1 and confidence in (0, 1), got {resamples} and {confidence}")
    n = len(signal)
    # Pairs differ in two bits only, so that drawing n of them is drawing how many are of each of four kinds.
    kinds = np.bincount(2 * signal.astype(int) + noise.astype(int), minlength=4)
    drawn = np.random.Generator(np.random.PCG64(seed)).multinomial(n, kinds / n, resamples)
    bounds = [(1 - confidence) / 2, (1 + confidence) / 2]
    estimates = []
    for values, resampled in zip(_formula(kinds[None], n), _formula(drawn, n), strict=True):
        low, high = np.quantile(resampled, bounds)
        estimates.append(Estimate(float(values[0]), float(low), float(high)))
    return Detection(estimates[0], estimates[1], int(kinds[2] + kinds[3]), int(kinds[1] + kinds[3]), n)


def _formula(kinds: NDArray[np.int64], n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return d' and criterion of [r, 4] counts of pairs: neither, false alarm only, hit only, both."""
    from scipy.special import ndtri

    hit = ndtri((kinds[:, 2] + kinds[:, 3] + 0.5) / (n + 1))
    false_alarm = ndtri((kinds[:, 1] + kinds[:, 3] + 0.5) / (n + 1))
    return hit - false_alarm, -(hit + false_alarm) / 2
