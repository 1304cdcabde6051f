"""The verb `ask`: put a benchmark to a multimodal LLM, and keep every raw answer as it comes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from snellen import benchmarks
from snellen.benchmarks import Benchmark
from snellen.errors import UsageError
from snellen.exam.asking import AskResult, header_of, put
from snellen.exam.sittings import question_ask, sittings
from snellen.exam.verb_items import ask_items, itemset_of
from snellen.mllms.base import Compute, Decoding, MultimodalModel, Traffic
from snellen.profiles import DEFAULT, profile_named
from snellen.progress import SILENT, Progress
from snellen.providers import load_mllm
from snellen.records import Control
from snellen.study import Study


def ask(
    study: str | Path,
    *,
    benchmark: str | None = None,
    itemset: str | None = None,
    model: str | MultimodalModel,
    profile: str | None = None,
    both_orders: bool = False,
    repeats: int = 1,
    variants: Sequence[str] = (),
    controls: Sequence[Control] = (),
    temperature: float = 0.0,
    max_tokens: int | None = None,
    seed: int = 0,
    compute: Compute | None = None,
    traffic: Traffic | None = None,
    progress: Progress = SILENT,
) -> AskResult:
    """Ask a model every question of a benchmark, each alone and without history, and append the raw answers.

    Answers lie in `runs/<run_id>/responses.jsonl`, each flushed to disk as it comes. Run again, it asks only what has
    no answer yet, errors among it; another benchmark, model, profile or way of decoding is another run. More orders,
    repeats, variants or controls are added to the run that is there.

    Args:
        study: the study that holds the benchmark.
        benchmark: its name, or the path of its folder.
        itemset: in the place of a benchmark: the name of an item set, or the path of its folder. Items are asked once,
            in the plain way.
        model: `provider/model[@endpoint]`, or a model that is loaded already.
        profile: how questions are worded, by name (`snellen.profiles`, `snellen.exam.itemset_profiles`); None:
            `letter` (the world's models: `official`, the only wording they know), or that of the item set's kind.
        both_orders: ask every question with its options the other way round, too.
        repeats: how often every question is asked.
        variants: label-preserving variants of the image to ask with, too, such as `crop-0`.
        controls: `no_image`, `blank_image`: ask without the image, too.
        temperature: 0 is greedy. This and the next two are those of a model that is loaded already, where one is given.
        max_tokens: of an answer; None: what the profile says.
        seed: for temperatures above 0.
        compute: where and in what a model in this process computes.
        traffic: concurrency, rate limit, retries, prices and budget for an endpoint.
        progress: told of every answer.

    Raises:
        UsageError: there is no such benchmark, profile, variant or provider, or nothing in the benchmark can be asked.
        ModelError: the model cannot be loaded or reached, has no key, or takes no images.
        StudyError: the benchmark or the answers so far are damaged, or an image is gone.
        Incomplete: the budget is spent or the endpoint failed: some questions have no answer yet.
        StorageError: the disk is full, or another process is writing to the study.
    """
    opened = Study(Path(study))
    if (benchmark is None) == (itemset is None):
        raise UsageError("Name what is asked: either a benchmark or an item set.")

    def load(room: int) -> MultimodalModel:
        if not isinstance(model, str):
            return model
        decoding = Decoding(temperature, max_tokens or room, seed)
        return load_mllm(model, decoding=decoding, compute=compute, traffic=traffic)

    if itemset is not None:
        if both_orders or repeats > 1 or variants or controls:
            raise UsageError("Items are asked once, in the plain way: leave out orders, repeats, variants, controls.")
        items = itemset_of(opened, itemset)
        return ask_items(opened, items, profile, lambda wording: load(wording.max_tokens), progress)
    assert benchmark is not None
    wording = profile_named(profile or _usual(model))
    wanted = sittings(both_orders=both_orders, repeats=repeats, image_variants=variants, controls=controls)
    if repeats > 1 and temperature == 0:
        progress.note("repeats at temperature 0 only show whether the model or its endpoint is deterministic")
    asked = askable(opened, benchmark)
    loaded = load(wording.max_tokens)
    header = header_of(asked, loaded, wording.label, wanted)
    questions = [question.question_id for question in asked.questions]
    return put(opened, header, questions, question_ask(asked, wording), loaded, progress)


def _usual(model: str | MultimodalModel) -> str:
    """Return the profile that is used if none is named: the world's models have learned no other than their own."""
    name = model if isinstance(model, str) else model.name
    return "official" if name.startswith("world/") else DEFAULT


def askable(study: Study, name: str) -> Benchmark:
    """Read a benchmark of the study, or of a folder anywhere.

    Raises:
        UsageError: there is none, or its pairs have statements alone.
        StudyError: it is damaged.
    """
    folder = Path(name)
    if "/" not in name:
        folder = study.benchmark(name)
        if not folder.is_dir():
            there = sorted(path.name for path in study.benchmarks.glob("*") if path.is_dir())
            known = f"there are {', '.join(there)}" if there else "`snellen build` or `snellen import` makes one"
            raise UsageError(f"There is no benchmark {name!r} in {study.root}: {known}.")
    found = benchmarks.read(folder)
    if any(question.text is None for question in found.questions):
        raise UsageError(f"{folder} has pairs with statements only, which cannot be asked: name another benchmark.")
    return found
