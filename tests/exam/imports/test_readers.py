"""What each tool writes, read from files in its format, and graded to the scores that the answers deserve."""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from snellen.errors import Incomplete, StudyError, UsageError
from snellen.exam import grade
from snellen.exam.imports import import_answers
from snellen.exam.imports.detect import reader
from snellen.exam.summary import find
from snellen.runs import read_header, read_responses
from tests.exam.imports import peers
from tests.exam.imports.peers import Row, rows_of, turned, write_numbered
from tests.test_benchmarks import lines_of

Writer = Callable[[Path, Sequence[Row]], Path]

WRITERS: dict[str, tuple[str, str, Writer]] = {
    # name of the test: source, file name, writer
    "official": ("official", "answer.jsonl", peers.official),
    "lmms-eval": ("lmms-eval", "x_samples_mmvp.jsonl", peers.lmms_eval),
    "lmms-eval, doc kept": ("lmms-eval", "samples.jsonl", lambda path, rows: peers.lmms_eval(path, rows, doc=True)),
    "vlmevalkit xlsx": ("vlmevalkit", "m_MMVP.xlsx", peers.xlsx),
    "vlmevalkit xlsx from 0": ("vlmevalkit", "m.xlsx", lambda path, rows: peers.xlsx(path, rows, counted_from=0)),
    "vlmevalkit tsv": ("vlmevalkit", "m.tsv", peers.tsv),
    "vlmevalkit csv": ("vlmevalkit", "m.csv", peers.tsv),
}


def inspect_writers(folder: Path) -> dict[str, Writer]:
    def write(make: Callable[..., Path], by: str) -> Writer:
        return lambda path, rows: make(path, [peers.sample(row, folder, by=by) for row in rows])

    return {
        **{f"inspect.json by {by}": write(peers.inspect_json, by) for by in ("id", "metadata", "image", "attachment")},
        **{f"inspect.eval by {by}": write(peers.inspect_eval, by) for by in ("id", "metadata", "image", "attachment")},
    }


def every_writer(folder: Path) -> list[tuple[str, str, str, Writer]]:
    found = [(name, *values) for name, values in WRITERS.items()]
    for name, writer in inspect_writers(folder).items():
        found.append((name, "inspect", "log.json" if ".json" in name else "log.eval", writer))
    return found


NAMES = [*WRITERS, *inspect_writers(Path())]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    write_numbered(tmp_path / "s")
    return tmp_path / "s"


def folder_of(study: Path) -> Path:
    return study / "benchmarks" / "MMVP"


def writer_of(study: Path, name: str) -> tuple[str, str, Writer]:
    return next(found[1:] for found in every_writer(folder_of(study)) if found[0] == name)


def bring(study: Path, path: Path, **options: Any) -> Path:
    return import_answers(study, path, benchmark="MMVP", **{"model": "llava-1.5-7b", **options})


def half_right(at: int, row: Row) -> str:
    """Pairs 1 and 2 right, pair 3 the same letter twice, pair 4 both wrong: 2/4 pairs and 5/8 questions."""
    if at in (5, 6):
        return "A"
    return "AB"[1 - row["answer"] if at in (7, 8) else row["answer"]]


def pairs_and_questions(study: Path, run: Path) -> tuple[float | None, float | None]:
    found = grade(study, run.name).scores
    return find(found, "pair_accuracy").value, find(found, "question_accuracy").value


