"""How near `embed` comes to what its parts cost: `python -m benchmarks.embed [--photos DIR] [--onnx FILE ...]`.

The bound is max(forward wall, (forward CPU + decode CPU) / cores): a pipeline that wastes nothing reaches it. Both
parts are measured alone, in the same run; forward by the quicker of two ways, the library's own threads and ours. The
target is a ratio of at most 1.15. Machines are shared and noisy, so every case is repeated and the spread printed.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter

from snellen.embedding import LoadedEncoder, embed, load
from snellen.encoders.base import FloatArray
from snellen.images import Limits, decode, open_source
from snellen.providers import load_encoder

CORES = os.cpu_count() or 1
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
BATCH = 16


def cpu_seconds() -> float:
    """CPU time of this process and of its ended children."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def measured(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of a piece of work."""
    wall, cpu = time.perf_counter(), cpu_seconds()
    work()
    return time.perf_counter() - wall, cpu_seconds() - cpu


def cores_to_be_had() -> float:
    """How many cores this machine gives right now: other work on it takes some, and makes every ratio worse."""
    with ProcessPoolExecutor(CORES) as pool:
        list(pool.map(abs, range(CORES)))
        began = time.perf_counter()
        used = sum(pool.map(_busy, [0.5] * CORES))
        return used / (time.perf_counter() - began)


def _busy(seconds: float) -> float:
    """Compute for so long by the clock, and return the CPU seconds that were had."""
    began, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds:
        pass
    return time.process_time() - cpu


def draw_photos(folder: Path, count: int) -> None:
    """Stand-ins for photographs, of their usual size: 500 x 375 JPEG of about 100 kB."""
    folder.mkdir(parents=True)
    for seed in range(count):
        noise = np.random.default_rng(seed).integers(0, 256, size=(375, 500, 3), dtype=np.uint8)
        Image.fromarray(noise).filter(ImageFilter.GaussianBlur(0.7)).save(folder / f"{seed:04d}.jpg", quality=88)


def save_vit_b(folder: Path) -> str:
    """A ViT-B/14 of the DINOv2 family with random weights, in its real on-disk format."""
    from transformers import BitImageProcessor, Dinov2Config, Dinov2Model

    torch.manual_seed(0)
    Dinov2Model(Dinov2Config(image_size=224, patch_size=14)).save_pretrained(folder)
    BitImageProcessor(
        size={"shortest_edge": 256},
        crop_size={"height": 224, "width": 224},
        image_mean=[0.485, 0.456, 0.406],
        image_std=[0.229, 0.224, 0.225],
    ).save_pretrained(folder)
    return f"transformers/{folder}"


def forward(loaded: LoadedEncoder, batches: list[FloatArray]) -> Callable[[], object]:
    """All batches through the network, `streams` at a time."""

    def work() -> None:
        with ThreadPoolExecutor(loaded.streams) as pool:
            list(pool.map(loaded.encoder.embed, batches))

    return work


def decode_all(name: str, photos: Path) -> list[FloatArray]:
    """Decode and preprocess every photograph in this thread."""
    preprocess = load_encoder(name).preprocess
    source = open_source(photos)
    values = []
    for ref in source.refs():
        decoded = decode(source.read(ref, Limits().max_bytes))
        if decoded.image is not None:
            values.append(preprocess(decoded.image))
    return values


def ratio(name: str, photos: Path, out: Path) -> tuple[float, str]:
    """Measure one case once: the ratio, and the line that says how it came about."""
    cores = cores_to_be_had()
    values: list[FloatArray] = []
    _, decode_cpu = measured(lambda: values.extend(decode_all(name, photos)))
    batches = [np.stack(values[first : first + BATCH]) for first in range(0, len(values), BATCH)]

    torch.set_num_threads(CORES)
    library = LoadedEncoder(load_encoder(name, threads=CORES))
    library.encoder.embed(batches[0])
    ways = [measured(forward(library, batches))]
    ours = load(name, device="cpu")
    ours.encoder.embed(batches[0])
    ways.append(measured(forward(ours, batches)))
    forward_wall, forward_cpu = min(way[0] for way in ways), min(way[1] for way in ways)

    wall, _ = measured(lambda: embed(out, images=photos, encoder=ours, batch_size=BATCH))
    bound = max(forward_wall, (forward_cpu + decode_cpu) / CORES)
    text = (
        f"{len(values)} images | embed {wall:.2f} s | forward wall {forward_wall:.2f} s (library's threads "
        f"{ways[0][0]:.2f}, ours {ways[1][0]:.2f}), CPU {forward_cpu:.2f} s | decode CPU {decode_cpu:.2f} s | "
        f"bound {bound:.2f} s | cores to be had {cores:.1f}"
    )
    return wall / bound, text


def main() -> None:
    """Run every case and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="a folder of photographs; by default drawn stand-ins")
    parser.add_argument("--onnx", type=Path, nargs="*", help="ONNX image encoders")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--vit-images", type=int, default=96, help="how many images the ViT-B gets")
    arguments = parser.parse_args()

    print(f"{CORES} cores, {platform.machine()}, Python {platform.python_version()}, torch {torch.__version__}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = arguments.photos or (SHARED / "photos" / "clothing" if SHARED.is_dir() else folder / "drawn")
        if not photos.exists():
            draw_photos(photos, 400)
        onnx = arguments.onnx if arguments.onnx is not None else sorted(SHARED.glob("models/*.onnx"))
        some = folder / "some"
        some.mkdir()
        pictures = (path for path in sorted(photos.rglob("*")) if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
        for number, path in enumerate(islice(pictures, arguments.vit_images)):
            (some / f"{number:04d}{path.suffix}").write_bytes(path.read_bytes())
        cases = [("ViT-B/14, random weights", save_vit_b(folder / "vit"), some)]
        cases += [(path.name, f"onnx/{path}", photos) for path in onnx]
        for label, encoder, images in cases:
            results = [
                ratio(encoder, images, folder / f"study-{label[:4]}-{n}-{encoder[-9:-5]}")
                for n in range(arguments.repeats)
            ]
            ratios = sorted(result[0] for result in results)
            spread = f"{statistics.median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})"
            print(f"\n{label}: ratio {spread}; target <= 1.15")
            for _, text in results:
                print("  " + text)


if __name__ == "__main__":
    main()
