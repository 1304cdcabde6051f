"""How near `embed` comes to what its parts cost: `python -m benchmarks.embed [--photos DIR] [--onnx FILE ...]`.

The bound is max(forward wall, (forward CPU + decode CPU) / cores): a pipeline that wastes nothing reaches it; the
target is a ratio of at most 1.15. Both parts are measured alone, in the same run. Forward is measured in two ways, and
the ratio given to each: as the library is usually called (batches of 16, its own threads), and as `embed` calls it
(batches of 2, one thread each, as many at once as there are cores), which is quicker and so the harder one. Machines
are shared and noisy: every case is repeated, the spread printed, and how many cores were really to be had.
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
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter

from snellen.embedding import LoadedEncoder, embed, load
from snellen.embedding.batching import CPU_BATCH
from snellen.embedding.forward import torch_threads_kept
from snellen.encoders.base import FloatArray, Preprocess
from snellen.images.decode import Limits, decode
from snellen.images.open import open_source
from snellen.providers import load_encoder

CORES = os.cpu_count() or 1
USUAL_BATCH = 16
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


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


def save_conv_onnx(path: Path) -> Path:
    """A small convolutional network with random weights, for when no ONNX encoder is at hand."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    widths = [3, 32, 64, 128, 256]
    nodes, weights, last = [], [], "pixels"
    for layer, (before, after) in enumerate(pairwise(widths)):
        values = np.random.default_rng(layer).normal(0, (2 / (9 * before)) ** 0.5, (after, before, 3, 3))
        weights.append(numpy_helper.from_array(values.astype(np.float32), f"w{layer}"))
        nodes.append(helper.make_node("Conv", [last, f"w{layer}"], [f"c{layer}"], strides=[2, 2], pads=[1] * 4))
        nodes.append(helper.make_node("Relu", [f"c{layer}"], [last := f"r{layer}"]))
    nodes.append(helper.make_node("GlobalAveragePool", [last], ["pooled"]))
    nodes.append(helper.make_node("Flatten", ["pooled"], ["embedding"]))
    inputs = [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, 224, 224])]
    outputs = [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", widths[-1]])]
    model = helper.make_model(
        helper.make_graph(nodes, "conv", inputs, outputs, weights),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    recipe = {"image_size": "224", "resize_shorter_side": "224", "mean": "0.5,0.5,0.5", "std": "0.5,0.5,0.5"}
    helper.set_model_props(model, recipe)
    onnx.save(model, path)
    return path


def forward(loaded: LoadedEncoder, batches: list[FloatArray]) -> Callable[[], object]:
    """All batches through the network, `streams` at a time."""

    def work() -> None:
        with ThreadPoolExecutor(loaded.streams) as pool, torch_threads_kept(1 if loaded.streams > 1 else CORES):
            list(pool.map(loaded.encoder.embed, batches))

    return work


def decode_all(preprocess: Preprocess, photos: Path) -> list[FloatArray]:
    """Decode and preprocess every photograph in this thread."""
    source = open_source(photos)
    values = []
    for ref in source.refs():
        decoded = decode(source.read(ref, Limits().max_bytes))
        if decoded.image is not None:
            values.append(preprocess(decoded.image))
    return values


def bound(loaded: LoadedEncoder, values: list[FloatArray], batch: int, decode_cpu: float) -> tuple[float, str]:
    """The least that embedding can take, with forward done this way; and the line that says how it came about."""
    batches = [np.stack(values[first : first + batch]) for first in range(0, len(values), batch)]
    loaded.encoder.embed(batches[0])
    wall, cpu = measured(forward(loaded, batches))
    least = max(wall, (cpu + decode_cpu) / CORES)
    return least, f"{least:.2f} s (forward wall {wall:.2f} s, CPU {cpu:.2f} s)"


def ratios(name: str, photos: Path, out: Path) -> tuple[float, float, str]:
    """Measure one case once: the ratio to either bound, and the line that says how they came about."""
    cores = cores_to_be_had()
    preprocess = load_encoder(name).preprocess
    values: list[FloatArray] = []
    _, decode_cpu = measured(lambda: values.extend(decode_all(preprocess, photos)))
    torch.set_num_threads(CORES)
    usual, usual_text = bound(LoadedEncoder(load_encoder(name, threads=CORES)), values, USUAL_BATCH, decode_cpu)
    ours = load(name, device="cpu")
    own, own_text = bound(ours, values, CPU_BATCH, decode_cpu)
    wall, _ = measured(lambda: embed(out, images=photos, encoder=ours))
    text = (
        f"{len(values)} images | embed {wall:.2f} s | decode CPU {decode_cpu:.2f} s | bound, usual forward: "
        f"{usual_text}; own forward: {own_text} | cores to be had {cores:.1f}"
    )
    return wall / usual, wall / own, text


def spread(values: list[float]) -> str:
    """The median, and the range."""
    return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def main() -> None:
    """Run every case and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="a folder of photographs; by default drawn stand-ins")
    parser.add_argument("--onnx", type=Path, nargs="*", help="ONNX image encoders")
    parser.add_argument("--repeats", type=int, default=3, choices=range(2, 100), metavar="N")
    parser.add_argument("--vit-images", type=int, default=64, help="how many images the ViT-B gets")
    arguments = parser.parse_args()

    print(f"{CORES} cores, {platform.machine()}, Python {platform.python_version()}, torch {torch.__version__}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = arguments.photos or (SHARED / "photos" / "clothing" if SHARED.is_dir() else folder / "drawn")
        if not photos.exists():
            draw_photos(photos, 400)
        onnx = (
            arguments.onnx
            if arguments.onnx is not None
            else (sorted(SHARED.glob("models/*.onnx")) or [save_conv_onnx(folder / "conv.onnx")])
        )
        some = folder / "some"
        some.mkdir()
        pictures = (path for path in sorted(photos.rglob("*")) if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
        for number, path in enumerate(islice(pictures, arguments.vit_images)):
            (some / f"{number:04d}{path.suffix}").write_bytes(path.read_bytes())
        cases = [("ViT-B/14, random weights", save_vit_b(folder / "vit"), some)]
        cases += [(path.name, f"onnx/{path}", photos) for path in onnx]
        for number, (label, encoder, images) in enumerate(cases):
            results = [ratios(encoder, images, folder / f"study-{number}-{n}") for n in range(arguments.repeats)]
            print(f"\n{label}: embed / bound, target <= 1.15")
            print(f"  usual forward: {spread([usual for usual, _, _ in results])}")
            print(f"  own forward: {spread([own for _, own, _ in results])}")
            for _, _, text in results:
                print("  " + text)


if __name__ == "__main__":
    main()
