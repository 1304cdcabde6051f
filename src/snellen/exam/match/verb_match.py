"""The verb `match`: the images and statements of every pair through image-text encoders, into `runs/<run_id>/`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from snellen import benchmarks, storage
from snellen.benchmarks import Benchmark
from snellen.benchmarks.files import BENCHMARK
from snellen.encoders.base import FloatArray, ImageEncoder, ImageTextEncoder
from snellen.errors import Incomplete, Unsupported, UsageError
from snellen.exam.match import rows
from snellen.exam.match.contrasts import ImageScoreContrast, contrasts
from snellen.exam.match.job import Job
from snellen.exam.match.match_scores import match_scores
from snellen.exam.match.texts import TEMPLATE, Use, check_template, put, refuse_incomplete, texts_of
from snellen.images.decode import decode
from snellen.progress import SILENT, Progress
from snellen.providers import load_encoder, resolve_device
from snellen.records import Match, Question, Score
from snellen.runs import (
    MATCHES,
    RUN,
    SCORES,
    Header,
    matched,
    read_header,
    read_matches,
    run_id,
    write_header,
    write_matches,
    write_scores,
)
from snellen.study import Study

INPUTS: Final = (BENCHMARK, "statements.jsonl", "tags.jsonl", "errata.jsonl")
"""Files of what was matched, and of its overlays, that matches and scores depend on."""


@dataclass(frozen=True)
class MatchResult:
    """One encoder's run: where it lies, who was matched how, and what came out.

    `left_out` counts pairs that have no two statements, or an image that cannot be decoded. `computed` is False where
    the matches were there already; scores are made anew each time, from tags and errata as they are.
    """

    folder: Path
    header: Header
    matches: Mapping[str, Match]
    scores: tuple[Score, ...]
    left_out: int
    computed: bool


@dataclass(frozen=True)
class Matching:
    """What `match` made: a run for each encoder, and the contrasts of their image scores, every two of them."""

    runs: tuple[MatchResult, ...]
    contrasts: tuple[ImageScoreContrast, ...]


def match(
    study: str | Path,
    encoders: Sequence[str | ImageTextEncoder],
    *,
    benchmark: str,
    template: str = TEMPLATE,
    statements: Use = "confirmed",
    allow_incomplete: bool = False,
    device: str = "auto",
    dtype: str = "float32",
    batch_size: int | None = None,
    progress: Progress = SILENT,
) -> Matching:
    """Match the two images of every pair with its two statements, by image-text encoders; one run for each encoder.

    Every text is embedded as the template puts it, every image as the encoder's own preprocessing prepares it, and the
    four cosines of a pair are kept. For what is made of them see `match_scores`. The same command gives the same bytes
    on one device. A run that is there already is not computed again, unless the statements have changed.

    Args:
        study: where the runs are written.
        encoders: `provider/model[@weights]`, or image-text encoders that are loaded already.
        benchmark: its name in the study, or the path of its folder.
        template: what a statement is put into, at `{statement}`.
        statements: `published`: the benchmark's own; `confirmed`: those of its overlay that a person has confirmed,
            too; `all`: unconfirmed ones too, which every score then says.
        allow_incomplete: leave out pairs that cannot be matched, and count them, instead of refusing.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        dtype: what the networks compute in. This and the device are those of an encoder that is loaded already.
        batch_size: images at a time; None: 2 on a CPU, else 32. It can change the last bits of a cosine.
        progress: told of every image.

    Raises:
        UsageError: no such benchmark, encoder, device or dtype, a template without a place, or no statements at all.
        EncoderError: a model cannot be loaded, has no text side, or gives something no direction.
        StudyError: the benchmark is damaged.
        Incomplete: some pairs cannot be matched.
        StorageError: the disk is full, or another process is writing to the run.
    """
    opened = Study(Path(study))
    encoders = [encoders] if isinstance(encoders, str) else list(encoders)
    names = [one if isinstance(one, str) else one.name for one in encoders]
    if not names or len(set(names)) < len(names):
        raise UsageError("Name at least one encoder, and each of them once.")
    if batch_size is not None and batch_size < 1:
        raise UsageError(f"batch_size {batch_size} is too small: give a whole number from 1, or leave it out.")
    check_template(template)
    asked = find_benchmark(opened, benchmark)
    texts = texts_of(asked, statements)
    refuse_incomplete(asked, texts, allow_incomplete)
    resolved = resolve_device(device)
    found = []
    for one in encoders:
        named = isinstance(one, str)
        loaded: ImageEncoder = load_encoder(one, device=resolved, dtype=dtype) if isinstance(one, str) else one
        job = Job(
            study=opened,
            asked=asked,
            texts=texts,
            template=template,
            encoder=image_text(loaded),
            dtype=dtype if named else None,
            device=resolved.partition(":")[0] if named else None,
            streams=rows.streams_of(resolved) if named else 1,
            batch_size=batch_size or (rows.CPU_BATCH if resolved == "cpu" else rows.OTHER_BATCH),
        )
        found.append(_run(job, allow_incomplete, progress))
    compared = contrasts([(one.header.model, one.matches) for one in found])
    return Matching(tuple(found), compared)


def find_benchmark(study: Study, name: str) -> Benchmark:
    """Read a benchmark of the study, or of a folder anywhere.

    Raises:
        UsageError: there is none.
        StudyError: it is damaged.
    """
    folder = Path(name)
    if "/" not in name:
        folder = study.benchmark(name)
        if not folder.is_dir():
            there = sorted(path.name for path in study.benchmarks.glob("*") if path.is_dir())
            known = f"there are {', '.join(there)}" if there else "`snellen build` or `snellen import` makes one"
            raise UsageError(f"There is no benchmark {name!r} in {study.root}: {known}.")
    return benchmarks.read(folder)


def image_text(encoder: ImageEncoder) -> ImageTextEncoder:
    """Return the encoder as one that embeds texts too.

    Raises:
        Unsupported: it embeds images alone.
    """
    if not isinstance(encoder, ImageTextEncoder):
        raise Unsupported(
            f"{encoder.name} embeds images alone, and matching needs texts too: name an image-text encoder, such as "
            "open_clip/ViT-L-14-quickgelu@openai, transformers/google/siglip-so400m-patch14-384 or world/clip."
        )
    return encoder


def _run(job: Job, allow_incomplete: bool, progress: Progress) -> MatchResult:
    header = job.header()
    folder = job.study.run(run_id(header.model, header.fingerprint or "", header.benchmark, header.settings()))
    with job.study.lock_run(folder):
        kept = _kept(job, folder, header)
        matches, how = kept or (_computed(job, progress), {"device": job.device, "batch_size": job.batch_size})
        left_out = len(job.asked.pairs) - len(matches)
        unusable = len(job.texts.pairs) - len(matches)
        if unusable and not allow_incomplete:
            raise Incomplete(
                f"{unusable:,} of {len(job.asked.pairs):,} pairs of {job.asked.folder} have an image that cannot be "
                "decoded: --allow-incomplete leaves those pairs out, and counts them."
            )
        if kept:
            header = replace(header, software=read_header(folder / RUN).software)
        published = {name for name, pair in job.texts.pairs.items() if pair.source == "published"}
        scores = match_scores(job.asked, matches, published, job.order)
        manifest = job.study.manifest_path(folder)
        with storage.storage_errors(manifest):
            manifest.unlink(missing_ok=True)  # until all files are new the run is unfinished
        write_header(folder / RUN, header)
        write_matches(folder / MATCHES, matches.values())
        write_scores(folder / SCORES, scores)
        files = [job.asked.folder / name for name in INPUTS if (job.asked.folder / name).is_file()]
        job.study.write_manifest(
            folder,
            verb="match",
            settings={
                **header.settings(),
                "allow_incomplete": allow_incomplete,
                **how,
                "texts_sha256": job.texts_sha256(),
            },
            software=header.software,
            inputs={
                f"{job.study.benchmarks.name}/{job.asked.name}/{one.name}": storage.sha256_of_file(one) for one in files
            },
            outputs={
                job.study.relative(folder / name): storage.sha256_of_file(folder / name)
                for name in (RUN, MATCHES, SCORES)
            },
            counts={
                "pairs": len(job.asked.pairs),
                "matched": len(matches),
                "left_out": left_out,
                "ties": sum(one.tie for one in matches.values()),
            },
        )
    return MatchResult(folder, header, matches, tuple(scores), left_out, computed=kept is None)


def _kept(job: Job, folder: Path, header: Header) -> tuple[dict[str, Match], dict[str, Any]] | None:
    """Return the matches that are there, and on what they were computed; None: they are to be computed.

    That is where there are none, where they are not what their manifest says, or were made of other statements.
    """
    manifest = job.study.read_manifest(folder)
    if manifest is None or manifest["settings"].get("texts_sha256") != job.texts_sha256():
        return None
    for name in (RUN, MATCHES):
        path = folder / name
        if not path.is_file():
            return None
        if storage.sha256_of_file(path) != manifest["outputs"].get(job.study.relative(path)):
            return None
    if read_header(folder / RUN).settings() != header.settings():
        return None
    return read_matches(folder / MATCHES), {name: manifest["settings"][name] for name in ("device", "batch_size")}


def _computed(job: Job, progress: Progress) -> dict[str, Match]:
    """Embed, and match every pair whose images can be decoded, sorted by pair_id."""
    pairs = {name: job.asked.pairs[name] for name in job.texts.pairs}
    put_in = {name: (put(job.template, pair.a), put(job.template, pair.b)) for name, pair in job.texts.pairs.items()}
    shown = {question.image_id: question for both in pairs.values() for question in both}
    progress.start(f"matching with {job.encoder.name}", len(shown), "images")
    with rows.one_thread(job.device == "cpu"):
        texts = rows.text_rows(job.encoder, list(dict.fromkeys(text for both in put_in.values() for text in both)))
        images = rows.image_rows(
            job.encoder, _pictures(job, shown), batch_size=job.batch_size, streams=job.streams, progress=progress
        )
    progress.finish()
    found = {}
    for name, (a, b) in pairs.items():
        if a.image_id in images and b.image_id in images:
            found[name] = matched(name, rows.cosines(images, texts, (a.image_id, b.image_id, *put_in[name])))
    return found


def _pictures(job: Job, shown: Mapping[str, Question]) -> Iterator[tuple[str, FloatArray]]:
    """Yield each image's id and what the network takes; images that cannot be decoded are left out."""
    for name, question in shown.items():
        decoded = decode(job.asked.image(question))
        if decoded.image is not None:
            yield name, job.encoder.preprocess(decoded.image)
