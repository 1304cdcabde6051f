"""What a benchmark leaves to chance, drawn by lot from its stored seed.

Everything derives from sha256, so that a seed means the same on every machine and with every version of every library.
What is drawn by lot: which image is slot a, which option comes first, and the order of the lines. Before the draw,
images stand in the order of their ids and options in that of the alphabet, so nothing of the order in which they were
mined, shown or typed is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

from snellen.records import AcceptedPair, Question, Slot


def draw(seed: int, what: str, name: str) -> bytes:
    """Return 32 random bytes, always the same for the same arguments."""
    return sha256(f"{seed}/{what}/{name}".encode()).digest()


def toss(seed: int, what: str, name: str) -> bool:
    """Return the coin's side that belongs to a name."""
    return draw(seed, what, name)[0] % 2 == 1


def questions_of(pair: AcceptedPair, seed: int, paths: Mapping[str, str]) -> tuple[Question, Question]:
    """Make the two questions of a pair: slot a, then slot b.

    Args:
        pair: the accepted pair; its own order of images and options does not matter.
        seed: the benchmark's `option_seed`.
        paths: where each image lies in the benchmark, by image_id.
    """
    right = {pair.image_a: pair.options[pair.answer_a], pair.image_b: pair.options[pair.answer_b]}
    statements = {pair.image_a: pair.statement_a, pair.image_b: pair.statement_b}
    images = sorted(right, reverse=toss(seed, "slots", pair.pair_id))
    first, second = sorted(pair.options, reverse=toss(seed, "options", pair.pair_id))

    def question(slot: Slot, image: str) -> Question:
        return Question(
            question_id=f"{pair.pair_id}-{slot}",
            pair_id=pair.pair_id,
            slot=slot,
            image=paths[image],
            image_id=image,
            text=pair.question,
            options=(first, second),
            answer=(first, second).index(right[image]),
            statement=statements[image],
        )

    return question("a", images[0]), question("b", images[1])


def shuffled(questions: Sequence[Question], seed: int) -> list[Question]:
    """Put questions into the order of their lines."""
    return sorted(questions, key=lambda question: draw(seed, "lines", question.question_id))