@pytest.mark.parametrize("name", NAMES)
def test_every_format_is_told_and_graded_alike(study: Path, tmp_path: Path, name: str) -> None:
    source, file, write = writer_of(study, name)
    path = write(tmp_path / file, rows_of(folder_of(study), half_right))
    assert reader(path, None)[0] == source
    run = bring(study, path)
    assert pairs_and_questions(study, run) == (2 / 4, 5 / 8)
    header = read_header(run / "run.json")
    assert (header.kind, header.model, header.profile) == ("import", "llava-1.5-7b", f"{source}@1")
    assert (header.decoding, header.template, header.sittings) == ({}, None, (("ab", 0, "none", ""),))
    assert bring(study, path) == run


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_lines_counts_for_nothing(study: Path, tmp_path: Path, name: str) -> None:
    _, file, write = writer_of(study, name)
    rows = rows_of(folder_of(study), half_right)
    plain = read_responses(bring(study, write(tmp_path / file, rows)) / "responses.jsonl")
    said = {key: one.text for key, one in plain.items()}
    for seed in range(5):
        mixed = random.Random(seed).sample(rows, len(rows))
        folder = tmp_path / str(seed)
        folder.mkdir()
        run = bring(study, write(folder / file, mixed), model=f"mixed {seed}")
        assert {key: one.text for key, one in read_responses(run / "responses.jsonl").items()} == said
        assert pairs_and_questions(study, run) == (2 / 4, 5 / 8)


@pytest.mark.parametrize("name", NAMES)
def test_options_in_the_other_order_are_imported_as_they_were_shown(study: Path, tmp_path: Path, name: str) -> None:
    _, file, write = writer_of(study, name)
    run = bring(study, write(tmp_path / file, [turned(row) for row in rows_of(folder_of(study), half_right)]))
    assert read_header(run / "run.json").sittings == (("ba", 0, "none", ""),)
    scores = grade(study, run.name).scores
    assert find(scores, "pair_accuracy", order="ba").value == 2 / 4
    assert find(scores, "question_accuracy", order="ba").value == 5 / 8


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_answer_is_refused_and_blocks_the_score_until_told_otherwise(
    study: Path, tmp_path: Path, name: str
) -> None:
    _, file, write = writer_of(study, name)
    rows = [row for row in rows_of(folder_of(study), half_right) if row["number"] != 3]
    path = write(tmp_path / file, rows)
    with pytest.raises(Incomplete, match=r"no answer to 1 of 8 questions, the first [0-9a-f]{16}-a \(MMVP:3\)"):
        bring(study, path)
    assert not list((study / "runs").glob("*/run.json"))
    run = bring(study, path, allow_missing=True)
    with pytest.raises(Incomplete, match="1 are missing"):
        grade(study, run.name)
    found = grade(study, run.name, allow_incomplete=True).scores
    pair, question = find(found, "pair_accuracy"), find(found, "question_accuracy")
    assert (pair.value, pair.n_pairs, pair.n_error) == (1 / 3, 3, 1)  # pair 2 is left out, with both its questions
    assert (question.value, question.n_questions) == (3 / 6, 6)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "inspect.eval by id"])
def test_a_question_that_is_answered_twice_is_refused(study: Path, tmp_path: Path, name: str) -> None:
    _, file, write = writer_of(study, name)
    rows = rows_of(folder_of(study))
    again = rows[4] | ({"number": 99} if name.startswith("inspect.eval") else {})  # the name of the file in the zip
    path = write(tmp_path / file, [*rows, again])
    with pytest.raises(StudyError, match=r"answers [0-9a-f]{16}-a \(MMVP:5\) once more, as (line|row|sample) "):
        bring(study, path)


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_two_files_of_one_name_in_a_log_are_refused(study: Path, tmp_path: Path) -> None:
    folder = folder_of(study)
    samples = [peers.sample(row, folder) for row in rows_of(folder)]
    with pytest.raises(StudyError, match="two files of one name"):
        bring(study, peers.inspect_eval(tmp_path / "log.eval", [*samples, samples[0]]))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", ["text", "option", "key"])
def test_what_is_said_otherwise_of_a_question_is_named(study: Path, tmp_path: Path, name: str, change: str) -> None:
    _, file, write = writer_of(study, name)
    rows = rows_of(folder_of(study))
    changes: dict[str, Row] = {
        "text": {"text": "How many wheels (tires) are there?"},
        "option": {"shown": ["1 (one)", "3"]},
        "key": {"key": 1 - rows[2]["key"]},
    }
    rows[2] = rows[2] | changes[change]
    with pytest.raises(StudyError) as raised:
        bring(study, write(tmp_path / file, rows))
    said = str(raised.value)
    assert "nothing was imported" in said
    assert "MMVP:3" in said or "number 2" in said  # of sheets that count from 0 or 1, that which went further
    assert not list((study / "runs").glob("*/run.json"))


