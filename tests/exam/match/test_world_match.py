"""The miniature world, where it is known what its image-text encoder has learned to see."""

from __future__ import annotations

from pathlib import Path

import pytest

from snellen import accepted, benchmarks
from snellen.benchmark import build
from snellen.exam.match import match, statements
from snellen.exam.match.statement_rules import by_rule
from snellen.records import Score
from snellen.study import Study
from snellen.world.accept import accept
from tests.world.worlds import study_of, world_in


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    world = world_in(tmp_path_factory.mktemp("world") / "w", 60)
    study = study_of(world, tmp_path_factory.mktemp("study") / "s")
    chosen = accept(study.root, world, kind="random", per_pattern=15)
    build(study.root, accepted=chosen.path, name="random", option_seed=3, images=world.folder / "images")
    return study


def of(scores: tuple[Score, ...], group: str) -> Score:
    (found,) = [one for one in scores if (one.metric, one.group) == ("image_score", group)]
    return found


def test_color_is_matched_and_what_captions_leave_out_is_not(study: Study) -> None:
    """Captions name the color half of the time, and orientation, position or text hardly ever (docs/world.md)."""
    result = match(study.root, ["world/clip"], benchmark="random", device="cpu", batch_size=32).runs[0]
    color = of(result.scores, "color")
    assert color.low is not None and color.low > 0.6
    for name in ("orientation", "position", "text"):
        assert (of(result.scores, name).high or 1) < (color.low or 0)


def test_the_rules_make_sentences_of_all_questions_of_the_world(study: Study, tmp_path: Path) -> None:
    """The option is in the sentence, or its yes or no is said; a's and b's are not mixed up."""
    pairs = list(accepted.read(study.root / "accepted-random.jsonl"))
    assert {pattern for pair in pairs for pattern in pair.patterns} >= {"presence", "count", "viewpoint", "text"}
    for pair in pairs:
        true = (pair.options[pair.answer_a], pair.options[pair.answer_b])
        made = by_rule(pair.question, true)
        assert made is not None, pair.question
        for option, sentence in zip(true, made, strict=True):
            if option in ("yes", "no"):
                assert (" no " in sentence) == (option == "no")
            else:
                assert option in sentence.split()
    assert benchmarks.read(study.benchmark("random")).pairs
    assert statements(study.root, "random").pairs == 0  # they bring their own
