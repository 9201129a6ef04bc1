"""Arithmetic on pairs of float64 arrays: value = hi + lo, about 104 significant bits.

Every function takes and returns pairs ``(hi, lo)`` with ``hi`` the float64 nearest to the value, in vectorised numpy; call
them under ``np.errstate(all="ignore")``. Infinities, NaN and signed zeros come out as float64 gives them, with ``lo = 0``; the
``lo`` of results below about 1e-290 underflows.

Sources: Dekker 1971 (products); Joldes, Muller and Popescu, Tight and rigorous error bounds for basic building blocks of
double-word arithmetic, 2017 (sums, quotients); Karp and Markstein 1997 (square root).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Pair = tuple[Array, Array]


def pair(value: Fraction | Decimal | float) -> Pair:
    """Round one exact number to a pair."""
    exact = Fraction(value)
    hi = float(exact)
    return np.array(hi), np.array(float(exact - Fraction(hi)))


# Constants are arrays without dimensions: numpy takes them in half the time of a Python number.
ZERO = np.array(0.0)
ONE, HALF = pair(1), pair(0.5)
ROUND, HEAD = np.array(0x4000000), np.array(-0x8000000)


def exact(x: Array) -> Pair:
    """The pair of float64 numbers; its ``lo`` is one zero, which broadcasts."""
    return x, ZERO


def two_sum(a: Array, b: Array) -> Pair:
    """The rounded sum and its rounding error, exactly."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def fast_two_sum(a: Array, b: Array) -> Pair:
    """The same where abs(a) >= abs(b) or a is 0."""
    s = a + b
    return s, b - (s - a)


def split(a: Array) -> Pair:
    """Two numbers of at most 26 bits whose sum is ``a``; rounded on its bits, which overflows for the very largest only."""
    head = ((a.view(np.int64) + ROUND) & HEAD).view(np.float64)
    return head, a - head


def two_product(a: Array, b: Array) -> Pair:
    """The rounded product and its rounding error, exact unless it underflows."""
    p = a * b
    a1, a0 = split(a)
    b1, b0 = split(b)
    return p, ((a1 * b1 - p) + (a1 * b0 + a0 * b1)) + a0 * b0


def two_square(a: Array) -> Pair:
    p = a * a
    a1, a0 = split(a)
    cross = a1 * a0
    return p, ((a1 * a1 - p) + (cross + cross)) + a0 * a0


def ordinary(x: Array) -> bool:
    """Whether all of these numbers are finite, in one call; it may say no where they are, but add up to infinity."""
    return isfinite(np.add.reduce(x, axis=None))


def any_of(condition: Any) -> bool:
    """``np.any``, quicker."""
    return bool(np.logical_or.reduce(condition, axis=None))


def close(s: Array, e: Array, plain: Array) -> Pair:
    """Normalise ``s + e``; where that is not finite or 0, the answer is ``plain``, what float64 computes."""
    hi = s + e
    lo = e - (hi - s)
    if ordinary(lo / hi):
        return hi, lo
    finite = np.isfinite(lo)
    return np.where(finite & ((hi != 0) | (plain != 0)), hi, plain), np.where(finite, lo, ZERO)


def where(condition: Any, x: Pair, y: Pair) -> Pair:
    return np.where(condition, x[0], y[0]), np.where(condition, x[1], y[1])


def patch(x: Pair, condition: Bools, plain: Any) -> Pair:
    """Replace by float64 numbers where the condition holds."""
    if not any_of(condition):
        return x
    return np.where(condition, plain, x[0]), np.where(condition, ZERO, x[1])


def scale(x: Pair, exponent: Any) -> Pair:
    """Times 2**exponent."""
    return np.ldexp(x[0], exponent), np.ldexp(x[1], exponent)


def negative(x: Pair) -> Pair:
    return -x[0], -x[1]


def positive(x: Pair) -> Pair:
    return x


def absolute(x: Pair) -> Pair:
    sign = np.copysign(ONE[0], x[0])
    return sign * x[0], sign * x[1]


