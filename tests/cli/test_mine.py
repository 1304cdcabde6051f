"""`snellen mine` as users meet it: what it says on which stream."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from snellen import defaults
from snellen.cli.main import app, main
from snellen.errors import UsageError
from snellen.mining import kernels
from snellen.mining.asked import prepare
from snellen.study import Study
from tests import studies
from tests.mining.conftest import oracle
from tests.mining.mine_study import data

SIDES = ["--blind", "control/blind", "--reference", "control/reference"]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return studies.write_study(tmp_path / "study", *data())


def mine(study: Study, *arguments: str) -> tuple[str, str]:
    """Run the verb; return what it wrote to stdout and stderr."""
    result = CliRunner().invoke(app, ["mine", str(study.root), *SIDES, *arguments], catch_exceptions=False)
    return result.stdout, result.stderr


def refused(study: Study, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["mine", str(study.root), *SIDES, *arguments])
    assert isinstance(result.exception, UsageError)
    return str(result.exception)


def test_pairs_found_need_no_suggestions(study: Study) -> None:
    out, _ = mine(study, "--threads", "2", "--backend", "portable")
    assert out == f"{study.pairs}: {len(oracle(*data(), 0.95, 0.6))} blind pairs among 240 images\n"


def test_nothing_found_says_what_to_try(study: Study) -> None:
    narrow = ["--blind-min", "0.999", "--reference-max", "-0.2"]
    out, _ = mine(study, *narrow)
    first, *tries = out.splitlines()
    assert first == (
        f"{study.pairs}: no pair passes both thresholds among 240 images; `snellen report` shows the nearest misses"
    )
    assert len(tries) >= 2
    for line in tries:
        found = re.fullmatch(r"  try --blind-min (\S+) --reference-max (\S+): ([\d,]+) pairs?", line)
        assert found, line
        assert len(oracle(*data(), float(found[1]), float(found[2]))) == int(found[3].replace(",", ""))
    assert mine(study, *narrow)[0] == out  # also where it was done before
    quiet, errors = mine(study, *narrow, "--quiet")
    assert (quiet, errors) == (f"{first}\n", "")


def test_sampled_suggestions_have_intervals(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snellen.mining.survey.stream.ALL_PAIRS_IMAGES", 100)
    out, _ = mine(study, "--blind-min", "0.999", "--reference-max", "-0.2")
    assert re.search(r"try --blind-min \S+ --reference-max -0\.2: about [\d,]+ pairs \(95 % interval [\d,]+ to", out)


@pytest.mark.parametrize(
    ("options", "caps"),
    [
        ({"max_pairs": 10}, ["max_pairs"]),
        ({"top_k": 1}, ["top_k"]),
        ({"max_per_image": 1, "max_pairs": 5}, ["max_per_image", "max_pairs"]),
        ({"max_pairs": 10_000}, []),
    ],
)
def test_what_caps_dropped_is_said(study: Study, options: dict[str, int], caps: list[str]) -> None:
    arguments = [text for name, value in options.items() for text in (f"--{name.replace('_', '-')}", str(value))]
    out, _ = mine(study, *arguments, "--blind-min", "0.8", "--quiet")
    total = len(oracle(*data(), 0.8, 0.6))
    written = pq.read_metadata(study.pairs).num_rows
    found = re.fullmatch(
        rf"{study.pairs}: {written} blind pairs(?: \(of (\d+) that pass; (.*)\))? among 240 images\n", out
    )
    assert found
    if not caps:
        assert (found[1], written) == (None, total)
        return
    dropped = re.findall(r"(\d+) dropped by --(\S+?)(?:, |$)", found[2])
    assert [name.replace("-", "_") for _, name in dropped] == caps
    assert int(found[1]) == total == written + sum(int(count) for count, _ in dropped)


def test_estimate_is_one_line_and_no_file(study: Study) -> None:
    out, _ = mine(study, "--estimate", "--quiet")
    count = len(oracle(*data(), 0.95, 0.6))
    assert re.fullmatch(rf"{count} pairs pass both thresholds \(.*\); joining takes about \d+ s on \d+ threads?\n", out)
    assert not study.pairs.exists()


@pytest.mark.parametrize(
    "given",
    [["--max-pairs", "5"], ["--top-k", "2"], ["--max-per-image", "1"], ["--collapse-copies", "0.98"], ["--count-only"]],
)
def test_estimate_knows_no_caps(study: Study, given: list[str]) -> None:
    assert f"leave out {given[0]}" in refused(study, "--estimate", *given)


def test_count_only_prints_totals(study: Study) -> None:
    out, _ = mine(study, "--count-only", "--quiet")
    passing, above = (len(oracle(*data(), 0.95, limit)) for limit in (0.6, 2.0))
    assert out == (
        f"{study.counts}: {passing} of 28,680 pairs of 240 images pass both thresholds; "
        f"{above} are above the blind one alone\n"
    )


def test_too_many_pairs_say_what_to_do(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(defaults, "MAX_PAIRS", 5)
    assert "--max-pairs all" in refused(study)
    assert "38 blind pairs" in mine(study, "--max-pairs", "all")[0]
    assert "3 blind pairs" in mine(study, "--max-pairs", "3")[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--max-pairs", "0"], "--max-pairs 0"),
        (["--max-pairs", "most"], "all to write every pair"),
        (["--backend", "gpu"], "auto, compiled, portable, torch"),
        (["--count-only", "--top-k", "3"], "--top-k has nothing to cap"),
    ],
)
def test_wrong_usage(study: Study, arguments: list[str], said: str) -> None:
    assert said in refused(study, *arguments)


@pytest.mark.parametrize(
    ("given", "function", "said"),
    [
        ([], "mine", "what is finished is kept; run the same command again to go on."),
        (["--estimate"], "estimate", "an estimate keeps nothing; run the same command again to begin afresh."),
    ],
)
def test_interrupted(
    study: Study,
    given: list[str],
    function: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"snellen.mining.{function}", interrupt)
    monkeypatch.setattr("sys.argv", ["snellen", "mine", str(study.root), *SIDES, *given])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert capsys.readouterr().err.splitlines()[-1] == f"interrupted: {said}"


class TestWithoutKernels:
    @pytest.fixture(autouse=True)
    def not_built(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(kernels, "available", lambda: ())

    @pytest.mark.parametrize("more", [[], ["--collapse-copies", "0.98"], ["--estimate"], ["--count-only"]])
    @pytest.mark.parametrize("quiet", [[], ["--quiet"]])
    def test_it_is_said_once(self, study: Study, more: list[str], quiet: list[str]) -> None:
        _, errors = mine(study, *more, *quiet)
        assert errors.count(prepare.NOT_BUILT) == 1

    def test_who_asks_for_the_portable_filter_is_not_told(self, study: Study) -> None:
        _, errors = mine(study, "--backend", "portable")
        assert prepare.NOT_BUILT not in errors

    def test_who_asks_for_the_compiled_ones_is_refused(self, study: Study) -> None:
        assert "--backend portable" in refused(study, "--backend", "compiled")


class TestEarlier:
    @pytest.fixture
    def grown(self, tmp_path: Path) -> Study:
        """The study and 60 images more."""
        return studies.write_study(tmp_path / "grown", *data(300))

    @pytest.fixture
    def study(self, tmp_path: Path) -> Study:
        blind, reference = data(300)
        return studies.write_study(tmp_path / "study", blind[:240], reference[:240])

    def test_says_what_it_says_without(self, study: Study, grown: Study) -> None:
        mine(study)
        out, _ = mine(grown, "--earlier", str(study.root))
        assert out == f"{grown.pairs}: {len(oracle(*data(300), 0.95, 0.6))} blind pairs among 300 images\n"
        pairs = grown.pairs.read_bytes()
        assert mine(grown)[0] == out
        assert grown.pairs.read_bytes() == pairs

    def test_estimate(self, study: Study, grown: Study) -> None:
        mine(study)
        out, _ = mine(grown, "--earlier", str(study.root), "--estimate", "--quiet")
        pairs = oracle(*data(300), 0.95, 0.6)
        old = sum(1 for pair in pairs if max(pair) < 240)
        assert out.startswith(f"besides {old} pairs of --earlier, {len(pairs) - old} pairs pass both thresholds (")

    def test_refused(self, study: Study, grown: Study) -> None:
        assert "There is no study in" in refused(grown, "--earlier", str(study.root / "nowhere"))
        assert "may judge a pair" in refused(grown, "--earlier", str(study.root), "--collapse-copies", "0.98")
