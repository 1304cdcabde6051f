"""Rows that are hard on filters: what real encoders give, and what no encoder should."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.mining.conftest import Half, cosines
from tests.studies import spectrum_rows, with_copies

DIMS = (16, 17, 33, 64, 100, 128, 129, 200, 256, 257, 384, 768, 2048)

KINDS = (
    "spectrum",
    "copies",
    "clusters",
    "exact duplicates",
    "tiny spread",
    "outliers",
    "low rank",
    "constant",
    "nearly constant",
    "lengths",
)


class Hard(NamedTuple):
    """Rows, a threshold for them, which rows a filter is fitted on, and the seed of further draws."""

    rows: Half
    blind_min: float
    fitted_on: NDArray[np.int64]
    seed: int

    @property
    def sample(self) -> Half:
        return self.rows[self.fitted_on]

    @property
    def passing(self) -> NDArray[np.bool_]:
        """Which pairs i < j pass, bool [n, n], by float64."""
        return np.triu(cosines(self.rows) > self.blind_min, 1)


def rows_of(rng: np.random.Generator, kind: str, n: int, dim: int, alpha: float, mean: float) -> Half:
    """float16 [n, dim]; unit rows, or of lengths from 0.981 to 1.019."""
    values = spectrum_rows(rng, n, dim, mean=mean, alpha=alpha, classes=5)
    spread = rng.standard_normal((n, dim)) / np.sqrt(dim)
    if kind == "copies":
        values = with_copies(rng, values, 0.6, 0.5, 1.0)
    elif kind == "clusters":
        values = values[rng.integers(0, max(n // 10, 1), n)] + rng.choice([1e-3, 0.01, 0.05]) * spread
    elif kind == "exact duplicates":
        values = values[rng.integers(0, max(n // 2, 1), n)]
    elif kind == "tiny spread":
        values = values[:1] + 10 ** rng.uniform(-6, -1) * spread
    elif kind == "outliers":  # a few rows far from all others, which lie together
        usual = values[:1] + 10 ** rng.uniform(-4, -1) * spread
        values = np.where(rng.random((n, 1)) < 0.05, spectrum_rows(rng, n, dim, mean=0), usual)
    elif kind == "low rank":
        rank = int(rng.choice([1, 2, 5]))
        values = rng.standard_normal((n, rank)) @ rng.standard_normal((rank, dim))
    elif kind == "constant":
        values = np.repeat(values[:1], n, axis=0)
    elif kind == "nearly constant":
        values[1:-1] = values[:1]
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    if kind == "lengths":
        lengths /= rng.choice([0.981, 1.0, 1.019], (n, 1))
    elif kind in ("copies", "outliers") and rng.random() < 0.3:
        lengths /= rng.uniform(0.981, 1.019, (n, 1))
    result: Half = (values / lengths).astype(np.float16)
    return result


@st.composite
def hard(draw: st.DrawFn, /, most_rows: int = 150) -> Hard:
    """Draw rows of any kind, a threshold, and what a filter is fitted on."""
    seed = draw(st.integers(0, 2**32 - 1))
    dim = draw(st.sampled_from(DIMS))
    n = draw(st.integers(1, most_rows if dim < 1000 else most_rows // 3))
    kind = draw(st.sampled_from(KINDS))
    rng = np.random.default_rng(seed)
    rows = rows_of(rng, kind, n, dim, draw(st.floats(0, 3)), draw(st.floats(0, 0.98)))
    threshold = draw(st.one_of(st.floats(0.5, 0.999), st.sampled_from(["a cosine", "just below a cosine"])))
    if isinstance(threshold, str):
        a, b = rng.integers(0, n, 2)
        on = float(cosines(rows)[a, b])
        threshold = on if threshold == "a cosine" else float(np.nextafter(on, -2))
    size = n if draw(st.booleans()) else max(n // 4, 1)
    return Hard(rows, threshold, np.sort(rng.permutation(n)[:size]), seed)
