"""The verb `tag`: of which visual patterns a benchmark's questions are, by models and by people; how far they agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from snellen import storage
from snellen.benchmarks.files import BENCHMARK
from snellen.errors import Incomplete, ModelError, SnellenError, UsageError
from snellen.jsonl import quoted
from snellen.mllms.base import Compute, Decoding, MultimodalModel, Traffic
from snellen.patterns.agreement import TaggerAgreement
from snellen.patterns.hand import Person, pseudonym
from snellen.patterns.job import Job, Tagged
from snellen.patterns.places import benchmark_of, keep_taxonomy
from snellen.patterns.tagsets import TAGS, Consensus
from snellen.patterns.taxonomy import Taxonomy, confirmed, read_taxonomy
from snellen.progress import SILENT, Progress
from snellen.providers import load_mllm
from snellen.study import Study, software

AGREEMENT: Final = "agreement.json"

TOKENS: Final = 1024
"""Room for judges that think aloud before they reply."""


@dataclass(frozen=True, slots=True)
class TagResult:
    """Where the tags are, what each tagger came to now, what most of all say, and how far they agree.

    `consensus` is None where fewer than two have tagged.
    """

    path: Path
    agreement_path: Path
    taxonomy: Taxonomy
    n_pairs: int
    taggers: tuple[Tagged, ...]
    consensus: Consensus | None
    agreement: TaggerAgreement


def tag(
    study: str | Path,
    benchmark: str | Path,
    *,
    taxonomy: str | Path | Taxonomy = "nine",
    judges: Sequence[str | MultimodalModel] = (),
    hand: str | None = None,
    person: Person | None = None,
    tagset: str | None = None,
    images: bool = False,
    again: bool = False,
    beside: Sequence[str] = (),
    decoding: Decoding | None = None,
    compute: Compute | None = None,
    traffic: Traffic | None = None,
    progress: Progress = SILENT,
    report: Callable[[TagResult], object] | None = None,
) -> TagResult:
    """Tag a benchmark's questions, and write the overlay `tags.jsonl` of its folder.

    A pair is put to each tagger once, for its two questions share the text; both get the tag. Every tagger has a tagset
    of its own, `nine@1/judge:<model>` or `nine@1/hand:<who>`; what most of all taggers of the taxonomy say is the
    tagset `nine@1` (`snellen.patterns.tagsets.majority`), made anew every time. What others wrote stays. The same
    tagger again is asked only what is missing. Replies and decisions are kept, raw, in `tagging/<benchmark>/`, and how
    far taggers agree in its `agreement.json`. Without judges and hand, majority and agreement are made anew.

    Args:
        study: the study.
        benchmark: the name of one of its benchmarks, or a folder.
        taxonomy: by name, as a JSON file, or as it was read.
        judges: multimodal LLMs by name, or loaded; they see question and options, and with `images` the pictures.
        hand: a person's pseudonym.
        person: how the person is asked; None, with `hand`: what they have decided is written, nothing is asked.
        tagset: in the place of the tagset's usual name, for one tagger; it begins with the taxonomy's name and a slash.
        images: show both pictures, side by side.
        again: ask for everything anew; the new replies take the place of the old ones in `tags.jsonl`.
        beside: other tagsets to compare with, such as `accepted`; they do not take part in the majority.
        decoding: how judges' replies are drawn; by default greedily, with at most 1,024 tokens.
        compute: where judges in this process compute.
        traffic: how judges' endpoints are treated.
        progress: told of every reply.
        report: told of the result, also where an error is raised because some replies are missing.

    Raises:
        UsageError: there is no such benchmark, taxonomy or model, or options do not go together.
        StudyError: the benchmark, its tags or what was kept are damaged; the taxonomy's name stands for other rules, a
            tagset for another tagger; or nobody has confirmed a proposed taxonomy.
        Incomplete: a judge has not replied about all pairs; what came is kept.
        ModelError: a judge cannot be asked at all.
        StorageError: the disk is full, or another process tags this benchmark.
    """
    opened = Study(Path(study))
    found = benchmark_of(opened, benchmark)
    which = confirmed(taxonomy if isinstance(taxonomy, Taxonomy) else read_taxonomy(taxonomy))
    if hand is not None:
        pseudonym(hand)
    if tagset is not None and (len(judges) + (hand is not None) != 1 or not tagset.startswith(f"{which.name}/")):
        raise UsageError(f"--tagset names the tags of one tagger, and begins with {which.name}/: got {quoted(tagset)}.")
    decoding = decoding or Decoding(max_tokens=TOKENS)
    models = [
        load_mllm(one, decoding=decoding, compute=compute, traffic=traffic) if isinstance(one, str) else one
        for one in judges
    ]
    job = Job(opened, found, which, images, again, tagset, progress)
    job.refuse(beside)
    wrong: list[SnellenError] = []
    with opened.lock_run(job.folder):
        keep_taxonomy(job.folder, which)
        for model in models:
            try:
                job.judge(model)
            except (Incomplete, ModelError) as error:  # what is wrong with one does not keep the others from tagging
                wrong.append(error)
        if hand is not None:
            job.person(hand, person)
        consensus, agreed = job.write(beside)
        result = TagResult(
            path=found.folder / TAGS,
            agreement_path=job.folder / AGREEMENT,
            taxonomy=which,
            n_pairs=len(found.pairs),
            taggers=tuple(job.taggers),
            consensus=consensus,
            agreement=agreed,
        )
        _write_agreement(opened, job, result)
    if report is not None:
        report(result)
    if wrong:
        raise next((one for one in wrong if not isinstance(one, Incomplete)), wrong[0])
    return result


def _write_agreement(study: Study, job: Job, result: TagResult) -> None:
    """Write `agreement.json` and its manifest."""
    benchmark, consensus = job.benchmark, result.consensus
    value = {
        "taxonomy": {"name": result.taxonomy.name, "sha256": result.taxonomy.sha256},
        "benchmark": {"name": benchmark.name, "content_sha256": benchmark.content_sha256},
        "n_pairs": result.n_pairs,
        "majority": None
        if consensus is None
        else {
            "n_pairs": len(consensus.sets),
            "by_people": consensus.by_people,
            "disputed": list(consensus.disputed),
            "single": list(consensus.single),
        },
        **{name: _plain(each) for name, each in asdict(result.agreement).items()},
    }
    path = result.agreement_path
    storage.write_json(path, value)
    inside = benchmark.folder.resolve().is_relative_to(study.benchmarks.resolve())
    where = f"{study.benchmarks.name}/{benchmark.folder.name}/" if inside else ""
    names = [name for name in (BENCHMARK, TAGS) if (benchmark.folder / name).is_file()]
    study.write_manifest(
        path,
        verb="tag",
        settings={"taxonomy": result.taxonomy.name, "taggers": list(result.agreement.taggers)},
        software=software("numpy", "scipy"),
        inputs={f"{where}{name}": storage.sha256_of_file(benchmark.folder / name) for name in names},
        outputs={study.relative(path): storage.sha256_of_file(path)},
        counts={"pairs": result.n_pairs, "taggers": len(result.agreement.taggers)},
    )


def _plain(value: object) -> object:
    """Turn named tuples into dicts by their fields, other tuples into lists."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, tuple | list) else value
