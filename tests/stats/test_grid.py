"""Which printed percentages are shares, against printing every share."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen.stats import on_grid

EXACT = Context(prec=60)


@settings(deadline=None)
@given(st.integers(1, 3000), st.integers(0, 3), st.data())
def test_every_share_is_found_however_its_half_is_rounded(n: int, decimals: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    exact = EXACT.divide(Decimal(100 * k), Decimal(n))
    for rounding in (ROUND_HALF_UP, ROUND_HALF_EVEN):
        printed = exact.quantize(Decimal(1).scaleb(-decimals), rounding=rounding)
        assert k in on_grid(str(printed), n, decimals)
    assert k in on_grid(f"{100 * k / n:.{decimals}f}", n, decimals)
    assert k in on_grid(round(100 * k / n, decimals), n, decimals)


@settings(deadline=None)
@given(st.integers(1, 400), st.integers(0, 1000))
def test_nothing_else_is_found(n: int, tenths: int) -> None:
    printed = Fraction(tenths, 10)
    near = [k for k in range(n + 1) if abs(Fraction(100 * k, n) - printed) <= Fraction(1, 20)]
    assert list(on_grid(tenths / 10, n)) == near


def test_by_hand() -> None:
    assert on_grid(66.7, 3) == (2,)
    assert on_grid(66.6, 3) == ()
    assert on_grid("12", 8, 0) == on_grid("13", 8, 0) == (1,)  # 12.5: printers differ
    assert on_grid(0, 150) == (0,) and on_grid("100.0", 150) == (150,)
    assert on_grid("24.67", 150, 2) == (37,) and on_grid("24.7", 150, 2) == ()
    assert on_grid("24.67", 150) == ()  # not printed with one decimal
    assert on_grid(-0.1, 150) == () and on_grid(100.1, 150) == ()
    assert on_grid(33.3, 2000) == (665, 666, 667)  # 33.25 and 33.35 are half-way


@pytest.mark.parametrize(
    ("printed", "n", "decimals"), [("x", 5, 1), ("nan", 5, 1), ("inf", 5, 1), ("5", 0, 1), ("5", 5, -1), ("", 5, 1)]
)
def test_nonsense_is_refused(printed: str, n: int, decimals: int) -> None:
    with pytest.raises(ValueError, match="finite percentage"):
        on_grid(printed, n, decimals)
