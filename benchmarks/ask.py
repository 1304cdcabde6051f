"""How near asking an endpoint comes to what its latency allows: `python -m benchmarks.ask`.

300 questions, each with a JPEG of its own of the size of a photograph, are put to a server in its own process that
takes 200 ms for each answer and can do any number at once. With 16 under way at a time nothing can be quicker than
ceil(300 / 16) x 0.2 s; the target is at most 1.25 times that. Beside it, in turns within the same run, what people
would write instead: a pool of 16 threads that call the openai client. Both need CPU for every question, and so does the
server: on a busy machine all are slower, so how many cores were really to be had is printed too.
"""

from __future__ import annotations

import argparse
import base64
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from math import ceil
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from tests.mllms.chaos import answer_to

from snellen.exam.asking import put
from snellen.mllms.base import Traffic
from snellen.progress import SILENT
from snellen.providers import load_mllm
from snellen.records import Ask
from snellen.runs import RESPONSES, Header, read_responses
from snellen.runs.files import PLAIN
from snellen.study import Study

CORES = os.cpu_count() or 1
BUSY = """
import time
began, cpu = time.perf_counter(), time.process_time()
while time.perf_counter() - began < 0.5:
    pass
print((time.process_time() - cpu) / (time.perf_counter() - began))
"""


def photo(seed: int) -> bytes:
    """A stand-in for a photograph, of a usual size: 500 x 375, JPEG, about 100 kB."""
    noise = np.random.default_rng(seed).integers(0, 256, size=(375, 500, 3), dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(noise).filter(ImageFilter.GaussianBlur(0.7)).save(file, "JPEG", quality=88)
    return file.getvalue()


@contextmanager
def server(latency: float) -> Iterator[str]:
    """Run the server in a process of its own, and yield its URL."""
    command = [sys.executable, "-m", "tests.mllms.chaos", "--latency", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def ours(url: str, asks: list[Ask], concurrency: int) -> dict[str, str | None]:
    """Every answer by question_id, from Snellen's engine."""
    model = load_mllm(f"openai/any@{url}", traffic=Traffic(concurrency=concurrency))
    return {response.question_id: response.text for response in model.answer(asks)}


def kept(url: str, asks: list[Ask], concurrency: int) -> dict[str, str | None]:
    """The same as `snellen ask` does it: every answer is on disk before it counts."""
    model = load_mllm(f"openai/any@{url}", traffic=Traffic(concurrency=concurrency))
    header = Header("mllm", model.name, model.fingerprint, "b", "0" * 64, "official@1", {}, None, {}, (PLAIN,))
    by_id = {ask.question_id: ask for ask in asks}
    with tempfile.TemporaryDirectory() as place:
        result = put(Study(Path(place)), header, list(by_id), lambda key: by_id[key[0]], model, SILENT)
        answers = read_responses(result.folder / RESPONSES)
    return {response.question_id: response.text for response in answers.values()}


def pool_of_threads(url: str, asks: list[Ask], concurrency: int) -> dict[str, str | None]:
    """Every answer by question_id, from the openai client called in threads."""
    import openai

    with openai.OpenAI(api_key="none", base_url=url) as client, ThreadPoolExecutor(concurrency) as pool:

        def answer(ask: Ask) -> str | None:
            assert ask.image is not None
            uri = f"data:image/jpeg;base64,{base64.b64encode(ask.image).decode()}"
            completion = client.chat.completions.create(
                model="any",
                temperature=0.0,
                max_tokens=1024,
                messages=[
                    {
                        "role": "user",
                        "content": [
                            {"type": "image_url", "image_url": {"url": uri}},
                            {"type": "text", "text": ask.prompt},
                        ],
                    }
                ],
            )
            return completion.choices[0].message.content

        return {ask.question_id: text for ask, text in zip(asks, pool.map(answer, asks), strict=True)}


def seconds(work: Callable[[], dict[str, str | None]], truth: dict[str, str]) -> tuple[float, float]:
    """Wall and CPU seconds of a way of asking, whose answers must all be right."""
    wall, cpu = time.perf_counter(), time.process_time()
    answers = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert answers == truth, "an answer is wrong or missing"
    return wall, cpu


def cores_to_be_had() -> float:
    """How many cores this machine gives right now, from processes that only compute."""
    began = [subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE, text=True) for _ in range(CORES)]
    return sum(float(process.communicate()[0]) for process in began)


def spread(values: list[float]) -> str:
    """The median, and the range."""
    return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def main() -> None:
    """Measure all ways in turns, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--latency", type=float, default=0.2, help="seconds the server takes for an answer")
    parser.add_argument("--repeats", type=int, default=3, choices=range(1, 100), metavar="N")
    arguments = parser.parse_args()

    asks = [
        Ask(f"p{n}-a", f"Question {n}: is the lamp on the left? (a) yes (b) no", photo(n), letters=("(a)", "(b)"))
        for n in range(arguments.questions)
    ]
    truth = {ask.question_id: answer_to(ask.prompt, ask.image) for ask in asks}
    ideal = ceil(len(asks) / arguments.concurrency) * arguments.latency
    print(f"{CORES} cores, {platform.machine()}, Python {platform.python_version()}")
    print(
        f"{len(asks)} questions, {arguments.concurrency} at a time, {arguments.latency:g} s each: ideal {ideal:.2f} s; "
        f"images of {statistics.mean(len(ask.image or b'') for ask in asks) / 1000:.0f} kB"
    )
    ways = {"snellen ask, kept on disk": kept, "snellen's engine": ours, "pool of threads": pool_of_threads}
    ratios: dict[str, list[float]] = {name: [] for name in ways}
    with server(arguments.latency) as url:
        for way in ways.values():  # imports and first connections
            way(url, asks[:4], arguments.concurrency)
        for repeat in range(arguments.repeats):
            line = [f"cores to be had {cores_to_be_had():.1f}"]
            for name in list(ways)[:: 1 if repeat % 2 == 0 else -1]:
                wall, cpu = seconds(partial(ways[name], url, asks, arguments.concurrency), truth)
                ratios[name].append(wall / ideal)
                line.append(f"{name} {wall:.2f} s (CPU {cpu:.2f} s)")
            print("  " + " | ".join(line))
    for name, values in ratios.items():
        print(f"{name}: wall / ideal {spread(values)}" + (", target <= 1.25" if "snellen" in name else ""))


if __name__ == "__main__":
    main()
