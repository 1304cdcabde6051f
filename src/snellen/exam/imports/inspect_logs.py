"""Inspect AI's logs: `.eval` (a zip of JSON files, which may be packed with zstd) and `.json`.

A sample has id, epoch, input, choices, target, messages, output, error. Samples without an id of their own are
numbered by their place, so a bare number names nothing: a question is known by an id or by metadata `question_id`,
`source_id` or `Index`, or by the very image that was shown, which the log holds as a data URI.
"""

from __future__ import annotations

import json
import zipfile
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from snellen import jsonl
from snellen.errors import StudyError
from snellen.exam.imports.archives import member, members
from snellen.exam.imports.foreign import Foreign, letter, number
from snellen.exam.imports.lines import text_of
from snellen.jsonl import Bad
from snellen.records import Finish

MAX_BYTES: Final = 1 << 28
"""Of one unpacked file inside a log, or of a log that is one JSON file."""

HEADERS: Final = ("header.json", "_journal/start.json", "start.json")

FINISHES: Final[Mapping[str, Finish]] = {
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "refusal",
}


def read(path: Path) -> list[Foreign]:
    """Read every sample; an epoch beyond the first is a repeat.

    Raises:
        UsageError: the package that unpacks zstd is missing.
        StudyError: the log is damaged, or a sample does not say which question it is.
    """
    model, samples = _zipped(path) if zipfile.is_zipfile(path) else _json(path)
    found = []
    for at, sample in enumerate(samples, 1):
        where = f"sample {at}"
        try:
            if not isinstance(sample, dict):
                raise Bad(f"is {jsonl.quoted(sample)} and not an object with fields")
            found.append(_answer(sample, f"{where} (id {jsonl.quoted(sample.get('id'))})", model))
        except Bad as bad:
            raise StudyError(f"{path}, {where}, {bad}: nothing was imported.") from None
    if not found:
        raise StudyError(f"{path} holds no sample: nothing was imported.")
    return found


# -- one sample -----------------------------------------------------------------------------------------------------


def _answer(sample: dict[str, Any], where: str, model: str | None) -> Foreign:
    noted = _mapping(sample.get("metadata"))
    names = [sample.get("id"), noted.get("question_id"), noted.get("source_id")]
    parts = _parts(sample)
    image = _image(parts, _mapping(sample.get("attachments")))
    known = tuple(name for name in names if isinstance(name, str) and not name.isdecimal())
    counted = number(noted.get("Index"))
    if not known and counted is None and image is None:
        raise Bad("is numbered by its place, and has neither metadata question_id, source_id or Index nor its image")
    text, finish, error = _output(sample)
    return Foreign(
        where=where,
        text=text,
        error=error,
        finish=finish,
        names=known,
        number=counted,
        image_id=image,
        prompt="\n".join(part["text"] for part in parts if isinstance(part.get("text"), str)),
        options=(options := _options(sample.get("choices"))),
        answer=_key(sample.get("target"), options),
        repeat=max((number(sample.get("epoch")) or 1) - 1, 0),
        model=model,
    )


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _parts(sample: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the parts, text and images, of what the user side said first: the message as sent, else the input."""
    for source in (sample.get("messages"), sample.get("input")):
        if isinstance(source, str):
            return [{"type": "text", "text": source}]
        for message in source if isinstance(source, list) else ():
            if isinstance(message, dict) and message.get("role") == "user":
                content = message.get("content")
                if isinstance(content, str):
                    return [{"type": "text", "text": content}]
                parts = content if isinstance(content, list) else ()
                return [part for part in parts if isinstance(part, dict)]
    return []


def _image(parts: list[dict[str, Any]], attachments: dict[str, Any]) -> str | None:
    """Hash the one image that was shown; None where there is none, or several, or only its name is kept."""
    shown = [part.get("image") for part in parts if part.get("type") == "image"]
    if len(shown) != 1 or not isinstance(shown[0], str):
        return None
    kept = attachments.get(shown[0].removeprefix("attachment://")) if shown[0].startswith("attachment://") else shown[0]
    head, _, data = kept.partition(",") if isinstance(kept, str) else ("", "", "")
    if not (head.startswith("data:") and head.endswith(";base64")):
        return None
    try:
        return sha256(b64decode(data, validate=True)).hexdigest()
    except (NotBase64, ValueError):
        return None


def _options(value: object) -> tuple[str, str] | None:
    if isinstance(value, list) and len(value) == 2 and all(isinstance(each, str) for each in value):
        return value[0], value[1]
    return None


def _key(target: object, options: tuple[str, str] | None) -> int | None:
    if options is not None and target in options:
        return options.index(str(target))
    return letter(target)


def _output(sample: dict[str, Any]) -> tuple[str | None, Finish, str | None]:
    failed = sample.get("error") or _mapping(sample.get("output")).get("error")
    if failed is not None:
        said = failed.get("message") if isinstance(failed, dict) else failed
        return None, "error", str(said or "the sample ended in an error")[:2000]
    output = _mapping(sample.get("output"))
    choices = output.get("choices")
    choice = _mapping(choices[0]) if isinstance(choices, list) and choices else {}
    content = _mapping(choice.get("message")).get("content", output.get("completion"))
    if content is None:
        return None, "error", "the sample has no output"
    if isinstance(content, list):
        said = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        content = "\n".join(text_of(each, "output") for each in said)
    return text_of(content, "output"), FINISHES.get(str(choice.get("stop_reason")), "stop"), None


# -- the file -------------------------------------------------------------------------------------------------------


def _json(path: Path) -> tuple[str | None, Iterator[Any]]:
    if path.stat().st_size > MAX_BYTES:
        raise StudyError(f"{path} has more than {MAX_BYTES:,} bytes: write it as .eval, which is read in parts.")
    log = _mapping(_parsed(path, path.name, path.read_bytes()))
    samples = log.get("samples")
    return _model(log), iter(samples if isinstance(samples, list) else ())


def _zipped(path: Path) -> tuple[str | None, Iterator[Any]]:
    names = members(path)
    header = next((name for name in HEADERS if name in names), None)
    if header is None:
        raise StudyError(f"{path} holds none of {', '.join(HEADERS)}: it is no log of Inspect.")
    chosen = sorted(name for name in names if name.startswith("samples/") and name.endswith(".json"))
    model = _model(_mapping(_member(path, header)))
    return model, (_member(path, name) for name in chosen)


def _member(path: Path, name: str) -> Any:  # noqa: ANN401 - any JSON value
    return _parsed(path, name, member(path, name, MAX_BYTES))


def _parsed(path: Path, name: str, data: bytes) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise StudyError(
            f"{path} holds {jsonl.quoted(name)}, which is not JSON ({error}): nothing was imported."
        ) from error


def _model(log: dict[str, Any]) -> str | None:
    name = _mapping(log.get("eval")).get("model")
    return name if isinstance(name, str) and name.strip() else None
