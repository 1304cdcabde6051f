"""Vectors of the study's images that other encoders gave: do they show what the model's own does not?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from snellen import image_table
from snellen.diagnosis.hidden import FloatArray
from snellen.study import Study
from snellen.vectors import Vectors


def embedded(study: Study) -> Iterator[tuple[str, dict[str, FloatArray]]]:
    """Yield every finished embedding of the study: its encoder, and float32 [dim] by image_id."""
    finished = study.finished_embeddings()
    if not finished:
        return
    table = image_table.read(study)
    images = [image for image in table if image.status == "ok" and image.duplicate_of is None]
    rows = np.array([image.row for image in images], np.int64)
    for slug in finished:
        values = Vectors.open(study.embedding(slug), len(table)).gather(rows).astype(np.float32)
        yield slug, {str(image.image_id): values[at] for at, image in enumerate(images)}
