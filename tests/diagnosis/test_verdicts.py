"""The order of the rules: who is never blamed, whatever the estimate says."""

from __future__ import annotations

from snellen.diagnosis.organs import Hits, Observed
from snellen.diagnosis.verdicts import BAD, EYES, LANGUAGE, SEES, UNSURE, Case, judged

ALL, NONE = Hits(6, 6), Hits(0, 6)
SEEN = Observed(ALL, ALL, Hits(12, 12), True)
BIASED = Observed(ALL, ALL, Hits(12, 12), False)
BLIND = [Observed(luck, luck, Hits(6 if luck is ALL else 0, 12), False) for luck in (ALL, NONE)]


def case(observed: Observed, within: bool | None = False, bad: str | None = None, short: str | None = None) -> Case:
    return Case(observed, within, bad, short)


def verdicts(cases: dict[str, Case]) -> dict[str, str]:
    found, _ = judged(cases)
    return {pair: one.verdict for pair, one in found.items()}


def test_each_kind_of_pair_in_its_own_pattern() -> None:
    assert set(verdicts({f"{at}": case(SEEN) for at in range(30)}).values()) == {SEES}
    assert set(verdicts({f"{at}": case(BIASED) for at in range(30)}).values()) == {LANGUAGE}
    blind = verdicts({f"{at}": case(BLIND[at % 2]) for at in range(40)})
    assert set(blind.values()) == {EYES}


def test_right_answers_are_never_blamed() -> None:
    """In a pattern to which the model is blind, a lucky pair is unsure at worst."""
    cases = {f"{at}": case(BLIND[at % 2]) for at in range(40)}
    cases["lucky"] = case(Observed(NONE, NONE, Hits(6, 12), True))
    assert verdicts(cases)["lucky"] in (SEES, UNSURE)


def test_bad_items_come_first_and_teach_nothing() -> None:
    cases = {f"{at}": case(BIASED, bad="erratum: both tusks are long") for at in range(30)}
    cases["other"] = case(SEEN)
    found, fitted = judged(cases)
    assert {found[f"{at}"].verdict for at in range(30)} == {BAD}
    assert found["0"].because == "erratum: both tusks are long"
    assert len(fitted.posterior) == 1


def test_too_few_answers_prove_nothing() -> None:
    found = judged({"one": case(BIASED, short="it was asked in 2 ways")})[0]["one"]
    assert (found.verdict, found.because) == (UNSURE, "it was asked in 2 ways")


def test_mixed_answers_are_unsure() -> None:
    mixed = Observed(ALL, ALL, Hits(12, 12), None)
    assert set(verdicts({f"{at}": case(mixed) for at in range(30)}).values()) == {UNSURE}


def test_the_same_at_the_tap_is_the_eyes_where_answers_are_wrong() -> None:
    unknown = Observed(None, None, None, False)
    assert verdicts({"one": case(unknown, within=True), "two": case(unknown, within=False)}) == {
        "one": EYES,
        "two": UNSURE,
    }
    assert verdicts({"one": case(SEEN, within=True)})["one"] != EYES


def test_one_pair_alone_blames_nobody_without_evidence() -> None:
    assert verdicts({"one": case(Observed(None, None, None, False))})["one"] == UNSURE
