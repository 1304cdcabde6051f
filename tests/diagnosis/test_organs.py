"""The latent class model, against pairs whose class is known because they were drawn from it."""

from __future__ import annotations

import numpy as np
import pytest

from snellen.diagnosis.organs import CLASSES, Hits, Observed, fit


def there(random: np.random.Generator, slip: float) -> Hits:
    """Right nearly always: no beta, so that the model is not given its own draws."""
    return Hits(int(random.binomial(6, 1.0 if random.random() > slip else 0.3)), 6)


def luck(random: np.random.Generator) -> Hits:
    """A pair is right or wrong as a whole for two thirds of pairs, and mixed for the others."""
    kind = random.integers(3)
    return Hits(int(random.binomial(6, (0.98, 0.02, 0.5)[kind])), 6)


def drawn(random: np.random.Generator, name: str, slip: float = 0.05) -> Observed:
    """One pair of a class: written from the table in the module's docstring, not from its code."""
    tap = luck(random) if name == "eyes" else there(random, slip)
    if name == "eyes":
        projector = tap if random.random() < 0.6 else luck(random)
    else:
        projector = luck(random) if name == "connector" else there(random, slip)
    contrast = there(random, slip) if name in ("sees", "bias") else luck(random)
    chance = {"sees": 0.95, "bias": 0.05}.get(name, 0.25)  # a bias gives both pictures one answer
    return Observed(tap, projector, contrast, bool(random.random() < chance))


def organ(name: str) -> str:
    return "language" if name in ("unused", "bias") else name


@pytest.mark.parametrize("failing", ["eyes", "connector", "unused", "bias"])
def test_one_failure_in_a_pattern_is_found_for_nearly_every_pair(failing: str) -> None:
    random = np.random.default_rng(5)
    pairs = [drawn(random, failing) for _ in range(60)]
    wrong = [at for at, pair in enumerate(pairs) if not pair.answers]
    fitted = fit(pairs)
    named = [organ(CLASSES[int(fitted.posterior[at].argmax())]) for at in wrong]
    assert np.mean([name == organ(failing) for name in named]) >= 0.9


def test_a_mixture_of_failures_gets_its_shares_back() -> None:
    random = np.random.default_rng(2)
    truth = {"sees": 0.4, "eyes": 0.3, "bias": 0.3}
    names = random.choice(list(truth), size=600, p=list(truth.values()))
    fitted = fit([drawn(random, str(name)) for name in names])
    for name, share in truth.items():
        assert fitted.shares[name] == pytest.approx(share, abs=0.06)
    assert fitted.shares["connector"] < 0.06


def test_who_is_blamed_with_certainty_is_to_blame() -> None:
    """Four classes at once, drawn from other distributions than the model's: of posteriors from 0.8, 80 % hold."""
    random = np.random.default_rng(3)
    names = [str(name) for name in random.choice(["sees", "eyes", "connector", "unused"], size=3000)]
    fitted = fit([drawn(random, name) for name in names])
    top = fitted.posterior.max(1) >= 0.8
    right = [CLASSES[int(row.argmax())] == name for row, name in zip(fitted.posterior, names, strict=True)]
    assert top.sum() > 1000
    assert np.mean(np.array(right)[top]) >= 0.8


def test_readouts_that_err_are_not_called_blindness() -> None:
    """A probe that errs on a fifth of what is seen errs on a fifth of what a bias spoils, and no eyes are to blame."""
    random = np.random.default_rng(4)
    seen = [drawn(random, "sees", slip=0.2) for _ in range(150)]
    spoilt = [drawn(random, "bias", slip=0.2) for _ in range(50)]
    fitted = fit([*seen, *spoilt])
    assert fitted.slips["tap"] == pytest.approx(0.2 * 0.7, abs=0.05)
    assert fitted.shares["eyes"] < 0.06


def test_nothing_known_stays_unknown() -> None:
    fitted = fit([Observed(None, None, None, False)] * 40)
    by = dict(zip(CLASSES, fitted.posterior[0], strict=True))
    organs = {"eyes": by["eyes"], "connector": by["connector"], "language": by["unused"] + by["bias"]}
    assert max(organs.values()) / sum(organs.values()) < 0.8
    assert fit([]).posterior.shape == (0, 5)


def test_without_readouts_a_bias_is_still_told_from_not_knowing() -> None:
    """Answers and contrasts alone: the contrast is right on all failures, or on half of them."""
    bias = fit([Observed(None, None, Hits(12, 12), False)] * 40)
    assert bias.posterior[0, CLASSES.index("bias")] > 0.9
    half = fit([Observed(None, None, Hits(right, 12), False) for right in (12, 0) * 20])
    assert half.posterior[:, CLASSES.index("bias")].max() < 0.5


def test_posteriors_are_probabilities() -> None:
    random = np.random.default_rng(6)
    fitted = fit([drawn(random, str(random.choice(CLASSES))) for _ in range(50)])
    assert np.allclose(fitted.posterior.sum(1), 1)
    assert sum(fitted.shares.values()) == pytest.approx(1)


def test_a_guesser_does_not_see_the_quarter_that_it_guesses() -> None:
    """Steady luck: a quarter of the pairs are right in every way of asking; no more is known, as at an endpoint."""
    guesser = fit([Observed(None, None, None, at % 4 == 0) for at in range(60)])
    assert guesser.posterior[0, CLASSES.index("sees")] < 0.5
    seer = fit([Observed(None, None, None, at % 10 != 0) for at in range(60)])
    assert seer.posterior[1, CLASSES.index("sees")] > 0.9


def test_likelihoods_are_scipys_beta_binomial() -> None:
    from scipy.stats import betabinom

    from snellen.diagnosis.organs import _beta_binomial

    for n in (1, 6, 12):
        right = np.arange(n + 1.0)
        ours = _beta_binomial(right, np.full(n + 1, float(n)), 5.7, 0.3)
        np.testing.assert_allclose(ours, betabinom.pmf(right, n, 5.7, 0.3), rtol=1e-10)
