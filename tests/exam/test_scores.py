"""Scores against tables worked out by hand, and against a plain recount of random answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen import benchmarks
from snellen.errors import Incomplete, ModelError, StudyError, UsageError
from snellen.exam import ask, grade, grade_runs
from snellen.exam.compare import compare
from snellen.exam.scores import label, scores
from snellen.exam.summary import described, find, line
from snellen.records import Ask, Grade, Question, Score
from snellen.runs.files import PLAIN, Sitting
from snellen.stats import wilson_interval
from snellen.study import Study
from tests.exam.fakes import Fake
from tests.test_benchmarks import lines_of, seal, write_benchmark, write_lines

REVERSED: Sitting = ("ba", 0, "none", "")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    write_benchmark(tmp_path / "s" / "benchmarks" / "made", 4)
    return tmp_path / "s"


def letter(question: Question, order: str, choice: int | None) -> str:
    """What a model says that means an option: "A" is the one shown first."""
    if choice is None:
        return "neither"
    return "AB"[choice if order == "ab" else 1 - choice]


def by_table(made: benchmarks.Benchmark, table: Mapping[tuple[int, str], str], otherwise: str = "right") -> Fake:
    """A model that is `right`, `wrong`, `first`, `second` or `mute` by (number of the question, order)."""
    numbers = {one.question_id: (at, one) for at, one in enumerate(made.questions)}

    def say(ask: Ask) -> str:
        at, question = numbers[ask.question_id]
        assert question.answer is not None
        what = table.get((at, ask.order), otherwise)
        meant = {"right": question.answer, "wrong": 1 - question.answer, "mute": None}
        if what in ("first", "second"):
            return "AB"[what == "second"]
        return letter(question, ask.order, meant[what])

    return Fake(say)


def of_run(run: Path) -> dict[tuple[str, str, str | None, str, str], Score]:
    found = [Score(**each) for each in json.loads((run / "scores.json").read_text())]
    keyed = {(one.metric, one.group, one.tagset, one.errata, one.order): one for one in found}
    assert len(keyed) == len(found)
    return keyed


def values(found: Mapping[tuple[str, str, str | None, str, str], Score], order: str = "ab") -> dict[str, Any]:
    return {key[0]: one.value for key, one in found.items() if key[1:] == ("all", None, "published", order)}


def test_a_habit_is_no_sight(study: Path) -> None:
    run = ask(study, benchmark="made", model=Fake(lambda _: "B"), both_orders=True).folder
    grade(study, run)
    found = of_run(run)
    for order in ("ab", "ba"):
        assert values(found, order) == {
            "pair_accuracy": 0.0,
            "same_answer_twice": 1.0,
            "both_wrong": 0.0,
            "unreadable": 0.0,
            "question_accuracy": 0.5,
            "same_answer_rate": 1.0,
            "position_bias": 0.0,
            "d_prime": 0.0,
            "criterion": values(found, order)["criterion"],
        }
    # log-linear: hits and false alarms (0 + 0.5) / (4 + 1) = 0.1, z = -1.2816; the other way round in the other order
    assert values(found, "ab")["criterion"] == pytest.approx(1.2816, abs=1e-4)
    assert values(found, "ba")["criterion"] == pytest.approx(-1.2816, abs=1e-4)
    assert values(found, "both") == {
        "pair_accuracy_strict": 0.0,
        "question_accuracy": 0.5,
        "position_bias": 0.0,
        "order_agreement": 0.0,
    }
    pair, question = (found[name, "all", None, "published", "ab"] for name in ("pair_accuracy", "question_accuracy"))
    assert (pair.low, pair.high) == wilson_interval(0, 4)
    assert (pair.n_pairs, pair.n_questions, pair.chance, question.chance) == (4, 8, 0.25, 0.5)
    assert question.low is not None and question.low < 0.3  # four pairs are no certainty
    strict = found["pair_accuracy_strict", "all", None, "published", "both"]
    assert (strict.n_pairs, strict.n_questions, strict.chance) == (4, 16, 1 / 16)


def test_by_hand(study: Path) -> None:
    """Pair 0: both right. Pair 1: same answer twice. Pair 2: both wrong. Pair 3: one right, one unparsed."""
    made = study / "benchmarks" / "made"
    lines = lines_of(made)
    tags = [
        {"question_id": lines[at]["question_id"], "tagset": tagset, "patterns": patterns, "by": "anna"}
        for at, tagset, patterns in (
            (0, "accepted", ["color"]),
            (1, "accepted", ["color"]),
            (2, "accepted", ["color", "text"]),
            (6, "accepted", ["text"]),
            (6, "other", ["color"]),
        )
    ]
    write_lines(made, tags, "tags.jsonl")
    model = by_table(
        benchmarks.read(made), {(2, "ab"): "wrong", (4, "ab"): "wrong", (5, "ab"): "wrong", (7, "ab"): "mute"}
    )
    run = ask(study, benchmark="made", model=model).folder
    result = grade(study, run)
    assert result.counts == {"correct": 4, "incorrect": 3, "unparsed": 1, "refused": 0, "error": 0}
    found = of_run(run)
    assert values(found) | {"d_prime": 0, "criterion": 0, "position_bias": 0} == {
        "pair_accuracy": 1 / 4,
        "same_answer_twice": 1 / 4,
        "both_wrong": 1 / 4,
        "unreadable": 1 / 4,
        "question_accuracy": 4 / 8,
        "same_answer_rate": 1 / 3,
        "position_bias": 0,
        "d_prime": 0,
        "criterion": 0,
    }
    expected = {  # pair accuracy, question accuracy, same-answer rate, pairs, pairs that can be read, unparsed
        ("color", "accepted"): (1 / 2, 3 / 4, 1 / 2, 2, 2, 0),
        ("text", "accepted"): (0.0, 2 / 4, 1.0, 2, 1, 1),
        ("color", "other"): (0.0, 1 / 2, None, 1, 0, 1),
    }
    for (group, tagset), due in expected.items():
        pair, question, same = (
            found[name, group, tagset, "published", "ab"]
            for name in ("pair_accuracy", "question_accuracy", "same_answer_rate")
        )
        assert (pair.value, question.value, same.value, pair.n_pairs, same.n_pairs, pair.n_unparsed) == due


def test_errata_are_shown_beside_what_was_published(study: Path) -> None:
    """Pair 0 is swapped, pair 1 dropped; the model goes by the published key but for pair 2."""
    made = study / "benchmarks" / "made"
    lines = lines_of(made)
    errata = [
        {"question_id": lines[at]["question_id"], "action": action, "reason": "seen", "source": "anna"}
        for at, action in ((0, "swap"), (1, "swap"), (2, "drop"), (3, "drop"))
    ]
    write_lines(made, errata, "errata.jsonl")
    run = ask(study, benchmark="made", model=by_table(benchmarks.read(made), {(4, "ab"): "wrong"})).folder
    grade(study, run)
    found = of_run(run)
    published, corrected = (found["pair_accuracy", "all", None, name, "ab"] for name in ("published", "corrected"))
    assert (published.value, published.n_pairs) == (3 / 4, 4)
    assert (corrected.value, corrected.n_pairs) == (1 / 3, 3)
    assert found["question_accuracy", "all", None, "corrected", "ab"].value == pytest.approx(3 / 6)


def test_both_orders(study: Path) -> None:
    """Only what is right both ways counts as strictly right."""
    made = benchmarks.read(study / "benchmarks" / "made")
    run = ask(
        study, benchmark="made", model=by_table(made, {(0, "ba"): "wrong", (3, "ab"): "mute"}), both_orders=True
    ).folder
    grade(study, run)
    found = of_run(run)
    assert values(found, "ab")["pair_accuracy"] == values(found, "ba")["pair_accuracy"] == 3 / 4
    assert values(found, "both")["pair_accuracy_strict"] == 2 / 4
    assert values(found, "both")["question_accuracy"] == 14 / 16
    agreement = found["order_agreement", "all", None, "published", "both"]
    assert (agreement.value, agreement.n_questions) == (6 / 7, 7)  # the mute one cannot be compared


def test_the_contrast_cancels_a_liking_for_a_letter(study: Path) -> None:
    made = benchmarks.read(study / "benchmarks" / "made")
    answers = {one.question_id: one.answer for one in made.questions}
    wrong = made.questions[6].pair_id

    def logprobs(ask: Ask) -> dict[str, float]:
        """B is always far likelier; a whisper tells the right answer, but for one pair."""
        right = answers[ask.question_id] if ask.order == "ab" else 1 - (answers[ask.question_id] or 0)
        whisper = 0.01 * (-1 if ask.question_id.startswith(wrong) else 1)
        return {"a": -9 + whisper * (right == 0), "b": -0.1 + whisper * (right == 1)}

    run = ask(study, benchmark="made", model=Fake(lambda _: "B", logprobs=logprobs), both_orders=True).folder
    grade(study, run)
    found = of_run(run)
    for order in ("ab", "ba"):
        score = found["logprob_contrast", "all", None, "published", order]
        assert (score.value, score.chance, score.n_pairs) == (3 / 4, 0.5, 4)
        assert values(found, order)["pair_accuracy"] == 0


def test_repeats_and_variants_agree_or_not(study: Path) -> None:
    made = benchmarks.read(study / "benchmarks" / "made")
    fickle = made.questions[1].question_id

    def say(ask: Ask) -> str:
        return "AB"[ask.question_id == fickle and (ask.repeat == 1 or ask.variant == "crop-0")]

    run = ask(study, benchmark="made", model=Fake(say), repeats=3, variants=["crop-0", "pad-0"]).folder
    grade(study, run)
    found = of_run(run)
    for metric, order in (("repeat_agreement", "3 repeats"), ("variant_agreement", "2 variants")):
        score = found[metric, "all", None, "published", order]
        assert (score.value, score.n_questions, score.n_pairs) == (7 / 8, 8, 4)
    assert values(found, "ab, repeat 1")["same_answer_twice"] == 3 / 4
    assert values(found, "ab, crop-0")["same_answer_twice"] == 3 / 4


def test_what_is_not_covered_blocks_the_score(study: Path) -> None:
    made = benchmarks.read(study / "benchmarks" / "made")
    broken = Fake(lambda ask: None if ask.question_id == made.questions[0].question_id else "A")
    with pytest.raises(Incomplete):
        ask(study, benchmark="made", model=broken)
    [run] = (path.parent for path in (study / "runs").glob("*/run.json"))
    with pytest.raises(Incomplete, match=r"of 8 answers 0 are missing and 1 ended in errors") as raised:
        grade(study, run)
    assert raised.value.exit_code == 3
    assert not (run / "scores.json").exists()
    grade(study, run, allow_incomplete=True)
    found = of_run(run)
    pair = found["pair_accuracy", "all", None, "published", "ab"]
    assert (pair.n_pairs, pair.n_questions, pair.n_error) == (3, 6, 1)
    assert "1 not covered" in line(pair)
    log = run / "responses.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(Incomplete, match="1 are missing and 1 ended in errors"):
        grade(study, run)


def test_answers_to_other_questions_are_refused(study: Path) -> None:
    run = ask(study, benchmark="made", model=Fake(lambda _: "A")).folder
    log = run / "responses.jsonl"
    text = log.read_text()
    stranger = json.loads(text.splitlines()[0]) | {"question_id": "0" * 16 + "-a"}
    log.write_text(text + json.dumps(stranger) + "\n")
    with pytest.raises(StudyError, match="answers 1 questions that were not asked"):
        grade(study, run)


def test_the_order_of_lines_means_nothing(study: Path) -> None:
    """A shuffled question file, shuffled answers, pairs with swapped rows: the same scores."""
    made = study / "benchmarks" / "made"
    table = {(2, "ab"): "wrong", (4, "ab"): "wrong", (5, "ab"): "wrong", (7, "ab"): "mute"}
    run = ask(study, benchmark="made", model=by_table(benchmarks.read(made), table)).folder
    grade(study, run)
    before = (run / "scores.json").read_bytes()
    answers = {
        one["question_id"]: one["text"] for one in map(json.loads, (run / "responses.jsonl").read_text().splitlines())
    }
    log = (run / "responses.jsonl").read_text().splitlines(keepends=True)
    (run / "responses.jsonl").write_text("".join(log[::-1]))
    grade(study, run)
    assert (run / "scores.json").read_bytes() == before
    lines = lines_of(made)
    write_lines(made, [lines[at] for at in (7, 2, 1, 4, 0, 6, 3, 5)])
    seal(made, n_pairs=4)
    shuffled = ask(study, benchmark="made", model=Fake(lambda ask: answers[ask.question_id])).folder
    assert shuffled != run  # another content hash
    grade(study, shuffled)
    assert (shuffled / "scores.json").read_bytes() == before
    with pytest.raises(StudyError, match="is not the benchmark that was asked"):
        grade(study, run)


def test_grading_again_gives_the_same_bytes_and_keeps_the_answers(study: Path) -> None:
    run = ask(study, benchmark="made", model=Fake(lambda _: "(a) one"), both_orders=True).folder
    grade(study, run)
    names = ("responses.jsonl", "grades.jsonl", "scores.json", "run.json")
    manifest = run.with_name(run.name + ".manifest.json")
    before = [(run / name).read_bytes() for name in names] + [manifest.read_bytes()]
    (run / "scores.json").unlink()
    grade(Study(study).root, run.name[:20])
    assert [(run / name).read_bytes() for name in names] + [manifest.read_bytes()] == before
    with pytest.raises(UsageError, match="there are openai"):
        grade(study, "nothing")


def test_in_words(study: Path) -> None:
    run = ask(study, benchmark="made", model=Fake(lambda _: "B"), both_orders=True).folder
    said = list(described(grade(study, run)))
    assert said[0] == f"openai/fake on made (letter@1; {run.name})"
    assert said[1] == "  pair accuracy                0.0 % [0.0, 49.0]  n = 4 pairs, chance 25 %"
    assert "  pair accuracy, strict (both) 0.0 % [0.0, 49.0]  n = 4 pairs, chance 6.25 %" in said
    assert said[-1] == "  4 pairs are few: look at the interval, not at the value"
    assert find(grade(study, run).scores, "pair_accuracy", order="ba").order == "ba"
    assert label(PLAIN) == "ab" and label(("ba", 2, "blank_image", "crop-1")) == "ba, repeat 2, blank_image, crop-1"


choice = st.sampled_from([0, 1, None])


@settings(max_examples=60, deadline=None)
@given(answers=st.lists(st.tuples(choice, choice, choice, choice), min_size=1, max_size=12), key=st.randoms())
def test_random_answers_are_recounted(answers: list[tuple[int | None, ...]], key: Any) -> None:
    questions = []
    for at in range(len(answers)):
        first = key.randrange(2)
        for slot, right in (("a", first), ("b", 1 - first)):
            questions.append(Question(f"{at:016x}-{slot}", f"{at:016x}", slot, "i", "i", "?", ("x", "y"), right))  # type: ignore[arg-type]
    made = benchmarks.Benchmark(Path("nowhere"), "n", "1", "0" * 64, None, None, None, tuple(questions))
    graded: dict[Any, Grade] = {}
    for question in questions:
        four = answers[int(question.pair_id, 16)]
        for order, choices in (("ab", four[:2]), ("ba", four[2:])):
            said = choices["ab".index(question.slot)]
            verdict = "unparsed" if said is None else "correct" if said == question.answer else "incorrect"
            one = Grade(question.question_id, order, 0, "none", "", said, verdict, "rules@1", None)  # type: ignore[arg-type]
            graded[one.key] = one
    found = {(one.metric, one.order): one for one in scores(made, [PLAIN, REVERSED], graded, {})}
    keys = {question.question_id: question.answer for question in questions}
    pairs = [(f"{at:016x}-a", f"{at:016x}-b") for at in range(len(answers))]
    for order, sides in (("ab", (0, 1)), ("ba", (2, 3))):
        both = [(four[sides[0]], four[sides[1]]) for four in answers]
        right = [(x == keys[a], y == keys[b]) for (x, y), (a, b) in zip(both, pairs, strict=True)]
        n = len(answers)
        assert found["pair_accuracy", order].value == sum(x and y for x, y in right) / n
        assert found["question_accuracy", order].value == pytest.approx(sum(x + y for x, y in right) / (2 * n))
        parts = [
            found[name, order].value for name in ("pair_accuracy", "same_answer_twice", "both_wrong", "unreadable")
        ]
        assert sum(part or 0.0 for part in parts) == pytest.approx(1)
        assert found["pair_accuracy", order].value <= found["question_accuracy", order].value + 1e-12  # type: ignore[operator]
    strict = sum(
        all((four[at] == keys[pair[at % 2]]) for at in range(4)) for four, pair in zip(answers, pairs, strict=True)
    )
    assert found["pair_accuracy_strict", "both"].value == strict / len(answers)


def test_alike_answers_claim_no_certainty(study: Path) -> None:
    """All right: a bootstrap over pairs would have no width."""
    made = benchmarks.read(study / "benchmarks" / "made")
    run = ask(study, benchmark="made", model=by_table(made, {})).folder
    result = grade(study, run)
    score = find(result.scores, "d_prime")
    assert score.value is not None and score.value > 2 and (score.low, score.high) == (None, None)
    assert any("d' " in said and "interval not defined" in said for said in described(result))
    other = ask(study, benchmark="made", model=Fake(by_table(made, {}).say, name="openai/other")).folder
    grade(study, other)
    found = compare(run, other).pairs.difference_points
    assert found is not None
    upper = 100 * wilson_interval(0, 4)[1]
    assert found[:3] == pytest.approx((0, -upper, upper))


def test_answers_that_were_cut_are_counted(study: Path) -> None:
    listing = Fake(lambda _: "Let me consider the options.\nA. one", finish="length")
    run = ask(study, benchmark="made", model=listing).folder
    result = grade(study, run)
    assert result.cut == 8 and result.counts["unparsed"] == 8
    assert any(said.startswith("  8 answers were cut off") for said in described(result))


def test_one_bad_run_does_not_keep_the_others_from_being_graded(study: Path) -> None:
    made = benchmarks.read(study / "benchmarks" / "made")
    broken = Fake(lambda one: None if one.question_id == made.questions[0].question_id else "A", name="openai/a")
    with pytest.raises(Incomplete):
        ask(study, benchmark="made", model=broken)
    damaged = ask(study, benchmark="made", model=Fake(lambda _: "A", name="openai/b")).folder
    (damaged / "responses.jsonl").write_text("no line\n")
    ask(study, benchmark="made", model=Fake(lambda _: "A", name="openai/c"))
    said = []
    with pytest.raises(StudyError, match=r"line 1, is not JSON .*2 of 3 runs could not be graded"):
        for line_ in grade_runs(study):
            said.append(line_)
    assert said[0].startswith("openai/c on made")


def test_who_never_answers_leaves_no_run(study: Path) -> None:
    with pytest.raises(ModelError):
        ask(study, benchmark="made", model=Fake(lambda _: "A", stop_after=0, stop_with=ModelError("wrong key")))
    assert not list((study / "runs").glob("*/"))
    with pytest.raises(UsageError, match="ask a model first"):
        list(grade_runs(study))
