from __future__ import annotations

import os
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from snellen.embedding import decoding
from snellen.embedding.decoding import DecodePool
from snellen.encoders.base import FloatArray
from snellen.errors import EncoderError
from snellen.images.decode import Limits
from snellen.providers import load_encoder
from tests.pictures import picture

PREPROCESS = load_encoder("control/gradient-grid").preprocess
CRASHES, HANGS, RAISES = (13, 200, 7), (200, 13, 7), (7, 13, 200)


class Dangerous:
    """Preprocessing that dies of one colour, as a decoder dies of a crafted file."""

    def __call__(self, image: Image.Image) -> FloatArray:
        colour = image.getpixel((0, 0))
        if colour == CRASHES:
            os.abort()
        if colour == HANGS:
            time.sleep(60)
        if colour == RAISES:
            raise ValueError("a bug in the preprocessing")
        return PREPROCESS(image)


def png(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def test_workers_give_what_the_preprocessing_gives(tmp_path: Path) -> None:
    with DecodePool(PREPROCESS, Limits(), workers=2) as pool:
        futures = [pool.submit(png(picture(seed)), None) for seed in range(20)]
        bad = pool.submit(b"nonsense", None)
        turned = pool.submit(png(picture(1)), 6)
        for seed, future in enumerate(futures):
            prepared = future.result()
            assert (prepared.status, prepared.width, prepared.height) == ("ok", 40, 32)
            assert prepared.values is not None
            np.testing.assert_array_equal(prepared.values, PREPROCESS(picture(seed)))
        assert bad.result().status == "not_an_image"
        assert bad.result().values is None
        rotated = turned.result()
        assert (rotated.flags, rotated.width, rotated.height) == (("exif_rotated",), 32, 40)
        assert rotated.values is not None
        np.testing.assert_array_equal(rotated.values, PREPROCESS(picture(1).transpose(Image.Transpose.ROTATE_270)))


@pytest.fixture
def dangerous(monkeypatch: pytest.MonkeyPatch) -> Dangerous:
    """Let the worker processes find this module, to unpickle `Dangerous`."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    return Dangerous()


@pytest.mark.parametrize("colour", [CRASHES, HANGS])
def test_a_crash_costs_one_image(
    dangerous: Dangerous, colour: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "JOB_SECONDS", 1.5)
    with DecodePool(dangerous, Limits(), workers=1) as pool:
        before, killer, after = (
            pool.submit(png(image), None) for image in (picture(1), Image.new("RGB", (32, 32), colour), picture(2))
        )
        assert before.result().status == "ok"
        assert killer.result().status == "decoder_crash"
        assert after.result().status == "ok"


def test_an_exception_in_the_preprocessing_is_an_error_and_not_the_images_fault(dangerous: Dangerous) -> None:
    with (
        DecodePool(dangerous, Limits(), workers=1) as pool,
        pytest.raises(EncoderError, match="ValueError: a bug in the preprocessing"),
    ):
        pool.submit(png(Image.new("RGB", (32, 32), RAISES)), None).result()


class Unloadable(Dangerous):
    """Preprocessing that can be pickled and not unpickled, as one of a package that workers do not have."""

    def __reduce__(self) -> tuple[type[int], tuple[str]]:
        return int, ("no number",)


def test_preprocessing_that_workers_cannot_load_is_an_error() -> None:
    with (
        DecodePool(Unloadable(), Limits(), workers=1) as pool,
        pytest.raises(EncoderError, match=r"could not start \(ValueError"),
    ):
        pool.submit(png(picture(1)), None).result()


def test_preprocessing_that_cannot_be_pickled_is_an_error() -> None:
    with pytest.raises(EncoderError, match="pickle"):
        DecodePool(lambda image: PREPROCESS(image), Limits(), workers=1)


def test_no_worker_outlives_the_pool() -> None:
    with DecodePool(PREPROCESS, Limits(), workers=2) as pool:
        for future in [pool.submit(png(picture(seed)), None) for seed in range(4)]:
            future.result()
        children = psutil.Process().children()
        assert len(children) == 2
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)
