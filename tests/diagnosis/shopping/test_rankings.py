"""Rescues, scores, differences and partners of hand-made matches, by hand."""

from __future__ import annotations

import csv
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from snellen.diagnosis.shopping.nouns import PATTERNS, Candidate, ZeroShot
from snellen.diagnosis.shopping.partners import by_rescued, by_separated
from snellen.diagnosis.shopping.rescue import rescue
from snellen.diagnosis.shopping.scores import against_zeroshot, average, contrasts, scores
from snellen.errors import UsageError
from snellen.records import Match
from snellen.runs import matched
from snellen.stats import Proportion, bootstrap_difference, holm, mcnemar, pearson, wilson_interval
from tests.diagnosis.shopping.made import bits, matches, pair_names

NAMES = pair_names(8)


def candidate(label: str, found: dict[str, Match] | None = None, top1: float | None = None) -> Candidate:
    zeroshot = None
    if top1 is not None:
        zeroshot = ZeroShot(label, "0" * 64, "things", Proportion(top1, 0.0, 1.0, 100, 100), 0.1, None, None)
    return Candidate(label, label, label, matches=found, zeroshot=zeroshot)


def test_rescued_pairs_union_and_guesser_by_hand() -> None:
    a, b = bits("11100000", NAMES), bits("10011100", NAMES)
    found = rescue(a, b)
    assert found.rescued == Proportion(3 / 5, *wilson_interval(3, 5), 5, 5)
    assert found.union == Proportion(6 / 8, *wilson_interval(6, 8), 8, 8)
    assert found.guesser == (3 + 5 / 4) / 8
    other = rescue(b, a)
    assert other.rescued.value == 2 / 4 and other.union == found.union


def test_only_pairs_that_both_were_matched_on_count_and_none_at_all_is_said() -> None:
    a = bits("01", NAMES[:2])
    found = rescue(a, bits("110", NAMES[:3]))
    assert (found.rescued.value, found.rescued.n, found.union.n) == (1.0, 1, 2)
    nothing = rescue(a, bits("1", NAMES[5:6]))
    assert nothing.rescued.value is None and nothing.union.value is None and nothing.guesser is None
    perfect = rescue(bits("11", NAMES[:2]), a)
    assert perfect.rescued.value is None and perfect.union.value == 1.0


def test_scores_and_patterns_by_hand() -> None:
    found = bits("11010000", NAMES)
    found[NAMES[7]] = matched(NAMES[7], ((0.9, 0.8), (0.1, 0.85)))  # each text picks its image; image a its own, b too
    found[NAMES[6]] = matched(NAMES[6], ((0.9, 0.1), (0.8, 0.3)))  # the image score alone: image b picks text a
    patterns = {"color": frozenset(NAMES[:4]), "text": frozenset(NAMES[3:6])}
    got = scores(found, patterns)
    assert got.image == Proportion(5 / 8, *wilson_interval(5, 8), 8, 8)
    assert got.text.value == got.group.value == 4 / 8
    assert got.patterns["color"] == Proportion(3 / 4, *wilson_interval(3, 4), 4, 4)
    assert got.patterns["text"] == Proportion(1 / 3, *wilson_interval(1, 3), 3, 3)
    assert got.average is not None and got.average.value == pytest.approx((3 / 4 + 1 / 3) / 2)
    assert got.average.n == 6 and got.average.low < got.average.value < got.average.high  # type: ignore[operator]


def test_an_average_needs_every_pattern_and_has_a_width_always() -> None:
    assert average(bits("11110000", NAMES), {}) is None
    assert average(bits("1111", NAMES[:4]), {"color": frozenset(NAMES[:4]), "text": frozenset(NAMES[6:])}) is None
    both = {"color": frozenset(NAMES[:4]), "text": frozenset(NAMES[4:])}
    assert average(bits("11111111", NAMES), both) == Proportion(1.0, *wilson_interval(8, 8), 8, 8)
    halves = average(bits("11110000", NAMES), both)  # each pattern alike in itself
    low, high = wilson_interval(4, 8)
    assert halves is not None and halves.low <= low < high <= halves.high


