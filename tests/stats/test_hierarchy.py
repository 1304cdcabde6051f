"""The model of model and pattern: against statsmodels' own fits, a hand-made table, and in simulated worlds."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import chi2, chi2_contingency, norm
from statsmodels.genmod.cov_struct import Exchangeable

from snellen.stats.hierarchy import Interaction, model_by_pattern


def world(
    rng: np.random.Generator, n_models: int, n_patterns: int, n_pairs: int, *, base: float = -0.6, extra: float = 0.0
) -> tuple[NDArray[np.bool_], list[str], list[str], list[int]]:
    """Pairs that are hard for all alike (a Gaussian copula); log odds add up, but for `extra` in one cell."""
    pattern = np.repeat(np.arange(n_patterns), n_pairs)
    odds = base + np.linspace(0, 0.6, n_models) + np.linspace(-0.8, 0.8, n_patterns)[pattern][:, None]
    odds[pattern == 0, -1] += extra
    shared, own = rng.standard_normal((len(pattern), 1)), rng.standard_normal(odds.shape)
    right = norm.cdf(np.sqrt(0.5) * (shared + own)) < expit(odds)
    pair, model = np.indices(odds.shape)
    names = [f"m{one}" for one in model.ravel()], [f"p{pattern[one]}" for one in pair.ravel()]
    return right.ravel(), *names, pair.ravel().tolist()


def test_odds_and_within_are_statsmodels_own() -> None:
    import pandas as pd

    right, models, patterns, pairs = world(np.random.default_rng(1), 3, 4, 25)
    found = model_by_pattern(right, models, patterns, pairs)
    frame = pd.DataFrame({"right": right.astype(float), "model": models, "pattern": patterns, "pair": pairs})
    direct = sm.GEE.from_formula(
        "right ~ C(model) + C(pattern)", "pair", frame, family=sm.families.Binomial(), cov_struct=Exchangeable()
    ).fit(cov_type="bias_reduced")
    assert [odds.model for odds in found.odds] == ["m1", "m2"]
    for odds in found.odds:
        name = f"C(model)[T.{odds.model}]"
        low, high = direct.conf_int().loc[name]
        assert odds[1:] == pytest.approx((np.exp(direct.params[name]), np.exp(low), np.exp(high)), rel=1e-4)
    assert found.within == pytest.approx(float(direct.cov_struct.dep_params), abs=1e-4)
    full = sm.GEE.from_formula(
        "right ~ C(model) * C(pattern)", "pair", frame, family=sm.families.Binomial(), cov_struct=Exchangeable()
    )
    test = full.compare_score_test(direct)
    assert found.df == 6
    assert found.p == pytest.approx(test["p-value"], abs=1e-3)
    assert found.p == pytest.approx(chi2.sf(found.statistic, 6), abs=1e-12)
    assert (found.n, found.n_clusters, found.reason) == (300, 100, None)


def test_independent_answers_give_about_the_ordinary_test() -> None:
    """Each answer its own cluster: for two models the interaction is near Breslow and Day's homogeneity of odds."""
    rng = np.random.default_rng(2)
    models = ["m0"] * 600 + ["m1"] * 600
    patterns = (["p0"] * 200 + ["p1"] * 200 + ["p2"] * 200) * 2
    chance = np.repeat([0.3, 0.5, 0.6, 0.6, 0.5, 0.4], 200)
    right = rng.random(1200) < chance
    found = model_by_pattern(right, models, patterns, list(range(1200)))
    counts = [
        [[sum(right[at : at + 200]), 200 - sum(right[at : at + 200])] for at in (k, 600 + k)] for k in (0, 200, 400)
    ]
    strata = sm.stats.StratifiedTable([np.array(table, dtype=float) for table in counts])
    homogeneity = strata.test_equal_odds()
    assert found.df == 2
    assert found.statistic == pytest.approx(homogeneity.statistic, rel=0.1)
    assert found.p is not None and found.p < 1e-6
    # And a 2 x 2 table's odds ratio, for two models and patterns that do not matter.
    flat = model_by_pattern(right[:400], models[:200] + ["m1"] * 200, ["p0", "p1"] * 200, list(range(400)))
    first, second = sum(right[:200]), sum(right[200:400])
    ratio = (second / (200 - second)) / (first / (200 - first))
    assert flat.odds[0].ratio == pytest.approx(ratio, rel=0.02)
    assert (flat.odds[0].low > 1) == (chi2_contingency([[first, 200 - first], [second, 200 - second]]).pvalue < 0.05)


