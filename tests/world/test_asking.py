"""What training asks and tells: true answers, fair options, shorthand, and reading behind what came before."""

from __future__ import annotations

import re
from collections import Counter
from types import SimpleNamespace
from typing import Any

import torch
from scipy.stats import binom

from snellen.world.nets.build import language_model
from snellen.world.nets.tokenizer import SHORTHAND, vocabulary
from snellen.world.scene import questions
from snellen.world.scene.facts import CONTEXTS, FACTORS, KINDS, random_facts, random_for
from snellen.world.training.asking import answered, asked, described, ids, padded, question
from snellen.world.training.language import in_shorthand
from snellen.world.training.reading import logits


def words_of(row: list[int]) -> list[str]:
    """The words of a row of tokens, without padding."""
    names = {number: word for word, number in vocabulary().items()}
    return [names[token] for token in row if token]


OF_TEXTS = {
    "kind": r"^what is in the picture \?",
    "context": r"^where was the picture taken \?",
    "orientation": r"^which way does the \w+ face \?",
    "presence": r"^is there a hat on the \w+ \?",
    "state": r"^is the lamp lit or dark \?",
    "count": r"^how many eggs lie in front of the \w+ \?",
    "position": r"^on which side of the \w+ is the crate \?",
    "color": r"^what color is the \w+ \?",
    "structure": r"^is the \w+ hollow or solid \?",
    "text": r"^which letter is on the sign \?",
    "viewpoint": r"^is the \w+ seen from above or from the side \?",
}
"""How each topic is asked: a table of our own."""


def said_of(facts: Any, topic: str) -> str:
    """The answer in the world's words: a table of our own."""
    value = str(getattr(facts, topic)).lower()
    return {"hat": "yes", "none": "no"}.get(value, value) if topic == "presence" else value


def test_the_answers_of_training_are_true() -> None:
    facts = [random_facts(random_for("facts", number)) for number in range(60)]
    rows = asked(facts, 3000, random_for("asked"), plain=0.3, open_=0.4)
    opened, letters, topics = 0, Counter[str](), Counter[str]()
    for row, answer, scene, topic in zip(
        rows.tokens.tolist(), rows.answers.tolist(), rows.scenes.tolist(), rows.topics, strict=True
    ):
        words = words_of(row)
        text = " ".join(words)
        assert [name for name, pattern in OF_TEXTS.items() if re.search(pattern, text)] == [topic], text
        (said,) = words_of([answer])
        due = said_of(facts[scene], topic)
        if facts[scene].kind != words[3] and topic not in ("kind", "context"):
            assert facts[scene].kind in words or topic in ("state", "text"), text
        topics[topic] += 1
        assert words[-1] == ":" and row[-1] == vocabulary()[":"]
        if "(a)" not in words:
            opened += 1
            assert said == due, text
            continue
        offered = {"(a)": words[words.index("(a)") + 1], "(b)": words[words.index("(b)") + 1]}
        assert words.index("(b)") == words.index("(a)") + 2 == len(words) - 3
        assert offered[said] == due and len(set(offered.values())) == 2, text
        letters[said] += 1
    for count, n, share in (
        (opened, 3000, 0.4),
        (topics["kind"] + topics["context"], 3000, 0.3),
        (letters["(a)"], letters.total(), 0.5),
        *((topics[name], 3000, 0.7 / 9) for name in FACTORS),
    ):
        assert binom.ppf(1e-5, n, share) <= count <= binom.ppf(1 - 1e-5, n, share)
    assert rows.tokens[:, 0].eq(0).any() and not rows.tokens[:, -1].eq(0).any()


def test_every_answer_is_one_word() -> None:
    for topic, values in questions.TOPICS.items():
        said = [ids(questions.option(value)) for value in values]
        assert all(len(each) == 1 for each in said) and len(set(said)) == len(values), topic


def test_all_wrong_options_are_offered_alike() -> None:
    facts = random_facts(random_for("options")).but(color="red")
    random, others = random_for("wrong"), Counter[str]()
    for _ in range(2000):
        row, _answer = question(facts, "color", random, open_=False)
        others.update(set(words_of(list(row))) & {"blue", "green", "yellow", "purple"})
    assert others.total() == 2000
    assert all(binom.ppf(1e-5, 2000, 0.25) <= count <= binom.ppf(1 - 1e-5, 2000, 0.25) for count in others.values())