def test_swapped_rows_of_the_question_file_are_refused(study: Path, tmp_path: Path) -> None:
    """The official script shows the image of a row's place: with two rows swapped, the key is the other image's."""
    rows = rows_of(folder_of(study))
    rows[2], rows[3] = rows[3] | {"number": 3}, rows[2] | {"number": 4}
    with pytest.raises(StudyError, match=r"line 3, holds another option to be the answer of .*MMVP:3"):
        bring(study, peers.official(tmp_path / "answer.jsonl", rows))
    assert (
        pairs_and_questions(study, bring(study, peers.official(tmp_path / "b.jsonl", rows_of(folder_of(study))[::-1])))[
            0
        ]
        == 1.0
    )


def test_a_key_that_an_erratum_speaks_of_may_differ(study: Path, tmp_path: Path) -> None:
    folder = folder_of(study)
    peers.write_jsonl(
        folder / "errata.jsonl",
        [
            {"question_id": line["question_id"], "action": "swap", "reason": "wrong", "source": "us"}
            for line in lines_of(folder)[2:4]
        ],
    )
    rows = rows_of(folder)
    rows[2:4] = [row | {"key": 1 - row["key"]} for row in rows[2:4]]
    run = bring(study, peers.lmms_eval(tmp_path / "s.jsonl", rows))
    found = grade(study, run.name).scores
    assert find(found, "pair_accuracy").value == 1.0  # it said what was published
    assert find(found, "pair_accuracy", errata="corrected").value == 3 / 4


FAILED = {
    "official": "Error code: 500 - the server is gone",
    "lmms-eval": "[LMMS_EVAL_REQUEST_FAILED after 5 retries] Connection error via a proxy",
    "vlmevalkit xlsx": "Failed to obtain answer via API.",
    "vlmevalkit tsv": "Failed to obtain answer via API.",
}


@pytest.mark.parametrize("name", FAILED)
def test_a_note_that_a_request_failed_is_an_error_and_no_answer(study: Path, tmp_path: Path, name: str) -> None:
    _, file, write = writer_of(study, name)
    rows = rows_of(folder_of(study), lambda at, row: FAILED[name] if at == 8 else "AB"[row["answer"]])
    run = bring(study, write(tmp_path / file, rows))
    [gone] = [one for one in read_responses(run / "responses.jsonl").values() if one.finish == "error"]
    assert (gone.text, gone.error) == (None, FAILED[name])
    with pytest.raises(Incomplete, match="1 ended in errors"):
        grade(study, run.name)
    assert find(grade(study, run.name, allow_incomplete=True).scores, "pair_accuracy").n_pairs == 3


@pytest.mark.parametrize("write", [peers.xlsx, peers.tsv])
def test_an_empty_cell_is_an_error(study: Path, tmp_path: Path, write: Writer) -> None:
    rows = rows_of(folder_of(study), lambda at, row: "" if at == 8 else "AB"[row["answer"]])
    run = bring(study, write(tmp_path / ("m.xlsx" if write is peers.xlsx else "m.tsv"), rows))
    assert [one.finish for one in read_responses(run / "responses.jsonl").values()].count("error") == 1


