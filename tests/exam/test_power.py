"""The plan of `snellen power`, against the statistics that it is made of and what it prints."""

from __future__ import annotations

import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from snellen import stats
from snellen.cli.power import power as verb
from snellen.errors import UsageError
from snellen.exam.power import power


def test_nothing_is_answered_that_was_not_asked() -> None:
    plan = power(accuracy=40)
    assert plan.from_chance is not None and plan.from_chance.n_pairs == stats.pairs_from_chance(0.4).n
    assert (plan.precision, plan.two_models, plan.shown, plan.observed) == (None, (), None, None)
    assert power(accuracy=25, half_width=5).from_chance is None
    for accuracy in (25, 50):
        with pytest.raises(UsageError, match="is chance, from which no number of pairs tells it"):
            power(accuracy=accuracy, chance=accuracy)


def test_precision() -> None:
    plan = power(accuracy=40, half_width=5)
    assert plan.precision is not None and plan.precision.n_pairs == 366
    plan = power(accuracy=40, half_width=5, confidence=0.99)
    assert plan.precision is not None and plan.precision.n_pairs == stats.pairs_for_half_width(0.4, 0.05, 0.99) > 366


def test_two_models() -> None:
    (row,) = power(difference=10, discordance=20).two_models
    assert (row.n_pairs, row.discordance_percent, row.power_of_pairs) == (168, 20, None)
    assert row.power >= 0.8
    (row,) = power(difference=10, discordance=20, pairs=150, level=0.01, power=0.9).two_models
    assert row.n_pairs == stats.pairs_for_difference(0.1, 0.2, power=0.9, level=0.01).n
    assert row.power_of_pairs == stats.mcnemar_power(150, 0.1, 0.2, 0.01)


@pytest.mark.parametrize(
    ("difference", "tabled"), [(5, [10, 20, 30, 40, 50]), (25, [30, 40, 50, 60, 70]), (85, [90, 100]), (100, [100])]
)
def test_without_a_discordance_several_are_tabled(difference: float, tabled: list[float]) -> None:
    assert [row.discordance_percent for row in power(difference=difference).two_models] == tabled


def test_what_pairs_show() -> None:
    shown = power(pairs=150).shown
    assert shown is not None
    assert (shown.accuracy_percent, shown.least_above_chance) == (None, 47)
    assert shown.half_width_points == pytest.approx(100 * stats.wilson_half_width(0.5, 150))
    assert [row.discordance_percent for row in shown.differences] == [10, 20, 30, 40, 50]
    assert shown.differences[1].difference_points == pytest.approx(10.583, abs=1e-3)
    few = power(pairs=15, accuracy=33.3).shown
    assert few is not None and few.differences[3].difference_points is None
    assert few.half_width_points == pytest.approx(100 * stats.wilson_half_width(0.333, 15))


@pytest.mark.parametrize(
    ("printed", "pairs", "counts", "ends"),
    [
        ("24.7", 150, (37,), (37, 37)),
        (24.7, 150, (37,), (37, 37)),
        (" 24.7 % ", 150, (37,), (37, 37)),
        ("24.67", 150, (37,), (37, 37)),
        ("25", 150, (37, 38), (37, 38)),  # 24.67 and 25.33 are both 25
        ("19.0", 150, (), (28, 29)),
        ("33.3", 2000, (665, 666, 667), (665, 667)),
        ("0", 10, (0,), (0, 0)),
        ("100", 10, (10,), (10, 10)),
    ],
)
def test_what_was_printed(printed: str | float, pairs: int, counts: tuple[int, ...], ends: tuple[int, int]) -> None:
    found = power(observed=printed, pairs=pairs).observed
    assert found is not None
    assert found.counts == counts
    assert found.between == (None if counts else ends)
    low, high = stats.wilson_interval(ends[0], pairs)[0], stats.wilson_interval(ends[1], pairs)[1]
    assert (found.low_percent, found.high_percent) == pytest.approx((100 * low, 100 * high))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "Nothing is asked"),
        ({"half_width": 5}, "of which accuracy"),
        ({"observed": "24.7"}, "Give pairs too"),
        ({"observed": "24.7", "accuracy": 40}, "Give pairs too"),
        ({"observed": "many", "pairs": 5}, "as it was printed"),
        ({"observed": "101", "pairs": 5}, "from 0 to 100"),
        ({"accuracy": 0.4}, "40, not 0.4"),
        ({"accuracy": 101}, "in percent"),
        ({"difference": 10, "discordance": 0.2}, "40, not 0.4"),
        ({"difference": 10, "discordance": 5}, "at most the discordance"),
        ({"difference": -1}, "above 0"),
        ({"difference": 0.001}, "cannot be planned"),
        ({"accuracy": 25.001}, "cannot be planned"),
        ({"pairs": 150, "discordance": 0}, "above 0"),
        ({"pairs": 0}, "from 1"),
        ({"accuracy": 40, "half_width": 0.001}, "at least 0.01"),
        ({"accuracy": 40, "power": 0.01}, "power above level"),
        ({"accuracy": 40, "confidence": 1.0}, "must lie in"),
        ({"accuracy": 40, "chance": 100}, "between 0 and 100"),
    ],
)
def test_nonsense_is_refused(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        power(**asked)


def run(*arguments: str) -> str:
    app = typer.Typer()
    app.command()(verb)
    made = CliRunner().invoke(app, arguments)
    assert made.exit_code == 0, made.output
    return made.output


def test_the_verb_says_it() -> None:
    said = run("--observed", "24.7", "--pairs", "150")
    assert "24.7 % of 150 pairs: 37 right; 95 % interval (Wilson) [18.5, 32.1] %." in said
    assert "47 (31.3 %)" in said
    said = run("--observed", "19.0", "--pairs", "150")
    assert "19.0 % is no share of 150 pairs: it lies between 28 (18.67 %) and 29 (19.33 %)" in said
    said = run("--accuracy", "40", "--half-width", "5", "--difference", "10", "--discordance", "20")
    assert "366 pairs give" in said and "68 pairs tell 40 % from 25 %" in said
    assert said.splitlines()[-1].split() == ["20", "%", "168"]
    table = [line.split() for line in run("--pairs", "150").splitlines()[-5:]]
    assert [row[-1] for row in table] == ["7.4", "10.6", "12.9", "14.9", "16.6"]  # 7.34, 12.84 and so on, rounded up


def test_the_verb_as_json() -> None:
    value = json.loads(run("--difference", "10", "--discordance", "20", "--pairs", "150", "--json"))
    assert value["two_models"][0]["n_pairs"] == 168
    assert value["two_models"][0]["power_of_pairs"] == stats.mcnemar_power(150, 0.1, 0.2)
    assert value["shown"]["differences"] == [
        {"discordance_percent": 20.0, "difference_points": 100 * (stats.smallest_difference(150, 0.2) or 0)}
    ]
    assert value["observed"] is None
