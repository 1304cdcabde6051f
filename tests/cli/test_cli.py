"""The command line as users meet it: in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.pictures import draw_folder

CONTROLS = ("--blind", "control/colour-histogram", "--reference", "control/gradient-grid", "--device", "cpu")


def snellen(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "snellen", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        timeout=120,
        check=False,
    )


def assert_one_sentence(result: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, result.stderr
    for word in words:
        assert word in lines[0]


def test_run_goes_the_whole_way_and_goes_again(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos", 12)
    first = snellen("run", photos, "--out", tmp_path / "s", *CONTROLS)
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith(str(tmp_path / "s" / "report.html"))
    page = (tmp_path / "s" / "report.html").read_bytes()
    again = snellen("run", photos, "--out", tmp_path / "s", *CONTROLS, "--quiet")
    assert again.returncode == 0
    assert again.stderr == ""
    assert (tmp_path / "s" / "report.html").read_bytes() == page


def test_run_says_what_caps_dropped(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos", 12)
    options = ["--blind-min", "q0.2", "--reference-max", "q0.9", "--max-pairs", "2", "--quiet"]
    result = snellen("run", photos, "--out", tmp_path / "s", *CONTROLS, *options)
    assert result.returncode == 0, result.stderr
    passing = json.loads((tmp_path / "s" / "mining.json").read_text())["counts"]["after_labels"]
    assert passing > 2
    assert result.stdout.endswith(
        f"2 blind pairs (of {passing} that pass; {passing - 2} dropped by --max-pairs) among 12 images\n"
    )


def test_verbs_one_by_one_make_the_same_study(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos", 12)
    study = tmp_path / "s"
    assert snellen("embed", study, "--images", photos, "--encoder", CONTROLS[1], "--device", "cpu").returncode == 0
    assert snellen("embed", study, "--encoder", CONTROLS[3], "--device", "cpu").returncode == 0
    mined = snellen("mine", study, "--blind", CONTROLS[1], "--reference", CONTROLS[3], "--blind-min", "q0.5")
    assert mined.returncode == 0, mined.stderr
    assert "pairs.parquet" in mined.stdout
    assert snellen("report", study).stdout.strip() == str(study / "report.html")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--blnd", "x"], "--blind"),
        (["--blind-min", "high"], "q0.9999"),
        (["--blind-min", "1.5"], "from -1 to 1"),
        (["--labels", "inside"], "any, within, across"),
        (["--max-pairs", "0"], "max-pairs"),
        (["--blind", "open_clop/ViT-B-32@openai"], "open_clip"),
        (["--blind", "control/color-histogram"], "control/colour-histogram"),
        (["--blind", "onnx/nothing/there.onnx"], "there.onnx"),
        (["--device", "quantum"], "cpu"),
        (["--dtype", "float8"], "float32"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_would_be_right(tmp_path: Path, arguments: list[str], said: str) -> None:
    photos = draw_folder(tmp_path / "photos", 2)
    result = snellen("run", photos, "--out", tmp_path / "s", *CONTROLS, *arguments)
    assert result.returncode == 2, result.stderr
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "s").exists()


def test_a_missing_folder_is_wrong_usage_and_a_near_name_is_offered(tmp_path: Path) -> None:
    draw_folder(tmp_path / "photos", 2)
    result = snellen("run", tmp_path / "fotos", "--out", tmp_path / "s", *CONTROLS)
    assert_one_sentence(result, 2, "fotos", "photos")


@pytest.mark.parametrize(("name", "content"), [("list.txt", "\n"), ("list.csv", "path,label\n")])
def test_a_list_of_nothing_is_wrong_usage(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    assert_one_sentence(snellen("run", tmp_path / name, "--out", tmp_path / "s", *CONTROLS), 2, "lists no images")
    assert not (tmp_path / "s").exists()


def test_one_encoder_on_both_sides_is_said_before_anything_is_embedded(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos", 2)
    result = snellen(
        "run", photos, "--out", tmp_path / "s", *CONTROLS[:2], "--reference", CONTROLS[1], "--device", "cpu"
    )
    assert_one_sentence(result, 2, "one encoder")
    assert not (tmp_path / "s").exists()


def test_what_could_not_be_used_is_said(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos", 5)
    (photos / "003.png").write_text("no picture")
    result = snellen("run", photos, "--out", tmp_path / "s", *CONTROLS)
    assert "1 of 5 images could not be used: 1 not_an_image" in result.stderr
    assert "among 4 images (1 more could not be used)" in result.stdout


def test_a_study_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    assert_one_sentence(snellen("mine", tmp_path / "none"), 2, "snellen embed")
    assert_one_sentence(snellen("report", tmp_path / "none"), 2, "snellen embed")


def test_an_encoder_that_is_not_embedded_is_named_with_those_that_are(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos", 4)
    snellen("embed", tmp_path / "s", "--images", photos, "--encoder", CONTROLS[1], "--device", "cpu")
    assert_one_sentence(snellen("mine", tmp_path / "s"), 2, "control/colour-histogram")


def test_changed_images_end_with_1_and_name_the_image(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos", 4)
    assert snellen("run", photos, "--out", tmp_path / "s", *CONTROLS).returncode == 0
    (photos / "002.png").write_bytes((photos / "001.png").read_bytes())
    assert_one_sentence(snellen("run", photos, "--out", tmp_path / "s", *CONTROLS), 1, "002.png", "--out")


def test_a_name_that_needs_a_download_names_the_local_ways(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos", 2)
    result = snellen("run", photos, "--out", tmp_path / "s", HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path / "hub"))
    assert_one_sentence(result, 1, "ViT-L-14-quickgelu", "local")


@pytest.mark.parametrize(("images", "file"), [(300, "part-00000.parquet"), (64, "part-00000.npy")])
def test_a_full_disk_says_so_and_leaves_a_study_that_goes_on(tmp_path: Path, images: int, file: str) -> None:
    """A limit on file sizes, above the decode workers' pictures (12 kB) and below the table or the vectors (32 kB)."""
    photos = draw_folder(tmp_path / "photos", images)
    study = tmp_path / "s"
    command = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (14_000, resource.RLIM_INFINITY));"
        "from snellen.cli.main import main; main()"
    )
    arguments = [
        "embed",
        str(study),
        "--images",
        str(photos),
        "--encoder",
        "control/random-projection",
        "--device",
        "cpu",
    ]
    full = subprocess.run([sys.executable, "-c", command, *arguments], capture_output=True, text=True, check=False)
    assert_one_sentence(full, 1, "No room", file, "free some space")
    assert snellen(*arguments).returncode == 0
    assert snellen("embed", tmp_path / "other", *arguments[2:]).returncode == 0
    name = next((tmp_path / "other" / "embeddings").glob("*/part-00000.npy")).relative_to(tmp_path / "other")
    assert (study / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


def test_ctrl_c_is_one_line_and_the_run_goes_on_later(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos", 600)
    command = [sys.executable, "-m", "snellen", "run", str(photos), "--out", str(tmp_path / "s"), *CONTROLS]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        while not (tmp_path / "s" / "images.log.jsonl").exists():
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)  # what a terminal does: to the workers too
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert errors.strip().splitlines()[-1].startswith("interrupted: ")
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    result = snellen("mine", tmp_path / "none", "--debug")
    assert result.returncode == 2
    assert "Traceback" in result.stderr
    assert "UsageError" in result.stderr


def test_what_nobody_foresaw_is_one_sentence_too(tmp_path: Path) -> None:
    command = (
        "import snellen.mining; snellen.mining.mine = lambda *_, **__: 1 / 0;from snellen.cli.main import main; main()"
    )
    result = subprocess.run(
        [sys.executable, "-c", command, "mine", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert_one_sentence(result, 1, "ZeroDivisionError", "--debug")


def test_help_answers_within_half_a_second() -> None:
    times = []
    for _ in range(3):
        began = time.process_time() + sum(os.times()[2:4])
        assert "blind" in snellen("run", "--help").stdout
        times.append(time.process_time() + sum(os.times()[2:4]) - began)
    assert min(times) < 0.5  # CPU seconds, so that a busy machine does not count


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    from importlib.metadata import version

    assert snellen("--version").stdout.strip() == version("snellen")
