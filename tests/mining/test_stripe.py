"""Stripes: whatever the order of positions, records come in row order, all of them, once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from snellen.mining.estimates.limit import Limit
from snellen.mining.found.parts import Parts
from snellen.mining.found.sinks import Counting, Sink, Storing
from snellen.mining.found.stripe import Stripes, Totals
from snellen.mining.inputs.collection import Collection, pair_ids
from snellen.mining.join import order as order_module
from snellen.mining.join.order import Order, drawn_first
from snellen.mining.join.tiles import NoFilter, Positions
from snellen.mining.join.two_sided import Condition, Join
from tests import studies
from tests.mining.conftest import TINY, cosines, oracle, side
from tests.mining.mine_study import data

ROWS = 240
BLIND_MIN, REFERENCE_MAX = 0.8, 0.5


def a_collection() -> Collection:
    return Collection(
        ids=np.array([name.encode() for name in studies.image_ids(ROWS)]),
        ok=np.ones(ROWS, dtype=np.bool_),
        duplicate=np.zeros(ROWS, dtype=np.bool_),
        labels=np.full(ROWS, -1, dtype=np.int32),
        names=[""] * ROWS,
        inputs={},
    )


def stripes(folder: Path, order: Order, sink: Sink) -> Stripes:
    blind, reference = (side(values, order.rows) for values in data())
    join = Join(blind, reference, NoFilter(), Condition(BLIND_MIN, REFERENCE_MAX), TINY, 2, order.stop)
    return Stripes(join, order, Parts(folder / "parts", "key"), sink, Limit(None), 0)


def rows_of(kind: str) -> tuple[Positions, int | None]:
    rows = np.arange(ROWS)
    if kind == "all":
        return rows, None
    new = np.zeros(ROWS, dtype=np.bool_)
    new[np.random.default_rng(1).permutation(ROWS)[: int(kind)]] = True
    return np.concatenate([rows[new], rows[~new]]), int(kind)


@pytest.mark.parametrize("sample", [1, 30, 2048])
@pytest.mark.parametrize("kind", ["all", "0", "1", "60", "240"])
def test_records_and_totals(tmp_path: Path, kind: str, sample: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """`kind`: all pairs, or those with at least one of so many images, which come first whatever their rows."""
    monkeypatch.setattr(order_module, "SAMPLE_ROWS", sample)
    rows, stop = rows_of(kind)
    new = set(rows[:stop].tolist())
    collection = a_collection()
    made = stripes(tmp_path, drawn_first(rows, 3, stop), Storing(collection))
    totals = made.run()
    expected = {pair: found for pair, found in oracle(*data(), BLIND_MIN, REFERENCE_MAX).items() if new & set(pair)}
    found = [record for chunk in made.records() for record in chunk.tolist()]
    assert [record[:2] for record in found] == sorted(expected)
    assert all(record[2:4] == expected[record[:2]] for record in found)
    ids = pair_ids(collection.ids, *(np.array([record[k] for record in found], dtype=np.int64) for k in (0, 1)))
    assert [record[4] for record in found] == ids.tolist()
    x = cosines(data()[0])
    above = sum(1 for a, b in zip(*np.nonzero(np.triu(x > BLIND_MIN, 1)), strict=True) if new & {int(a), int(b)})
    assert totals[:3] == (above, len(expected), len(expected))
    assert totals.above.counts.sum() == above
    # Run again, everything is there; only counted, nothing is stored.
    assert_same(made.run(), totals)
    counted = stripes(tmp_path / "counted", made.order, Counting())
    assert_same(counted.run(), totals)
    assert not list(counted.records())


def assert_same(one: Totals, other: Totals) -> None:
    assert one[:3] == other[:3]
    assert one.above.as_json() == other.above.as_json()