def sign(x: Pair) -> Pair:
    return exact(np.sign(x[0]))


def copysign(x: Pair, y: Pair) -> Pair:
    flip = np.copysign(ONE[0], x[0]) * np.copysign(ONE[0], y[0])
    return flip * x[0], flip * x[1]


def add(x: Pair, y: Pair) -> Pair:
    """Relative error 3 * 2**-106, cancellation or not."""
    plain, e = two_sum(x[0], y[0])
    t, f = two_sum(x[1], y[1])
    s, e = fast_two_sum(plain, e + t)
    return close(s, e + f, plain)


def add_finite(x: Pair, y: Pair) -> Pair:
    """A quicker sum of finite numbers, with an error of 2**-104 * (abs(x) + abs(y)): not for numbers that cancel."""
    s, e = two_sum(x[0], y[0])
    return fast_two_sum(s, e + (x[1] + y[1]))


def subtract(x: Pair, y: Pair) -> Pair:
    return add(x, negative(y))


def multiply(x: Pair, y: Pair) -> Pair:
    p, e = two_product(x[0], y[0])
    return close(p, e + (x[0] * y[1] + x[1] * y[0]), p)


def multiply_finite(x: Pair, y: Pair) -> Pair:
    """A quicker product of finite numbers."""
    p, e = two_product(x[0], y[0])
    return fast_two_sum(p, e + (x[0] * y[1] + x[1] * y[0]))


def square(x: Pair) -> Pair:
    p, e = two_square(x[0])
    cross = x[0] * x[1]
    return close(p, e + (cross + cross), p)


def divide(x: Pair, y: Pair) -> Pair:
    q = x[0] / y[0]
    p, e = two_product(q, y[0])
    remainder = (((x[0] - p) - e) + x[1]) - q * y[1]
    return close(q, remainder / y[0], q)


def reciprocal(x: Pair) -> Pair:
    return divide(ONE, x)


def sqrt(x: Pair) -> Pair:
    root = np.sqrt(x[0])
    p, e = two_square(root)
    return close(root, (((x[0] - p) - e) + x[1]) / (root + root), root)


def equal(x: Pair, y: Pair) -> Bools:
    return np.asarray((x[0] == y[0]) & (x[1] == y[1]))


def not_equal(x: Pair, y: Pair) -> Bools:
    return ~equal(x, y)


def less(x: Pair, y: Pair) -> Bools:
    return np.asarray((x[0] < y[0]) | ((x[0] == y[0]) & (x[1] < y[1])))


def less_equal(x: Pair, y: Pair) -> Bools:
    return np.asarray((x[0] < y[0]) | ((x[0] == y[0]) & (x[1] <= y[1])))


def greater(x: Pair, y: Pair) -> Bools:
    return less(y, x)


def greater_equal(x: Pair, y: Pair) -> Bools:
    return less_equal(y, x)


def maximum(x: Pair, y: Pair) -> Pair:
    return np.maximum(x[0], y[0]), np.where(greater(x, y), x[1], y[1])


def minimum(x: Pair, y: Pair) -> Pair:
    return np.minimum(x[0], y[0]), np.where(less(x, y), x[1], y[1])


ARITHMETIC: dict[Any, Callable[..., Any]] = {
    **{f: (lambda x, f=f: f(x[0])) for f in (np.isnan, np.isfinite, np.isinf, np.signbit)},
    np.negative: negative,
    np.positive: positive,
    np.absolute: absolute,
    np.sign: sign,
    np.copysign: copysign,
    np.add: add,
    np.subtract: subtract,
    np.multiply: multiply,
    np.divide: divide,
    np.square: square,
    np.reciprocal: reciprocal,
    np.sqrt: sqrt,
    np.maximum: maximum,
    np.minimum: minimum,
    np.equal: equal,
    np.not_equal: not_equal,
    np.less: less,
    np.less_equal: less_equal,
    np.greater: greater,
    np.greater_equal: greater_equal,
    np.fabs: absolute,
}
