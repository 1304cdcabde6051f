"""Costs: against clocks and encoders of our own making."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from snellen.diagnosis.shopping import measure, measured_size
from snellen.diagnosis.shopping.cost import LEAST, REPEATS, WARM_UP, latency_of, size_of
from snellen.diagnosis.shopping.cost_files import read_latencies, read_sizes
from snellen.encoders.base import FloatArray, Tokens
from snellen.errors import StudyError, Unsupported
from snellen.providers import load_encoder
from snellen.stats import quantile_ranks
from snellen.study import Study


class Slow:
    """Takes a known time for every call, on a clock of its own; looks at 4 x 6 pixels, and has 2 x 3 tokens."""

    name, dim, fingerprint = "mine/slow", 2, "a" * 64

    def __init__(self, *seconds: float) -> None:
        self.now, self.calls, self.batches = 0.0, 0, [0]
        self.seconds = seconds
        self.batches.clear()

    def clock(self) -> float:
        return self.now

    def preprocess(self, image: Picture.Image) -> FloatArray:
        assert image.mode == "RGB"
        return np.zeros((3, 4, 6), dtype=np.float32)

    def embed(self, batch: FloatArray) -> FloatArray:
        self.batches.append(len(batch))
        self.now += self.seconds[self.calls % len(self.seconds)]
        self.calls += 1
        return np.tile(np.array([1.0, 0.0], dtype=np.float32), (len(batch), 1))

    def tokens(self, batch: FloatArray, layer: int = -1) -> Tokens:
        return Tokens(np.zeros((len(batch), 6, 5), dtype=np.float32), 2, 3)


class Blindfolded(Slow):
    def tokens(self, batch: FloatArray, layer: int = -1) -> Tokens:
        raise Unsupported("none here")


def test_latency_is_the_median_of_repeats_a_picture_after_warming_up() -> None:
    encoder = Slow(*(at / 100 for at in range(1, 12)))
    found = latency_of(encoder, 4, clock=encoder.clock)
    assert encoder.batches == [4] * (WARM_UP + REPEATS) and found.repeats == REPEATS
    timed = sorted((at % 11 + 1) / 100 / 4 for at in range(WARM_UP, WARM_UP + REPEATS))
    assert found.seconds == pytest.approx((timed[9] + timed[10]) / 2)
    ranks = quantile_ranks(REPEATS, 0.5)
    assert ranks.low is not None and ranks.high is not None
    assert found.low == pytest.approx(timed[ranks.low - 1]) and found.high == pytest.approx(timed[ranks.high - 1])


def test_slow_encoders_are_timed_less_often_but_with_an_interval() -> None:
    encoder = Slow(60.0)
    found = latency_of(encoder, 1, clock=encoder.clock)
    assert found.repeats == LEAST and encoder.calls == LEAST + 1
    assert found.seconds == found.low == found.high == 60.0


def test_size_is_what_the_encoder_has() -> None:
    found = size_of(Slow(1.0))
    assert (found.parameters, found.image_size, found.tokens, found.text_tower) == (None, (4, 6), 6, False)
    assert size_of(Blindfolded(1.0)).tokens is None
    clip = load_encoder("world/clip")
    size = size_of(clip)
    assert size.text_tower and size.image_size == (64, 64) and size.tokens == 64
    assert size.parameters == sum(each.numel() for each in clip._model.parameters())  # type: ignore[attr-defined]


def test_what_is_measured_is_kept_apart_what_is_true_everywhere_from_what_is_true_here(tmp_path: Path) -> None:
    study = Study(tmp_path)
    encoder = Slow(0.25)
    size, latencies = measure(tmp_path, encoder, device="cpu", clock=encoder.clock)
    assert [(each.batch, each.seconds) for each in latencies] == [(1, 0.25), (16, 0.25 / 16)]
    sizes, files = read_sizes(study)
    assert sizes == [size] and list(files) == [f"diagnosis/costs/mine-slow-{'a' * 8}.json"]
    kept = (tmp_path / next(iter(files))).read_bytes()
    quick = Slow(0.125)
    measure(tmp_path, quick, device="cpu", clock=quick.clock)
    assert (tmp_path / next(iter(files))).read_bytes() == kept
    assert [each.seconds for each in read_latencies(study)] == [0.125, 0.125 / 16]  # the last ones hold
    log = tmp_path / "diagnosis" / "costs.log.jsonl"
    assert len(log.read_text().splitlines()) == 4
    log.write_text(log.read_text() + '{"encoder": "cut sh')
    assert len(read_latencies(study)) == 2


def test_what_was_measured_is_not_measured_again_unless_something_is_missing(tmp_path: Path) -> None:
    study = Study(tmp_path)
    encoder = Slow(0.25)

    def known(**changes: str | bool) -> bool:
        asked: dict[str, str | bool] = {"latency": True, "device": "cpu", "dtype": "float32"}
        asked |= changes
        return measured_size(study, "mine/slow", **asked) is not None  # type: ignore[arg-type]

    assert not known()
    measure(tmp_path, encoder, device="cpu", batches=(), clock=encoder.clock)
    assert known(latency=False) and not known() and not known(latency=False, dtype="float16")
    measure(tmp_path, encoder, device="cpu", clock=encoder.clock)
    assert known() and not known(dtype="float16")


def test_a_size_that_was_changed_is_refused(tmp_path: Path) -> None:
    encoder = Slow(0.25)
    measure(tmp_path, encoder, device="cpu", batches=(), clock=encoder.clock)
    path = tmp_path / "diagnosis" / "costs" / f"mine-slow-{'a' * 8}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"tokens": 7}))
    with pytest.raises(StudyError, match="was changed after it was written"):
        read_sizes(Study(tmp_path))
