"""Studies of encoders written by hand: runs, zero-shot, costs, as their verbs would leave them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from snellen import accepted, benchmarks
from snellen.benchmark import build
from snellen.records import Match
from snellen.runs import matched
from snellen.study import Study, slug
from tests.accepted_pairs import study_with_pairs

RIGHT = ((0.9, 0.1), (0.1, 0.9))
WRONG = ((0.1, 0.9), (0.9, 0.1))


def fingerprint(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def pair_names(n: int) -> list[str]:
    return sorted(sha256(f"pair {at}".encode()).hexdigest()[:16] for at in range(n))


def matches(right: Mapping[str, bool]) -> dict[str, Match]:
    """Matches with these image scores (and the same text scores), by pair_id."""
    return {name: matched(name, RIGHT if hit else WRONG) for name, hit in right.items()}


def bits(text: str, names: list[str]) -> dict[str, Match]:
    """`101` is right, wrong, right on the first three pairs."""
    return matches({name: bit == "1" for name, bit in zip(names, text, strict=True)})


def manifest(study: Study, folder: Path, verb: str, outputs: list[Path]) -> None:
    hashes = {study.relative(path): sha256(path.read_bytes()).hexdigest() for path in outputs}
    value = {"schema": 1, "artefact": study.relative(folder), "verb": verb, "outputs": hashes}
    study.manifest_path(folder).write_text(json.dumps(value))


def write_encoder_run(
    study: Study,
    model: str,
    found: Mapping[str, Match],
    *,
    benchmark: str = "faces",
    content: str = "2" * 64,
    settings: str = "00000000",
    profile: str = "match@1: a photo of {statement}",
    order: str = "ab",
) -> str:
    """Write `runs/<run_id>/` as `match` does; return the run_id."""
    name = f"{slug(model, fingerprint(model))}--{benchmark}--{settings}"
    folder = study.root / "runs" / name
    folder.mkdir(parents=True)
    header: dict[str, Any] = {
        "kind": "encoder",
        "model": model,
        "fingerprint": fingerprint(model),
        "benchmark": {"name": benchmark, "content_sha256": content},
        "profile": profile,
        "decoding": {},
        "template": None,
        "software": {"snellen": "0"},
    }
    score = {
        "metric": "image_score", "group": "all", "tagset": None, "errata": "published", "order": order,
        "n_pairs": len(found), "n_questions": 2 * len(found), "value": None, "low": None, "high": None,
        "method": "Wilson", "chance": 0.25, "n_unparsed": 0, "n_refused": 0, "n_error": 0,
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(header))
    (folder / "matches.jsonl").write_text("".join(json.dumps(asdict(each)) + "\n" for each in found.values()))
    (folder / "scores.json").write_text(json.dumps([score]))
    manifest(study, folder, "match", [folder / file for file in ("run.json", "matches.jsonl", "scores.json")])
    return name


def write_zeroshot(
    study: Study,
    model: str,
    right: int,
    n: int,
    *,
    dataset: str = "things",
    parameters: int | None = 1_000_000,
    image_size: list[int] | None = None,
    templates: str = "4" * 64,
    settings: str = "11111111",
) -> Path:
    """Write `zeroshot/<id>/zeroshot.json` as `zeroshot` does."""
    folder = study.root / "zeroshot" / f"{slug(model, fingerprint(model))}--{dataset}--{settings}"
    folder.mkdir(parents=True)
    value = {
        "encoder": model,
        "fingerprint": fingerprint(model),
        "dim": 8,
        "parameters": parameters,
        "image_size": image_size or [224, 224],
        "dataset": dataset,
        "content_sha256": "3" * 64,
        "classes": {"source": "labels", "sha256": "5" * 64},
        "templates": {"name": "plain", "sha256": templates, "lines": ["a photo of a {}."]},
        "scores": [
            {"metric": "top5", "value": 1.0, "low": 0.9, "high": 1.0, "n": n, "method": "Wilson", "chance": 0.5},
            {
                "metric": "top1",
                "value": right / n,
                "low": max(0, right / n - 0.1),
                "high": min(1, right / n + 0.1),
                "n": n,
                "method": "Wilson",
                "chance": 0.1,
            },
        ],
    }
    path = folder / "zeroshot.json"
    path.write_text(json.dumps(value))
    manifest(study, folder, "zeroshot", [path])
    return path


def write_size(study: Study, model: str, **changes: Any) -> None:
    """Write `diagnosis/costs/<slug>.json` as measuring does."""
    path = study.root / "diagnosis" / "costs" / f"{slug(model, fingerprint(model))}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    value = {
        "encoder": model,
        "fingerprint": fingerprint(model),
        "dtype": "float32",
        "parameters": 2_500_000,
        "image_size": [64, 64],
        "tokens": 16,
        "text_tower": True,
    }
    path.write_text(json.dumps(value | changes))
    manifest(study, path, "encoders", [path])


def with_benchmark(folder: Path, count: int = 8) -> tuple[Study, str, list[str], dict[str, list[str]]]:
    """A study with an embedding and a benchmark of `count` pairs: study, content hash, pairs, pairs by pattern.

    Every other pair is tagged orientation, the rest color; the first of all has both.
    """
    root = study_with_pairs(folder, count)
    lines = sorted(accepted.read(root / "accepted.jsonl"), key=lambda pair: pair.pair_id)
    tagged = [
        replace(pair, patterns=("orientation", "color") if at == 0 else ("orientation",) if at % 2 else ("color",))
        for at, pair in enumerate(lines)
    ]
    accepted.write(root / "accepted.jsonl", tagged)
    build(root, name="faces", option_seed=0, licence="CC0-1.0", source="drawn")
    content = benchmarks.read(root / "benchmarks" / "faces").content_sha256
    by_pattern = {name: [pair.pair_id for pair in tagged if name in pair.patterns] for name in ("orientation", "color")}
    return Study(root), content, [pair.pair_id for pair in tagged], by_pattern
