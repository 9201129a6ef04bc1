"""The formats under test: rounding against torch's own conversion, and the constants that the bounds are built from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchkit.precision import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, PRECISIONS, Precision

EVERY = pytest.mark.parametrize("precision", PRECISIONS.values(), ids=PRECISIONS)
SPECIALS = [0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, -5e-324, 1.7976931348623157e308]


def by_torch(x: np.ndarray, precision: Precision) -> np.ndarray:
    """The nearest numbers of the format, by torch's conversion from float64."""
    return torch.from_numpy(np.asarray(x, dtype=np.float64)).to(getattr(torch, precision.name)).double().numpy()


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """The same numbers and the same signs of zero; one NaN is like another."""
    return bool(np.array_equal(a, b, equal_nan=True) and np.array_equal(np.signbit(a[a == a]), np.signbit(b[b == b])))


@EVERY
def test_constants(precision: Precision):
    """Unit roundoff, largest and smallest numbers are those of torch.finfo."""
    info = torch.finfo(getattr(torch, precision.name))
    assert precision.unit == info.eps / 2
    assert precision.largest == info.max
    assert precision.smallest_normal == info.smallest_normal
    assert precision.smallest_subnormal == 2 * precision.unit * precision.smallest_normal


@pytest.mark.parametrize("precision", [BFLOAT16, FLOAT16, FLOAT32], ids=lambda p: p.name)
def test_overflow_is_where_rounding_gives_infinity(precision: Precision):
    """The stated threshold itself rounds to infinity, the number before it does not."""
    assert precision.round(precision.largest) == precision.largest
    assert precision.round(precision.overflow) == np.inf
    assert precision.round(np.nextafter(precision.overflow, 0.0)) == precision.largest


@EVERY
@given(numbers=st.lists(st.floats() | st.floats(width=16) | st.sampled_from(SPECIALS), min_size=1, max_size=20))
def test_rounding_of_any_number(precision: Precision, numbers: list[float]):
    """Rounding agrees with torch on every bit; of bfloat16 torch rounds float64 by way of float32, so it starts from there."""
    x = np.array(numbers)
    x = FLOAT32.round(x) if precision is BFLOAT16 else x
    assert same_bits(precision.round(x), by_torch(x, precision))


@pytest.mark.parametrize("precision", [BFLOAT16, FLOAT16, FLOAT32], ids=lambda p: p.name)
@given(data=st.data())
def test_ties_and_their_neighbours(precision: Precision, data: st.DataObject):
    """Half way between two numbers of the format the even one is taken, on either side of it the nearer one."""
    exponent = data.draw(st.integers(2 - precision.emax - precision.bits, precision.emax - precision.bits))
    subnormal = exponent == 2 - precision.emax - precision.bits
    k = data.draw(st.integers(0 if subnormal else 2 ** (precision.bits - 1), 2**precision.bits - 2))
    low, high = (float(np.ldexp(float(n), exponent)) for n in (k, k + 1))
    middle = (low + high) / 2.0
    assert precision.represents([low, high]).all()
    assert not precision.represents(middle)
    assert precision.round(middle) == (low if k % 2 == 0 else high)
    assert precision.round(np.nextafter(middle, 0.0)) == low
    assert precision.round(np.nextafter(middle, np.inf)) == high
    assert precision.round(-middle) == -precision.round(middle)


@EVERY
@given(numbers=st.lists(st.floats(), min_size=1, max_size=10))
def test_rounding_twice_changes_nothing(precision: Precision, numbers: list[float]):
    """What was rounded is represented."""
    once = precision.round(numbers)
    assert precision.represents(once).all()
    assert same_bits(precision.round(once), once)


def test_sums_of_the_half_types_are_held_in_float32():
    """The accumulator is the format itself, or float32 where that is finer."""
    assert [p.accumulator for p in (FLOAT64, FLOAT32, BFLOAT16, FLOAT16)] == [FLOAT64, FLOAT32, FLOAT32, FLOAT32]
