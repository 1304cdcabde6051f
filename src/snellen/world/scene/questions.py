"""Questions with known answers about any scene or pair of scenes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from snellen.world.scene.facts import CONTEXTS, FACTORS, KINDS, Facts

TOPICS: Final[Mapping[str, tuple[str, ...]]] = {"kind": KINDS, "context": CONTEXTS, **FACTORS}
"""All that can be asked, and the true values of each."""

TEXTS: Final[Mapping[str, str]] = {
    "kind": "What is in the picture?",
    "context": "Where was the picture taken?",
    "orientation": "Which way does the {kind} face?",
    "presence": "Is there a hat on the {kind}?",
    "state": "Is the lamp lit or dark?",
    "count": "How many eggs lie in front of the {kind}?",
    "position": "On which side of the {kind} is the crate?",
    "color": "What color is the {kind}?",
    "structure": "Is the {kind} hollow or solid?",
    "text": "Which letter is on the sign?",
    "viewpoint": "Is the {kind} seen from above or from the side?",
}
"""The question of each topic; `{kind}` stands for what the object is."""

_OPTIONS: Final[Mapping[str, str]] = {"hat": "yes", "none": "no"}


def text(topic: str, facts: Facts) -> str:
    """Ask about one topic: `Which way does the boat face?`."""
    return TEXTS[topic].format(kind=facts.kind)


def option(value: str) -> str:
    """Say a value as an option of a question: `left`, `two`, `yes` for a hat."""
    return _OPTIONS.get(value, value)
