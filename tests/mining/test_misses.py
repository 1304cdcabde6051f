"""Near misses and suggestions, against a full list of pairs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen.mining.join.two_sided import Labels
from snellen.mining.survey import misses as misses_module
from snellen.mining.survey.misses import Misses, Nearest, Suggestion, nearest_cut, suggestions_as_json
from snellen.mining.survey.stream import Block, Stream
from tests.mining.conftest import Half, cosines, side
from tests.studies import spectrum_rows, unit_rows


def watch(blind: Half, reference: Half, blind_min: float, reference_max: float, labels: Labels | None = None) -> Misses:
    misses = Misses(blind_min, reference_max, labels)
    for block in Stream(side(blind), side(reference), None, 0).blocks():
        misses.add(block)
    return misses


def data(seed: int = 0, rows: int = 300) -> tuple[Half, Half]:
    rng = np.random.default_rng(seed)
    return unit_rows(spectrum_rows(rng, rows, 24)), unit_rows(spectrum_rows(rng, rows, 16, mean=0.0))


def expected_misses(
    blind: Half, reference: Half, blind_min: float, reference_max: float
) -> list[tuple[float, int, int]]:
    x, y = cosines(blind), cosines(reference)
    pairs = zip(*(index.tolist() for index in np.triu_indices(len(blind), 1)), strict=True)
    return sorted((max(blind_min - x[a, b], y[a, b] - reference_max), a, b) for a, b in pairs)


def passing(blind: Half, reference: Half, suggestion: Suggestion) -> int:
    passes = (cosines(blind) > suggestion.blind_min) & (cosines(reference) < suggestion.reference_max)
    return int(np.triu(passes, 1).sum())


def stream(blind: Half, reference: Half) -> Stream:
    return Stream(side(blind), side(reference), None, 0)


def test_the_fifty_nearest() -> None:
    blind, reference = data()
    misses = watch(blind, reference, 0.97, -0.5)
    expected = expected_misses(blind, reference, 0.97, -0.5)
    found = misses.near_misses()
    assert [(miss, a, b) for a, b, _, _, miss in found] == expected[:50]
    assert all(x == cosines(blind)[a, b] and y == cosines(reference)[a, b] for a, b, x, y, _ in found)
    assert min(miss for *_, miss in found) >= 0


def test_a_pair_on_the_threshold_has_miss_zero() -> None:
    blind = unit_rows(np.array([[1.0, 0], [0.9501953125, np.sqrt(1 - 0.9501953125**2)]]))
    reference = unit_rows(np.array([[1.0, 0], [0, 1]]))
    assert watch(blind, reference, 0.9501953125, 0.6).near_misses() == [(0, 1, 0.9501953125, 0.0, 0.0)]


@pytest.mark.parametrize("rule", ["within", "across"])
def test_labels_are_kept_to(rule: str) -> None:
    blind, reference = data(1, 60)
    codes = np.arange(60, dtype=np.int32) % 3 - 1
    labels = Labels("within" if rule == "within" else "across", codes)
    found = watch(blind, reference, 0.99, -0.9, labels).near_misses()
    assert len(found) == 50
    for a, b, *_ in found:
        assert codes[a] >= 0 and codes[b] >= 0 and (codes[a] == codes[b]) == (rule == "within")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 40))
def test_nearest_remembers_the_smallest(seed: int, size: int, blocks: int) -> None:
    rng = np.random.default_rng(seed)
    nearest = Nearest(size)
    seen = []
    for number in range(blocks):
        keys = np.where(rng.random(12) < 0.2, np.inf, rng.integers(0, 30, 12) / 4)
        a, b = np.full(12, number), np.arange(12) + 100
        nearest.add(keys, Block(a, b, keys, -keys))
        seen += [(key, x, y) for key, x, y in zip(keys.tolist(), a.tolist(), b.tolist(), strict=True) if key < np.inf]
    keys, block = nearest.kept()
    assert list(zip(keys.tolist(), block.a.tolist(), block.b.tolist(), strict=True)) == sorted(seen)[:size]
    if seen:
        assert (nearest.smallest, nearest.n_smallest) == (min(seen)[0], sum(s[0] == min(seen)[0] for s in seen))


class TestSuggestions:
    @pytest.mark.parametrize(("blind_min", "reference_max"), [(0.97, 0.2), (0.95, -0.6), (0.9876543210987654, 0.1)])
    def test_each_gives_what_it_says_and_about_a_hundred(self, blind_min: float, reference_max: float) -> None:
        blind, reference = data(2, 500)
        assert not ((cosines(blind) > blind_min) & (cosines(reference) < reference_max))[np.triu_indices(500, 1)].any()
        made = watch(blind, reference, blind_min, reference_max).suggestions(stream(blind, reference))
        assert {"blind_min", "both"} <= {suggestion.change for suggestion in made}
        for suggestion in made:
            assert passing(blind, reference, suggestion) == suggestion.n_pairs
            assert (suggestion.low, suggestion.high) == (None, None)
            if suggestion.change == "blind_min":
                assert suggestion.reference_max == reference_max
            if suggestion.change == "reference_max":
                assert suggestion.blind_min == blind_min
            if suggestion.change != "reference_max":
                assert 80 <= suggestion.n_pairs <= 125
                assert len(repr(suggestion.blind_min)) <= 7  # 0.12345
        both = next(suggestion for suggestion in made if suggestion.change == "both")
        assert blind_min - both.blind_min == pytest.approx(both.reference_max - reference_max, abs=0.011)

    def test_what_cannot_be_is_left_out(self) -> None:
        blind, reference = data(3)
        made = watch(blind, reference, 1.0, 0.5).suggestions(stream(blind, reference))
        assert "reference_max" not in {suggestion.change for suggestion in made}  # nothing lies above 1
        made = watch(blind, reference, 0.999, -1.0).suggestions(stream(blind, reference))
        assert "blind_min" not in {suggestion.change for suggestion in made}

    def test_fewer_than_a_hundred_in_all(self) -> None:
        blind, reference = data(4, 8)
        made = watch(blind, reference, 1.0, 0.9).suggestions(stream(blind, reference))
        lowered = next(suggestion for suggestion in made if suggestion.change == "blind_min")
        assert lowered.n_pairs == passing(blind, reference, lowered) == int(np.triu(cosines(reference) < 0.9, 1).sum())
        assert len(repr(lowered.blind_min)) <= 5

    def test_many_pairs_all_alike(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(misses_module, "KEPT", 64)
        # 40 equal images for the blind encoder: 780 pairs of one cosine, and no threshold sets 100 of them apart.
        blind = np.concatenate([np.repeat(unit_rows(np.ones((1, 6))), 40, axis=0), np.eye(6, dtype=np.float16)])
        reference = unit_rows(np.random.default_rng(5).standard_normal((46, 200)))
        made = watch(blind, reference, 1.0 if cosines(blind)[0, 0] <= 1 else 1.001, 0.9).suggestions(
            stream(blind, reference)
        )
        lowered = next(suggestion for suggestion in made if suggestion.change == "blind_min")
        assert lowered.n_pairs == passing(blind, reference, lowered) == 780

    def test_a_jump_over_a_hundred(self) -> None:
        # 20 pairs at once, then 780: the nearer by ratio is 20.
        keys = np.concatenate([np.full(20, 0.1), np.full(780, 0.2)])
        assert nearest_cut(keys, 100, complete=False) == 20
        assert nearest_cut(keys[20:], 100, complete=False) is None
        assert nearest_cut(keys[20:], 100, complete=True) == 780
        assert nearest_cut(keys[:0], 100, complete=True) is None

    @settings(max_examples=30, deadline=None)
    @given(st.integers(0, 2**32 - 1), st.floats(0.3, 1), st.floats(-1, 0.5), st.integers(2, 40))
    def test_always_true(self, seed: int, blind_min: float, reference_max: float, rows: int) -> None:
        rng = np.random.default_rng(seed)
        blind = unit_rows(spectrum_rows(rng, rows, 6))[rng.integers(0, rows, rows)]
        reference = unit_rows(spectrum_rows(rng, rows, 4, mean=0.0))[rng.integers(0, rows, rows)]
        if np.triu((cosines(blind) > blind_min) & (cosines(reference) < reference_max), 1).any():
            return
        for suggestion in watch(blind, reference, blind_min, reference_max).suggestions(stream(blind, reference)):
            assert passing(blind, reference, suggestion) == suggestion.n_pairs > 0
            assert suggestion.blind_min <= blind_min + 1e-9 and suggestion.reference_max >= reference_max - 1e-9
            assert -1 <= suggestion.blind_min <= 1 and -1 <= suggestion.reference_max <= 1


class TestSampled:
    def test_intervals_cover(self) -> None:
        blind, reference = data(6, 400)
        covered = []
        for seed in range(80):
            drawn = Stream(side(blind), side(reference), 8000, seed)  # of 79,800 pairs
            misses = Misses(0.97, 0.0)
            for block in drawn.blocks():
                misses.add(block)
            for suggestion in misses.suggestions(drawn):
                assert suggestion.low is not None and suggestion.high is not None
                assert suggestion.low < suggestion.n_pairs < suggestion.high
                covered.append(suggestion.low <= passing(blind, reference, suggestion) <= suggestion.high)
        assert len(covered) >= 160
        assert np.mean(covered) > 0.92

    def test_a_pair_drawn_twice_is_shown_once(self) -> None:
        blind, reference = data(6, 30)
        misses = Misses(0.97, -0.5)
        for block in Stream(side(blind), side(reference), 20_000, 0).blocks():
            misses.add(block)
        found = [(miss, a, b) for a, b, _, _, miss in misses.near_misses()]
        assert found == expected_misses(blind, reference, 0.97, -0.5)[: len(found)]
        assert 10 < len(found) <= 50

    def test_a_thin_sample_says_what_it_can(self) -> None:
        blind, reference = data(7, 400)
        drawn = Stream(side(blind), side(reference), 800, 0)
        misses = Misses(0.97, 0.0)
        for block in drawn.blocks():
            misses.add(block)
        lowered = next(suggestion for suggestion in misses.suggestions(drawn) if suggestion.change == "blind_min")
        assert 8 <= lowered.n_pairs * 800 / drawn.population <= 12.5  # ten sampled pairs stand for a thousand
        written = suggestions_as_json([lowered])[0]
        assert written["sampled"] is True
        assert written["low"] < written["n_pairs"] < written["high"]
