"""Files as other tools write them, made from a table of what was answered; and a benchmark that has MMVP's numbers."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl

from tests.test_benchmarks import lines_of, seal, write_benchmark, write_lines

PAIRS = [
    ("Is the dog facing left or right?", ["Left", "Right"]),
    ("How many wheels (tyres) are there?", ["1 (one)", "2"]),
    ("Is the door open?", ["Yes", "No"]),
    ("Where is the cat,  in front or behind?", ["In front of the car", 'Behind the car, "hidden"']),
]
"""Numbers 1 and 2, 3 and 4 and so on are pairs; options may hold brackets, commas and quotation marks."""


def write_numbered(study: Path, name: str = "MMVP") -> Path:
    """A benchmark of four pairs; source_id counts from 1 through the pairs, slot a first."""
    folder = write_benchmark(study / "benchmarks" / name, len(PAIRS))
    lines = lines_of(folder)
    for at, line in enumerate(lines):
        text, options = PAIRS[at // 2]
        line |= {"text": text, "options": options, "source_id": f"MMVP:{at + 1}"}
    write_lines(folder, lines)
    seal(folder, n_pairs=len(PAIRS), name=name)
    return folder


Row = dict[str, Any]


def rows_of(folder: Path, says: Callable[[int, Row], str] | None = None) -> list[Row]:
    """What a tool knows of every question, with what a model answered: the right letter unless told otherwise."""
    found = []
    for at, line in enumerate(lines_of(folder), 1):
        row = {"number": at, "shown": list(line["options"]), "key": line["answer"], **line}
        row["says"] = says(at, row) if says else "AB"[line["answer"]]
        found.append(row)
    return found


def turned(row: Row) -> Row:
    """The same question with its options shown the other way round, and its letters with them."""
    return row | {
        "shown": row["shown"][::-1],
        "key": 1 - row["key"],
        "says": row["says"].translate(str.maketrans("AB", "BA")),
    }


def write_jsonl(path: Path, lines: Sequence[Row]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def official(path: Path, rows: Sequence[Row]) -> Path:
    lines = [
        {
            "question_id": row["number"],
            "prompt": f"{row['text']} (a) {row['shown'][0]} (b) {row['shown'][1]}",
            "answer": ["(a)", "(b)"][row["key"]],
            "response": row["says"],
            "answer_id": f"id{row['number']}",
            "model_id": "llava-v1.5-7b",
        }
        for row in rows
    ]
    return write_jsonl(path, lines)


def lmms_eval(path: Path, rows: Sequence[Row], *, doc: bool = False, noted_from: int = 0, **more: Any) -> Path:
    lines = []
    for place, row in enumerate(rows):
        shown = row["shown"]
        note = {"index": row["number"] - 1 + noted_from, "pair_index": (row["number"] - 1) // 2, "pred": row["says"]}
        line = {
            "doc_id": place,
            "target": "AB"[row["key"]],
            "filtered_resps": [row["says"]],
            "doc_hash": "0" * 64,
            "input": f"{row['text']}\nA. {shown[0]}\nB. {shown[1]}\n"
            "Answer with the option's letter from the given choices directly.",
        }
        if doc:
            line["resps"] = [[row["says"]]]
            options = f"(a) {shown[0]} (b) {shown[1]}"
            line["doc"] = {"Index": row["number"], "Question": row["text"], "Options": options}
        else:
            line |= {"mmvp_accuracy": note, "mmvp_pair_accuracy": note}
        lines.append(line | more)
    return write_jsonl(path, lines)


SHEET = ["index", "question", "A", "B", "answer", "category", "prediction"]


def _sheet(rows: Sequence[Row], counted_from: int) -> list[list[Any]]:
    return [
        [row["number"] - 1 + counted_from, row["text"], *row["shown"], "AB"[row["key"]], "x", row["says"]]
        for row in rows
    ]


def xlsx(path: Path, rows: Sequence[Row], *, counted_from: int = 1, header: Sequence[str] = SHEET) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(list(header))
    for line in _sheet(rows, counted_from):
        sheet.append(line)
    book.save(path)
    return path


def tsv(path: Path, rows: Sequence[Row], *, counted_from: int = 1) -> Path:
    text = io.StringIO()
    writer = csv.writer(text, delimiter="," if path.suffix == ".csv" else "\t", quoting=csv.QUOTE_ALL)
    writer.writerows([SHEET, *_sheet(rows, counted_from)])
    path.write_text(text.getvalue(), newline="")
    return path


def sample(row: Row, folder: Path, *, by: str = "id", **more: Any) -> Row:
    """One sample of Inspect; `by` says how it tells which question it is: id, metadata, image, attachment, or not."""
    image: str = row["image"]
    if by in ("image", "attachment"):
        image = "data:image/png;base64," + b64encode((folder / row["image"]).read_bytes()).decode()
    shown = "attachment://abc" if by == "attachment" else image
    text = f"{row['text']}\n\nA) {row['shown'][0]}\nB) {row['shown'][1]}"
    content = [{"type": "text", "text": text}, {"type": "image", "image": shown}]
    made = {
        "id": row["question_id"] if by == "id" else row["number"],
        "epoch": 1,
        "input": [{"role": "user", "content": content}],
        "choices": row["shown"],
        "target": "AB"[row["key"]],
        "messages": [{"role": "system", "content": "You see."}, {"role": "user", "content": content}],
        "output": {
            "model": "openai/x",
            "choices": [{"message": {"role": "assistant", "content": row["says"]}, "stop_reason": "stop"}],
        },
        "metadata": {"source_id": row["source_id"]} if by == "metadata" else {},
        "attachments": {"abc": image} if by == "attachment" else {},
        "scores": {"choice": {"value": "C"}},
    }
    return made | more


def inspect_json(path: Path, samples: Sequence[Row]) -> Path:
    path.write_text(json.dumps({"version": 2, "eval": {"model": "openai/x"}, "samples": samples}))
    return path


def inspect_eval(path: Path, samples: Sequence[Row], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("_journal/start.json", json.dumps({"version": 2, "eval": {"model": "openai/x"}}))
        for one in samples:
            archive.writestr(f"samples/{one['id']}_epoch_{one['epoch']}.json", json.dumps(one))
        archive.writestr("summaries.json", "[]")
        archive.writestr("header.json", json.dumps({"version": 2, "status": "success", "eval": {"model": "openai/x"}}))
    return path