def test_the_paper_s_table_comes_out_with_its_averages(shared_data: Path) -> None:
    """Nine patterns of fifteen pairs: every cell is so many of 15, and every average as printed."""
    with (shared_data / "paper_tables" / "mmvp_vlm_table1.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10
    columns = {name: {"structure": "structural"}.get(name, name) for name in PATTERNS}
    for row in rows:
        right: dict[str, bool] = {}
        patterns: dict[str, frozenset[str]] = {}
        for at, name in enumerate(PATTERNS):
            k = round(float(row[columns[name]]) * 15 / 100)
            members = [f"{at:08x}{pair:08x}" for pair in range(15)]
            patterns[name] = frozenset(members)
            right |= {pair: place < k for place, pair in enumerate(members)}
        found = scores(matches(right), patterns)
        for name in PATTERNS:
            assert f"{100 * (found.patterns[name].value or 0):.1f}" == row[columns[name]]
        assert found.average is not None
        assert f"{100 * (found.average.value or 0):.1f}" == f"{100 * (found.image.value or 0):.1f}" == row["average"]
        assert f"{100 * found.image.low:.1f}" == row["wilson95_lo(ours)"]


def test_a_named_base_is_one_test_an_encoder_and_a_picked_one_all_twos() -> None:
    rng = np.random.default_rng(0)
    names = pair_names(60)
    found = {
        label: bits("".join("1" if hit else "0" for hit in rng.random(60) < share), names)
        for label, share in (("a", 0.2), ("b", 0.7), ("c", 0.45))
    }
    sides = [candidate(label, each) for label, each in found.items()] + [candidate("blind")]
    value = {label: [float(each.image_score) for each in side.values()] for label, side in found.items()}

    def p(one: str, other: str) -> float:
        twos = list(zip(value[one], value[other], strict=True))
        return mcnemar(twos.count((1.0, 0.0)), twos.count((0.0, 1.0))).p

    base, got = contrasts(sides, None)
    assert base is not None and (base.label, base.how, base.tests) == ("b", "highest image score", 3)
    adjusted = dict(zip(combinations("abc", 2), holm([p(*two) for two in combinations("abc", 2)]), strict=True))
    assert {each.label: each.p_holm for each in got} == {
        "a": pytest.approx(adjusted["a", "b"]),
        "c": pytest.approx(adjusted["b", "c"]),
    }
    assert got[0].difference == bootstrap_difference(value["b"], value["a"], seed=0)
    assert got[0].difference.value == pytest.approx(np.mean(value["a"]) - np.mean(value["b"]))

    base, got = contrasts(sides, "a")
    assert base is not None and (base.label, base.how, base.tests) == ("a", "named", 2)
    assert [each.p_holm for each in got] == pytest.approx(holm([p("a", "b"), p("a", "c")]))
    with pytest.raises(UsageError, match="'blind' has no image score on this benchmark: choose one of a, b, c"):
        contrasts(sides, "blind")
    assert contrasts([candidate("blind")], None) == (None, [])


def test_encoders_alike_on_every_pair_differ_by_an_interval_with_a_width() -> None:
    sides = [candidate(label, bits("10100000", NAMES)) for label in "ab"]
    _, (only,) = contrasts(sides, None)
    assert only.difference.value == 0 and only.difference.low < 0 < only.difference.high and only.p == 1


def test_the_correlation_is_over_encoders_that_have_both() -> None:
    sides = [
        candidate("a", bits("10000000", NAMES), 0.5),
        candidate("b", bits("11000000", NAMES), 0.7),
        candidate("c", bits("11100000", NAMES), 0.6),
        candidate("d", bits("11110000", NAMES)),
        candidate("e", None, 0.9),
    ]
    assert against_zeroshot(sides) == pearson([1 / 8, 2 / 8, 3 / 8], [0.5, 0.7, 0.6])
    assert against_zeroshot(sides[:1]).r is None


def test_partners_by_rescued_pairs_by_hand() -> None:
    names = pair_names(40)
    base = bits("1" * 10 + "0" * 30, names)
    partners = {
        "good": bits("0" * 10 + "1" * 27 + "0" * 3, names),
        "near": bits("0" * 10 + "1" * 25 + "0" * 5, names),
        "poor": bits("1" * 10 + "0" * 28 + "1" * 2, names),
    }
    found = by_rescued("base", base, partners)
    assert found is not None and found.confidence == pytest.approx(1 - 0.05 / 3)
    assert [(place.partner, place.value, place.n) for place in found.places] == [
        ("good", 27 / 30, 30), ("near", 25 / 30, 30), ("poor", 2 / 30, 30),
    ]  # fmt: skip
    first, near, poor = found.places
    assert first.behind is None and near.behind is not None and poor.behind is not None
    assert near.behind.value == pytest.approx(2 / 30) and poor.behind.value == pytest.approx(25 / 30)
    assert found.level_with_first == ("near",) and poor.distinguishable
    assert by_rescued("base", bits("1" * 40, names), partners) is None
    assert by_rescued("base", base, {}) is None


def test_partners_by_separated_pairs_by_hand() -> None:
    pairs = np.arange(80).reshape(40, 2)
    best, next_, last = np.arange(40) < 38, np.arange(40) >= 4, np.arange(40) < 6
    found = by_separated("base", pairs, {"z": best, "m": next_, "a": last})
    assert found is not None
    assert [(place.partner, place.value) for place in found.places] == [("z", 0.95), ("m", 0.9), ("a", 0.15)]
    assert found.level_with_first == ("m",)
    ties = by_separated("base", pairs, {"z": best, "a": best})
    assert ties is not None and [place.partner for place in ties.places] == ["a", "z"]
    assert ties.level_with_first == ("z",)
    alone = by_separated("base", pairs, {"z": best})
    assert alone is not None and alone.places[0].behind is None and alone.level_with_first == ()
    assert by_separated("base", pairs[:0], {"z": best[:0]}) is None and by_separated("base", pairs, {}) is None
