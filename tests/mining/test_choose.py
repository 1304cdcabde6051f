"""Which filter is chosen, what is said about it, and what cannot be had."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from snellen.errors import UsageError
from snellen.mining import kernels
from snellen.mining.filters import choose
from snellen.mining.filters.choose import Backend, choose_filter
from snellen.mining.filters.prefix import PrefixFilter
from snellen.mining.filters.product import ProductFilter
from snellen.mining.filters.scan import SketchFilter
from snellen.mining.join.tiles import NoFilter
from tests.mining.conftest import each_kernel, side
from tests.studies import spectrum_rows, unit_rows

PLAIN = "every pair multiplied out"


@pytest.fixture
def worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small data are worth a filter."""
    monkeypatch.setattr(choose, "WORTH_CHOOSING", 0)


@pytest.fixture
def no_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "available", lambda: ())


def rows(n: int, dim: int, **spectrum: Any) -> Any:
    return side(unit_rows(spectrum_rows(np.random.default_rng(0), n, dim, **spectrum)))


def test_few_images_need_no_filter() -> None:
    for backend in ("auto", "portable"):
        chosen = choose_filter(rows(500, 64), 0.95, 0, backend=backend)
        assert isinstance(chosen.filter, NoFilter) and chosen.text == PLAIN


@pytest.mark.usefixtures("worth_it")
@pytest.mark.parametrize(("dim", "blind_min", "filtered"), [(256, 0.95, True), (256, -0.5, False), (8, 0.95, False)])
def test_by_what_the_sample_says(dim: int, blind_min: float, filtered: bool, tmp_path: Path) -> None:
    portable = choose_filter(rows(3000, dim), blind_min, 0, tmp_path, backend="portable")
    if filtered:
        assert isinstance(portable.filter, PrefixFilter)
        assert portable.text == f"portable, {portable.filter._reduced.shape[1] - 1} coordinates"
    else:
        assert isinstance(portable.filter, NoFilter) and portable.text == PLAIN


@pytest.mark.usefixtures("worth_it")
@each_kernel
@pytest.mark.parametrize("backend", ["auto", "compiled"])
def test_compiled(kernel: kernels.Kernel, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "available", lambda: (kernel,))
    chosen = choose_filter(rows(3000, 256), 0.95, 0, backend=backend)
    assert isinstance(chosen.filter, SketchFilter)
    lengths = (chosen.filter._rows.shape[1], chosen.filter._fine.shape[1])
    assert chosen.text == f"{kernel.name}, sketches of {lengths[0]} and {lengths[1]}"


@pytest.mark.usefixtures("worth_it")
@each_kernel
@pytest.mark.parametrize("blind_min", [-1.0, 0.0, 0.3])
def test_low_thresholds_are_multiplied_out(
    kernel: kernels.Kernel, blind_min: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most pairs pass: nothing rules them out."""
    monkeypatch.setattr(kernels, "available", lambda: (kernel,))
    chosen = choose_filter(rows(1000, 256), blind_min, 0, backend="compiled")
    assert isinstance(chosen.filter, NoFilter) and chosen.text == PLAIN


@pytest.mark.usefixtures("worth_it")
@pytest.mark.parametrize("backend", ["auto", "portable"])
def test_rows_all_alike_are_multiplied_out(backend: Backend) -> None:
    one = side(np.repeat(unit_rows(np.ones((1, 64))), 500, axis=0))
    assert choose_filter(one, 0.95, 0, backend=backend).text == PLAIN


@pytest.mark.usefixtures("worth_it")
@pytest.mark.parametrize("n", [2, 3, 33])
@pytest.mark.parametrize("backend", get_args(Backend))
def test_few_rows(backend: Backend, n: int) -> None:
    if backend == "compiled" and not kernels.available():
        pytest.skip("the compiled kernels were not built")
    for dim in (2, 15, 16, 17, 300):
        assert choose_filter(rows(n, dim), 0.95, 0, backend=backend).text


@pytest.mark.usefixtures("worth_it")
def test_torch() -> None:
    chosen = choose_filter(rows(200, 64), 0.95, 0, backend="torch")
    assert isinstance(chosen.filter, ProductFilter) and "PyTorch" in chosen.text


@pytest.mark.usefixtures("worth_it")
@pytest.mark.parametrize("backend", ["auto", "portable"])
def test_the_seed_decides(backend: Backend) -> None:
    one = rows(3000, 256)
    texts = {choose_filter(one, 0.95, 7, backend=backend, threads=threads).text for threads in (1, 2, 3)}
    assert len(texts) == 1


@pytest.mark.usefixtures("no_kernels")
class TestWithoutKernels:
    def test_compiled_cannot_be_had(self) -> None:
        with pytest.raises(UsageError, match=r"--backend compiled needs .*, which were not built: install"):
            choose_filter(rows(10, 16), 0.95, 0, backend="compiled")

    @pytest.mark.usefixtures("worth_it")
    def test_auto_says_so_and_works(self) -> None:
        chosen = choose_filter(rows(3000, 256), 0.95, 0)
        assert isinstance(chosen.filter, PrefixFilter)
        assert "portable" in chosen.text and "compiled kernels were not built" in chosen.text

    @pytest.mark.usefixtures("worth_it")
    @pytest.mark.parametrize("backend", ["portable", "torch"])
    def test_others_need_none_and_say_nothing(self, backend: Backend) -> None:
        assert "not built" not in choose_filter(rows(300, 64), 0.95, 0, backend=backend).text


@pytest.mark.parametrize("backend", ["gpu", "", "Compiled"])
def test_unknown_backends_list_the_choices(backend: Any) -> None:
    with pytest.raises(UsageError, match="unknown: choose one of auto, compiled, portable, torch"):
        choose_filter(rows(10, 16), 0.95, 0, backend=backend)
