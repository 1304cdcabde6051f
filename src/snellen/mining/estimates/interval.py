"""How many pairs a join will find, estimated from the pairs of randomly drawn images, and how long it will take.

The drawn image is the unit, not the pair: an image of a burst has many pairs at once. Let v be an image's share of the
pairs that it is in, half of each, since the other image has the other half. The total over N images is N times the
mean of v, and the mean over images drawn without replacement estimates it without bias.

The 95 % interval is the wider, on either side, of two:

- the percentile bootstrap over drawn images, narrowed by sqrt(1 - k / N) for k of N drawn without replacement;
- what Poisson's distribution (Garwood's interval) says of as many independent events as the sample is worth:
  (sum v)^2 / sum v^2 of them (Kish's effective size), rounded down. The bootstrap cannot imagine what it has not seen;
  this one is wide where everything rests on a few images, and where nothing was found it says how much may be there.

Neither can know of a burst none of whose images was drawn.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from snellen import stats
from snellen.mining.estimates.rounding import duration, rough
from snellen.mining.estimates.stricter import Stricter
from snellen.mining.join.exact import Float64Array

RESAMPLES = 1000

RESAMPLED_AT_ONCE = 64

FEW = 10
"""An estimate that rests on fewer pairs says so."""


class Interval(NamedTuple):
    """A number of pairs, estimated, and its 95 % interval; all three are equal where it is exact."""

    value: int
    low: int
    high: int


@dataclass(frozen=True)
class Estimate:
    """What the pairs of `drawn` of `images` images say of all pairs to be joined.

    above_blind_min, below_reference_max, after_labels: pairs that pass each test and those before it; found: pairs
    that pass all of them and were seen; pairs, looked_at: pairs to be joined, and those that the drawn images are in;
    seconds: that looking at those took, as if all `threads` had been busy; stricter: thresholds that leave fewer pairs,
    where there are very many; note: what the user should know of how it was done, if anything; old: pairs that an
    earlier study has found, which are counted nowhere else in this; None: there is no earlier one.
    """

    images: int
    drawn: int
    above_blind_min: Interval
    below_reference_max: Interval
    after_labels: Interval
    found: int
    pairs: int
    looked_at: int
    seconds: float
    threads: int
    stricter: tuple[Stricter, ...]
    note: str | None = None
    old: int | None = None

    @property
    def exact(self) -> bool:
        """Whether every image was drawn."""
        return self.drawn == self.images

    @property
    def seconds_left(self) -> float:
        """About how long the other pairs will take."""
        return self.seconds / max(self.looked_at, 1) * (self.pairs - self.looked_at)

    @property
    def seconds_in_all(self) -> float:
        """About how long all pairs take."""
        return self.seconds / max(self.looked_at, 1) * self.pairs

    def text(self) -> str:
        """Say how many pairs pass, with interval and what it rests on, without a time."""
        passing = self.after_labels
        besides = "" if self.old is None else f"besides {self.old:,} pair{'' if self.old == 1 else 's'} of --earlier, "
        if self.exact:
            return (
                f"{besides}{_pairs(passing.value)} thresholds ({self.above_blind_min.value:,} are above the blind one "
                "alone)"
            )
        text = (
            f"{besides}about {_pairs(rough(passing.value))} thresholds (95 % interval {rough(passing.low, -1):,} to "
            f"{rough(passing.high, 1):,}, from {self.drawn:,} of {self.images:,} images; about "
            f"{rough(self.above_blind_min.value):,} are above the blind one alone)"
        )
        if self.found < FEW:
            text += (
                f"; that rests on {self.found} pair{'' if self.found == 1 else 's'} seen, so trust the interval only"
            )
        return text

    def text_with_time(self, seconds: float) -> str:
        """Say how many pairs pass, and how long joining takes."""
        threads = f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        return f"{self.text()}; joining takes about {duration(seconds)} on {threads}"

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return asdict(self) | {name: list(getattr(self, name)) for name in INTERVALS}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Estimate:
        """Read what `as_json` made."""
        intervals = {name: Interval(*value[name]) for name in INTERVALS}
        return cls(**value | intervals | {"stricter": tuple(Stricter(*one) for one in value["stricter"])})


INTERVALS = ("above_blind_min", "below_reference_max", "after_labels")


def interval(values: Float64Array, population: int, found: int, unit: float, seed: int) -> Interval:
    """Estimate a total from a sample of its parts.

    Example:
        >>> interval(np.array([0.5, 0.5, 0.0, 0.0]), population=4, found=1, unit=0.5, seed=0)
        Interval(value=1, low=1, high=1)

    Args:
        values: float64 [k], k at least 1, the parts drawn without replacement, none negative.
        population: how many parts there are.
        found: the total is at least that.
        unit: the size of a part that is not zero, where none was seen.
        seed: of the bootstrap.

    Returns:
        The total, rounded, and its 95 % interval; exact if all parts were drawn.
    """
    k, total = len(values), float(values.sum())
    scale = population / k
    if k == population:
        return Interval(round(total), round(total), round(total))
    value = scale * total
    low, high = value, value
    if total > 0:
        narrowed = np.sqrt(1 - k / population)
        quantiles = scale * k * np.quantile(_resampled_means(values, seed), (0.025, 0.975))
        low, high = value + narrowed * (float(quantiles[0]) - value), value + narrowed * (float(quantiles[1]) - value)
    worth = int(total**2 / float(np.sum(values**2)) + 1e-9) if total > 0 else 0
    fewest, most = stats.poisson_interval(worth)
    each = total / worth if worth else unit
    low, high = min(low, scale * each * fewest), max(high, scale * each * most)
    return Interval(max(round(value), found), max(int(low), found), max(int(np.ceil(high)), found))


def _resampled_means(values: Float64Array, seed: int) -> Float64Array:
    rng = np.random.default_rng([seed, 7])
    means = [
        values[rng.integers(0, len(values), (RESAMPLED_AT_ONCE, len(values)))].mean(axis=1)
        for _ in range(0, RESAMPLES, RESAMPLED_AT_ONCE)
    ]
    return np.concatenate(means)


def _pairs(count: int) -> str:
    return f"{count:,} pair passes both" if count == 1 else f"{count:,} pairs pass both"
