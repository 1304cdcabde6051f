"""The verb `draft`: have a multimodal LLM propose what differs between the images of candidate pairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import PIL.Image

from snellen import image_table
from snellen.errors import Incomplete, StudyError, UsageError
from snellen.exam import ledger
from snellen.exam.draft_reply import NAME, PROMPT, PROMPT_SHA256, Reply, read_reply
from snellen.exam.drafts import DRAFTS, Draft, read_drafts
from snellen.exam.side_by_side import side_by_side
from snellen.exam.sittings import Asks
from snellen.images.decode import decode
from snellen.mllms.base import MultimodalModel
from snellen.pair_table import top_pairs
from snellen.progress import SILENT, Progress
from snellen.records import Ask, Image, Key, Pair
from snellen.runs.files import PLAIN
from snellen.study import Study
from snellen.study_images import Gone, StudyImages, open_images


@dataclass(frozen=True, slots=True)
class DraftResult:
    """Where the drafts lie, how many pairs have one by this model and wording, how many are new, how many usable."""

    path: Path
    drafts: int
    new: int
    usable: int


def draft(
    study: str | Path,
    *,
    model: MultimodalModel,
    pairs: int = 50,
    images: str | Path | None = None,
    progress: Progress = SILENT,
) -> DraftResult:
    """Have a model draft difference, question, options and answers for the pairs with the largest gaps.

    Both images are shown in one picture, image_a at the left. Each draft is on disk as it comes; run again, pairs that
    have one by the same model and wording are not asked about again. A reply that is not as asked for is kept too, with
    what is wrong with it in `problems`; nothing is repaired.

    Args:
        study: a mined study.
        model: who drafts.
        pairs: for how many pairs.
        images: where the images are now; None: where they were when they were embedded.
        progress: told of every draft.

    Raises:
        UsageError: there is no such study, or its images are not found.
        StudyError: the study is not mined, an image is gone, or `drafts.jsonl` is damaged.
        ModelError: the model cannot be asked at all.
        Incomplete: some pairs have no draft yet.
        StorageError: the disk is full, or another process is writing to the study.
    """
    if pairs < 1:
        raise UsageError(f"--pairs {pairs} asks for nothing: give a number from 1.")
    opened = Study.existing(study)
    if opened.read_manifest(opened.pairs) is None:
        raise StudyError(f"{opened.pairs} is not there, or not finished: run `snellen mine {opened.root}` first.")
    path = opened.root / DRAFTS
    with opened.lock():
        chosen, _ = top_pairs(opened.pairs, pairs)
        before = _by(path, model)
        left = {pair.pair_id: pair for pair in chosen if pair.pair_id not in before}
        failed = None
        if left:
            asks = Asks([(name, *PLAIN) for name in left], _asking(opened, images, left))
            failed = _drafted(path, asks, left, model, progress)
        found = _by(path, model)
    mine = [found[pair.pair_id] for pair in chosen if pair.pair_id in found]
    if len(mine) < len(chosen):
        raise Incomplete(
            f"{len(chosen) - len(mine):,} of {len(chosen):,} pairs have no draft: {failed or 'asking stopped early'}; "
            "what came is kept, and the same command asks for the rest."
        )
    return DraftResult(path, len(mine), len(left), sum(one.usable for one in mine))


def _by(path: Path, model: MultimodalModel) -> dict[str, Draft]:
    """Return this model's drafts in this wording, by pair_id."""
    return {
        one.pair_id: one
        for one in read_drafts(path)
        if (one.drafted_by, one.prompt_sha256) == (model.name, PROMPT_SHA256)
    }


def _asking(study: Study, where: str | Path | None, pairs: Mapping[str, Pair]) -> Callable[[Key], Ask]:
    """Return what makes the `Ask` of a pair; its picture is made when it is wanted."""
    table = image_table.take(study, [row for pair in pairs.values() for row in (pair.row_a, pair.row_b)])
    source = open_images(study, where)

    def make(key: Key) -> Ask:
        pair = pairs[key[0]]
        sides = [_picture(source, table[row]) for row in (pair.row_a, pair.row_b)]
        return Ask(question_id=pair.pair_id, prompt=PROMPT, image=side_by_side(*sides))

    return make


def _picture(source: StudyImages, image: Image) -> PIL.Image.Image:
    try:
        ref, data = source.read(image)
    except Gone as gone:
        raise StudyError(f"The image {image.uri} is {gone}: put it back as it was, or say where it is.") from None
    decoded = decode(data, orientation=ref.orientation)
    if decoded.image is None:
        raise StudyError(f"The image {image.uri} cannot be decoded any more ({decoded.status}): embed it again.")
    return decoded.image


def _drafted(
    path: Path, asks: Asks, pairs: Mapping[str, Pair], model: MultimodalModel, progress: Progress
) -> str | None:
    """Ask, keep every draft at once, and return why some are missing, if it is known."""
    failed: str | None = None
    progress.start(f"drafting with {model.name}", len(asks), "pairs")
    try:
        for response in model.answer(asks):
            if response.text is None:
                failed = failed or response.error
            else:
                made = _made(pairs[response.question_id], read_reply(response.text), response.text, model)
                ledger.add(path, asdict(made))
                progress.advance()
    except Incomplete as stopped:
        failed = str(stopped).rstrip(".")
    progress.finish()
    if asks.failed is not None:
        raise asks.failed
    return failed


def _made(pair: Pair, reply: Reply, raw: str, model: MultimodalModel) -> Draft:
    fields = dict.fromkeys(("difference", "question", "options", "answer_a", "answer_b", "statement_a", "statement_b"))
    return Draft(
        pair_id=pair.pair_id,
        image_a=pair.image_a,
        image_b=pair.image_b,
        blind_cosine=pair.blind_cosine,
        reference_cosine=pair.reference_cosine,
        drafted_by=model.name,
        prompt=NAME,
        prompt_sha256=PROMPT_SHA256,
        raw=raw.encode("utf-8", "replace").decode(),
        problems=reply.problems,
        **{"patterns": (), **fields, **reply.fields},
    )
