"""Multimodal LLMs in this process: are answers the same on every device and dtype, and what does batching give?

    python -m benchmarks.mllms --device cuda

Agreement: the miniature world's four models, asked about drawn pictures, against the CPU in float32. Speed: a LLaVA of
the size of LLaVA-1.5-7B with random weights (made here, as no weights come along), our engine in batches against
transformers called directly, a question at a time, in one run.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from statistics import median

from PIL import Image

from snellen.mllms.base import Compute, Decoding
from snellen.mllms.world import NAMES
from snellen.providers import load_mllm
from snellen.records import Ask, Response
from snellen.world.scene import questions as wording
from snellen.world.scene.facts import FACTORS, Facts
from snellen.world.scene.families import families

LETTERS = ("(a)", "(b)")
REPEATS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtypes", nargs="+", default=["float32", "float16", "bfloat16"])
    parser.add_argument("--families", type=int, default=300)
    parser.add_argument("--large", action="store_true", help="the speed of a 7B model; needs 20 GB on the device")
    parser.add_argument("--questions", type=int, default=96)
    given = parser.parse_args()
    asks = list(world_asks(given.families))
    for name in NAMES:
        base = answers(f"world/{name}", asks, "cpu", "float32")
        for dtype in given.dtypes:
            found = answers(f"world/{name}", asks, given.device, dtype)
            same = sum(found[key].text == base[key].text for key in base)
            apart = max(gap(found[key], base[key]) for key in base)
            print(
                f"{name}, {given.device} {dtype}: {same} of {len(base)} answers as on the CPU, log p apart {apart:.2g}"
            )
    if given.large:
        speed(given.device, given.questions)


def world_asks(count: int) -> Iterator[Ask]:
    """Ask the nine questions about the first picture of every family, two of the possible answers offered."""
    for at, shot in enumerate(families(0, "exam", count)):
        if shot.role != "base":
            continue
        file = BytesIO()
        Image.fromarray(shot.picture()).save(file, "PNG")
        for factor, text in questions(shot.facts):
            yield Ask(f"{at}-{factor}", text, file.getvalue(), letters=LETTERS)


def questions(facts: Facts) -> Iterator[tuple[str, str]]:

    for factor, values in FACTORS.items():
        first, second = (wording.option(value) for value in values[:2])
        yield factor, f"{wording.text(factor, facts)} (a) {first} (b) {second}"


def answers(name: str, asks: Sequence[Ask], device: str, dtype: str) -> dict[str, Response]:
    model = load_mllm(name, decoding=Decoding(max_tokens=4), compute=Compute(device, dtype, batch_size=64))
    return {one.question_id: one for one in model.answer(asks)}


def gap(one: Response, other: Response) -> float:
    assert one.logprobs is not None
    assert other.logprobs is not None
    return max(abs(one.logprobs[letter] - other.logprobs[letter]) for letter in "ab")


def speed(device: str, count: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "llava-7b-random"
        make_llava(folder, device)
        file = BytesIO()
        Image.effect_noise((336, 336), 80).convert("RGB").save(file, "PNG")
        asks = [Ask(str(at), "Which way does it look ? A left B right", file.getvalue()) for at in range(count)]
        base = direct_seconds(folder, asks, Image.open(file).convert("RGB"), device)
        print(f"transformers directly, one at a time: {count / median(base):.1f} questions/s {spread(base, count)}")
        for batch in (1, 8, 32):
            took = engine_seconds(folder, asks, device, batch)
            rate, ratio = count / median(took), median(base) / median(took)
            print(f"our engine, batch {batch}: {rate:.1f} questions/s {spread(took, count)}, {ratio:.2f} x")


def engine_seconds(folder: Path, asks: Sequence[Ask], device: str, batch: int) -> list[float]:
    """Call our engine; what it holds of the device is given back on return."""
    compute = Compute(device, "bfloat16", batch_size=batch)
    engine = load_mllm(f"transformers/{folder}", decoding=Decoding(max_tokens=4), compute=compute)
    list(engine.answer(asks[:batch]))
    return timed(lambda: list(engine.answer(asks)))


def direct_seconds(folder: Path, asks: Sequence[Ask], picture: Image.Image, device: str) -> list[float]:
    """Call the library as its documentation does."""
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor

    model = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.bfloat16).to(device).eval()
    processor = AutoProcessor.from_pretrained(folder)

    def directly() -> None:
        for ask in asks:
            inputs = processor(text=f"<image> {ask.prompt} :", images=picture, return_tensors="pt").to(device)
            inputs["pixel_values"] = inputs["pixel_values"].bfloat16()
            with torch.inference_mode():
                model.generate(**inputs, do_sample=False, max_new_tokens=4, pad_token_id=0)

    directly()
    return timed(directly)


def timed(work: Callable[[], object]) -> list[float]:
    found = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return found


def spread(seconds: Sequence[float], count: int) -> str:
    return f"({count / max(seconds):.1f} to {count / min(seconds):.1f})"


def make_llava(folder: Path, device: str) -> None:
    """Write a LLaVA of LLaVA-1.5-7B's sizes, weights random, with a tokenizer of a few words."""
    import torch
    from tests.mllms.tiny_llava import save_with_processor
    from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

    vision = CLIPVisionConfig(
        hidden_size=1024,
        intermediate_size=4096,
        num_hidden_layers=24,
        num_attention_heads=16,
        image_size=336,
        patch_size=14,
    )
    text = LlamaConfig(
        vocab_size=32064, pad_token_id=0, bos_token_id=None, eos_token_id=2, max_position_embeddings=4096
    )
    with torch.device(device):
        torch.set_default_dtype(torch.bfloat16)
        model = LlavaForConditionalGeneration(
            LlavaConfig(vision_config=vision, text_config=text, image_token_index=3, image_seq_length=576)
        )
        torch.set_default_dtype(torch.float32)
    save_with_processor(model, folder, side=336, patch=14)


if __name__ == "__main__":
    main()