def test_after_the_answer_comes_the_end() -> None:
    tokens, targets = answered(torch.tensor([[0, 7, 9], [6, 8, 9]]), torch.tensor([5, 6]))
    assert tokens.tolist() == [[0, 7, 9, 5], [6, 8, 9, 6]]
    assert targets.tolist() == [[5, vocabulary()["<eos>"]], [6, vocabulary()["<eos>"]]]


def test_a_description_says_what_is_asked_and_nothing_false() -> None:
    random, mentioned = random_for("described"), Counter[str]()
    of_ours = {"kind": KINDS, "context": CONTEXTS, "color": FACTORS["color"], "count": FACTORS["count"]}
    lengths = Counter[int]()
    for number in range(900):
        facts = random_facts(random_for("described", number))
        words = words_of(list(described(facts, "color", random)))
        for topic, values in of_ours.items():
            named = {value for value in values if value in words}
            assert named <= {getattr(facts, topic)}
            mentioned[topic] += len(named)
        lengths[len(words)] += 1
    assert mentioned["color"] == 900
    share = (0.0 + 0.25 + 0.6) / 3
    for topic in ("kind", "context", "count"):
        assert binom.ppf(1e-5, 900, share) <= mentioned[topic] <= binom.ppf(1 - 1e-5, 900, share), topic
    assert lengths[1] >= binom.ppf(1e-5, 900, 1 / 3)  # a third tells nothing but what is asked


def test_questions_in_a_row_are_about_the_same_scene() -> None:
    facts = [random_facts(random_for("facts", number)) for number in range(500)]
    rows = asked(facts, 60, random_for("rows"), plain=0.3, open_=0.4, of_each=3)
    assert rows.scenes_seen.tolist() == rows.scenes.reshape(20, 3)[:, 0].tolist()
    assert (rows.scenes.reshape(20, 3) == rows.scenes_seen[:, None]).all() and len(set(rows.scenes_seen)) > 15
    for row, answer, scene, topic in zip(
        rows.tokens.tolist(), rows.answers.tolist(), rows.scenes.tolist(), rows.topics, strict=True
    ):
        words, (said,) = words_of(row), words_of([answer])
        due = said_of(facts[scene], topic)
        assert (words[words.index(said) + 1] if said in ("(a)", "(b)") else said) == due


def tiny_reader() -> Any:
    """An untrained reader, its weights large enough that every token matters."""
    torch.manual_seed(0)
    model = language_model().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.3)
    return model


def test_reading_behind_something_is_reading_both_in_one_row() -> None:
    model = tiny_reader()
    scenes, rows = [(40, 41, 42, 43), (44, 45)], [(50, 51), (52,), (53, 54, 55), (56, 57)]
    before, words = padded(scenes), padded(rows)
    with torch.no_grad():
        found = logits(model, model.model.embed_tokens(before), (before != 0).long(), words, last=1)
        for number, row in enumerate(rows):
            alone = model(input_ids=torch.tensor([[*scenes[number // 2], *row]])).logits[0, -1]
            assert (found[number, 0] - alone).abs().max() <= 1e-4
    assert (found[0] - found[2]).abs().max() > 1e-2


def test_shorthand_tells_what_is_asked_and_nothing_false() -> None:
    """Where every token of shorthand is a direction of its own, a scene's sum shows what it holds."""
    model = tiny_reader()
    ids = vocabulary()
    directions = torch.zeros(len(ids), 96)
    for number, token in enumerate(SHORTHAND.values()):
        directions[ids[token], number] = 1.0
    with torch.no_grad():
        model.model.embed_tokens.weight.copy_(directions)
    names, places_seen = list(SHORTHAND), set()
    for number in range(12):
        told = in_shorthand(model, 40, random_for("shorthand", number), 1.0)
        assert told.mask.all() and told.mask.shape == told.before.shape[:2]
        places_seen.add(told.before.shape[1])
        for before, row, answer in zip(told.before, told.questions.tolist(), told.answers.tolist(), strict=True):
            text = " ".join(words_of(row))
            (topic,) = (name for name, pattern in OF_TEXTS.items() if re.search(pattern, text))
            (due,) = words_of([answer])
            said = [names[at] for at in range(len(names)) if before[:, at].max() > 0.75]
            by_topic = dict(said)
            assert len(by_topic) == len(said)  # never two values of one topic
            assert said_of(SimpleNamespace(**by_topic), topic) == due
    assert places_seen == {1, 4, 16, 64}


def test_padding_is_on_the_left() -> None:
    assert padded([(5, 6, 7), (8,)]).tolist() == [[5, 6, 7], [0, 0, 8]]
    assert padded([(5,)]).dtype == torch.int64
