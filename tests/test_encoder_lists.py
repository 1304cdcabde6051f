"""The ready lists name encoders that exist, as large as they say, and wrong files are refused in a sentence."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path
from typing import Any

import pytest

from snellen.encoder_lists import READY, encoder_list
from snellen.encoders.open_clip import _check_weights
from snellen.encoders.quiet import quiet_libraries
from snellen.errors import EncoderError, SnellenError, StudyError, UsageError
from snellen.providers import split_name

ALL = [(listed, encoder) for listed in READY for encoder in encoder_list(listed).encoders]


def test_the_papers_ten_are_those_of_its_table(shared_data: Path) -> None:
    with (shared_data / "paper_tables" / "mmvp_vlm_table1.csv").open() as file:
        printed = list(csv.DictReader(file))
    ours = encoder_list("paper").encoders
    assert [(one.label, one.image_size, one.parameters_m, one.imagenet_top1) for one in ours] == [
        (row["model"], int(row["image_size"]), float(row["params_m"]), float(row["in1k_zeroshot"])) for row in printed
    ]
    assert len(ours) == 10
    assert "2401.06209" in encoder_list("paper").source


def test_ten_different_names() -> None:
    for listed in READY:
        names = encoder_list(listed).names
        assert len(set(names)) == len(names) >= 10


@pytest.mark.parametrize(("listed", "encoder"), ALL, ids=[encoder.name for _, encoder in ALL])
def test_open_clip_has_it_and_it_is_as_large_as_printed(listed: str, encoder: Any) -> None:
    """The weights are listed, our loader takes the name, the architecture (without weights) has the printed size."""
    import open_clip
    import torch

    provider, architecture, tag = split_name(encoder.name)
    assert provider == "open_clip"
    assert (architecture, tag) in open_clip.list_pretrained()
    assert _check_weights(encoder.name, architecture, tag) == tag
    with quiet_libraries(), warnings.catch_warnings(), torch.device("meta"):
        warnings.simplefilter("ignore")
        model = open_clip.create_model(architecture, pretrained=None, load_weights=False, device="meta")
    assert model.visual.image_size == (encoder.image_size, encoder.image_size)
    assert sum(parameter.numel() for parameter in model.parameters()) / 1e6 == pytest.approx(
        encoder.parameters_m, abs=0.051
    )


def test_a_plain_name_for_quick_weights_would_be_refused() -> None:
    """The lists' names are not matters of taste: without QuickGELU the loader says no."""
    quick = [encoder.name for _, encoder in ALL if "quickgelu" in encoder.name]
    assert len(quick) == 7
    for name in quick:
        _, architecture, tag = split_name(name)
        plain = architecture.removesuffix("-quickgelu")
        with pytest.raises((EncoderError, UsageError), match="quickgelu"):
            _check_weights(f"open_clip/{plain}@{tag}", plain, tag)


def test_a_list_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('title = "mine"\nsource = "me"\n[[encoder]]\nname = "transformers/./clip"\nimagenet_top1 = 75\n')
    found = encoder_list(path)
    assert found.names == ("transformers/./clip",)
    assert (found.encoders[0].imagenet_top1, found.encoders[0].label) == (75.0, None)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no field title"),
        ('title = "x"\nsource = "y"\n', "no field encoder"),
        ('title = "x"\nsource = "y"\nencoder = []\n', "[[encoder]]"),
        ('title = "x"\nsource = "y"\nencoder = ["a/b"]\n', "[[encoder]]"),
        ('title = "x"\nsource = "y"\n[[encoder]]\nlabel = "z"\n', "number 1, that has no field name"),
        ('title = "x"\nsource = "y"\n[[encoder]]\nname = "clip"\n', "provider/model"),
        ('title = "x"\nsource = "y"\n[[encoder]]\nname = "a/b"\nsize = 3\n', "not known"),
        ('title = "x"\nsource = "y"\n[[encoder]]\nname = "a/b"\nimagenet_top1 = 175\n', "from 0 to 100"),
        ('title = "x"\nsource = "y"\n[[encoder]]\nname = "a/b"\nparameters_m = 0\n', "above 0"),
        ('title = "x"\nsource = "y"\n[[encoder]]\nname = "a/b"\nparameters_m = nan\n', "finite"),
        ('title = "x"\nsource = "y"\n[[encoder]]\nname = "a/b"\n[[encoder]]\nname = "a/b"\n', "twice"),
        ('title = "x', "not TOML"),
        (b'title = "\xff"', "not UTF-8"),
    ],
)
def test_wrong_lists_are_refused(tmp_path: Path, content: str | bytes, said: str) -> None:
    path = tmp_path / "l.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(StudyError) as caught:
        encoder_list(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_list_names_the_known_ones() -> None:
    with pytest.raises(SnellenError, match=r"paper, newer .*did you mean newer"):
        encoder_list("newest")
