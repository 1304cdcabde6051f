"""Two stops on the same pairs, a probe and its control, and what few patterns cannot say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from snellen.probes.nouns import Enough, Readable
from snellen.stats import Difference, McNemar, bootstrap_difference, mcnemar


class Compared(NamedTuple):
    """By how much the second exceeds the first over the pairs that both read, and the exact test.

    `test` has the first's as `a_only`; None where one of the two is an average of tasks. `left_out` pairs are in one of
    the two alone.
    """

    difference: Difference
    test: McNemar | None
    left_out: int


def compare(first: Readable, second: Readable, *, seed: int = 0) -> Compared:
    """Compare two stops pair by pair: the tap and the projector, say, or a layer and the next.

    It holds the training pairs fixed, and takes pairs as independent; where some share images, the interval is a
    little too short.

    Args:
        first: at one stop.
        second: at another, of the same pairs.
        seed: of the bootstrap.

    Raises:
        ValueError: they have no pair in common.
    """
    both = sorted(first.right.keys() & second.right.keys())
    if not both:
        raise ValueError("the two probes have no pair in common: compare stops of the same pattern and benchmark")
    a, b = [first.right[pair] for pair in both], [second.right[pair] for pair in both]
    test = None
    if set(a) | set(b) <= {0.0, 1.0}:
        test = mcnemar(sum(x > y for x, y in zip(a, b, strict=True)), sum(x < y for x, y in zip(a, b, strict=True)))
    return Compared(bootstrap_difference(a, b, seed=seed), test, len(first.right.keys() ^ second.right.keys()))


def selectivity(probe: Readable, control: Readable, *, seed: int = 0) -> Difference:
    """Return by how much the probe exceeds its control task, pair by pair (Hewitt and Liang 2019, section 2).

    Args:
        probe: what `pair_probe` found.
        control: what `control_task` found, of the same pairs.
        seed: of the bootstrap.
    """
    return compare(control, probe, seed=seed).difference


def comparable(patterns: Mapping[str, object]) -> Enough:
    """Say whether patterns can be set against one another: that takes at least two that were probed.

    Args:
        patterns: what was found, by pattern; None where there was no probe.
    """
    probed = [name for name, found in patterns.items() if found is not None]
    if len(probed) >= 2:
        return Enough(True, None)
    which = f"one visual pattern alone ({probed[0]}) was probed" if probed else "no visual pattern was probed"
    return Enough(False, f"No comparison over patterns: {which}, and it takes two.")
