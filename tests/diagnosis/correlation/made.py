"""An encoder's run, written as a stranger would write it, beside the runs of `tests.exam.two_runs`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.exam.two_runs import NAME
from tests.test_benchmarks import content_of, lines_of
from tests.test_runs import HEADER

COSINES = {
    "g": [[0.4, 0.1], [0.2, 0.3]],  # all right: image, text and group score
    "i": [[0.4, 0.1], [0.2, 0.3 - 0.15]],  # image score alone: image b likes text a better
    "t": [[0.4, 0.2], [0.5, 0.6]],  # text score alone: text a likes image b better
    "0": [[0.1, 0.4], [0.3, 0.2]],  # all wrong
}


def pair_ids(folder: Path) -> list[str]:
    return sorted({str(line["pair_id"]) for line in lines_of(folder)})


def write_matches(
    root: Path, name: str, kinds: Sequence[str], *, benchmark: str = NAME, model: str = "open_clip/made"
) -> Path:
    """Write an encoder's run; `kinds` is a key of COSINES for each pair in the order of pair_id, - for no match."""
    asked = root / "benchmarks" / benchmark
    folder = root / "runs" / name
    folder.mkdir(parents=True)
    header: dict[str, Any] = HEADER | {"kind": "encoder", "model": model, "profile": "photo@1", "decoding": {}}
    header |= {"benchmark": {"name": benchmark, "content_sha256": content_of(asked)}}
    (folder / "run.json").write_text(json.dumps(header))
    lines = []
    for pair, kind in zip(pair_ids(asked), kinds, strict=True):
        if kind != "-":
            (aa, ab), (ba, bb) = COSINES[kind]
            line = {"pair_id": pair, "cosine": COSINES[kind], "image_correct": [aa > ba, bb > ab]}
            lines.append(line | {"text_correct": [aa > ab, bb > ba], "tie": False})
    (folder / "matches.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "scores.json").write_text("[]")
    outputs = {
        f"runs/{name}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())
    }
    manifest = {"schema": 1, "artefact": f"runs/{name}", "verb": "match", "outputs": outputs}
    (folder.parent / f"{name}.manifest.json").write_text(json.dumps(manifest))
    return folder
