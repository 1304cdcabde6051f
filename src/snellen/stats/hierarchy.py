"""Do several models find the same visual patterns hard? One model of all their answers, clustered by pair."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from math import exp
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

FEWEST_CLUSTERS: Final = 30
"""Below so many independent clusters of pairs the sandwich covariance is not to be trusted."""

CLUSTERS_A_DEGREE: Final = 5
"""And so many are needed for each degree of freedom of the interaction."""

SEPARATED: Final = 12.0
"""A log odds beyond this is one that ran away, because a line divides right from wrong."""


class Odds(NamedTuple):
    """How the odds of being right compare with the first model's, over all patterns, with the 95 % interval."""

    model: str
    ratio: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Interaction:
    """Whether models differ in more than their overall level: the test of model x pattern.

    `n` answers of `models` models in `patterns` patterns, in `n_clusters` clusters. `statistic`, `df` and `p` are of
    the score test; `odds` and `within` (the working correlation of two answers of one cluster) of the model without
    interaction. All are None or empty where `reason` says what cannot be said.
    """

    n: int
    n_clusters: int
    models: tuple[str, ...]
    patterns: tuple[str, ...]
    statistic: float | None
    df: int | None
    p: float | None
    within: float | None
    odds: tuple[Odds, ...]
    reason: str | None


def model_by_pattern(
    right: ArrayLike, models: Sequence[str], patterns: Sequence[str], clusters: Sequence[Hashable]
) -> Interaction:
    """Test whether some patterns are harder for one model than for another, beyond its overall level.

    Logistic regression of right and wrong on model and pattern by generalised estimating equations (Liang and Zeger,
    Biometrika 73, 1986), answers exchangeable within a cluster. The interaction is tested by the score test of Guo and
    Pan (2002), which fits the model without interaction only: a cell in which all answers are right, as a pattern of 15
    pairs often has, does no harm. Chosen over the Wald test because that rejects a true null in over 20 % of studies of
    4 models and 9 patterns of 15 pairs, and this in 2 to 4 % (docs/correlation.md).

    A small p: the models' profiles over patterns differ, and no correlation of the profiles can be perfect. A large p:
    no difference was shown, which is not that there is none.

    What is asked of the data: at least 2 models, 2 patterns, 30 clusters, and 5 clusters for each degree of freedom,
    (models - 1) (patterns - 1); every model, and every pattern, right somewhere and wrong somewhere; each model asked
    in each pattern.

    Args:
        right: bool [n], one an answer: a model's answer to a pair, once for each pattern of the pair.
        models: of each answer; the first that appears is what the others are compared with.
        patterns: of each answer.
        clusters: of each answer: the pair, or what pairs that share images belong to.

    Raises:
        ValueError: the lengths differ, or a value is neither true nor false.
    """
    values = np.asarray(right)
    n = len(values)
    if values.shape != (n,) or not len(models) == len(patterns) == len(clusters) == n:
        raise ValueError(f"all must hold one value for each answer, got {n}, {len(models)}, {len(patterns)}")
    if not np.isin(values, (0, 1)).all():
        raise ValueError("right must hold true or false only")
    hits = values.astype(np.float64)
    model, model_names = _codes(models)
    pattern, pattern_names = _codes(patterns)
    cluster, cluster_names = _codes(clusters)
    found = Interaction(n, len(cluster_names), model_names, pattern_names, None, None, None, None, (), None)
    reason = _too_little(hits, model, pattern, model_names, pattern_names, len(cluster_names))
    if reason is not None:
        return replace(found, reason=reason)
    fitted = _fit(hits, _design(model, pattern), cluster)
    if isinstance(fitted, str):
        return replace(found, reason=fitted)
    test = _gee(hits, _design(model, pattern, interaction=True), cluster).compare_score_test(fitted)
    bounds = fitted.conf_int()
    return replace(
        found,
        statistic=float(test["statistic"]),
        df=int(test["df"]),
        p=float(test["p-value"]),
        within=float(fitted.model.cov_struct.dep_params),
        odds=tuple(
            Odds(name, exp(fitted.params[at]), exp(bounds[at][0]), exp(bounds[at][1]))
            for at, name in enumerate(model_names)
            if at
        ),
    )


def _codes(names: Sequence[Any]) -> tuple[NDArray[np.int64], tuple[Any, ...]]:
    known = {name: code for code, name in enumerate(dict.fromkeys(names))}
    return np.array([known[name] for name in names], dtype=np.int64), tuple(known)


def _too_little(
    hits: NDArray[np.float64],
    model: NDArray[np.int64],
    pattern: NDArray[np.int64],
    models: tuple[str, ...],
    patterns: tuple[str, ...],
    n_clusters: int,
) -> str | None:
    """Say what is missing for the test."""
    if len(models) < 2 or len(patterns) < 2:
        return f"{len(models)} models and {len(patterns)} patterns: at least 2 of each are needed"
    df = (len(models) - 1) * (len(patterns) - 1)
    needed = max(FEWEST_CLUSTERS, CLUSTERS_A_DEGREE * df)
    if n_clusters < needed:
        return (
            f"{n_clusters} independent pairs or clusters of pairs are too few: {len(models)} models and "
            f"{len(patterns)} patterns need at least {needed}"
        )
    for names, codes, kind in ((models, model, "model"), (patterns, pattern, "pattern")):
        for code, name in enumerate(names):
            if np.ptp(hits[codes == code]) == 0:
                which = "right" if hits[codes == code][0] else "wrong"
                return f"all answers of the {kind} {name!r} are {which}, so that its level has no estimate"
    if len(set(zip(model.tolist(), pattern.tolist(), strict=True))) < len(models) * len(patterns):
        return "not every model was asked in every pattern"
    return None


def _design(model: NDArray[np.int64], pattern: NDArray[np.int64], interaction: bool = False) -> NDArray[np.float64]:
    """Return columns for a constant, models but the first, patterns but the first, and what both say together."""
    models = [model == code for code in range(1, model.max() + 1)]
    patterns = [pattern == code for code in range(1, pattern.max() + 1)]
    both = [one & other for one in models for other in patterns] if interaction else []
    return np.column_stack([np.ones(len(model)), *models, *patterns, *both]).astype(np.float64)


def _gee(hits: NDArray[np.float64], design: NDArray[np.float64], cluster: NDArray[np.int64]) -> Any:  # noqa: ANN401
    from statsmodels.genmod.cov_struct import Exchangeable
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_estimating_equations import GEE

    return GEE(hits, design, groups=cluster, family=Binomial(), cov_struct=Exchangeable())


def _fit(hits: NDArray[np.float64], design: NDArray[np.float64], cluster: NDArray[np.int64]) -> Any:  # noqa: ANN401
    """Fit the model without interaction; a text says why it cannot be."""
    from statsmodels.tools.sm_exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            fitted = _gee(hits, design, cluster).fit(maxiter=200, cov_type="bias_reduced")
        except (ConvergenceWarning, np.linalg.LinAlgError) as error:
            return f"the model could not be fitted ({type(error).__name__})"
    if np.abs(fitted.params).max() > SEPARATED:
        return "models and patterns divide right from wrong without overlap, so that levels have no estimate"
    return fitted
