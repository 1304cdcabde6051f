"""Near-identical copies are collapsed greedily, in row order, without chains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from snellen.mining.copies import collapse
from snellen.mining.filters import choose
from snellen.mining.found.parts import Parts
from snellen.mining.join.exact import Side
from snellen.mining.join.tiles import Filter, Tiling
from tests.mining.conftest import TINY, Half, cosines, side
from tests.studies import spectrum_rows, unit_rows, with_copies


def filtered(side: Side, blind_min: float) -> Filter:
    return choose.choose_filter(side, blind_min, 0).filter


def collapsed(blind: Half, reference: Half, parts: Parts, tiling: Tiling, threads: int = 1) -> NDArray[np.bool_]:
    return collapse(side(blind), side(reference), 0.98, parts, tiling, filtered, threads)


def plain(blind: Half, reference: Half, limit: float) -> list[bool]:
    """The definition."""
    x, y = cosines(blind), cosines(reference)
    copies = [False] * len(blind)
    for a in range(len(blind)):
        if not copies[a]:
            for b in range(a + 1, len(blind)):
                if x[a, b] > limit and y[a, b] > limit:
                    copies[b] = True
    return copies


def both(seed: int, rows: int) -> tuple[Half, Half]:
    rng = np.random.default_rng(seed)
    base = rng.integers(0, rows // 3, rows)
    noise = rng.choice([0.01, 0.1, 0.6], rows)[:, None]
    values = spectrum_rows(rng, rows, 32, mean=0.1)[base] + noise * spectrum_rows(rng, rows, 32, mean=0)
    other = spectrum_rows(rng, rows, 16, mean=0.1)[base] + noise * spectrum_rows(rng, rows, 16, mean=0)
    return unit_rows(values), unit_rows(other)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("tiling", [TINY, Tiling()])
def test_equals_the_definition(seed: int, tiling: Tiling, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "WORTH_CHOOSING", 0)
    blind, reference = both(seed, 120)
    expected = plain(blind, reference, 0.98)
    parts = Parts(tmp_path / "parts", "key")
    assert collapsed(blind, reference, parts, tiling).tolist() == expected
    assert 10 < sum(expected) < 110
    # Again, from what is on disk; and on several threads.
    assert collapsed(blind, reference, parts, tiling).tolist() == expected
    assert collapsed(blind, reference, Parts(tmp_path / "other", "key"), tiling, threads=3).tolist() == expected


def test_goes_on_where_it_was(tmp_path: Path) -> None:
    blind, reference = both(7, 100)
    parts = Parts(tmp_path / "parts", "key")
    expected = collapsed(blind, reference, parts, TINY)
    files = sorted(path for path in parts.folder.glob("copies-*.json"))
    assert len(files) > 5
    for path in files[3:]:
        path.unlink()
    again = collapsed(blind, reference, Parts(tmp_path / "parts", "key"), TINY)
    assert np.array_equal(again, expected)


def test_no_chains(tmp_path: Path) -> None:
    # b is a copy of a, c of b but not of a: c stays.
    angles = np.array([0.0, 0.19, 0.38])
    values = unit_rows(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    found = collapsed(values, values, Parts(tmp_path / "parts", "key"), TINY)
    assert found.tolist() == [False, True, False]


def test_both_encoders_must_agree(tmp_path: Path) -> None:
    same = unit_rows(np.ones((2, 4)))
    found = collapsed(same, unit_rows(np.eye(2)), Parts(tmp_path / "parts", "key"), TINY)
    assert found.tolist() == [False, False]


def test_a_burst_leaves_little_on_disk(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    values = unit_rows(with_copies(rng, np.repeat(spectrum_rows(rng, 1, 16), 800, axis=0), 0.5, 0.999, 1))
    parts = Parts(tmp_path / "parts", "key")
    found = collapsed(values, values, parts, Tiling(64, 128, 20_000, 1000))
    assert found.sum() == 799
    assert sum(path.stat().st_size for path in parts.folder.glob("copies-*.bin")) == 799 * 16
