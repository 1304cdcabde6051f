"""`mine --estimate`: about how many pairs the thresholds give and how long they take, without finding them all."""

from __future__ import annotations

import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from snellen.defaults import BLIND_ENCODER, BLIND_MIN, REFERENCE_ENCODER, REFERENCE_MAX
from snellen.mining.asked.options import Options
from snellen.mining.asked.prepare import join_of, ordered, resolve, said_of_backend
from snellen.mining.asked.question import open_question
from snellen.mining.estimates.interval import Estimate
from snellen.mining.estimates.sample import Sample
from snellen.mining.filters.choose import Backend
from snellen.mining.join.tiles import pairs_of_rows
from snellen.mining.join.two_sided import LabelRule
from snellen.progress import SILENT, Progress
from snellen.study import Study


def estimate(
    study: str | Path,
    *,
    blind: str = BLIND_ENCODER,
    reference: str = REFERENCE_ENCODER,
    blind_min: float | str = BLIND_MIN,
    reference_max: float | str = REFERENCE_MAX,
    labels: LabelRule = "any",
    seed: int = 0,
    threads: int | None = None,
    backend: Backend = "auto",
    earlier: str | Path | None = None,
    progress: Progress = SILENT,
) -> Estimate:
    """Estimate how many pairs `mine` would find, from all pairs of some images drawn at random.

    Nothing is written to the study, which may be read-only; arrays too large for memory go to the system's folder for
    temporary files (TMPDIR). Near-identical copies are not collapsed, and no caps are applied: it is about the pairs
    that pass the thresholds and the label rule. Of a collection of few images it is exact. With `earlier`, it is about
    the pairs with a new image. Parameters are those of `mine`.

    Raises:
        SnellenError: as `mine` does, except that another process may be writing to the study.
    """
    options = Options.checked(
        blind=blind,
        reference=reference,
        blind_min=blind_min,
        reference_max=reference_max,
        labels=labels,
        seed=seed,
        threads=threads,
        backend=backend,
        earlier=earlier,
    )
    opened = Study.existing(study)
    # Neither a lock nor a folder in the study: it may be read-only, or be mined by another process meanwhile.
    with tempfile.TemporaryDirectory(prefix="snellen-estimate-") as folder:
        scratch = Path(folder)
        note = said_of_backend(options)
        if note:
            progress.note(note)
        question = open_question(opened, options, progress)
        rows = question.collection.distinct()
        resolved = resolve(question, rows, progress)
        order = ordered(question, rows)
        join = join_of(question, order, resolved, scratch)
        old = None if question.earlier is None else question.earlier.totals.after_labels
        sample = Sample(join, order, options.seed, old)
        progress.start("looking at drawn images", pairs_of_rows(0, order.drawn, len(rows)), "pairs")
        with closing(sample.blocks(progress)) as blocks:
            for _ in blocks:
                if sample.says_enough:
                    break
        progress.finish()
        return replace(sample.estimate(), note=note)
