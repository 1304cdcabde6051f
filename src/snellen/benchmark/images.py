"""From the study's images to those of a benchmark: the very bytes, named after their hash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from snellen import storage
from snellen.benchmarks.files import IMAGES
from snellen.benchmarks.questions import EXTENSIONS
from snellen.errors import StudyError
from snellen.images.decode import decode
from snellen.images.sniff import sniff
from snellen.progress import Progress
from snellen.records import AcceptedPair, Image
from snellen.study import Study
from snellen.study_images import Gone, find, open_images


def find_images(study: Study, pairs: Sequence[AcceptedPair]) -> dict[str, Image]:
    """Find the rows of all images of the pairs, by image_id.

    Raises:
        StudyError: an image is not in the study, or is there and not ok; names the pair.
    """
    rows = find(study, (image for pair in pairs for image in (pair.image_a, pair.image_b)))
    for pair in pairs:
        for image_id in (pair.image_a, pair.image_b):
            row = rows.get(image_id)
            if row is None or row.status != "ok":
                what = "is not in the study" if row is None else f"has status {row.status}"
                raise StudyError(
                    f"The accepted pair {pair.pair_id} shows the image {image_id}, which {what}: leave the pair out of "
                    f"accepted.jsonl, or build in the study that it was mined in, instead of {study.root}."
                )
    return rows


def copy_images(
    study: Study,
    where: str | Path | None,
    pairs: Sequence[AcceptedPair],
    rows: Mapping[str, Image],
    folder: Path,
    progress: Progress,
) -> dict[str, str]:
    """Copy every image to `images/<image_id>.<extension>`, those that are there already left alone.

    Returns:
        The path inside the benchmark of every image, by image_id.

    Raises:
        UsageError: the images are not found.
        StudyError: an image has changed since it was embedded, or would be shown lying on its side.
    """
    source = open_images(study, where)
    pair_of = {image: pair.pair_id for pair in reversed(pairs) for image in (pair.image_a, pair.image_b)}
    paths: dict[str, str] = {}
    progress.start("copying images", len(rows), "images")
    for image_id in sorted(rows):
        try:
            ref, data = source.read(rows[image_id])
            if (
                ref.orientation not in (None, 1)
                and decode(data).flags != decode(data, orientation=ref.orientation).flags
            ):
                # The bytes alone do not say which way is up, and a benchmark has nothing but the bytes.
                raise Gone("turned upright only by what its source says of it beside the file")
        except Gone as gone:
            raise StudyError(
                f"The image {rows[image_id].uri} of the accepted pair {pair_of[image_id]} is {gone}: put it back as it "
                "was, say where the images are with --images, or leave the pair out."
            ) from None
        kind = sniff(data)
        assert kind is not None  # its status is ok, and its bytes are the same
        assert kind != "unsupported"
        paths[image_id] = f"{IMAGES}/{image_id}.{EXTENSIONS[kind]}"
        path = folder / paths[image_id]
        if path.is_symlink() or not path.is_file() or storage.sha256_of_file(path) != image_id:
            storage.write_bytes(path, data)
        progress.advance()
    progress.finish()
    return paths
