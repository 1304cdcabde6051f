"""Real rows for the miner's benchmark: photographs in random crops, through two EfficientNets that are ONNX files.

Each photograph gives a dozen crops of random place, size and shape, half of them mirrored. The network that pools over
the whole picture is the blind encoder, the one that keeps the layout the reference encoder. About 11,000 rows, in two
or three minutes; both .npy files are kept.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from benchmarks.mining_data import Collection, Rows16
from snellen.encoders.base import ImageEncoder
from snellen.providers import load_encoder

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
MODELS = [SHARED / "models" / f"efficientnet_lite0_{name}.onnx" for name in ("semantic", "layout")]
CROPS = 12
SIDE = 224
AREAS = (0.3, 1.0)
SHAPES = (3 / 4, 4 / 3)
MOST_PHOTOS = 1000
VERSION = 1


def photographs() -> list[Path]:
    """Return the photographs there are, at most 1,000, in the order of their names; none where the folder is not."""
    found = sorted(path for path in SHARED.rglob("photos/**/*") if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
    return found[:MOST_PHOTOS] if all(path.is_file() for path in MODELS) else []


def real(folder: Path, photos: list[Path]) -> Collection:
    """Return the collection of `CROPS` rows a photograph, made if it is not in the folder yet."""
    stem = f"real-v{VERSION}-{len(photos) * CROPS}"
    files = Collection(folder / f"{stem}-blind.npy", folder / f"{stem}-reference.npy")
    if not all(path.exists() for path in files):
        encoders = [load_encoder(f"onnx/{path}", threads=1) for path in MODELS]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            parts = list(pool.map(lambda number: _rows(photos[number], encoders, number), range(len(photos))))
        folder.mkdir(parents=True, exist_ok=True)
        for path, rows in zip(files, zip(*parts, strict=True), strict=True):
            np.save(path, np.concatenate(rows))
    return files


def crops(photo: Image.Image, random: np.random.Generator) -> list[Image.Image]:
    """Draw crops of a share of the area within `AREAS` and of a shape within `SHAPES`, scaled to 224 x 224."""
    drawn = []
    for _ in range(CROPS):
        area = random.uniform(*AREAS) * photo.width * photo.height
        shape = np.exp(random.uniform(*np.log(SHAPES)))
        width, height = min(photo.width, (area * shape) ** 0.5), min(photo.height, (area / shape) ** 0.5)
        left, top = random.uniform(0, photo.width - width), random.uniform(0, photo.height - height)
        crop = photo.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=(left, top, left + width, top + height))
        drawn.append(ImageOps.mirror(crop) if random.random() < 0.5 else crop)
    return drawn


def _rows(path: Path, encoders: list[ImageEncoder], number: int) -> list[Rows16]:
    """Embed the crops of one photograph: float16 [CROPS, dim] for each encoder."""
    with Image.open(path) as photo:
        pictures = crops(photo.convert("RGB"), np.random.default_rng(number))
    return [
        encoder.embed(np.stack([encoder.preprocess(picture) for picture in pictures])).astype(np.float16)
        for encoder in encoders
    ]
