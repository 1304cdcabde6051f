"""The images of a study, found again after `embed`: their rows by image_id, and their bytes as they were then."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from snellen import image_table
from snellen.errors import StudyError, UsageError
from snellen.images.base import ImageSource, TooManyBytes
from snellen.images.decode import DEFAULT_LIMITS
from snellen.images.open import open_source
from snellen.records import Image, ImageRef
from snellen.study import Study


class Gone(Exception):
    """An image is not what it was when it was embedded; the message is what became of it, as the end of a sentence."""


class StudyImages:
    """Reads a study's images from their source, and takes none that has changed."""

    def __init__(self, source: ImageSource) -> None:
        self._source = source
        self._refs: dict[str, ImageRef] = {ref.uri: ref for ref in source.refs()}

    def read(self, image: Image) -> tuple[ImageRef, bytes]:
        """Return what the source says of an image, and its bytes.

        Raises:
            Gone: it is no longer there, cannot be read, or is another image by now.
        """
        ref = self._refs.get(image.uri)
        if ref is None:
            raise Gone("no longer in the source")
        try:
            data = self._source.read(ref, DEFAULT_LIMITS.max_bytes)
        except (OSError, TooManyBytes):
            raise Gone("cannot be read any more") from None
        if sha256(data).hexdigest() != image.image_id:
            raise Gone("changed since it was embedded")
        return ref, data


def open_images(study: Study, images: str | Path | None) -> StudyImages:
    """Open the source of a study's images.

    Args:
        study: the study.
        images: where they are now; None: where they were last found on this machine.

    Raises:
        UsageError: it is not known where they are, or they are not there.
        SourceError: the source is not what its extension says.
    """
    last = study.last_source() or {"source": None, "options": {}}
    if images is not None:
        return StudyImages(open_source(images, **last["options"]))
    if last["source"] is None:
        raise UsageError(f"It is not known where the images of the study {study.root} are: say where with --images.")
    try:
        return StudyImages(open_source(last["source"], **last["options"]))
    except UsageError as error:
        raise UsageError(
            f"The images of the study {study.root} are not where they were, in {last['source']}: say where they are "
            "now with --images."
        ) from error


def find(study: Study, image_ids: Iterable[str]) -> dict[str, Image]:
    """Find images by image_id, the first row of each, with memory for those and one part of the table.

    Returns:
        Rows by image_id; those that the study has not got are left out.

    Raises:
        StudyError: the table is damaged.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    wanted = pa.array(sorted(set(image_ids)), pa.string())
    rows: list[int] = []
    for path in image_table.files(study):
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(columns=["row", "image_id", "duplicate_of"]):
                    first = pc.and_(pc.is_in(batch["image_id"], value_set=wanted), pc.is_null(batch["duplicate_of"]))
                    rows += batch["row"].filter(first).to_pylist()
        except (pa.ArrowInvalid, OSError, KeyError) as error:
            raise StudyError(f"{path} cannot be read ({error}): run `snellen embed` again.") from error
    return {str(image.image_id): image for image in image_table.take(study, rows).values()}