def said(found: Interaction) -> str:
    assert (found.statistic, found.df, found.p, found.within, found.odds) == (None, None, None, None, ())
    assert found.reason is not None
    return found.reason


def test_too_little_is_said() -> None:
    rng = np.random.default_rng(3)
    right, models, patterns, pairs = world(rng, 2, 3, 20)
    one = ["m0"] * len(right)
    assert said(model_by_pattern(right, one, patterns, pairs)).startswith("1 models and 3 patterns")
    assert said(model_by_pattern(right, models, ["p"] * len(right), pairs)).startswith("2 models and 1 patterns")
    assert said(model_by_pattern([], [], [], [])).startswith("0 models and 0 patterns")
    few = model_by_pattern(right[:50], models[:50], patterns[:50], pairs[:50])
    assert (
        said(few) == "25 independent pairs or clusters of pairs are too few: 2 models and 2 patterns need at least 30"
    )
    many = world(rng, 4, 9, 10)
    assert "90 independent" in said(model_by_pattern(*many)) and "need at least 120" in said(model_by_pattern(*many))
    assert "too few" in said(model_by_pattern(right, models, patterns, [at % 12 for at in pairs]))


def test_levels_without_estimate_are_said() -> None:
    right, models, patterns, pairs = world(np.random.default_rng(4), 2, 3, 20)
    never = right & (np.array(models) != "m1")
    assert said(model_by_pattern(never, models, patterns, pairs)).startswith("all answers of the model 'm1' are wrong")
    always = right | (np.array(patterns) == "p2")
    assert "pattern 'p2' are right" in said(model_by_pattern(always, models, patterns, pairs))
    half = [at for at in range(len(right)) if (models[at], patterns[at]) != ("m1", "p2")]
    part = model_by_pattern(
        right[half], [models[at] for at in half], [patterns[at] for at in half], [pairs[at] for at in half]
    )
    assert said(part) == "not every model was asked in every pattern"
    # m0 right on p0 alone, m1 on all but p2: a line divides right from wrong.
    divided = [
        (one, two) in {("m0", "p0"), ("m1", "p0"), ("m1", "p1")} for one, two in zip(models, patterns, strict=True)
    ]
    assert "p0" in said(model_by_pattern(divided, models, patterns, pairs))
    assert said(model_by_pattern(divided, models, ["q" + name[1:] for name in patterns], pairs))


def test_one_full_cell_does_no_harm() -> None:
    right, models, patterns, pairs = world(np.random.default_rng(5), 2, 3, 40)
    cell = (np.array(models) == "m1") & (np.array(patterns) == "p0")
    found = model_by_pattern(right | cell, models, patterns, pairs)
    assert found.p is not None and found.p < 0.001


@pytest.mark.parametrize("bad", [[1, 0], [2] * 4])
def test_nonsense_is_refused(bad: list[int]) -> None:
    with pytest.raises(ValueError, match="must hold"):
        model_by_pattern(bad, ["m"] * 4, ["p"] * 4, [1] * 4)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(2, 9, 15), (4, 9, 15), (2, 2, 15)])
def test_p_is_fair_where_profiles_are_equal(size: tuple[int, int, int]) -> None:
    """120 worlds: 11 % is three sigma above 5 %. The Wald test rejects 21 % of those of 4 models."""
    rng = np.random.default_rng(6)
    p = [model_by_pattern(*world(rng, *size)).p for _ in range(120)]
    tested = [each for each in p if each is not None]
    assert len(tested) > 108
    assert np.mean(np.array(tested) <= 0.05) <= 0.11


@pytest.mark.slow
def test_a_difference_is_found() -> None:
    rng = np.random.default_rng(7)
    p = [model_by_pattern(*world(rng, 2, 4, 60, extra=2.0)).p for _ in range(40)]
    assert np.mean([each is not None and each <= 0.05 for each in p]) > 0.8
