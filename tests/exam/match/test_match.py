"""Matching with given cosines: what is chosen, what is counted, what is written, and what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snellen.benchmark.verb_import import import_mmvp_vlm
from snellen.errors import Incomplete, StudyError, Unsupported, UsageError
from snellen.exam.match import MatchResult, match
from snellen.exam.match.rows import cosine
from snellen.exam.match.texts import put
from snellen.exam.match.words import described, few_patterns, pattern_rows
from snellen.records import Score
from snellen.runs import read_runs
from snellen.study import Study
from tests.benchmark import mmvp_drawn as drawn
from tests.exam.match.made import Given, Made, erratum, flat, png, statement_lines, write_benchmark

PLAIN = "{statement}"


def axes(*cosines: float) -> list[float]:
    """A unit vector with these cosines to the first axes; the rest of it lies on one of its own."""
    return [*cosines, math.sqrt(1 - sum(one * one for one in cosines))]


TEXTS = {"s": [1.0, 0, 0], "t": [0, 1.0, 0]}

# Images by red; the cosine of each with text s and text t is written out.
IMAGES = {
    10: axes(0.5, 0.25),  # a of RIGHT: s wins both ways
    11: axes(0.25, 0.5),
    20: axes(0.5, 0.25),  # a of IMAGES_ONLY: each text finds its image; image b finds the wrong text
    21: axes(0.4, 0.375),
    30: axes(0.5, 0.25),  # a of TEXTS_ONLY: each image finds its text; text b finds the wrong image
    31: axes(0.125, 0.1875),
    40: axes(0.5, 0.25),  # a of TIE: both images have 0.5 with s
    41: axes(0.5, 0.625),
    50: axes(0.25, 0.5),  # a of WRONG: everything is crossed
    51: axes(0.5, 0.25),
}
HAND: dict[int, tuple[tuple[bool, bool], tuple[bool, bool], bool]] = {
    # image a's red: image_correct, text_correct, tie
    10: ((True, True), (True, True), False),
    20: ((True, True), (True, False), False),
    30: ((True, False), (True, True), False),
    40: ((False, True), (True, True), True),
    50: ((False, False), (False, False), False),
}


def pairs(**more: Any) -> dict[int, Made]:
    return {red: Made(png(flat(red)), png(flat(red + 1)), ("s", "t"), **more) for red in HAND}


def encoder(**changes: Any) -> Given:
    return Given(IMAGES, TEXTS, **changes)


def run(study: Path, **options: Any) -> MatchResult:
    return match(
        study, [options.pop("encoder", None) or encoder()], template=PLAIN, **{"benchmark": "made", **options}
    ).runs[0]


def score(result: MatchResult, metric: str, group: str = "all", errata: str = "published") -> Score:
    (found,) = [one for one in result.scores if (one.metric, one.group, one.errata) == (metric, group, errata)]
    return found


def test_choices_are_those_of_the_matrix(tmp_path: Path) -> None:
    made = pairs()
    write_benchmark(tmp_path, list(made.values()))
    result = run(tmp_path)
    for red, (image_correct, text_correct, tie) in HAND.items():
        found = result.matches[made[red].name]
        assert (found.image_correct, found.text_correct, found.tie) == (image_correct, text_correct, tie)
    np.testing.assert_allclose(result.matches[made[20].name].cosine, ((0.5, 0.25), (0.4, 0.375)), atol=1e-7)


def test_scores_by_hand(tmp_path: Path) -> None:
    made = pairs()
    tags = [
        {"question_id": f"{made[red].name}-a", "tagset": "ours", "patterns": names, "by": "us"}
        for red, names in ((10, ["color"]), (20, ["color", "count"]), (50, ["count"]))
    ]
    write_benchmark(tmp_path, list(made.values()), tags=tags)
    result = run(tmp_path)
    expected = {  # counted in HAND
        "image_score": (2, 5, 0.25),
        "text_score": (3, 5, 0.25),
        "group_score": (1, 5, 1 / 6),
        "image_choice_accuracy": (6, 10, 0.5),
        "text_choice_accuracy": (7, 10, 0.5),
        "tie_rate": (1, 5, None),
    }
    for metric, (hits, of, chance) in expected.items():
        one = score(result, metric)
        assert one.value == pytest.approx(hits / of), metric
        assert (one.chance, one.n_pairs, one.n_questions, one.n_error, one.order) == (chance, 5, 10, 0, "ab")
        assert one.low is not None and one.high is not None and one.low < hits / of < one.high
    # Wilson's interval of 2 of 5, by hand
    z, n, p = 1.959964, 5, 0.4
    middle, reach = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    one = score(result, "image_score")
    assert one.low == pytest.approx((middle - reach) / (1 + z * z / n), abs=1e-5)
    assert one.high == pytest.approx((middle + reach) / (1 + z * z / n), abs=1e-5)
    assert (score(result, "image_score", "color").value, score(result, "image_score", "color").n_pairs) == (1.0, 2)
    assert (score(result, "text_score", "count").value, score(result, "text_score", "count").n_pairs) == (0.0, 2)
    said = "\n".join([*described(result), *map(" ".join, pattern_rows(result)), few_patterns(result) or ""])
    assert "image score                  40.0 % [11.8, 76.9]  n = 5 pairs, chance 25 %" in said
    assert "ties in 1 of 5 pairs" in said
    assert "5 pairs are few" in said
    assert "ours: color 2 100.0 % [34.2, 100.0]" in said
    assert "2 of 2 patterns have fewer than 30 pairs" in said


def test_errata_swap_published_statements_and_drop_pairs(tmp_path: Path) -> None:
    made = pairs()
    errata = [*erratum(made[50], "swap"), *erratum(made[10], "drop")]
    write_benchmark(tmp_path, list(made.values()), errata=errata)
    result = run(tmp_path)
    assert score(result, "image_score").value == pytest.approx(2 / 5)
    corrected = score(result, "image_score", errata="corrected")
    assert (corrected.value, corrected.n_pairs) == (2 / 4, 4)  # 20, and 50 with its statements exchanged
    assert score(result, "group_score", errata="corrected").value == pytest.approx(1 / 4)


def test_a_swap_leaves_the_overlay_as_it_is(tmp_path: Path) -> None:
    """Its statements were confirmed of the images as they are, whatever the published answers say."""
    made = {red: Made(one.a, one.b, text="left or right?") for red, one in pairs().items()}
    lines = [line for one in made.values() for line in statement_lines(one, "s", "t")]
    write_benchmark(tmp_path, list(made.values()), statements=lines, errata=erratum(made[10], "swap"))
    result = run(tmp_path)
    for errata in ("published", "corrected"):
        assert score(result, "image_score", errata=errata).value == pytest.approx(2 / 5)
    assert result.header.decoding["statements"] == "confirmed"


def test_the_run_is_read_like_any_other(tmp_path: Path) -> None:
    write_benchmark(tmp_path, list(pairs().values()))
    result = run(tmp_path)
    (read,), unfinished = read_runs(Study(tmp_path))
    assert unfinished == []
    assert (read.run_id, read.kind, read.model, read.benchmark) == (
        result.folder.name,
        "encoder",
        "open_clip/given",
        "made",
    )
    assert read.profile == "match@1: {statement}"
    assert read.matches == result.matches
    assert read.scores == result.scores
    assert read.grades == ()
    header = json.loads((result.folder / "run.json").read_text())
    assert header["decoding"] == {
        "template": "{statement}",
        "statements": "published",
        "dtype": None,
        "preprocessing": {"corner": [1, 1]},
        "tokenizer": None,
    }
    manifest = json.loads((tmp_path / "runs" / f"{result.folder.name}.manifest.json").read_text())
    assert set(manifest["inputs"]) == {"benchmarks/made/benchmark.json"}
    assert manifest["counts"] == {"pairs": 5, "matched": 5, "left_out": 0, "ties": 1}


def files(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted((root / "runs").rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }


def test_again_the_same_bytes_and_nothing_computed(tmp_path: Path) -> None:
    write_benchmark(tmp_path, list(pairs().values()))
    run(tmp_path)
    before = files(tmp_path)
    again = encoder()
    result = run(tmp_path, encoder=again, batch_size=3)
    assert not result.computed
    assert not again.embedded
    assert not again.read
    assert files(tmp_path) == before
    for path in (tmp_path / "runs").rglob("*.json*"):
        path.unlink()
    assert run(tmp_path).computed
    assert files(tmp_path) == before


def test_images_and_texts_are_embedded_once(tmp_path: Path) -> None:
    made = [*pairs().values(), Made(png(flat(10)), png(flat(51)), ("s", "t"))]
    write_benchmark(tmp_path, made)
    once = encoder()
    run(tmp_path, encoder=once)
    assert sorted(once.embedded) == sorted(IMAGES)
    assert sorted(once.read) == ["s", "t"]


def test_the_same_after_preprocessing_is_a_tie(tmp_path: Path) -> None:
    """What differs only where the encoder does not look is one picture to it, and goes through it once."""
    a, b = flat(10), flat(10)
    b.putpixel((9, 9), (1, 2, 3))
    write_benchmark(tmp_path, [Made(png(a), png(b), ("s", "t"))])
    once = encoder()
    (found,) = run(tmp_path, encoder=once).matches.values()
    assert once.embedded == [10]
    assert found.tie
    assert found.image_correct == (False, False)
    assert found.cosine[0] == found.cosine[1]


def test_a_kill_leaves_an_unfinished_run_that_is_computed_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_benchmark(tmp_path, list(pairs().values()))
    run(tmp_path)
    before = files(tmp_path)
    for name in ("write_matches", "write_scores"):
        for path in (tmp_path / "runs").rglob("*.json*"):
            path.unlink()

        def killed(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(f"snellen.exam.match.verb_match.{name}", killed)
            with pytest.raises(KeyboardInterrupt):
                run(tmp_path)
        found, unfinished = read_runs(Study(tmp_path))
        assert (found, len(unfinished)) == ([], 1)
        assert run(tmp_path).computed
        assert files(tmp_path) == before


def test_matches_that_were_changed_are_computed_anew(tmp_path: Path) -> None:
    write_benchmark(tmp_path, list(pairs().values()))
    path = run(tmp_path).folder / "matches.jsonl"
    before = files(tmp_path)
    path.write_text(path.read_text().replace("0.25", "0.75", 1))
    assert run(tmp_path).computed
    assert files(tmp_path) == before


def test_tags_are_scored_anew_without_computing(tmp_path: Path) -> None:
    made = pairs()
    folder = write_benchmark(tmp_path, list(made.values()))
    run(tmp_path)
    line = {"question_id": f"{made[10].name}-a", "tagset": "ours", "patterns": ["color"], "by": "us"}
    (folder / "tags.jsonl").write_text(json.dumps(line) + "\n")
    result = run(tmp_path)
    assert not result.computed
    assert score(result, "image_score", "color").n_pairs == 1
    assert len(read_runs(Study(tmp_path))[0]) == 1


def without(tmp_path: Path, **overlays: Any) -> dict[int, Made]:
    made = {red: Made(one.a, one.b, text="left or right?") for red, one in pairs().items()}
    write_benchmark(tmp_path, list(made.values()), **overlays)
    return made


def test_no_statements_at_all(tmp_path: Path) -> None:
    without(tmp_path)
    with pytest.raises(UsageError, match=r"No pair of .*made has the two statements .*`snellen statements STUDY made`"):
        run(tmp_path, allow_incomplete=True)
    assert not (tmp_path / "runs").exists()


def test_pairs_without_statements_block_until_they_are_left_out(tmp_path: Path) -> None:
    some = pairs()
    lines = [
        *statement_lines(some[10], "s", "t"),
        *statement_lines(some[50], "s", "t"),
        *statement_lines(some[20], "s", "t")[:1],
    ]
    without(tmp_path, statements=lines)
    with pytest.raises(Incomplete, match=r"3 of 5 pairs of .* have no two statements .*--allow-incomplete"):
        run(tmp_path)
    result = run(tmp_path, allow_incomplete=True)
    one = score(result, "image_score")
    assert (one.value, one.n_pairs, one.n_error, result.left_out) == (0.5, 2, 6, 3)
    assert "3 pairs are left out" in "\n".join(described(result))
    with pytest.raises(Incomplete):  # also where the run is there already
        run(tmp_path)


def test_unconfirmed_statements_are_used_only_where_asked_for_and_said(tmp_path: Path) -> None:
    some = pairs()
    lines = [line for red, one in some.items() for line in statement_lines(one, "s", "t", confirmed=red != 50)]
    without(tmp_path, statements=lines)
    with pytest.raises(Incomplete, match=r"1 of 5 pairs .*1 have statements that nobody has confirmed"):
        run(tmp_path)
    assert {one.order for one in run(tmp_path, allow_incomplete=True).scores} == {"ab"}
    result = run(tmp_path, statements="all")
    assert {one.order for one in result.scores} == {"ab, unconfirmed statements"}
    assert result.header.decoding["statements"] == "unconfirmed"
    assert score(result, "image_score").n_pairs == 5
    assert "image score (ab, unconfirmed statements) 40.0 %" in "\n".join(described(result))
    with pytest.raises(UsageError, match="No pair"):
        run(tmp_path, statements="published")


def test_changed_statements_are_matched_anew_in_the_same_run(tmp_path: Path) -> None:
    some = pairs()
    made = without(tmp_path, statements=[x for one in some.values() for x in statement_lines(one, "s", "t")])
    first = run(tmp_path)
    lines = [x for one in made.values() for x in statement_lines(one, "t", "s", by="hand:ada")]
    (tmp_path / "benchmarks/made/statements.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
    second = run(tmp_path)
    assert second.computed
    assert second.folder == first.folder
    assert score(second, "image_score").value == pytest.approx(1 / 5)  # only WRONG is right, now that all is crossed


def test_the_same_statement_twice_is_refused(tmp_path: Path) -> None:
    some = pairs()
    without(tmp_path, statements=[x for one in some.values() for x in statement_lines(one, "S.", "s")])
    with pytest.raises(StudyError, match=r"statements\.jsonl says the same of both images of the pair"):
        run(tmp_path)


def test_an_image_that_cannot_be_decoded(tmp_path: Path) -> None:
    made = pairs()
    broken = Made(png(flat(60))[:60], png(flat(11)), ("s", "t"))
    write_benchmark(tmp_path, [made[10], broken])
    with pytest.raises(Incomplete, match=r"1 of 2 pairs .* have an image that cannot be decoded"):
        run(tmp_path)
    result = run(tmp_path, allow_incomplete=True)
    assert (result.left_out, set(result.matches)) == (1, {made[10].name})
    assert score(result, "image_score").n_error == 2


def test_an_encoder_without_texts_is_refused_in_one_sentence(tmp_path: Path) -> None:
    write_benchmark(tmp_path, list(pairs().values()))
    for name in ("world/vision-only", "control/colour-histogram"):
        with pytest.raises(Unsupported, match=rf"{name} embeds images alone, and matching needs texts too: name an"):
            match(tmp_path, [name], benchmark="made", device="cpu")


@pytest.mark.parametrize("template", ["a photo", "{statement} {statement}", "{statement}\n", "{Statement}"])
def test_templates_without_a_place_are_refused(tmp_path: Path, template: str) -> None:
    write_benchmark(tmp_path, list(pairs().values()))
    with pytest.raises(UsageError, match=r"must be one line that holds \{statement\} once"):
        match(tmp_path, [encoder()], benchmark="made", template=template)


def test_what_is_asked_for_wrongly(tmp_path: Path) -> None:
    write_benchmark(tmp_path, list(pairs().values()))
    with pytest.raises(UsageError, match=r"There is no benchmark 'other' in .*: there are made"):
        run(tmp_path, benchmark="other")
    with pytest.raises(UsageError, match="each of them once"):
        match(tmp_path, [encoder(), encoder()], benchmark="made")
    with pytest.raises(UsageError, match="at least one encoder"):
        match(tmp_path, [], benchmark="made")
    with pytest.raises(UsageError, match="batch_size 0 is too small"):
        run(tmp_path, batch_size=0)


HOSTILE = ("{statement} {0} %s", "\x1b[2J\x00 </s> <|endoftext|>", "x" * 5000, "左边的狗", "' OR 1=1; --")


def test_hostile_statements_are_matched_like_any_other(tmp_path: Path) -> None:
    """Through the world's real tokenizer; nothing of them is taken for a template, or printed raw."""
    made = [Made(png(flat(at)), png(flat(100 + at)), (text, "the dog")) for at, text in enumerate(HOSTILE)]
    write_benchmark(tmp_path, made)
    result = match(tmp_path, ["world/clip"], benchmark="made", device="cpu").runs[0]
    assert len(result.matches) == len(HOSTILE)
    assert all(np.isfinite(one.cosine).all() for one in result.matches.values())
    assert put("a photo of {statement}", HOSTILE[0]) == "a photo of {statement} {0} %s"
    assert "\x1b" not in "\n".join(described(result))


