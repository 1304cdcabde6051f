"""Not more pairs than one can have meant: mining stops, and says how to go on, before it writes a great many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from snellen.errors import UsageError
from snellen.mining.estimates.interval import Estimate


@dataclass(frozen=True)
class Limit:
    """How many pairs may pass both thresholds and the label rule; `most` None: any number."""

    most: int | None

    def check(self, found: int, estimate: Callable[[], Estimate]) -> None:
        """Stop where more pairs were found than may be.

        Args:
            found: pairs found so far, in an earlier study or here.
            estimate: returns what is known of all; asked only if there are too many.

        Raises:
            UsageError: there are too many; says how to go on, for example with which thresholds.
        """
        if self.most is not None and found > self.most:
            known = estimate()
            what = "" if known.exact else f"; {known.text()}"
            raise _too_many(f"more than {self.most:,} pairs were found{what}", known)

    def check_estimate(self, estimate: Estimate) -> None:
        """Stop where more pairs will almost certainly be found than may be.

        Raises:
            UsageError: the lower bound of the estimate is above the limit; says how to go on.
        """
        if self.most is not None and (estimate.old or 0) + estimate.after_labels.low > self.most:
            raise _too_many(f"{estimate.text()}, more than {self.most:,}", estimate)


def _too_many(what: str, estimate: Estimate) -> UsageError:
    ways = " or ".join(way.text for way in estimate.stricter)
    where = "" if estimate.old is None else " in both studies"
    return UsageError(
        f"{what}: give --max-pairs N to keep the N largest gaps, --max-pairs all to write every pair, or stricter "
        f"thresholds{where}{f', for example {ways}' if ways else ''}; what is finished is kept."
    )
