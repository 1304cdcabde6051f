"""The miner's kernel, measured: `python -m benchmarks.mining [--data DIR] [--quick] [--large]`.

Against FAISS, on one thread, in turns: its flat index and Panorama with the number of levels that suits it best, on
rows made like CLIP's and on real ones. Then every method against float64 on hard rows, whether all agree on many rows,
and memory where images are copied by the thousand. That takes 20 minutes on two cores. `--large` does 1.28
million rows instead, and the verb on a study of them: 15 minutes. Each measurement has a process of its own; machines
are shared, so ratios are of CPU time. Rewrites its part of `benchmarks/RESULTS.md`.
"""

from __future__ import annotations

import argparse
import tempfile
import textwrap
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import mining_data as data
from benchmarks.mining_machine import describe
from benchmarks.mining_oracle import oracle
from benchmarks.mining_real import photographs, real
from benchmarks.mining_run import Place
from benchmarks.mining_scale import agreement, burst, large
from benchmarks.mining_speed import speed
from snellen.errors import UsageError

RESULTS = Path(__file__).with_name("RESULTS.md")
HEADING = "## The miner's kernel"
BLOCKS = ("bench-mining", "bench-mining-large")
IMAGENET = 1_281_167

METHOD = """\
Each measurement is a process of its own, in turns; median of {repeats} (range). Machines are shared, so ratios are of
the process's CPU seconds. Ours: from rows in memory to pairs, both conditions. FAISS: `range_search` of all rows, as
float32, for the blind condition alone (it has no second one, and gives each pair twice); training, rotating and adding
are not counted. Ours is measured with each instruction set; by itself, a machine takes the first of them. Panorama
compares distances, so it errs where rounding to float16 left rows not quite of length 1.
"""


def usual(place: Place, repeats: int, quick: bool) -> list[str]:
    """Run the cases that fit into 20 minutes; tiny ones if `quick`."""
    lines = data_lines(place, 4_000 if quick else 20_000)
    main = data.synthetic(place.rows, 10_000 if quick else 100_000)
    lines += speed(place, main, "Synthetic rows", repeats, targets=not quick)
    photos = photographs()[: 120 if quick else None]
    if photos:
        collection = real(place.rows, photos)
        for blind_min in (0.95, 0.9):
            lines += speed(place, collection, "EfficientNet rows", repeats, targets=False, blind_min=blind_min)
    else:
        lines += ["No real rows: the photographs and the ONNX encoders are not on this machine.", ""]
    lines += burst(place, *((2_000, 800) if quick else (20_000, 8_000)), repeats)
    lines += oracle(place, 3_000 if quick else 4_000)
    return lines + agreement(place, 10_000 if quick else 200_000)


def data_lines(place: Place, n: int) -> list[str]:
    """Say how near the synthetic rows come to what the design was measured on."""
    found = data.statistics(data.synthetic(place.rows, n), data.plan(n, 0).classes)
    text = "; ".join(f"{name} {value:.2g} ({data.FROM_NOTE[name]:.2g})" for name, value in found.items())
    print(text, flush=True)
    return [f"Synthetic rows at {n:,}, in brackets those that the design was measured on: {text}.", ""]


def wrapped(lines: list[str]) -> list[str]:
    """Break long lines of text, which Markdown joins again; those of tables and headings stay."""
    wrapper = textwrap.TextWrapper(width=120, break_on_hyphens=False, break_long_words=False)
    return [line if line.startswith(("|", "#")) else wrapper.fill(line) for line in lines]


def write(path: Path, name: str, lines: list[str]) -> None:
    """Put lines between the two markers of a name; a file without the section gets it, and all markers, at its end.

    Raises:
        UsageError: the section is there, but a marker is not.
    """
    text = path.read_text()
    if HEADING not in text:
        markers = [marker for each in BLOCKS for marker in ("", *_markers(each))]
        text = "\n".join([text.rstrip("\n"), "", HEADING, *markers, ""])
    first, last = _markers(name)
    if text.count(first) != 1 or text.count(last) != 1:
        raise UsageError(f"{path} needs one line {first} and one {last} after it: put them under {HEADING!r}.")
    before, rest = text.split(first)
    path.write_text("\n".join([before + first, *lines, last]) + rest.split(last)[1])


def _markers(name: str) -> tuple[str, str]:
    return f"<!-- {name}: begin, written by benchmarks/mining.py -->", f"<!-- {name}: end -->"


def main() -> None:
    """Run the benchmark and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="where rows are kept; by default a temporary folder")
    parser.add_argument(
        "--repeats", type=int, choices=range(1, 100), metavar="N", default=3, help="how often; by default 3"
    )
    parser.add_argument("--quick", action="store_true", help="tiny cases, to see that it runs; nothing is written")
    parser.add_argument("--large", action="store_true", help="1.28 million rows, and nothing else; 4 GB of them")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the page whose part is rewritten")
    arguments = parser.parse_args()

    repeats: int = arguments.repeats
    machine = describe()
    print(machine, flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        place = Place(arguments.data or folder / "rows", folder)
        command = f"python -m benchmarks.mining{' --large' if arguments.large else ''}"
        lines = [f"`{command}`, {datetime.now(UTC):%Y-%m-%d}; {machine}", ""]
        if arguments.large:
            lines += large(place, 20_000 if arguments.quick else IMAGENET, repeats)
        else:
            lines += [METHOD.format(repeats=repeats), "", *usual(place, repeats, arguments.quick)]
    lines = wrapped(lines)
    print("\n" + "\n".join(lines))
    if not arguments.quick:
        write(arguments.results, BLOCKS[arguments.large], lines)


if __name__ == "__main__":
    main()
