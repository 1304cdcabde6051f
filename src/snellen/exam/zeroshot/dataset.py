"""The labelled images: listed, hashed once for all encoders, and read again as they were then."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256

from snellen import storage
from snellen.errors import StudyError, UsageError
from snellen.images.base import ImageSource, TooManyBytes
from snellen.images.decode import Decoded, Limits, decode
from snellen.jsonl import quoted
from snellen.progress import Progress
from snellen.records import ImageRef, Status


@dataclass(frozen=True, slots=True)
class Labelled:
    """One image: where it lies, its class, and sha256 of its bytes; None where they cannot be read, and then why."""

    ref: ImageRef
    label: str
    image_id: str | None
    status: Status


@dataclass(frozen=True)
class Dataset:
    """Labelled images in the order of their source."""

    name: str
    source: ImageSource
    images: tuple[Labelled, ...]
    limits: Limits

    @property
    def listing_sha256(self) -> str:
        """64 hex digits over the images' places, in order."""
        return storage.sha256_of_json([image.ref.uri for image in self.images])

    @property
    def content_sha256(self) -> str:
        """64 hex digits over all images and labels, in whatever order; an image that cannot be read is its label."""
        return storage.sha256_of_json(sorted([image.image_id or "", image.label] for image in self.images))

    def decoded(self, image: Labelled) -> Decoded:
        """Read an image again and decode it.

        Raises:
            StudyError: it is not what it was when it was hashed.
        """
        if image.image_id is None:
            return Decoded(image.status)
        found, data, _ = _read(self.source, image.ref, self.limits)
        if found != image.image_id:
            raise StudyError(
                f"The image {quoted(image.ref.uri)} changed while the images were used: leave them alone and run again."
            )
        return decode(data, self.limits, image.ref.orientation)


def read_dataset(name: str, source: ImageSource, limits: Limits, workers: int, progress: Progress) -> Dataset:
    """List a source's images and hash them.

    Raises:
        UsageError: there are none, or some have no label.
        SourceError: the source is damaged.
    """
    refs = source.refs()
    if not refs:
        raise UsageError("The source lists no images: give one that holds some.")
    labels = [ref.label for ref in refs if ref.label is not None]
    if len(labels) < len(refs):
        bare = [quoted(ref.uri) for ref in refs if ref.label is None]
        shown = ", ".join(bare[:3]) + (", ..." if bare[3:] else "")
        raise UsageError(
            f"{len(bare):,} of {len(refs):,} images have no label ({shown}): "
            "put each into a folder that is named after its class, or give a table with a column `label`."
        )
    progress.start("reading images", len(refs), "images")
    images = []
    with ThreadPoolExecutor(workers, thread_name_prefix="read") as pool:
        found = pool.map(lambda ref: _read(source, ref, limits)[::2], refs)
        for ref, label, (image_id, status) in zip(refs, labels, found, strict=True):
            images.append(Labelled(ref, label, image_id, status))
            progress.advance()
    progress.finish()
    return Dataset(name, source, tuple(images), limits)


def _read(source: ImageSource, ref: ImageRef, limits: Limits) -> tuple[str | None, bytes, Status]:
    try:
        data = source.read(ref, limits.max_bytes)
    except TooManyBytes:
        return None, b"", "too_large"
    except OSError:
        return None, b"", "unreadable"
    return sha256(data).hexdigest(), data, "ok"