def test_several_encoders_on_the_same_pairs(tmp_path: Path) -> None:
    made = [Made(png(flat(at)), png(flat(100 + at)), ("s", "t")) for at in range(30)]
    write_benchmark(tmp_path, made)
    right = {at: axes(0.5, 0.25) for at in range(30)} | {100 + at: axes(0.25, 0.5) for at in range(30)}
    worse = dict(right) | {at: axes(0.125, 0.25) for at in range(8)}  # eight pairs wrong
    worst = {at: axes(0.125, 0.25) for at in range(200)}
    names = {"a": right, "b": worse, "c": worst}
    found = match(
        tmp_path,
        [Given(rows, TEXTS, name=f"open_clip/{name}", fingerprint=name * 64) for name, rows in names.items()],
        benchmark="made",
        template=PLAIN,
    )
    contrasts = {(one.a[-1], one.b[-1]): one for one in found.contrasts}
    assert set(contrasts) == {("a", "b"), ("a", "c"), ("b", "c")}
    one = contrasts["a", "b"]
    assert (one.n_pairs, one.a_only, one.b_only) == (30, 8, 0)
    assert one.value_points == pytest.approx(-100 * 8 / 30)
    assert one.p == pytest.approx(2 * 0.5**8)
    assert one.p_holm == pytest.approx(2 * 0.5**8)  # the largest of three
    assert contrasts["a", "c"].p_holm == pytest.approx(3 * 2 * 0.5**30)
    assert one.difference_points is not None
    assert one.difference_points.low < one.value_points < one.difference_points.high < 0
    assert contrasts["a", "c"].difference_points is None  # alike on all pairs: the bootstrap has no width
    assert contrasts["b", "c"].difference_points is not None


