"""Captions, questions and statements: true, and mentioning what they should as often as they should."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from scipy.stats import binom

from snellen.world.asking import accepted_pair, statement
from snellen.world.draw import caption_of
from snellen.world.scene import questions
from snellen.world.scene.captions import MENTION_RATES, caption, phrase
from snellen.world.scene.facts import CONTEXTS, FACTORS, KINDS, Facts, change, random_facts, random_for
from snellen.world.scene.families import families
from snellen.world.table import Picture

PLACES = {
    "beach": "beach",
    "forest": "forest",
    "snow": "snow",
    "night": "night",
    "desert": "desert",
    "lake": "lake",
}
SAYS = {
    "orientation": {"left": "facing left", "right": "facing right"},
    "presence": {"hat": "with a hat", "none": "without a hat"},
    "state": {"lit": "under a lit lamp", "dark": "under a dark lamp"},
    "count": {"one": "one egg", "two": "two eggs", "three": "three eggs", "four": "four eggs"},
    "position": {"left": "crate on the left", "right": "crate on the right"},
    "color": {name: name for name in ("red", "blue", "green", "yellow", "purple")},
    "structure": {"hollow": "hollow", "solid": "solid"},
    "text": {letter: f"letter {letter.lower()}" for letter in "HLTXO"},
    "viewpoint": {"above": "seen from above", "side": "seen from the side"},
}
"""How each value is said: a table of our own."""


def said(text: str, topic: str) -> set[str]:
    """The values of a topic that a text names."""
    return {value for value, words in SAYS[topic].items() if re.search(rf"\b{words}\b", text)}


def test_captions_name_kind_and_place_and_never_contradict_the_facts() -> None:
    for shot in families(0, "exam", 200):
        for text in (caption_of(shot), caption_of(shot, dict.fromkeys(FACTORS, 1.0))):
            assert {kind for kind in KINDS if kind in text.split()} == {shot.facts.kind}
            assert {place for place in CONTEXTS if PLACES[place] in text.split()} == {shot.facts.context}
            for topic in FACTORS:
                assert said(text, topic) <= {getattr(shot.facts, topic)}, text
        assert all(said(text, topic) for topic in FACTORS), text


def test_captions_mention_each_factor_as_often_as_its_rate_says() -> None:
    n = 3000
    facts = random_facts(random_for("rates"))
    counts: Counter[str] = Counter()
    for number in range(n):
        text = caption(facts, random_for("rates", number))
        counts.update(topic for topic in FACTORS if said(text, topic))
    for topic, rate in MENTION_RATES.items():
        assert binom.ppf(1e-6, n, rate) <= counts[topic] <= binom.ppf(1 - 1e-6, n, rate), topic


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_rates_of_nought_and_one_are_never_and_always(rate: float) -> None:
    for number in range(50):
        facts = random_facts(random_for("facts", number))
        text = caption(facts, random_for("caption", number), dict.fromkeys(FACTORS, rate))
        assert {topic for topic in FACTORS if said(text, topic)} == (set(FACTORS) if rate else set())


def test_what_another_factor_is_said_does_not_change_whether_one_is() -> None:
    """The same random numbers decide, whatever the other rates are."""
    facts = random_facts(random_for("facts"))
    for number in range(100):
        usual = caption(facts, random_for("x", number))
        louder = caption(facts, random_for("x", number), {**MENTION_RATES, "text": 1.0})
        for topic in set(FACTORS) - {"text"}:
            assert said(usual, topic) == said(louder, topic)


def test_questions_are_whole_sentences_and_options_tell_values_apart() -> None:
    facts = random_facts(random_for("facts"))
    for topic, values in questions.TOPICS.items():
        text = questions.text(topic, facts)
        assert text.endswith("?")
        assert "{" not in text
        assert len({questions.option(value).casefold() for value in values}) == len(values)


def picture_of(facts: Facts, name: str) -> Picture:
    return Picture(name * 64, f"images/{name}.png", 0, "exam", 0, 0, "base", (), facts, "x")


def test_answers_and_statements_are_true_of_random_scenes() -> None:
    for number in range(150):
        random = random_for("pairs", number)
        first = random_facts(random)
        names = list(FACTORS)
        asked = names[number % len(names)]
        others = tuple(name for name in names if name == asked or random.randint(2))
        second = change(random, first, others)
        pair = accepted_pair(picture_of(first, "a"), picture_of(second, "b"), asked, blind_cosine=0.5)
        yes = {"hat": "yes", "none": "no"}
        for facts, answer, text in (
            (first, pair.answer_a, pair.statement_a),
            (second, pair.answer_b, pair.statement_b),
        ):
            value = getattr(facts, asked)
            assert pair.options[answer] == yes.get(value, value)
            assert text is not None
            assert text == statement(asked, facts)
            assert said(text, asked) == {value}
            assert facts.kind in text.split()
            assert PLACES[facts.context] in text.split()
            assert not any(said(text, topic) for topic in FACTORS if topic != asked)
        assert pair.answer_a != pair.answer_b
        assert pair.patterns == (asked,)
        assert (pair.blind_cosine, pair.reference_cosine, pair.decided_by) == (0.5, None, ("world",))
        assert phrase(asked, first) in pair.difference


def test_pairs_that_cannot_be_asked_about_are_refused() -> None:
    facts = random_facts(random_for("facts")).but(state="lit", kind="ball")
    with pytest.raises(ValueError, match="no pair to be asked about state"):
        accepted_pair(picture_of(facts, "a"), picture_of(facts, "b"), "state")
    with pytest.raises(ValueError, match="no pair"):
        accepted_pair(picture_of(facts, "a"), picture_of(facts.but(kind="tent", state="dark"), "b"), "state")
