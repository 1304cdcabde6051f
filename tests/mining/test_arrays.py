"""The join of two arrays, whatever the backend and the threads: what plain float64 matrices say."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen.errors import StudyError, UsageError
from snellen.mining import Pairs, arrays, find_pairs, kernels
from snellen.mining.filters import choose
from snellen.mining.filters.choose import Backend
from snellen.mining.join.tiles import Tiling
from snellen.mining.join.two_sided import Join
from tests.mining.conftest import Half, cosines, planted
from tests.mining.hard_rows import Hard, hard
from tests.studies import spectrum_rows, unit_rows, with_copies

BACKENDS: tuple[Backend, ...] = tuple(
    backend for backend in get_args(Backend) if backend != "compiled" or kernels.available()
)
each_backend = pytest.mark.parametrize("backend", BACKENDS)


@pytest.fixture(autouse=True)
def worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small data go through filters, too."""
    monkeypatch.setattr(choose, "WORTH_CHOOSING", 0)


def check(found: Pairs, blind: Half, reference: Half, blind_min: float, reference_max: float) -> None:
    a, b = cosines(blind), cosines(reference)
    above = np.triu(a > blind_min, 1)
    rows, columns = np.nonzero(above & (b < reference_max))
    assert np.array_equal(found.a, rows) and np.array_equal(found.b, columns)
    assert found.a.dtype == found.b.dtype == np.int64
    assert np.array_equal(found.blind, a[rows, columns]) and found.blind.dtype == np.float64
    assert np.array_equal(found.reference, b[rows, columns]) and found.reference.dtype == np.float64
    n = len(blind)
    assert (
        found.counts.items()
        >= {
            "pairs": n * (n - 1) // 2,
            "above_blind_min": int(above.sum()),
            "below_reference_max": len(rows),
        }.items()
    )
    assert found.above.counts.sum() == above.sum()
    assert found.filter and all(seconds >= 0 for seconds in found.timings.values())


@each_backend
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_pairs_on_and_beside_the_thresholds(backend: Backend, threads: int) -> None:
    data = planted(threads, 400, 128, 0.95, 0.6)
    found = find_pairs(data.blind, data.reference, threads=threads, backend=backend)
    check(found, *data)
    # Thresholds that are cosines of pairs which pass: those no longer do.
    blind_min, reference_max = float(np.median(found.blind)), float(np.median(found.reference))
    fewer = find_pairs(
        data.blind,
        data.reference,
        blind_min=blind_min,
        reference_max=reference_max,
        threads=threads,
        backend=backend,
    )
    check(fewer, data.blind, data.reference, blind_min, reference_max)
    assert 0 < len(fewer.a) < len(found.a)


@each_backend
@settings(max_examples=40, deadline=None)
@given(data=hard(150), reference_max=st.floats(-0.2, 1), threads=st.sampled_from([None, 1, 2]), seed=st.integers(0, 9))
def test_any_data(backend: Backend, data: Hard, reference_max: float, threads: int | None, seed: int) -> None:
    if len(data.rows) < 2:
        return
    reference = unit_rows(spectrum_rows(np.random.default_rng(data.seed), len(data.rows), 20, mean=0.1, classes=5))
    found = find_pairs(
        data.rows,
        reference,
        blind_min=data.blind_min,
        reference_max=reference_max,
        threads=threads,
        backend=backend,
        seed=seed,
    )
    check(found, data.rows, reference, data.blind_min, reference_max)


@each_backend
def test_rows_as_they_come_from_encoders(backend: Backend) -> None:
    rng = np.random.default_rng(0)
    values = with_copies(rng, spectrum_rows(rng, 2500, 256), 0.2, 0.9, 0.999)
    blind, reference = unit_rows(values), unit_rows(spectrum_rows(rng, 2500, 100, mean=0.03))
    found = find_pairs(blind, reference, threads=2, backend=backend)
    check(found, blind, reference, 0.95, 0.6)
    assert len(found.a) > 100 and found.filter != "every pair multiplied out"


@each_backend
def test_tilings_threads_and_seeds_change_nothing(backend: Backend) -> None:
    rng = np.random.default_rng(1)
    blind = unit_rows(with_copies(rng, spectrum_rows(rng, 400, 64), 0.5, 0.9, 1.0))
    reference = unit_rows(spectrum_rows(rng, 400, 32, mean=0.1))
    results = [
        find_pairs(blind, reference, backend=backend, threads=threads, seed=seed, tiling=tiling)
        for threads, seed, tiling in (
            (1, 0, None),
            (2, 0, Tiling(rows=7, columns=11, stripe_pairs=300, buffer_pairs=50)),
            (3, 1, Tiling(rows=100, columns=33, stripe_pairs=9999, buffer_pairs=1)),
            (2, 2, None),
        )
    ]
    for one, other in pairwise(results):
        for field in ("a", "b", "blind", "reference"):
            assert np.array_equal(getattr(one, field), getattr(other, field))
        assert one.counts == other.counts
        assert np.array_equal(one.above.cells, other.above.cells)
        assert np.array_equal(one.above.counts, other.above.counts)
    assert len(results[0].a) > 30


