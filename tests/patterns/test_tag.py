"""`tag` with models that say what the test tells them to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from snellen import benchmarks
from snellen.errors import Incomplete, ModelError, StudyError, UsageError
from snellen.patterns import TagResult, read_taxonomy, tag
from snellen.patterns.summary import described
from snellen.records import Ask
from tests.exam.fakes import Fake
from tests.test_benchmarks import write_benchmark

NINE = read_taxonomy("nine").ids


@pytest.fixture
def study(tmp_path: Path) -> Path:
    write_benchmark(tmp_path / "s" / "benchmarks" / "made", 12)
    return tmp_path / "s"


def made(study: Path) -> benchmarks.Benchmark:
    return benchmarks.read(study / "benchmarks" / "made")


def reply(*patterns: str) -> str:
    return json.dumps({"patterns": list(patterns)})


def judge(say: Callable[[Ask], str | None] | str, name: str = "openai/one", **more: Any) -> Fake:
    return Fake((lambda ask: say) if isinstance(say, str) else say, name=name, **more)


def by_number(study: Path, shift: int = 0) -> Callable[[Ask], str]:
    """Pair number k gets pattern k + shift, round and round."""
    names = list(made(study).pairs)
    return lambda ask: reply(NINE[(names.index(ask.question_id) + shift) % 9])


def tags_of(study: Path) -> dict[str, dict[str, tuple[str, ...]]]:
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for one in made(study).tags():  # reads strictly: a wrong line is an error
        found.setdefault(one.tagset, {})[one.question_id] = one.patterns
    return found


def test_each_pair_is_asked_once_and_both_questions_are_tagged(study: Path) -> None:
    model = judge(by_number(study))
    result = tag(study, "made", judges=[model])
    names = list(made(study).pairs)
    assert sorted(ask.question_id for ask in model.asked) == names
    assert all(ask.image is None and ask.control == "no_image" for ask in model.asked)
    expected = {f"{name}-{slot}": (NINE[at % 9],) for at, name in enumerate(names) for slot in "ab"}
    assert tags_of(study) == {"nine@1/judge:openai/one": expected}
    assert benchmarks.check(study / "benchmarks" / "made") == []
    [tagger] = result.taggers
    assert (tagger.tagged, tagger.none, tagger.unread, tagger.missing, tagger.new) == (12, 0, 0, 0, 12)
    lines = [json.loads(line) for line in result.path.read_text().splitlines()]
    assert {line["by"] for line in lines} == {f"judge:openai/one@{'f' * 8}"}
    assert len({line["prompt_sha256"] for line in lines}) == 1
    assert len(lines[0]["prompt_sha256"]) == 64


def test_again_nothing_is_asked_and_every_byte_is_the_same(study: Path) -> None:
    tag(study, "made", judges=[judge(by_number(study))])
    before = {path: path.read_bytes() for path in study.rglob("*") if path.is_file()}
    model = judge("nonsense")
    tag(study, "made", judges=[model])
    assert not model.asked
    assert {path: path.read_bytes() for path in study.rglob("*") if path.is_file()} == before


def test_what_others_wrote_is_kept(study: Path) -> None:
    folder = study / "benchmarks" / "made"
    first = made(study).questions[0].question_id
    foreign = json.dumps({"question_id": first, "tagset": "accepted", "patterns": ["state", "hue"], "by": "anna"})
    (folder / "tags.jsonl").write_text(foreign + "\n")
    tag(study, "made", judges=[judge(by_number(study))])
    assert json.loads((folder / "tags.jsonl").read_text().splitlines()[0]) == {
        **json.loads(foreign),
        "prompt_sha256": None,
    }
    assert len(tags_of(study)["nine@1/judge:openai/one"]) == 24


def test_unreadable_replies_are_counted_and_never_guessed(study: Path) -> None:
    names = list(made(study).pairs)

    def say(ask: Ask) -> str:
        number = names.index(ask.question_id)
        if number == 0:
            return "I would say count."
        return reply("count") if number > 1 or ask.repeat == 2 else "count"

    model = judge(say)
    result = tag(study, "made", judges=[model])
    [tagger] = result.taggers
    assert (tagger.tagged, tagger.unread, tagger.new) == (11, 1, 16)
    assert f"{names[0]}-a" not in tags_of(study)["nine@1/judge:openai/one"]
    assert f"{names[1]}-a" in tags_of(study)["nine@1/judge:openai/one"]
    assert [ask.repeat for ask in model.asked if ask.question_id == names[0]] == [0, 1, 2]
    assert "1 unread after three tries" in "\n".join(described(result))
    again = judge(reply("text"))
    assert tag(study, "made", judges=[again]).taggers[0].unread == 1
    assert not again.asked


def test_a_reply_that_was_cut_off_is_not_read(study: Path) -> None:
    model = judge(reply("count"), finish="length")
    assert tag(study, "made", judges=[model]).taggers[0].unread == 12
    assert "nine@1/judge:openai/one" not in tags_of(study)


def test_raw_replies_are_kept(study: Path) -> None:
    tag(study, "made", judges=[judge("<think>hm</think>" + reply())])
    [log] = [path for path in (study / "tagging" / "made").glob("openai-one-*.jsonl")]
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["text"] for line in lines} == {'<think>hm</think>{"patterns": []}'}
    settings = json.loads(log.with_suffix(".json").read_text())
    assert settings["taxonomy"] == {"name": "nine@1", "sha256": read_taxonomy("nine").sha256}
    assert set(tags_of(study)["nine@1/judge:openai/one"].values()) == {()}  # none fits: said, and no group of it


def test_errors_are_asked_again_and_leave_it_incomplete(study: Path) -> None:
    names = list(made(study).pairs)
    model = judge(lambda ask: None if names.index(ask.question_id) < 5 else reply("count"))
    told: list[TagResult] = []
    with pytest.raises(Incomplete, match=r"did not reply about 5 of 12 pairs: 5 ended in errors.*the line was cut"):
        tag(study, "made", judges=[model], report=told.append)
    assert told[0].taggers[0].missing == 5
    assert tags_of(study) == {}
    rest = judge(reply("text"))
    tag(study, "made", judges=[rest])
    assert sorted(ask.question_id for ask in rest.asked) == names[:5]
    assert len(tags_of(study)["nine@1/judge:openai/one"]) == 24


def test_what_is_wrong_with_one_judge_does_not_stop_the_others(study: Path) -> None:
    bad = judge(reply("count"), "openai/bad", stop_after=0, stop_with=ModelError("There is no key."))
    spent = judge(reply("count"), "openai/spent", stop_after=3, stop_with=Incomplete("The budget is spent."))
    with pytest.raises(ModelError, match="no key"):
        tag(study, "made", judges=[spent, bad, judge(by_number(study))])
    assert set(tags_of(study)) == {"nine@1/judge:openai/one"}
    with pytest.raises(Incomplete, match="9 of 12 pairs: The budget is spent"):
        tag(
            study,
            "made",
            judges=[judge(reply("count"), "openai/spent", stop_after=0, stop_with=Incomplete("The budget is spent."))],
        )


def test_several_judges_have_tagsets_of_their_own_and_a_majority(study: Path) -> None:
    names = list(made(study).pairs)
    one, two = judge(by_number(study)), judge(by_number(study), "openai/two")
    three = judge(lambda ask: reply("text"), "openai/three")
    result = tag(study, "made", judges=[one, two, three])
    found = tags_of(study)
    assert set(found) == {"nine@1", *(f"nine@1/judge:openai/{name}" for name in ("one", "two", "three"))}
    assert found["nine@1"] == found["nine@1/judge:openai/one"]
    by = {one.by for one in made(study).tags("nine@1")}
    assert by == {"majority of 3 taggers: judge:openai/one, judge:openai/three, judge:openai/two"}
    assert result.consensus is not None
    assert not result.consensus.disputed
    told = "\n".join(described(result))
    assert "12 pairs are few" in told
    assert "Krippendorff's alpha" in told
    assert names  # every one has a majority


def test_two_judges_who_differ_leave_a_pair_disputed_without_a_tag(study: Path) -> None:
    names = list(made(study).pairs)
    other = judge(lambda ask: reply("text") if ask.question_id == names[0] else by_number(study)(ask), "openai/two")
    result = tag(study, "made", judges=[judge(by_number(study)), other])
    assert result.consensus is not None
    assert result.consensus.disputed == (names[0],)
    assert set(tags_of(study)["nine@1"]) == {f"{name}-{slot}" for name in names[1:] for slot in "ab"}


def test_agreement_is_written_with_n_and_intervals(study: Path) -> None:
    names = list(made(study).pairs)
    other = judge(
        lambda ask: reply("text") if names.index(ask.question_id) < 3 else by_number(study)(ask), "openai/two"
    )
    result = tag(study, "made", judges=[judge(by_number(study)), other])
    written = json.loads(result.agreement_path.read_text())
    assert result.agreement_path == study / "tagging" / "made" / "agreement.json"
    assert written["benchmark"]["content_sha256"] == made(study).content_sha256
    [two] = written["two"]
    # pairs 0, 1, 2 differ; pair 7 is text for both
    assert (two["n_pairs"], two["same"]["value"], two["alike"]["value"]) == (12, 0.75, 0.75)
    text = next(one for one in two["patterns"] if one["pattern"] == "text")
    assert (text["given_a"], text["given_b"], text["given_both"]) == (1, 4, 1)
    # agreed 9 of 12; chance 1/12 * 4/12 + 11/12 * 8/12 = 92/144; kappa (108 - 92) / (144 - 92)
    assert text["agreed"]["value"] == 0.75
    assert text["kappa"]["value"] == pytest.approx(16 / 52)
    assert (study / "tagging" / "made" / "agreement.json.manifest.json").exists()
    told = "\n".join(described(result))
    assert "kappa 0.31" in told
    assert "rare" in told


def test_other_tagsets_can_be_compared_with(study: Path) -> None:
    names = list(made(study).pairs)
    folder = study / "benchmarks" / "made"
    lines = [
        {"question_id": f"{name}-{slot}", "tagset": "accepted", "patterns": ["count"], "by": "a"}
        for name in names
        for slot in "ab"
    ]
    (folder / "tags.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = tag(study, "made", judges=[judge(reply("count"))], beside=["accepted"])
    assert result.agreement.taggers == ("nine@1/judge:openai/one", "accepted")
    assert result.agreement.two[0].same.value == 1
    assert result.consensus is None  # it does not take part in the majority
    with pytest.raises(UsageError, match=r"no tagset 'other'.*'accepted', 'nine@1/judge"):
        tag(study, "made", beside=["other"])
    (folder / "tags.jsonl").write_text(json.dumps({**lines[0], "patterns": ["hue"]}) + "\n")
    with pytest.raises(StudyError, match="'hue', which is no pattern of nine@1"):
        tag(study, "made", beside=["accepted"])


def test_again_begins_a_new_round_and_keeps_the_old_one(study: Path) -> None:
    tag(study, "made", judges=[judge(reply("count"))])
    stopped = judge(reply("text"), stop_after=4, stop_with=Incomplete("The budget is spent."))
    with pytest.raises(Incomplete):
        tag(study, "made", judges=[stopped], again=True)
    assert set(tags_of(study)["nine@1/judge:openai/one"].values()) == {("count",)}
    rest = judge(reply("text"))
    tag(study, "made", judges=[rest], again=True)  # goes on with the round that was not finished
    assert len(rest.asked) == 8
    assert set(tags_of(study)["nine@1/judge:openai/one"].values()) == {("text",)}
    unasked = judge(reply("state"))
    tag(study, "made", judges=[unasked])
    assert not unasked.asked
    assert set(tags_of(study)["nine@1/judge:openai/one"].values()) == {("text",)}
    assert len(list((study / "tagging" / "made").glob("openai-one-*.jsonl"))) == 2
    tag(study, "made", judges=[judge(reply("state"))], again=True)
    assert len(list((study / "tagging" / "made").glob("openai-one-*.jsonl"))) == 3
    assert set(tags_of(study)["nine@1/judge:openai/one"].values()) == {("state",)}


def test_another_model_of_the_same_name_is_refused(study: Path) -> None:
    tag(study, "made", judges=[judge(reply("count"))])
    other = judge(reply("text"), fingerprint="e" * 64)
    with pytest.raises(StudyError, match="--tagset"):
        tag(study, "made", judges=[other])
    assert not other.asked
    tag(study, "made", judges=[other], tagset="nine@1/judge:newer")
    assert set(tags_of(study)) == {"nine@1/judge:newer", "nine@1/judge:openai/one"}  # no majority on any pair


def test_a_changed_benchmark_is_asked_anew(study: Path, tmp_path: Path) -> None:
    from tests.test_benchmarks import lines_of, seal, write_lines

    tag(study, "made", judges=[judge(reply("count"))])
    folder = study / "benchmarks" / "made"
    lines = lines_of(folder)
    for line in lines:
        line["text"] = "Which one?"
    write_lines(folder, lines)
    seal(folder, n_pairs=12)
    model = judge(reply("text"))
    tag(study, "made", judges=[model])
    assert len(model.asked) == 12


def test_a_name_stands_for_one_set_of_rules(study: Path, tmp_path: Path) -> None:
    own = {"name": "own@1", "patterns": [{"id": "edge", "name": "Edge", "belongs": "An edge."}]}
    path = tmp_path / "own.json"
    path.write_text(json.dumps(own))
    tag(study, "made", taxonomy=path, judges=[judge(reply("edge"))])
    assert set(tags_of(study)) == {"own@1/judge:openai/one"}
    own["patterns"][0]["belongs"] = "Any edge."  # type: ignore[index]
    path.write_text(json.dumps(own))
    with pytest.raises(StudyError, match="other rules under the name own@1"):
        tag(study, "made", taxonomy=path, judges=[judge(reply("edge"))], again=True)
    path.write_text(json.dumps(own | {"name": "own@2"}))
    tag(study, "made", taxonomy=path, judges=[judge(reply("edge"))])
    assert set(tags_of(study)) == {"own@1/judge:openai/one", "own@2/judge:openai/one"}


def test_pictures_are_shown_side_by_side(study: Path) -> None:
    from io import BytesIO

    from PIL import Image

    model = judge(by_number(study))
    tag(study, "made", judges=[model], images=True)
    assert set(tags_of(study)) == {"nine@1/judge:openai/one+images"}
    benchmark = made(study)
    for ask in model.asked:
        assert ask.image is not None
        assert ask.control == "none"
        with Image.open(BytesIO(ask.image)) as page:
            wide, high = page.size
            left, right = page.getpixel((3, 3)), page.getpixel((wide - 3, 3))
        assert (wide, high) == (2 * 640 + 24, 512)  # 40 x 32 pixels, scaled to 512 high
        for corner, place, question in zip(
            (left, right), ((0, 0), (39, 0)), benchmark.pairs[ask.question_id], strict=True
        ):
            with Image.open(BytesIO(benchmark.image(question))) as picture:
                assert picture.convert("RGB").getpixel(place) == pytest.approx(corner, abs=3)


def test_an_image_that_is_gone_costs_no_reply(study: Path) -> None:
    names = list(made(study).pairs)
    target = study / "benchmarks" / "made" / made(study).pairs[names[5]][0].image

    def say(ask: Ask) -> str:
        if ask.question_id == names[2]:
            target.rename(target.with_suffix(".gone"))
        return reply("count")

    with pytest.raises(StudyError, match="put the benchmark back"):
        tag(study, "made", judges=[judge(say)], images=True)
    target.with_suffix(".gone").rename(target)
    rest = judge(reply("count"))
    tag(study, "made", judges=[rest], images=True)
    assert len(rest.asked) == 7


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"taxonomy": "ten"}, "no taxonomy 'ten'"),
        ({"judges": ["nobody/x"]}, "unknown provider"),
        ({"hand": "a b"}, "is no pseudonym"),
        ({"tagset": "mine"}, "begins with nine@1/"),
        ({"tagset": "nine@1/x"}, "of one tagger"),
    ],
)
def test_wrong_options(study: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        tag(study, "made", **options)
    assert not (study / "tagging" / "made").exists()


def test_no_such_benchmark(study: Path) -> None:
    with pytest.raises(UsageError, match=r"no benchmark 'other'.*there are made"):
        tag(study, "other")
    with pytest.raises(UsageError, match="There is no benchmark in"):
        tag(study, study / "other")


def test_one_judge_twice_is_refused(study: Path) -> None:
    with pytest.raises(UsageError, match="name each once"):
        tag(study, "made", judges=[judge(reply("count")), judge(reply("text"))])


def test_the_name_of_the_majority_is_not_taken_from_others(study: Path) -> None:
    first = made(study).questions[0].question_id
    line = {"question_id": first, "tagset": "nine@1", "patterns": ["count"], "by": "anna"}
    (study / "benchmarks" / "made" / "tags.jsonl").write_text(json.dumps(line) + "\n")
    with pytest.raises(StudyError, match="tags by 'anna' under the name nine@1"):
        tag(study, "made", judges=[judge(reply("count"))])


def test_damaged_tags_are_refused_before_anything_is_asked(study: Path) -> None:
    (study / "benchmarks" / "made" / "tags.jsonl").write_text('{"question_id": "nobody"}\n')
    model = judge(reply("count"))
    with pytest.raises(StudyError, match=r"tags\.jsonl, line 1"):
        tag(study, "made", judges=[model])
    assert not model.asked
