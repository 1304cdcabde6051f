"""Prompt profiles: how a question is worded. Each has a name and a version, and answers are filed under both.

A profile that has been published is never changed: another wording is another version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from snellen.errors import UsageError
from snellen.records import Order, Question


@dataclass(frozen=True, slots=True)
class Profile:
    """A wording with the fields `{text}`, `{first}` and `{second}`, the options as they are shown.

    `letters` are how it names them; `max_tokens` is room enough for the answers that it asks for.
    """

    name: str
    version: int
    wording: str
    letters: tuple[str, str]
    max_tokens: int
    about: str

    @property
    def label(self) -> str:
        """What `run.json` records: `official@1`."""
        return f"{self.name}@{self.version}"


PROFILES: Final[dict[str, Profile]] = {
    profile.name: profile
    for profile in (
        Profile(
            "letter",
            1,
            "{text}\nA. {first}\nB. {second}\nAnswer with one letter, A or B, and nothing else.",
            ("A", "B"),
            1024,
            "asks for the letter alone; the default",
        ),
        Profile(
            "official",
            1,
            "{text} (a) {first} (b) {second}",
            ("(a)", "(b)"),
            1024,
            "as MMVP's own script asks: free form, so that many answers need a judge",
        ),
        Profile(
            "lmms-eval",
            1,
            "{text}\nA. {first}\nB. {second}\nAnswer with the option's letter from the given choices directly.",
            ("A", "B"),
            1024,
            "as lmms-eval's task mmvp asks",
        ),
        Profile(
            "vlmevalkit",
            1,
            "Question: {text}\nOptions:\nA. {first}\nB. {second}\n"
            "Please select the correct answer from the options above. \n",
            ("A", "B"),
            1024,
            "as VLMEvalKit asks multiple choice",
        ),
    )
}
"""By name. `max_tokens` leaves room for models that think aloud."""

DEFAULT: Final = "letter"

FOREIGN: Final[dict[str, tuple[str, str]]] = {"inspect": ("A", "B"), "jsonl": ("(a)", "(b)")}
"""Letters of imported answers whose wording is not one of ours."""


def profile_named(name: str) -> Profile:
    """Find a profile by `name` or `name@version`.

    Raises:
        UsageError: there is none; the message lists them.
    """
    plain, _, version = name.partition("@")
    found = PROFILES.get(plain)
    if found is None or version not in ("", str(found.version)):
        known = ", ".join(f"{one.label} ({one.about})" for one in PROFILES.values())
        raise UsageError(f"There is no prompt profile {name!r}: choose one of {known}.")
    return found


def letters_of(label: str) -> tuple[str, str]:
    """Return how the prompts of a run named the options, from the profile that `run.json` records.

    Raises:
        UsageError: the profile is not known here.
    """
    plain = label.partition("@")[0]
    return FOREIGN[plain] if plain in FOREIGN else profile_named(label).letters


def shown(question: Question, order: Order) -> tuple[str, str]:
    """Return the two options in the order in which they are shown."""
    assert question.options is not None
    first, second = question.options
    return (first, second) if order == "ab" else (second, first)


def prompt(profile: Profile, question: Question, order: Order) -> str:
    """Word a question.

    Example:
        >>> asked = Question("q-a", "q", "a", "i", "i", "Which way?", ("left", "right"), 0)
        >>> prompt(PROFILES["official"], asked, "ba")
        'Which way? (a) right (b) left'
    """
    assert question.text is not None
    first, second = shown(question, order)
    return profile.wording.format(text=question.text, first=first, second=second)
