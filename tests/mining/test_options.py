"""Options are checked before anything is read."""

from __future__ import annotations

from typing import Any

import pytest

from snellen import defaults
from snellen.errors import UsageError
from snellen.mining import kernels
from snellen.mining.asked.options import Options
from snellen.mining.join.pool import cores


def checked(**options: Any) -> Options:
    return Options.checked(**{"blind": "a", "reference": "b", "blind_min": 0.95, "reference_max": 0.6, **options})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_pairs": 0}, r"--max-pairs 0 is not a number of pairs.*from 1.*all.*10,000,000"),
        ({"max_pairs": "-3"}, "--max-pairs -3"),
        ({"max_pairs": "many"}, "--max-pairs many"),
        ({"max_pairs": 1.5}, r"--max-pairs 1\.5"),
        ({"max_pairs": "1,5"}, "--max-pairs 1,5"),  # in some countries one and a half
        ({"max_pairs": "1e6"}, "--max-pairs 1e6"),
        ({"max_per_image": -1}, "--max-per-image -1"),
        ({"max_per_image": 1.5}, r"--max-per-image 1\.5"),
        ({"top_k": 0}, "--top-k 0 would keep nothing"),
        ({"collapse_copies": 1.0}, "--collapse-copies 1.0 .*0.98"),
        ({"collapse_copies": float("nan")}, "--collapse-copies nan"),
        ({"labels": "same"}, "--labels same .*any, within, across"),
        ({"seed": -1}, "--seed -1"),
        ({"blind_min": "95%"}, "--blind-min 95% .*q0.9999"),
        ({"threads": 0}, rf"--threads 0 would do nothing.*all {cores()} cores"),
        ({"threads": 1.5}, r"--threads 1\.5"),
        ({"backend": "cuda"}, "--backend cuda is unknown: choose one of auto, compiled, portable, torch"),
        ({"count_only": True, "max_pairs": 5}, "--count-only writes no pairs.*--max-pairs"),
        ({"count_only": True, "top_k": 5}, "--count-only writes no pairs.*--top-k"),
    ],
)
def test_wrong_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        checked(**options)


def test_compiled_kernels_that_were_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "available", lambda: ())
    with pytest.raises(UsageError, match=r"--backend compiled needs the compiled kernels.*--backend portable"):
        checked(backend="compiled")
    assert checked(backend="auto").backend == "auto"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, None),
        ("all", "all"),
        (" ALL ", "all"),
        (7, 7),
        ("7", 7),
        (" 10000 ", 10_000),
        ("10,000,000", 10_000_000),
        ("1_000", 1000),
    ],
)
def test_max_pairs(given: int | str | None, kept: int | str | None) -> None:
    assert checked(max_pairs=given).max_pairs == checked(max_pairs=given).as_json()["max_pairs"] == kept


def test_threads_default_to_all_cores() -> None:
    assert checked().threads == cores()
    assert checked(threads=3).threads == 3


@pytest.mark.parametrize(
    ("options", "limited"),
    [
        ({}, True),
        ({"max_pairs": "all"}, False),
        ({"max_pairs": 10**9}, False),  # told how many
        ({"max_per_image": 1}, False),  # at most a million
        ({"max_per_image": 11}, True),
        ({"top_k": 5}, False),
        ({"top_k": 6}, True),
        ({"top_k": 6, "max_per_image": 2}, False),
        ({"count_only": True}, False),
    ],
)
def test_when_many_pairs_are_an_error(options: dict[str, Any], limited: bool) -> None:
    assert checked(**options).limit(2_000_000) == (defaults.MAX_PAIRS if limited else None)


def test_what_changes_only_the_time_is_not_recorded() -> None:
    assert checked().as_json() == checked(threads=7, backend="portable").as_json()


def test_finished_stripes_outlive_other_caps() -> None:
    plain = checked().of_stripes()
    assert plain == checked(max_pairs=5).of_stripes() == checked(max_pairs="all", max_per_image=3).of_stripes()
    assert plain == checked(max_per_image=3, top_k=2).of_stripes() == checked(top_k=3).of_stripes()
    for option in ({"blind_min": 0.9}, {"reference_max": 0.5}, {"labels": "within"}, {"seed": 1}):
        assert plain != checked(**option).of_stripes()
    assert plain != checked(collapse_copies=0.9).of_stripes()


@pytest.mark.parametrize(
    ("options", "pruning"),
    [
        ({}, None),
        ({"max_pairs": "all"}, None),
        ({"max_pairs": "1,000"}, ("max_pairs", 1000)),
        ({"top_k": 3}, ("top_k", 3)),
        ({"top_k": 3, "max_pairs": 5}, ("top_k", 3)),  # of what that leaves, which are the largest is not yet known
        ({"max_per_image": 3, "top_k": 2, "max_pairs": 5}, None),  # greedy: all are needed
    ],
)
def test_only_the_first_cap_may_prune(options: dict[str, Any], pruning: tuple[str, int] | None) -> None:
    assert checked(**options).pruning == pruning
