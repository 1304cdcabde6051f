"""Templates: the sentences that a class name is put into."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from snellen import storage
from snellen.encoders.choices import closest
from snellen.errors import StudyError, UsageError
from snellen.jsonl import quoted

SLOT: Final = "{}"
"""Where the name goes; nothing else in a template means anything."""

READY: Final = ("openai-80", "openai-7", "plain")
"""OpenAI's 80 sentences for ImageNet and its choice of seven of them, as open_clip holds them; "a photo of a {}."."""


@dataclass(frozen=True, slots=True)
class Templates:
    """Sentences with a slot; `name` is that of a ready set, or `file`."""

    name: str
    lines: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """64 hex digits over the sentences, in order."""
        return storage.sha256_of_json(list(self.lines))


def read_templates(asked: str | Path) -> Templates:
    """Return a ready set by its name, or read a text file of one sentence a line.

    Raises:
        UsageError: there is neither such a set nor such a file.
        StudyError: the file is not UTF-8, is empty, or a line of it is blank, lacks `{}` or comes twice.
    """
    if asked == "plain":
        return Templates("plain", ("a photo of a {}.",))
    if asked in READY:
        from open_clip import zero_shot_metadata

        held = {
            "openai-80": zero_shot_metadata.OPENAI_IMAGENET_TEMPLATES,
            "openai-7": zero_shot_metadata.SIMPLE_IMAGENET_TEMPLATES,
        }
        return Templates(str(asked), tuple(template(SLOT) for template in held[str(asked)]))
    path = Path(asked).expanduser()
    if not path.is_file():
        raise UsageError(
            f"There are no templates {str(asked)!r}: choose {closest(str(asked), READY)}, or give a text file of one "
            "sentence a line, with {} for the name of the class."
        )
    try:
        lines = path.read_bytes().decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise StudyError(f"{path} is not UTF-8 (byte {error.start}): save it as UTF-8.") from error
    return Templates("file", _checked(path, [line.rstrip("\r") for line in lines[: -1 if lines[-1] == "" else None]]))


def _checked(path: Path, lines: list[str]) -> tuple[str, ...]:
    if not lines:
        raise StudyError(f"{path} is empty: write one sentence a line, with {{}} for the name of the class.")
    for number, line in enumerate(lines, 1):
        if SLOT not in line:
            raise StudyError(f"{path}, line {number}, has no {{}} for the name of the class: {quoted(line)}.")
        if line in lines[: number - 1]:
            raise StudyError(f"{path}, line {number}, says what line {lines.index(line) + 1} says: {quoted(line)}.")
    return tuple(lines)


def filled(template: str, name: str) -> str:
    """Put a name into a template; braces in the name, and any others in the template, stay as they are.

    Example:
        >>> filled("a photo of a {}, {0}", "tench")
        'a photo of a tench, {0}'
    """
    return template.replace(SLOT, name)
