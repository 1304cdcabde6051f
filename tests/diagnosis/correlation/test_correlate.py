"""`correlate` on studies with known answers, against tables made by hand, scipy and statsmodels."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import fisher_exact, pearsonr, spearmanr
from statsmodels.stats.proportion import proportion_confint

from snellen.diagnosis.correlation import correlate
from snellen.errors import StudyError, UsageError
from snellen.records import pair_id
from tests.diagnosis.correlation.made import pair_ids, write_matches
from tests.exam.two_runs import NAME, write_answers, write_study
from tests.test_benchmarks import lines_of, seal, write_benchmark, write_lines

PATTERNS = {f"p{k}": [at for at in range(40) if at % 4 == k] for k in range(4)}


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """40 pairs of 4 patterns; what is hard is hard for all, and harder in later patterns."""
    write_study(tmp_path, 40, {"nine": PATTERNS})
    rng = random.Random(0)
    hard = [rng.random() < 0.2 + 0.2 * (at % 4) for at in range(40)]
    write_matches(tmp_path, "encoder", ["0" if one and rng.random() < 0.8 else "g" for one in hard])
    write_answers(tmp_path, "model", ["01" if one and rng.random() < 0.8 else "11" for one in hard])
    write_answers(tmp_path, "other", [rng.choice(["11", "00", "1u", "r1"]) for _ in hard])
    return tmp_path


def right_of(study: Path) -> dict[str, list[bool]]:
    """What each run has right, read again from its files."""
    names = pair_ids(study / "benchmarks" / NAME)
    found = {}
    matches = [json.loads(line) for line in (study / "runs/encoder/matches.jsonl").read_text().splitlines()]
    image = {line["pair_id"]: all(line["image_correct"]) for line in matches}
    found["encoder"] = [image[name] for name in names]
    for run in ("model", "other"):
        grades = [json.loads(line) for line in (study / f"runs/{run}/grades.jsonl").read_text().splitlines()]
        verdicts = {line["question_id"]: line["verdict"] for line in grades}
        found[run] = [all(verdicts[f"{name}-{slot}"] == "correct" for slot in "ab") for name in names]
    return found


def test_over_patterns_and_over_pairs(study: Path) -> None:
    found = correlate(study, encoder_run="encoder", runs=["model", "other"]).found
    right = right_of(study)
    assert (found.tagset, found.encoder.metric, found.encoder.n_pairs) == ("nine", "image score", 40)
    for against in found.runs:
        name = against.run.run_id
        assert (against.same_pairs, against.n_pairs, against.run.metric) == (True, 40, "pair accuracy")
        x, y = (
            [sum(right[one][at] for at in members) / 10 for members in PATTERNS.values()] for one in ("encoder", name)
        )
        for point, one, other in zip(against.over_patterns.points, x, y, strict=True):
            assert (point.encoder.value, point.model.value, point.model.n) == (one, other, 10)
            assert (point.model.low, point.model.high) == pytest.approx(
                proportion_confint(round(10 * other), 10, method="wilson")
            )
        pearson, spearman = against.over_patterns.pearson, against.over_patterns.spearman
        assert pearson is not None and spearman is not None
        assert pearson.value == pytest.approx(pearsonr(x, y).statistic)
        assert spearman.value == pytest.approx(spearmanr(x, y).statistic)
        assert pearson.two_level is not None
        wrong = [(not one, not other) for one, other in zip(right["encoder"], right[name], strict=True)]
        table = [wrong.count(kind) for kind in ((True, True), (True, False), (False, True), (False, False))]
        pairs = against.over_pairs
        assert pairs is not None
        assert list(pairs.table) == table
        assert pairs.phi is not None
        assert pairs.phi.value == pytest.approx(pearsonr(*zip(*wrong, strict=True)).statistic)
        assert pairs.p_fisher == pytest.approx(fisher_exact([table[:2], table[2:]]).pvalue)
    assert found.interaction is not None
    assert (found.interaction.n, found.interaction.n_clusters, found.interaction.df) == (120, 40, 6)
    assert found.interaction.models == ("encoder", "model", "other")
    assert "that the two go together" in found.runs[0].says[0]
    assert "4 patterns are few" in " ".join(found.runs[0].says)


def test_what_counts_as_right_for_an_encoder(tmp_path: Path) -> None:
    write_study(tmp_path, 4)
    write_matches(tmp_path, "encoder", ["g", "i", "t", "0"])
    write_answers(tmp_path, "model", ["11", "10", "11", "00"])
    tables = {"image": [1, 1, 1, 1], "text": [2, 0, 0, 2], "group": [2, 1, 0, 1]}
    for metric, table in tables.items():
        found = correlate(tmp_path, encoder_run="encoder", runs=["model"], metric=metric).found  # type: ignore[arg-type]
        pairs = found.runs[0].over_pairs
        assert pairs is not None
        assert list(pairs.table) == table
    assert "4 pairs are few" in " ".join(found.runs[0].says)
    assert found.runs[0].over_patterns.reason is not None and found.tagset is None
    assert "Over patterns nothing can be said" in found.runs[0].says[0]
    with pytest.raises(UsageError, match="metric 'pairs' is not known: choose image, text, group"):
        correlate(tmp_path, encoder_run="encoder", runs=["model"], metric="pairs")  # type: ignore[arg-type]


def test_one_pattern_only_and_nothing_that_varies(tmp_path: Path) -> None:
    write_study(tmp_path, 6, {"lone": {"color": list(range(6))}})
    write_matches(tmp_path, "encoder", ["g"] * 6)
    write_answers(tmp_path, "model", ["11", "00"] * 3)
    found = correlate(tmp_path, encoder_run="encoder", runs=["model"]).found
    pearson = found.runs[0].over_patterns.pearson
    assert pearson is not None and (pearson.value, pearson.n) == (None, 1)
    assert found.runs[0].says[0] == (
        "Over patterns nothing can be said: 1 patterns are too few: a correlation needs at least 3."
    )
    assert found.runs[0].says[1].startswith("Pair by pair nothing can be said: the first errs on no pair")
    assert found.says[0].startswith("Model by pattern nothing can be said: 2 models and 1 patterns")


def test_it_is_written_once_and_equally(study: Path) -> None:
    result = correlate(study, encoder_run="enc", runs=["mod"])
    assert result.path.parent == study / "diagnosis"
    assert result.path.name.startswith("correlation--") and len(result.path.stem) == len("correlation--") + 8
    first = {path.name: path.read_bytes() for path in result.path.parent.iterdir()}
    assert correlate(study, encoder_run="encoder", runs=["model", "model"]).path == result.path
    assert {path.name: path.read_bytes() for path in result.path.parent.iterdir()} == first
    assert correlate(study, encoder_run="encoder", runs=["model"], metric="text").path != result.path
    content = json.loads(result.path.read_text())
    assert content["runs"][0]["over_pairs"]["table"].keys() == {"both_wrong", "first_only", "second_only", "neither"}
    assert content["runs"][0]["over_patterns"]["pearson"]["fisher"].keys() == {"low", "high"}
    manifest = json.loads(result.path.with_name(result.path.name + ".manifest.json").read_text())
    for path, digest in (manifest["inputs"] | manifest["outputs"]).items():
        assert hashlib.sha256((study / path).read_bytes()).hexdigest() == digest
    assert {"runs/encoder/matches.jsonl", "runs/model/grades.jsonl", f"benchmarks/{NAME}/tags.jsonl"} <= set(
        manifest["inputs"]
    )
    assert str(study) not in json.dumps(manifest) + result.path.read_text()


def test_another_benchmark_has_other_pairs(study: Path) -> None:
    """As the paper did: the encoder on MMVP-VLM, the model on MMVP."""
    other = write_benchmark(study / "benchmarks" / "statements", 12, name="statements", version="2")
    tags: list[dict[str, Any]] = [
        {"question_id": f"{name}-{slot}", "tagset": "theirs", "patterns": [f"p{at % 4}"], "by": "anna"}
        for at, name in enumerate(pair_ids(other))
        for slot in "ab"
    ]
    write_lines(other, tags, "tags.jsonl")
    write_matches(
        study, "elsewhere", ["g", "g", "g", "0", "g", "g", "0", "0", "g", "0", "0", "0"], benchmark="statements"
    )
    with pytest.raises(UsageError, match=r"--tagset 'nine' is no tagset of .*statements: there is 'theirs'"):
        correlate(study, encoder_run="elsewhere", runs=["model"], tagset="nine")
    found = correlate(study, encoder_run="elsewhere", runs=["model"], encoder_tagset="theirs").found
    against = found.runs[0]
    assert (against.same_pairs, against.over_pairs, found.interaction and found.interaction.p) == (False, None, None)
    assert [(point.encoder.n, point.model.n) for point in against.over_patterns.points] == [(3, 10)] * 4
    right = right_of(study)["model"]
    y = [sum(right[at] for at in members) / 10 for members in PATTERNS.values()]
    assert against.over_patterns.pearson is not None
    assert against.over_patterns.pearson.value == pytest.approx(pearsonr([3 / 3, 2 / 3, 1 / 3, 0], y).statistic)
    assert "the encoder was matched on statements" in " ".join(against.says)


def test_pairs_that_share_images_are_clusters(tmp_path: Path) -> None:
    """Of 24 pairs every second shows an image of the one before: 12 clusters."""
    root = write_study(tmp_path, 24)
    folder = root / "benchmarks" / NAME
    lines = lines_of(folder)
    for at in range(0, len(lines), 4):
        first, a, b = lines[at], lines[at + 2], lines[at + 3]
        (folder / a["image"]).unlink()
        a["image"], a["image_id"] = first["image"], first["image_id"]
        name = pair_id(a["image_id"], b["image_id"])
        for line in (a, b):
            line["pair_id"], line["question_id"] = name, f"{name}-{line['slot']}"
    write_lines(folder, lines)
    seal(folder, n_pairs=24, name=NAME)
    write_matches(root, "encoder", ["g", "0", "g", "0"] * 6)
    write_answers(root, "model", ["11", "00", "00"] * 8)
    against = correlate(root, encoder_run="encoder", runs=["model"]).found.runs[0]
    pairs = against.over_pairs
    assert pairs is not None and (pairs.n, pairs.n_clusters, pairs.p_fisher) == (24, 12, None)
    assert "24 pairs share images and are 12 independent clusters" in " ".join(against.says)


def test_missing_answers_block_or_are_left_out_and_counted(tmp_path: Path) -> None:
    write_study(tmp_path, 4, {"nine": {"p": [0, 1], "q": [2, 3]}})
    write_matches(tmp_path, "encoder", ["g", "0", "g", "-"])
    write_answers(tmp_path, "model", ["11", "1e", "-0", "00"])
    with pytest.raises(StudyError, match=r"2 of 4 pairs .* give --allow-incomplete"):
        correlate(tmp_path, encoder_run="encoder", runs=["model"])
    found = correlate(tmp_path, encoder_run="encoder", runs=["model"], allow_incomplete=True).found
    assert (found.encoder.n_pairs, found.encoder.left_out) == (3, 1)
    assert (found.runs[0].run.n_pairs, found.runs[0].run.left_out, found.runs[0].n_pairs) == (2, 2, 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"encoder_run": "model"}, "--encoder-run 'model' is no finished run of an image-text encoder: choose encoder"),
        ({"runs": ["encoder"]}, "--run 'encoder' is no finished run with graded answers: choose model, other"),
        ({"runs": ["x"]}, "choose model, other"),
        ({"runs": [""]}, "is how 2 runs begin: model, other"),
        ({"runs": []}, "No run is given"),
        ({"tagset": "ten"}, "--tagset 'ten' is no tagset of .*: there is 'nine'"),
    ],
)
def test_wrong_names_are_said_with_the_right_ones(study: Path, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        correlate(study, **({"encoder_run": "encoder", "runs": ["model"]} | arguments))


def test_several_tagsets_are_for_the_user_to_choose_from(tmp_path: Path) -> None:
    write_study(tmp_path, 4, {"nine": {"p": [0]}, "mine": {"q": [1]}})
    write_matches(tmp_path, "encoder", ["g", "0", "g", "0"])
    write_answers(tmp_path, "model", ["11", "00", "00", "11"])
    with pytest.raises(UsageError, match="choose one with --tagset: mine, nine"):
        correlate(tmp_path, encoder_run="encoder", runs=["model"])
    assert correlate(tmp_path, encoder_run="encoder", runs=["model"], tagset="mine").found.tagset == "mine"


def test_unfinished_changed_and_foreign_runs_are_refused(study: Path) -> None:
    write_answers(study, "half", ["11"] * 40, finished=False)
    with pytest.raises(StudyError, match="half is not finished: run `snellen grade`"):
        correlate(study, encoder_run="encoder", runs=["half"])
    write_answers(study, "reversed", ["11"] * 40, header={"sittings": [["ba", 0, "none", ""]]})
    with pytest.raises(StudyError, match="reversed was not asked with options as published"):
        correlate(study, encoder_run="encoder", runs=["reversed"])
    folder = study / "benchmarks" / NAME
    folder.rename(study / "elsewhere")
    with pytest.raises(StudyError, match="is not in the study"):
        correlate(study, encoder_run="encoder", runs=["model"])
    write_benchmark(folder, 3, name=NAME)
    with pytest.raises(StudyError, match="is not the benchmark of the run"):
        correlate(study, encoder_run="encoder", runs=["model"])


def test_the_verb_says_it(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from snellen.cli.correlate import correlate as verb

    verb(study, encoder_run="encoder", run=["model", "other"])
    said = capsys.readouterr().out
    for part in (
        "encoder: open_clip/made on blind-pairs, image score",
        "against: world/model on the same benchmark, pair accuracy",
        "n = 40: both wrong",
        "None of this says that the encoder causes the errors",
        "odds of being right",
    ):
        assert part in said
    verb(study, encoder_run="encoder", run=["model"], as_json=True)
    assert json.loads(capsys.readouterr().out)["tagset"] == "nine"
    with pytest.raises(UsageError, match="Give a study, --encoder-run and at least one --run"):
        verb(study, encoder_run="encoder")
