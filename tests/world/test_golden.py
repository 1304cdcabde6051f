"""Frozen: pictures, captions, questions and answers are the same in every version, or it is another world.

To freeze them anew, after a change that was meant: `python -m tests.world.test_golden` prints what is to stand here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256

from snellen.world.asking import accepted_pair
from snellen.world.draw import caption_of
from snellen.world.scene import questions
from snellen.world.scene.canvas import png
from snellen.world.scene.families import Shot, families
from snellen.world.table import Picture, file_of

GOLDEN = {
    "pictures": "2cc289bc4cc21ae5b2f5cb7e5653e60f078671308701cedbcf702b8fa1186b5b",
    "captions": "35c1b201304b31c68f9f2b16ca2f3dc4a472f1f01e3940234da3f50553b5e44b",
    "questions": "464ba84c2c9094a1b3e473ea1c981b4e7ba19f2460631fb48013cd0f941fdc34",
    "pairs": "3b42b2ea5088eb609be40ea1063a9ff5dddcdf69258d28f7cc0f603c5210b8d4",
    "ids": [
        "76b5f622abb51ad57aafcb6a3269827a9b998db2f61a5fb2f4833fecb41277a1",
        "eb70837c479c7d7d2b673515c7474b7a16e2c59f5207986b55efb03797e3b81c",
        "5a8f0638087f33a1abd9c5521a708acfc49a2737e708b06d816f215351df3926",
        "11b992925f2a98834206304b333d4b6f9c2a9d4552dd46b890ee66168f3c9fd4",
    ],
}


def shots() -> list[Shot]:
    return [*families(0, "exam", 15), *families(1, "train", 15)]


def _questions() -> Iterator[str]:
    for shot in shots():
        for topic in questions.TOPICS:
            yield f"{questions.text(topic, shot.facts)} {questions.option(getattr(shot.facts, topic))}"


def _pairs() -> Iterator[str]:
    by_member = {(shot.world, shot.family, shot.member): shot for shot in shots()}
    for shot in shots():
        if shot.changed:
            base = by_member[shot.world, shot.family, 0]
            pair = accepted_pair(picture_of(base), picture_of(shot), shot.changed[-1])
            answers = [pair.options[pair.answer_a], pair.options[pair.answer_b]]
            yield " | ".join([pair.question, *answers, str(pair.statement_a), str(pair.statement_b), pair.difference])


def picture_of(shot: Shot) -> Picture:
    place = (shot.world, shot.split, shot.family, shot.member)
    name = sha256("/".join(map(str, place)).encode()).hexdigest()
    return Picture(name, file_of(shot.family, shot.member), *place, shot.role, shot.changed, shot.facts, "x")


def measured() -> dict[str, object]:
    def digest(lines: Iterator[str]) -> str:
        return sha256("\n".join(lines).encode()).hexdigest()

    return {
        "pictures": sha256(b"".join(shot.picture().tobytes() for shot in shots())).hexdigest(),
        "captions": digest(map(caption_of, shots())),
        "questions": digest(_questions()),
        "pairs": digest(_pairs()),
        "ids": [sha256(png(shot.picture())).hexdigest() for shot in shots()[:4]],
    }


def test_nothing_has_changed() -> None:
    assert len(shots()) == 210
    assert measured() == GOLDEN


if __name__ == "__main__":
    print(json.dumps(measured(), indent=4))  # noqa: T201