def test_doc_id_is_only_a_place(study: Path, tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    peers.lmms_eval(path, rows_of(folder_of(study)))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        del line["mmvp_accuracy"], line["mmvp_pair_accuracy"]
    peers.write_jsonl(path, lines)
    with pytest.raises(StudyError, match=r"line 1, does not say which question it answers.*doc_id is only a place"):
        bring(study, path)


def test_lmms_eval_shows_a_part_of_options_with_brackets(study: Path, tmp_path: Path) -> None:
    """That tool cuts "1 (one)" away, so what its letters meant is known only from the prompt that it kept."""
    path = peers.lmms_eval(tmp_path / "s.jsonl", rows_of(folder_of(study)), doc=True, input=None)
    with pytest.raises(StudyError, match="line 3, has options with a bracket"):
        bring(study, path)
    rows = rows_of(folder_of(study))
    path = peers.lmms_eval(tmp_path / "t.jsonl", rows, doc=True)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[2]["input"] = f"{rows[2]['text']}\nA. 2\nAnswer with the option's letter from the given choices directly."
    with pytest.raises(StudyError, match=r"line 3, shows .*and the options of"):
        bring(study, peers.write_jsonl(path, lines))


def test_repeats(study: Path, tmp_path: Path) -> None:
    folder = folder_of(study)
    rows = rows_of(folder)
    samples = [peers.sample(row, folder, epoch=epoch) for row in rows for epoch in (1, 2)]
    runs = [
        bring(study, peers.inspect_eval(tmp_path / "log.eval", samples)),
        bring(study, peers.lmms_eval(tmp_path / "s.jsonl", rows, filtered_resps=[["A", "B"]])),
    ]
    for run in runs:
        assert read_header(run / "run.json").sittings == (("ab", 0, "none", ""), ("ab", 1, "none", ""))
        assert len(read_responses(run / "responses.jsonl")) == 16
    assert find(grade(study, runs[0].name).scores, "repeat_agreement", order="2 repeats").value == 1.0
    assert find(grade(study, runs[1].name).scores, "repeat_agreement", order="2 repeats").value == 0.0


def test_options_in_mixed_orders(study: Path, tmp_path: Path) -> None:
    """As Inspect's shuffled choices leave them: each question once, in one order or the other."""
    folder = folder_of(study)
    rows = [turned(row) if at % 3 == 0 else row for at, row in enumerate(rows_of(folder))]
    path = peers.inspect_json(tmp_path / "log.json", [peers.sample(row, folder) for row in rows])
    with pytest.raises(Incomplete, match=r"options of 5 questions as published and of 3 the other way round"):
        bring(study, path)
    both = rows_of(folder) + [turned(row) | {"question_id": row["question_id"]} for row in rows_of(folder)]
    run = bring(study, peers.inspect_json(tmp_path / "both.json", [peers.sample(row, folder) for row in both]))
    assert find(grade(study, run.name).scores, "pair_accuracy_strict", order="both").value == 1.0


def test_inspect_outputs(study: Path, tmp_path: Path) -> None:
    folder = folder_of(study)
    samples = [peers.sample(row, folder) for row in rows_of(folder)]
    parts = [{"type": "reasoning", "reasoning": "B?"}, {"type": "text", "text": "A"}]
    samples[0]["output"]["choices"][0]["message"]["content"] = parts
    samples[1]["output"]["choices"][0]["stop_reason"] = "max_tokens"
    samples[2]["error"] = {"message": "the line was cut", "traceback": "..."}
    samples[3]["output"] = {"model": "openai/x", "choices": [], "completion": "B", "error": None}
    samples[4]["output"] = {}
    samples[5]["output"]["choices"][0]["stop_reason"] = "content_filter"
    run = bring(study, peers.inspect_json(tmp_path / "log.json", samples), model=None)
    assert read_header(run / "run.json").model == "openai/x"
    found = {key[0]: one for key, one in read_responses(run / "responses.jsonl").items()}
    said = [found[sample["id"]] for sample in samples]
    assert [said[at].text for at in (0, 2, 3, 4)] == ["A", None, "B", None]
    assert [said[at].text for at in (1, 5)] == [row["says"] for row in (rows_of(folder)[1], rows_of(folder)[5])]
    assert [one.finish for one in said] == ["stop", "length", "error", "stop", "error", "refusal", "stop", "stop"]
    assert (said[2].error, said[4].error) == ("the line was cut", "the sample has no output")


def test_a_number_in_inspect_is_only_a_place(study: Path, tmp_path: Path) -> None:
    folder = folder_of(study)
    path = peers.inspect_eval(tmp_path / "log.eval", [peers.sample(row, folder, by="") for row in rows_of(folder)])
    with pytest.raises(StudyError, match="is numbered by its place"):
        bring(study, path)


def test_an_image_that_belongs_to_another_question_is_refused(study: Path, tmp_path: Path) -> None:
    """Two halves of a pair have one text: only the image tells that the wrong one was shown."""
    folder = folder_of(study)
    rows = rows_of(folder)
    samples = [peers.sample(row, folder, by="image") for row in rows]
    samples[0]["messages"], samples[1]["messages"] = samples[1]["messages"], samples[0]["messages"]
    for sample, row in zip(samples, rows, strict=True):
        sample["id"] = row["question_id"]
    with pytest.raises(StudyError, match=r"sample 1 .*calls its question .*which are different ones"):
        bring(study, peers.inspect_json(tmp_path / "log.json", samples))


def test_logs_packed_with_zstd(study: Path, tmp_path: Path) -> None:
    import zipfile_zstd

    folder = folder_of(study)
    samples = [peers.sample(row, folder) for row in rows_of(folder)]
    path = peers.inspect_eval(tmp_path / "log.eval", samples, compression=zipfile_zstd.ZIP_ZSTANDARD)
    assert {info.compress_type for info in zipfile.ZipFile(path).infolist()} == {93}
    assert pairs_and_questions(study, bring(study, path)) == (1.0, 1.0)


def test_json_lines_of_any_tool(study: Path, tmp_path: Path) -> None:
    folder = folder_of(study)
    rows = rows_of(folder, half_right)
    lines = [
        {"question_id": row["source_id" if at % 2 else "question_id"], "text": row["says"]}
        for at, row in enumerate(rows)
    ]
    run = bring(study, peers.write_jsonl(tmp_path / "a.jsonl", lines))
    assert pairs_and_questions(study, run) == (2 / 4, 5 / 8)
    lines = [
        {"question_id": row["source_id"], "text": row["says"], "options": row["shown"], "question": row["text"]}
        for row in map(turned, rows)
    ]
    run = bring(study, peers.write_jsonl(tmp_path / "b.jsonl", lines))
    assert find(grade(study, run.name).scores, "pair_accuracy", order="ba").value == 2 / 4
    lines[4] |= {"order": "ab"}
    with pytest.raises(StudyError, match=r"line 5, shows the options of .* in another order than it says"):
        bring(study, peers.write_jsonl(tmp_path / "c.jsonl", lines))
    for wrong, said in (
        ({"question_id": "MMVP:99", "text": "A"}, "'MMVP:99', which the benchmark MMVP has not got"),
        ({"question_id": "MMVP:1", "text": "A", "answer": "B"}, "field 'answer', which is not known"),
        ({"question_id": "MMVP:1", "text": None}, "not one of text and error"),
        ({"question_id": "MMVP:1", "text": "A", "control": "no_image"}, "control or a variant"),
    ):
        with pytest.raises(StudyError, match=said):
            bring(study, peers.write_jsonl(tmp_path / "d.jsonl", [wrong]), source="jsonl")


def test_which_model_answered(study: Path, tmp_path: Path) -> None:
    rows = rows_of(folder_of(study))
    path = peers.official(tmp_path / "answer.jsonl", rows)
    assert read_header(bring(study, path, model=None) / "run.json").model == "llava-v1.5-7b"
    assert read_header(bring(study, path, model="mine") / "run.json").model == "mine"
    with pytest.raises(UsageError, match="does not say which model answered: say it with --model"):
        bring(study, peers.tsv(tmp_path / "m.tsv", rows), model=None)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[3]["model_id"] = "another"
    with pytest.raises(StudyError, match=r"answers of 2 models, 'another' and 'llava-v1.5-7b'"):
        bring(study, peers.write_jsonl(path, lines))


def test_files_of_no_one_tool(study: Path, tmp_path: Path) -> None:
    def written(name: str, content: bytes) -> Path:
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    choices = "official, lmms-eval, vlmevalkit, inspect, jsonl"
    for path, said in (
        (written("a.jsonl", b'{"x": 1}\n'), f"is of no tool that is known: .*{choices}"),
        (written("b.jsonl", b""), "is of no tool"),
        (written("c.tsv", b"index\tprediction\n1\tA\n"), "is of no tool"),
        (written("d.jsonl", b'{"question_id": 1, "prompt": "", "response": "A", "text": "A"}\n'), "jsonl or official"),
        (written("e.pkl", b"\x80\x04"), "is a pickle"),
        (tmp_path / "nothing.jsonl", "There is no file"),
    ):
        with pytest.raises(UsageError, match=said):
            bring(study, path)
    with pytest.raises(UsageError, match=f"no source 'lm-eval': choose {choices}"):
        bring(study, written("f.jsonl", b"{}\n"), source="lm-eval")


DAMAGED: list[tuple[str, str, bytes]] = [
    ("official", "a.jsonl", b'{"question_id": 1, "prompt": "p", "response": 3}\n'),
    ("official", "a.jsonl", b'{"question_id": -1, "prompt": "p", "response": "A"}\n'),
    ("official", "a.jsonl", b'{"question_id": true, "prompt": "p", "response": "A"}\n'),
    ("official", "a.jsonl", b'{"question_id": 1, "prompt": "p", "response": "\\ud83d"}\n'),
    ("official", "a.jsonl", b'{"question_id": 1'),
    ("official", "a.jsonl", b"[1, 2]\n"),
    ("official", "a.jsonl", b""),
    ("lmms-eval", "a.jsonl", b'{"doc_id": 0, "doc": {"Index": 1}, "resps": []}\n'),
    ("lmms-eval", "a.jsonl", b'{"doc_id": 0, "doc": {"Index": 1.5}, "resps": ["A"]}\n'),
    ("vlmevalkit", "a.xlsx", b"PK\x03\x04rubbish"),
    ("vlmevalkit", "a.xlsx", b""),
    ("vlmevalkit", "a.tsv", b"index\tquestion\tA\tB\tprediction\nx\tq\tl\tr\tA\n"),
    ("vlmevalkit", "a.tsv", b"index\tquestion\tA\tprediction\n1\tq\tl\tA\n"),
    ("vlmevalkit", "a.tsv", b"\xff\xfe\x00"),
    ("inspect", "a.json", b'{"eval": {}, "samples": [3]}'),
    ("inspect", "a.json", b'{"eval": {}, "samples": []}'),
    ("inspect", "a.json", b'{"eval": '),
    ("inspect", "a.json", b"[" * 100_000),
    ("jsonl", "a.jsonl", b'{"question_id": 7, "text": "A"}\n'),
]


@pytest.mark.parametrize(("source", "name", "content"), DAMAGED)
def test_damaged_files_are_refused_in_one_sentence(
    study: Path, tmp_path: Path, source: str, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(StudyError, match=r"a\.(jsonl|xlsx|tsv|json)"):
        bring(study, tmp_path / name, source=source)
    assert not list((study / "runs").glob("*/run.json"))


@pytest.mark.parametrize("name", ["vlmevalkit xlsx", "inspect.eval by id"])
def test_cut_and_changed_zip_files(study: Path, tmp_path: Path, name: str) -> None:
    source, file, write = writer_of(study, name)
    whole = write(tmp_path / file, rows_of(folder_of(study))).read_bytes()
    lots = random.Random(0)
    for _ in range(60):
        spoiled = bytearray(whole)
        for _ in range(20):
            spoiled[lots.randrange(len(whole))] = lots.randrange(256)
        cut = bytes(spoiled[: lots.randrange(len(whole))]) if lots.random() < 0.3 else bytes(spoiled)
        (tmp_path / file).write_bytes(cut)
        with suppress(StudyError, Incomplete):  # the only ways to end, besides a file that was not hurt where it counts
            bring(study, tmp_path / file, source=source)
