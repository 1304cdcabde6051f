"""Images: where they come from, and the one place where they are decoded."""

from snellen.images.base import ImageSource, SourceImage, TooManyBytes, iterate
from snellen.images.decode import Decoded, Limits, decode
from snellen.images.file_list import FileListSource
from snellen.images.folder import FolderSource
from snellen.images.open import open_source
from snellen.images.parquet import ParquetSource
from snellen.images.webdataset import WebDatasetSource

__all__ = [
    "Decoded",
    "FileListSource",
    "FolderSource",
    "ImageSource",
    "Limits",
    "ParquetSource",
    "SourceImage",
    "TooManyBytes",
    "WebDatasetSource",
    "decode",
    "iterate",
    "open_source",
]
