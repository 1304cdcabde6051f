"""One tagging of a benchmark, tagger by tagger: who is asked, and which lines of `tags.jsonl` come of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from snellen.benchmarks import Benchmark
from snellen.errors import Incomplete, StudyError, UsageError
from snellen.jsonl import quoted
from snellen.mllms.base import MultimodalModel
from snellen.patterns import tagsets
from snellen.patterns.agreement import TaggerAgreement, agreement
from snellen.patterns.hand import Pair, Person, decisions, tag_by_hand
from snellen.patterns.judging import finished, replies
from snellen.patterns.places import folder_of, next_round, replies_path
from snellen.patterns.reply import NAME, prompt, prompt_sha256, read_patterns
from snellen.patterns.tagsets import PERSON, Consensus, majority, sets_of
from snellen.patterns.taxonomy import Taxonomy
from snellen.progress import Progress
from snellen.records import Ask, Tag
from snellen.study import Study

MAJORITY: Final = "majority of "
"""How `by` begins in the lines of a consensus."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """What one tagger came to now.

    `tagged` pairs have patterns, or none that fits (`none` of them); of `unread` pairs no reply could be read in three
    tries; `missing` have no reply. `new` replies or decisions are of now; tokens and `cost_usd` (None: no price known)
    too.
    """

    tagset: str
    by: str
    n_pairs: int
    tagged: int
    none: int
    unread: int
    missing: int
    new: int
    tokens: int = 0
    cost_usd: float | None = None


class Job:
    """One run of `tag`; `taggers` says what each has come to so far."""

    def __init__(
        self,
        study: Study,
        benchmark: Benchmark,
        taxonomy: Taxonomy,
        images: bool,
        again: bool,
        tagset: str | None,
        progress: Progress,
    ) -> None:
        self.benchmark = benchmark
        self.taxonomy = taxonomy
        self.folder = folder_of(study, benchmark)
        self.taggers: list[Tagged] = []
        self._images = images
        self._again = again
        self._tagset = tagset
        self._progress = progress
        self._old = benchmark.tags()
        self._new: dict[str, list[Tag]] = {}

    def refuse(self, beside: Sequence[str]) -> None:
        """See that the majority's name is not taken, and that what is to be compared is there and comparable.

        Raises:
            UsageError: a tagset to compare with is not there.
            StudyError: the name is taken, or a tagset has patterns that the taxonomy has not got.
        """
        where, name = self.benchmark.folder, self.taxonomy.name
        for one in self._old:
            if one.tagset == name and not one.by.startswith(MAJORITY):
                raise StudyError(
                    f"{where} has tags by {quoted(one.by)} under the name {name}, which is that of the majority: give "
                    "them another tagset."
                )
            unknown = set(one.patterns) - set(self.taxonomy.ids)
            if unknown and (one.tagset in beside or one.tagset.startswith(f"{name}/")):
                raise StudyError(
                    f"{where} has tags of the tagset {quoted(one.tagset)} with {quoted(min(unknown))}, which is no "
                    f"pattern of {name}: these cannot be compared."
                )
        there = sorted({tag.tagset for tag in self._old})
        for wanted in beside:
            if wanted not in there:
                known = f"there are {', '.join(map(quoted, there))}" if there else "it has no tags yet"
                raise UsageError(f"There is no tagset {wanted!r} in {where} to compare with: {known}.")

    def judge(self, model: MultimodalModel) -> None:
        """Have a model tag what it has not tagged yet.

        Raises:
            Incomplete: some replies are missing; nothing of this judge is in `tags.jsonl` then but what was before.
            StudyError: the tagset is another tagger's, or what was kept is damaged.
            ModelError: the model cannot be asked at all.
        """
        pairs, taxonomy = self.benchmark.pairs, self.taxonomy
        hashed = prompt_sha256(taxonomy, self._images)
        tagset = self._tagset or f"{taxonomy.name}/judge:{model.name}{'+images' if self._images else ''}"
        by = f"judge:{model.name}@{model.fingerprint[:8]}"
        self._refuse_another(tagset, by, hashed)

        def read(text: str | None) -> tuple[str, ...] | None:
            return read_patterns(text, taxonomy)

        path = replies_path(self.folder, model, self._settings(model, hashed))
        if self._again and path.exists() and finished(path, pairs, read):
            path = next_round(path)
        came = replies(path, list(pairs), self._ask, read, model, self._progress, f"tagging with {model.name}")
        self.taggers.append(
            Tagged(
                tagset=tagset,
                by=by,
                n_pairs=len(pairs),
                tagged=len(came.read),
                none=sum(not said for said in came.read.values()),
                unread=len(came.unread),
                missing=len(came.missing),
                new=came.new,
                tokens=came.tokens,
                cost_usd=came.cost_usd,
            )
        )
        if came.missing:
            raise Incomplete(
                f"{model.name} did not reply about {len(came.missing):,} of {len(pairs):,} pairs: "
                f"{came.failed or 'asking stopped early'}; what came is kept, and the same command asks for the rest."
            )
        self._put(tagset, by, hashed, came.read)

    def person(self, who: str, person: Person | None) -> None:
        """Have a person tag what they have not tagged yet; None: take what they have decided.

        Raises:
            StudyError: the tagset is another tagger's, or what was kept is damaged.
        """
        pairs, taxonomy = self.benchmark.pairs, self.taxonomy
        by = f"{PERSON}{who}"
        tagset = self._tagset or f"{taxonomy.name}/{by}"
        self._refuse_another(tagset, by, taxonomy.sha256)
        path = self.folder / f"hand-{who}.jsonl"
        new = 0
        if person is not None:
            pictures = self._where if self._images else None
            new = tag_by_hand(path, pairs, taxonomy, person, again=self._again, pictures=pictures)
        said = decisions(path, pairs, taxonomy)
        none = sum(not patterns for patterns in said.values())
        missing = len(pairs) - len(said)
        self.taggers.append(Tagged(tagset, by, len(pairs), len(said), none, 0, missing, new))
        self._put(tagset, by, taxonomy.sha256, said)

    def write(self, beside: Sequence[str]) -> tuple[Consensus | None, TaggerAgreement]:
        """Write `tags.jsonl`, the majority anew; return that, and how far all taggers of the taxonomy agree."""
        name = self.taxonomy.name
        by: dict[str, str] = {}
        lines: dict[str, list[Tag]] = {}
        for tag in tagsets.replaced(self._old, self._new):
            by[tag.tagset] = tag.by
            lines.setdefault(tag.tagset, []).append(tag)
        found = {one: sets_of(self.benchmark, tags) for one, tags in lines.items()}
        taggers = {one: found[one] for one in sorted(found) if one.startswith(f"{name}/")}
        consensus = None
        self._new[name] = []
        if len(taggers) > 1:
            people = [one for one in taggers if by[one].startswith(PERSON)]
            consensus = majority(taggers, people, self.benchmark.pairs)
            said = f"{MAJORITY}{len(taggers)} taggers: {', '.join(one.removeprefix(f'{name}/') for one in taggers)}"
            self._put(name, said, None, consensus.sets)
        tagsets.write(self.benchmark.folder, tagsets.replaced(self._old, self._new))
        compared = taggers | {one: found[one] for one in beside if one not in taggers and one != name}
        return consensus, agreement(compared, self.taxonomy.ids)

    def _put(
        self, tagset: str, by: str, hashed: str | None, said: Mapping[str, Sequence[str] | frozenset[str]]
    ) -> None:
        sets = {pair: frozenset(patterns) for pair, patterns in said.items()}
        self._new[tagset] = tagsets.lines_for(self.benchmark, tagset, sets, self.taxonomy.ids, by, hashed)

    def _refuse_another(self, tagset: str, by: str, hashed: str) -> None:
        """See that a tagset holds one tagger's tags, by one wording."""
        if tagset in self._new:
            raise UsageError(f"Two judges would tag as {quoted(tagset)}: name each once.")
        for tag in self._old:
            if tag.tagset == tagset and not self._again and (tag.by, tag.prompt_sha256) != (by, hashed):
                other = "other wording" if tag.by == by else quoted(tag.by)
                raise StudyError(
                    f"{self.benchmark.folder} has tags under the name {quoted(tagset)} from {other}: keep both by "
                    "naming the new ones with --tagset, or replace them with --again."
                )

    def _settings(self, model: MultimodalModel, hashed: str) -> dict[str, Any]:
        return {
            "model": model.name,
            "fingerprint": model.fingerprint,
            "benchmark": {"name": self.benchmark.name, "content_sha256": self.benchmark.content_sha256},
            "taxonomy": {"name": self.taxonomy.name, "sha256": self.taxonomy.sha256},
            "prompt": NAME,
            "prompt_sha256": hashed,
            "images": self._images,
            "decoding": model.decoding.as_json(),
            "template": model.template,
        }

    def _ask(self, name: str, attempt: int) -> Ask:
        pair = self.benchmark.pairs[name]
        image = None
        if self._images:
            from snellen.patterns.pictures import both

            image = both(self.benchmark, pair)
        text = prompt(self.taxonomy, pair, self._images, attempt)
        return Ask(name, text, image, repeat=attempt, control="none" if self._images else "no_image")

    def _where(self, pair: Pair) -> str:
        return "pictures  " + "  ".join(str(self.benchmark.folder / one.image) for one in pair)
