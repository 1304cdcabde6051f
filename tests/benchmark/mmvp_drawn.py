"""Folders as MMVP and MMVP-VLM are published, with drawn pictures; tables are written by the csv module."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from pathlib import Path

from tests.pictures import picture

HEADER = ("Index", "Question", "Options", "Correct Answer")
VLM_HEADER = ("Question ID", "Type", "Statement")
TYPES = (
    "Orientation",
    "Presence",
    "State",
    "Quantity",
    "Spatial",
    "Color",
    "Structural Character",
    "Text",
    "Camera Perspective",
)

Rows = list[list[str]]


def rows_of(count: int) -> Rows:
    """Rows of MMVP: the odd number has (a), and 99/100 and 279/280 are as published."""
    rows = []
    for number in range(1, count + 1):
        pair = (number + 1) // 2
        text, options = f"Is thing {pair}, over there, up or down?", f"(a) Up {pair} (b) Down"
        if number in (99, 100):
            text, options = "Does the elephant have long or short tusks?", "(a) Long (b) Short"
        if number in (279, 280):
            text, options = "Is the elderly person standing or sitting in the picture?", "(a) Standing (b) Sitting"
        rows.append([str(number), text, options, "(a)" if number % 2 else "(b)"])
    return rows


def draw(folder: Path, numbers: Sequence[int], extension: str = "jpg") -> None:
    """Draw a different picture for each number."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        picture(number, 24, 24).save(folder / f"{number}.{extension}")


def write_table(
    path: Path, rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER, encoding: str = "utf-8"
) -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def mmvp(folder: Path, count: int = 4, *, images: str = "MMVP Images", shuffled: bool = False) -> Path:
    """Write MMVP, or the beginning of it."""
    draw(folder / images, range(1, count + 1))
    rows = rows_of(count)
    if shuffled:
        random.Random(0).shuffle(rows)
    write_table(folder / "Questions.csv", rows)
    return folder


def mmvp_vlm(folder: Path, per_type: int = 1, *, images: str = "MLLM_VLM Images", types: Sequence[str] = TYPES) -> Path:
    """Write MMVP-VLM with some pairs a type; statements hold commas and quotes."""
    rows = []
    number = 0
    for name in types:
        for _ in range(2 * per_type):
            number += 1
            draw(folder / images / name, [number])
            rows.append([str(number), name, f'thing {number}, called "{name}"'])
    write_table(folder / "Questions.csv", rows, VLM_HEADER)
    return folder