def test_mmvp_vlm_from_its_folder_to_its_scores(tmp_path: Path) -> None:
    folder = drawn.mmvp_vlm(tmp_path / "in", per_type=2)
    name = import_mmvp_vlm(tmp_path / "s", folder).folder.name
    result = match(tmp_path / "s", ["world/clip"], benchmark=name, device="cpu").runs[0]
    assert result.header.profile == "match@1: a photo of {statement}"
    patterns = {one.group for one in result.scores if one.metric == "image_score"}
    assert len(patterns) == 10
    for one in result.scores:
        if one.metric == "image_score" and one.group != "all":
            assert (one.tagset, one.n_pairs) == ("mmvp-vlm", 2)
            assert one.value in (0.0, 0.5, 1.0)
    whole = score(result, "image_score")
    assert whole.n_pairs == 18
    parts = [one.value for one in result.scores if one.metric == "image_score" and one.group != "all"]
    assert whole.value == pytest.approx(np.mean([part for part in parts if part is not None]))


@given(st.integers(0, 2**32 - 1), st.integers(1, 300))
def test_cosines_are_rounded_once(seed: int, dim: int) -> None:
    from fractions import Fraction

    random = np.random.default_rng(seed)
    a, b = (random.standard_normal(dim).astype(np.float32) for _ in "ab")
    exact = sum(Fraction(float(x)) * Fraction(float(y)) for x, y in zip(a, b, strict=True))
    assert cosine(a, b) == float(exact)