@each_backend
@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_rows(backend: Backend, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    blind = np.ones((n, 1), dtype=np.float16)
    reference = unit_rows(np.eye(2)[:n])
    found = find_pairs(blind, reference, backend=backend)
    assert found.a.tolist() == [0] * (n == 2) and found.b.tolist() == [1] * (n == 2)
    assert found.a.dtype == found.b.dtype == np.int64 and found.blind.dtype == np.float64
    check(found, blind, reference, 0.95, 0.6)


@each_backend
def test_arrays_on_disk_and_with_strides(backend: Backend, tmp_path: Path) -> None:
    data = planted(5, 200, 64, 0.95, 0.6)
    for name in ("blind", "reference"):
        np.save(tmp_path / f"{name}.npy", getattr(data, name))
    mapped = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("blind", "reference")]
    check(find_pairs(*mapped, backend=backend), *data)
    strided = [np.repeat(values, 2, axis=0)[::2] for values in (data.blind, data.reference)]
    check(find_pairs(*strided, backend=backend), *data)


ONES = np.ones((4, 1), dtype=np.float16)

MISTAKES: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "rows": ({"reference": ONES[:3]}, UsageError, "blind has 4 rows and reference 3"),
    "dtype": ({"blind": ONES.astype(np.float32)}, UsageError, "blind is float32"),
    "byte order": ({"blind": ONES.astype(">f2")}, UsageError, "blind is >f2|blind is float16"),
    "shape": ({"reference": ONES[:, 0]}, UsageError, r"reference is float16 \[4\]"),
    "length": ({"blind": ONES * np.float16(0.9)}, StudyError, "row 0: the vector has length 0.8999"),
    "zero": ({"reference": ONES * np.float16(0)}, StudyError, "row 0: the vector is all zero"),
    "NaN": ({"blind": ONES * np.float16("nan")}, StudyError, "NaN"),
    "backend": ({"backend": "gpu"}, UsageError, "choose one of auto, compiled, portable, torch"),
    "threads": ({"threads": 0}, UsageError, "threads is 0: give a whole number from 1"),
    "fewer threads": ({"threads": -2}, UsageError, "threads is -2: give a whole number from 1"),
    "parts of threads": ({"threads": 1.5}, UsageError, "threads is 1.5: give a whole number from 1"),
    "seed": ({"seed": -1}, UsageError, "seed is -1: give a whole number from 0"),
    "blind_min": ({"blind_min": float("nan")}, UsageError, "blind_min is nan: give a cosine"),
    "reference_max": ({"reference_max": float("nan")}, UsageError, "reference_max is nan: give a cosine"),
    "quantile": ({"blind_min": "q0.99"}, UsageError, "blind_min is 'q0.99': give a cosine, .* need a study"),
    "list": ({"blind": [[1.0]] * 4}, UsageError, "blind is list where an array of float16"),
    "no numbers": ({"reference": ONES[:, :0]}, UsageError, r"reference is float16 \[4, 0\]"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_said(mistake: str) -> None:
    changes, error, message = MISTAKES[mistake]
    with pytest.raises(error, match=message):
        find_pairs(**{"blind": ONES, "reference": ONES, **changes})


@pytest.mark.parametrize("backend", ["auto", "portable"])
@pytest.mark.parametrize(("blind_min", "found"), [(-math.inf, True), (-1e300, True), (math.inf, False), (1e300, False)])
def test_thresholds_beyond_all_cosines(
    blind_min: float, found: bool, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose, "WORTH_CHOOSING", 0)
    rows = unit_rows(spectrum_rows(np.random.default_rng(0), 60, 64))
    for kernel in kernels.available() or (None,):
        monkeypatch.setattr(kernels, "available", lambda kernel=kernel: () if kernel is None else (kernel,))
        counts = find_pairs(rows, rows, blind_min=blind_min, reference_max=math.inf, backend=backend).counts
        assert counts["below_reference_max"] == (60 * 59 // 2 if found else 0)


def test_default_is_all_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def watched(*given_: Any) -> Join:
        asked.append(given_[5])
        return Join(*given_)

    monkeypatch.setattr(arrays, "Join", watched)
    monkeypatch.setattr(arrays, "cores", lambda: 3)
    find_pairs(ONES, ONES)
    find_pairs(ONES, ONES, threads=2)
    assert asked == [3, 2]
