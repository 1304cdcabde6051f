"""What an image source is: one small protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from snellen.records import ImageRef


class TooManyBytes(Exception):
    """The image's file is larger than the byte limit; it was not read."""


class SourceImage(NamedTuple):
    """One image as its source gives it: where it lies, its undecoded bytes, and what is known of it."""

    uri: str
    data: bytes
    meta: Mapping[str, Any]


class ImageSource(Protocol):
    """Lists images in a fixed order without reading them, and reads any one of them again.

    `kind` is a word for manifests (`folder`, `file_list`, `webdataset`, `parquet`); `skipped` counts what was found but
    not taken, by reason; it is complete after `refs`. Sources can be pickled, to read in worker processes, and
    `read` may be called from several threads.
    """

    @property
    def kind(self) -> str:
        """The word for manifests."""

    @property
    def skipped(self) -> Mapping[str, int]:
        """What was found and not taken, by reason."""

    def refs(self) -> Sequence[ImageRef]:
        """List the images, always in the same order, decided by names and never by the file system.

        Raises:
            SourceError: the source is damaged, or not what it was said to be.
        """

    def read(self, ref: ImageRef, max_bytes: int) -> bytes:
        """Return the image's bytes.

        Raises:
            OSError: they cannot be read.
            TooManyBytes: there are more than `max_bytes`; nothing was read.
        """


def iterate(source: ImageSource, max_bytes: int) -> Iterator[SourceImage]:
    """Yield `(uri, bytes, meta)` of every image, in order.

    Raises:
        OSError: one cannot be read; go over `refs` and `read` to carry on behind it.
        TooManyBytes: one is larger than `max_bytes`.
    """
    for ref in source.refs():
        yield SourceImage(ref.uri, source.read(ref, max_bytes), dict(ref.meta or {}))
