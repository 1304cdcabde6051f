"""Thresholds as text, and quantiles against numpy on all pairs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen.errors import UsageError
from snellen.mining.survey import stream as stream_module
from snellen.mining.survey.quantiles import kth_smallest, quantile
from snellen.mining.survey.stream import Stream, draw_pairs, survey_stream
from snellen.mining.survey.thresholds import Threshold, as_json, parse_threshold, resolve_threshold
from tests.mining.conftest import Half, cosines, side
from tests.studies import spectrum_rows, unit_rows


def all_pairs(blind: Half, reference: Half | None = None) -> Stream:
    return Stream(side(blind), side(blind if reference is None else reference), None, 0)


class TestParsing:
    @pytest.mark.parametrize(
        ("text", "expected", "asked"),
        [
            (0.95, Threshold(0.95), 0.95),
            ("0.95", Threshold(0.95), 0.95),
            (" .95 ", Threshold(0.95), 0.95),
            (1, Threshold(1.0), 1.0),
            ("-1", Threshold(-1.0), -1.0),
            ("q0.9999", Threshold(0.9999, True), "q0.9999"),
            ("Q.5", Threshold(0.5, True), "q0.5"),
            ("q1e-6", Threshold(1e-6, True), "q1e-06"),
        ],
    )
    def test_good(self, text: float | str, expected: Threshold, asked: float | str) -> None:
        threshold = parse_threshold(text, "--blind-min")
        assert threshold == expected
        assert threshold.asked == asked
        assert parse_threshold(threshold.asked, "--blind-min") == threshold

    def test_minus_zero_is_zero(self) -> None:
        assert math.copysign(1, parse_threshold("-0.0", "x").value) == 1

    @pytest.mark.parametrize(
        "text",
        ["", "q", "q0", "q1", "q1.0", "q-0.5", "1.01", "-1.5", "95%", "nan", "qnan", "inf", math.nan, 2, True, "p0.5"],
    )
    def test_bad(self, text: float | str) -> None:
        with pytest.raises(UsageError, match=r"--reference-max .*cosine from -1 to 1 .*0\.95.* q and .*q0\.9999"):
            parse_threshold(text, "--reference-max")


class TestAllPairs:
    @settings(max_examples=40, deadline=None)
    @given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.integers(2, 30), st.integers(1, 1023))
    def test_equals_numpy(self, seed: int, rows: int, dim: int, q: int) -> None:
        rng = np.random.default_rng(seed)
        values = unit_rows(spectrum_rows(rng, rows, dim, classes=3))[rng.integers(0, rows, rows)]  # with ties
        pairs = cosines(values)[np.triu_indices(rows, 1)]
        expected = float(np.quantile(pairs, q / 1024, method="inverted_cdf"))
        found = quantile(all_pairs(values), "blind", q / 1024)
        assert (found.value, found.n_pairs, found.low, found.high) == (expected, len(pairs), None, None)

    @pytest.mark.parametrize("collect", [0, 5, 500, 10**6])
    def test_every_rank_whatever_may_be_held(self, collect: int) -> None:
        values = unit_rows(spectrum_rows(np.random.default_rng(1), 700, 12, mean=0.99))
        pairs = np.sort(cosines(values)[np.triu_indices(700, 1)])
        stream = all_pairs(values)
        for rank in (1, 2, 1000, len(pairs) // 2, len(pairs) - 1, len(pairs)):
            assert kth_smallest(stream, "blind", rank, collect=collect) == pairs[rank - 1]

    def test_all_equal(self) -> None:
        values = np.repeat(unit_rows(np.ones((1, 5))), 40, axis=0)
        assert kth_smallest(all_pairs(values), "blind", 300, collect=10) == cosines(values)[0, 0]

    def test_either_side(self) -> None:
        blind = unit_rows(spectrum_rows(np.random.default_rng(2), 30, 8))
        reference = unit_rows(spectrum_rows(np.random.default_rng(3), 30, 9))
        stream = all_pairs(blind, reference)
        expected = np.quantile(cosines(reference)[np.triu_indices(30, 1)], 0.25, method="inverted_cdf")
        assert quantile(stream, "reference", 0.25).value == expected

    def test_negative_cosines(self) -> None:
        values = unit_rows(np.array([[1.0, 0], [-1, 0], [0, 1]]))
        assert [kth_smallest(all_pairs(values), "blind", rank) for rank in (1, 2, 3)] == [-1, 0, 0]


class TestSample:
    def test_is_seeded_uniform_and_stable(self) -> None:
        pairs = [pair for a, b in draw_pairs(6, 600_000, 7) for pair in zip(a.tolist(), b.tolist(), strict=True)]
        again = [pair for a, b in draw_pairs(6, 1000, 7) for pair in zip(a.tolist(), b.tolist(), strict=True)]
        assert pairs[:1000] == again
        assert len(pairs) == 600_000
        counts = {pair: pairs.count(pair) for pair in set(pairs)}
        assert set(counts) == {(a, b) for a in range(6) for b in range(a + 1, 6)}
        assert max(abs(count - 40_000) for count in counts.values()) < 5 * math.sqrt(40_000)

    def test_quantile_lies_in_its_interval(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stream_module, "ALL_PAIRS_IMAGES", 10)
        values = unit_rows(spectrum_rows(np.random.default_rng(4), 300, 16))
        stream = survey_stream(side(values), side(values), 0, 20_000)
        assert stream.sampled and stream.size == 20_000 and stream.population == 300 * 299 // 2
        true = float(np.quantile(cosines(values)[np.triu_indices(300, 1)], 0.9, method="inverted_cdf"))
        found = quantile(stream, "blind", 0.9)
        assert found.low is not None and found.high is not None
        assert found.low <= found.value <= found.high
        assert found.low <= true <= found.high  # seeded: holds or not, once and for all
        assert found.n_pairs == 20_000
        assert quantile(stream, "blind", 0.99999).high is None

    def test_up_to_the_limit_it_is_all_pairs(self) -> None:
        values = unit_rows(spectrum_rows(np.random.default_rng(5), 30, 8))
        assert not survey_stream(side(values), side(values), 0, 100).sampled


class TestResolving:
    def test_absolute_needs_no_pairs(self) -> None:
        stream = all_pairs(unit_rows(np.ones((1, 4))))
        resolved = resolve_threshold(Threshold(0.9), stream, "blind", "--blind-min")
        assert as_json(resolved) == {
            "value": 0.9,
            "method": "absolute",
            "quantile": None,
            "n_pairs": None,
            "low": None,
            "high": None,
        }

    def test_quantile(self) -> None:
        values = unit_rows(spectrum_rows(np.random.default_rng(6), 20, 8))
        resolved = resolve_threshold(Threshold(0.5, True), all_pairs(values), "reference", "--reference-max")
        assert (resolved.method, resolved.quantile, resolved.n_pairs) == ("all pairs", 0.5, 190)

    def test_quantile_of_nothing(self) -> None:
        with pytest.raises(UsageError, match=r"--blind-min q0\.5 .*fewer than two images"):
            resolve_threshold(Threshold(0.5, True), all_pairs(unit_rows(np.ones((1, 4)))), "blind", "--blind-min")
