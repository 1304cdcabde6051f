"""The verb `report`: one self-contained HTML file to look through the pairs."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from snellen import image_table, storage
from snellen.errors import StudyError, UsageError
from snellen.pair_table import top_pairs
from snellen.progress import SILENT, Progress
from snellen.records import Image, Pair
from snellen.report import words
from snellen.report.exam import Exam, read_exam
from snellen.report.figure import histogram
from snellen.report.pictures import Pictures
from snellen.study import Study, software
from snellen.study_images import open_images

TEMPLATES = Path(__file__).parent / "template"


def report(
    study: str | Path, *, images: str | Path | None = None, max_shown: int = 200, progress: Progress = SILENT
) -> Path:
    """Write `report.html`: pairs with both pictures and both cosines, settings, counts, and the histogram.

    Where there are benchmarks and finished runs, it lists them with their scores, and shows each pair's question.

    With zero pairs it shows the nearest misses, marked as not passing, and thresholds to try.

    Args:
        study: a study that `mine` has finished.
        images: where the images are now; None: where they were when they were embedded.
        max_shown: how many pairs are shown at most, the largest gaps first.
        progress: told of every pair.

    Returns:
        The path of the page.

    Raises:
        UsageError: there is no such study, or its images are not found.
        StudyError: `mine` has not finished, or was that of an earlier Snellen; or a benchmark or a run is damaged.
    """
    if max_shown < 1:
        raise UsageError(f"max_shown {max_shown} would show nothing: give a number from 1.")
    root = Study.existing(study)
    with root.lock():
        return _report(root, images, max_shown, progress)


def _report(root: Study, images: str | Path | None, max_shown: int, progress: Progress) -> Path:
    inputs = _checked_inputs(root)
    exam = read_exam(root)
    inputs |= exam.files
    mining = _mining(root)
    pairs, total = top_pairs(root.pairs, max_shown)
    misses = (mining["near_misses"] or {"pairs": []})["pairs"]
    shown = pairs or [_miss(miss) for miss in misses]
    table = image_table.take(root, [row for pair in shown for row in (pair.row_a, pair.row_b)])
    pictures = Pictures(open_images(root, images)) if shown else None

    cards = []
    progress.start("drawing the page", len(shown), "pairs")
    for rank, pair in enumerate(shown, 1):
        cards.append(_card(rank, pair, table, pictures, exam) | ({} if pairs else {"miss": misses[rank - 1]["miss"]}))
        progress.advance()
    progress.finish()

    resolved = mining["resolved"]
    figure = histogram(mining["histogram"], resolved["blind_min"]["value"], resolved["reference_max"]["value"])
    page = _render(
        mining=mining,
        cards=cards,
        total=total,
        figure=figure,
        thresholds=words.thresholds(resolved),
        filters=words.filters(mining),
        statuses=words.statuses(_image_counts(root)),
        settings=words.settings(mining),
        histogram=words.histogram(mining["histogram"]),
        dropped=sum(mining["truncated"][cap] for cap in ("max_per_image", "top_k", "max_pairs")),
        missing=pictures.missing if pictures else 0,
        benchmarks=exam.benchmarks,
        sections=exam.sections(),
        chances=exam.chances,
        unfinished=exam.unfinished,
        without_pairs=exam.without_pairs,
    )
    if pictures and pictures.missing:
        progress.note(f"{pictures.missing:,} of the images shown are gone or changed; the page says which")
    storage.write_bytes(root.report, page)
    root.write_manifest(
        root.report,
        verb="report",
        settings={"max_shown": max_shown},
        software=software("jinja2", "matplotlib", "pillow"),
        inputs=inputs,
        outputs={root.relative(root.report): storage.sha256_of_file(root.report)},
        counts={"shown": len(cards), "pairs": total},
    )
    return root.report


def _checked_inputs(study: Study) -> dict[str, str]:
    """Return sha256 of what the page is made from, after comparing each file with its manifest.

    Raises:
        StudyError: `mine` has not finished, or a file is not the one that its manifest describes.
    """
    inputs: dict[str, str] = {}
    for artefact, verb in ((study.images, "embed"), (study.pairs, "mine")):
        manifest = study.read_manifest(artefact)
        if manifest is None:
            raise StudyError(f"{artefact} is not there, or not finished: run `snellen {verb} {study.root}` first.")
        for path, expected in manifest["outputs"].items():
            if not (study.root / path).is_file() or storage.sha256_of_file(study.root / path) != expected:
                raise StudyError(
                    f"{study.root / path} was changed after it was written: run `snellen {verb} {study.root}` again."
                )
            inputs[path] = expected
    return inputs


def _mining(study: Study) -> dict[str, Any]:
    mining = storage.read_json(study.mining)
    if "exact_from" not in mining["histogram"]:
        raise StudyError(f"{study.mining} was written by an earlier Snellen: run `snellen mine {study.root}` again.")
    return mining


def _image_counts(study: Study) -> dict[str, Any]:
    manifest = study.read_manifest(study.images)
    assert manifest is not None  # `_checked_inputs` has read it
    counts: dict[str, Any] = manifest["counts"]
    return counts


def _miss(miss: dict[str, Any]) -> Pair:
    return Pair(**{key: value for key, value in miss.items() if key != "miss"})


def _card(rank: int, pair: Pair, table: dict[int, Image], pictures: Pictures | None, exam: Exam) -> dict[str, Any]:
    assert pictures is not None  # opened whenever a pair is shown
    images = [table[row] for row in (pair.row_a, pair.row_b)]
    return {
        "rank": rank,
        "pair": pair,
        "pictures": [pictures.of(image) for image in images],
        "asked": exam.asked(pair.pair_id, [image.image_id for image in images]),
    }


def _render(**values: Any) -> bytes:  # noqa: ANN401 - what the template names
    """Fill the template; every value is escaped, and the page may run only its own script, named by its hash."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = (TEMPLATES / "report.js").read_text("utf-8")
    style = (TEMPLATES / "report.css").read_text("utf-8")
    policy = f"default-src 'none'; img-src data:; script-src {_allowed(script)}; style-src {_allowed(style)}"
    page = environment.get_template("report.html").render(
        script=script,
        style=style,
        policy=policy,
        cosine=words.cosine,
        number=words.number,
        percent=words.percent,
        **values,
    )
    return page.encode("utf-8")


def _allowed(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode('ascii')}'"
