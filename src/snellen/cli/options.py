"""Options that several verbs share, described once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

import typer

from snellen.defaults import MAX_PAIRS
from snellen.errors import UsageError

Choice = TypeVar("Choice", bound=str)

StudyArgument = Annotated[Path, typer.Argument(help="The study folder.", show_default=False)]

DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")]
DtypeOption = Annotated[
    str, typer.Option(help="What the network computes in: float32, float16 or bfloat16. Rows are stored as float16.")
]
BatchSizeOption = Annotated[
    int | None,
    typer.Option(min=1, help="Images at a time; by default 2 on a CPU, else what fits. Stored with the study."),
]
WorkersOption = Annotated[
    int | None, typer.Option(min=1, help="Processes that decode images; by default one for each core.")
]
ColumnOption = Annotated[
    str | None, typer.Option(help="For CSV and Parquet: the column that holds paths or image bytes.")
]
FollowLinksOption = Annotated[
    bool, typer.Option("--follow-links", help="Follow symbolic links that lead out of the folder of images.")
]
BlindMinOption = Annotated[
    str,
    typer.Option(
        help="A blind pair's blind cosine is above this: a cosine (0.95), or a quantile of this corpus (q0.9999)."
    ),
]
ReferenceMaxOption = Annotated[
    str, typer.Option(help="A blind pair's reference cosine is below this: a cosine (0.6), or a quantile (q0.5).")
]
MaxPairsOption = Annotated[
    str | None,
    typer.Option(
        metavar="N|all",
        help="Keep at most this many pairs, those with the largest gap; all: however many. By default all, but more "
        f"than {MAX_PAIRS:,} are an error.",
        show_default=False,
    ),
]
MaxPerImageOption = Annotated[
    int | None,
    typer.Option(
        min=1, help="Keep at most this many pairs of any image, the largest gaps first; 1: each image in one pair only."
    ),
]
TopKOption = Annotated[
    int | None,
    typer.Option(min=1, help="Keep a pair only if it is among this many largest gaps of one of its images."),
]
CollapseCopiesOption = Annotated[
    float | None,
    typer.Option(help="Collapse near-identical copies first: images with both cosines above this, e.g. 0.98."),
]
LabelsOption = Annotated[str, typer.Option(help="any, within (only pairs of one label) or across (only of two).")]
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of every sample that is drawn.")]
EarlierOption = Annotated[
    Path | None,
    typer.Option(
        metavar="STUDY",
        help="A study that this one has grown from, mined with the same encoders and thresholds: only pairs with a new "
        "image are joined. Changes the time only.",
        show_default=False,
    ),
]
ThreadsOption = Annotated[
    int | None, typer.Option(min=1, help="Threads that mine; by default one for each core. Changes the time only.")
]
BackendOption = Annotated[
    str,
    typer.Option(
        help="auto, compiled (C kernels), portable (NumPy) or torch (a GPU, if there is one). Changes the time only."
    ),
]
ModelOption = Annotated[
    str,
    typer.Option(
        help="provider/model[@endpoint]: openai/NAME, openai/NAME@http://127.0.0.1:8000/v1, transformers/FOLDER, "
        "world/mllm-clip, replay/FILE.",
        show_default=False,
    ),
]
ComputeDtypeOption = Annotated[
    str, typer.Option(help="What a network in this process computes in: float32, float16, bfloat16; part of the run.")
]
ConcurrencyOption = Annotated[int, typer.Option(min=1, help="Questions under way at a time at an endpoint.")]
PerMinuteOption = Annotated[int | None, typer.Option(min=1, help="Questions begun in any minute at most.")]
TimeoutOption = Annotated[float, typer.Option(min=0.1, help="Seconds for each try at an endpoint.")]
RetriesOption = Annotated[int, typer.Option(min=0, help="More tries where an endpoint fails.")]
PriceInOption = Annotated[float | None, typer.Option(min=0, help="US dollars for a million tokens read.")]
PriceOutOption = Annotated[float | None, typer.Option(min=0, help="US dollars for a million tokens written.")]
BudgetOption = Annotated[float | None, typer.Option(min=0, help="US dollars to spend at most; needs both prices.")]
KeyVariableOption = Annotated[
    str | None, typer.Option(help="Environment variable that holds the key, if not the endpoint's usual one.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print only the last line.")]


def one_of(option: str, value: str, *choices: Choice) -> Choice:
    """Return `value` as one of the choices.

    Raises:
        UsageError: it is none of them.
    """
    for choice in choices:
        if value == choice:
            return choice
    raise UsageError(f"--{option} {value!r} is not known: choose {', '.join(choices)}.")
