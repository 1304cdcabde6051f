"""From a source to rows: bytes read, hashed, compared with what the study knows, and duplicates found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from snellen.embedding.catalogue import Catalogue
from snellen.embedding.decoding import Prepared
from snellen.errors import StudyError
from snellen.images.base import ImageSource, TooManyBytes
from snellen.images.decode import Limits
from snellen.records import Image, ImageRef, Status


@dataclass(frozen=True, slots=True)
class Row:
    """One image on its way: `data` is None where it is not to be decoded."""

    row: int
    shard: int
    ref: ImageRef
    image_id: str | None
    status: Status
    data: bytes | None
    duplicate_of: int | None
    known: Image | None


class RowReader:
    """Reads every image of the source once, in row order."""

    def __init__(self, source: ImageSource, catalogue: Catalogue, limits: Limits) -> None:
        self._source = source
        self._catalogue = catalogue
        self._limits = limits
        self._first_with: dict[bytes, int] = {}

    def shard(self, shard: int, *, decode: bool) -> Iterator[Row]:
        """Yield the rows of one shard; call it for every shard in order, since duplicates look back.

        Args:
            shard: its number.
            decode: False where the vectors are there already and only the bytes are to be compared.

        Raises:
            StudyError: an image's bytes are not those that the study was begun with.
        """
        known = self._catalogue.known(shard)
        for place, row in enumerate(self._catalogue.rows(shard)):
            ref = self._catalogue.refs[row]
            data, image_id, status = self._read(ref)
            before = known[place] if known else None
            if before is not None and before.image_id != image_id:
                raise StudyError(
                    f"The image {ref.uri} has changed since the study was begun: put the old file back, or begin a new "
                    "study with another --out folder."
                )
            first = row if image_id is None else self._first_with.setdefault(bytes.fromhex(image_id), row)
            wanted = decode and first == row and (before is None or before.status == "ok")
            yield Row(
                row=row,
                shard=shard,
                ref=ref,
                image_id=image_id,
                status=status,
                data=data if wanted else None,
                duplicate_of=None if first == row else first,
                known=before,
            )

    def _read(self, ref: ImageRef) -> tuple[bytes | None, str | None, Status]:
        try:
            data = self._source.read(ref, self._limits.max_bytes)
        except TooManyBytes:
            return None, None, "too_large"
        except OSError:
            return None, None, "unreadable"
        return data, sha256(data).hexdigest(), "ok"


def to_image(row: Row, prepared: Prepared | None, first: Image | None) -> Image:
    """Say what became of a row: as earlier runs found, as the image it is a duplicate of, or as it was decoded now.

    Raises:
        StudyError: an image that was ok when the study was begun cannot be decoded now.
    """
    if row.known is not None:
        if prepared is not None and prepared.status != row.known.status:
            raise StudyError(
                f"The image {row.ref.uri} was {row.known.status} when the study was begun and is {prepared.status} "
                "now, though its bytes are the same: use the versions of the software that "
                "images.parquet.manifest.json names, or begin a new study."
            )
        return row.known
    found = first if first is not None else prepared
    ref = row.ref
    return Image(
        row=row.row,
        image_id=row.image_id,
        uri=ref.uri,
        status=row.status if found is None else found.status,
        width=None if found is None else found.width,
        height=None if found is None else found.height,
        offset=ref.offset,
        length=ref.length,
        label=ref.label,
        caption=ref.caption,
        meta=json.dumps(ref.meta, ensure_ascii=False, sort_keys=True, default=str) if ref.meta else None,
        flags=() if found is None else found.flags,
        duplicate_of=row.duplicate_of,
    )
