"""Elementary and special functions on pairs of float64 arrays, value = hi + lo; see double_double_arithmetic for the rules.

Each result is within ``ROUNDOFF`` of the exact one, relative to it, with these exceptions: ``gammaln``, 8 times that;
``power``, abs(exponent) times that; ``logaddexp``, and ``gammaln`` of a negative number, where the result is smaller than the
terms that it is the sum of (the error is relative to the terms); and results below about 1e-290, whose ``lo`` underflows.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache
from math import comb, factorial, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from benchkit.double_double_arithmetic import (
    ARITHMETIC,
    HALF,
    ONE,
    ZERO,
    Pair,
    absolute,
    add,
    add_finite,
    any_of,
    copysign,
    divide,
    exact,
    fast_two_sum,
    maximum,
    multiply,
    multiply_finite,
    negative,
    ordinary,
    pair,
    patch,
    reciprocal,
    scale,
    split,
    sqrt,
    square,
    subtract,
    two_product,
    two_sum,
    where,
)

ROUNDOFF = 2.0**-98  # 3.2e-30; 2**-99.3 is the largest that was measured

with localcontext() as context:
    context.prec = 80
    _LN2 = Decimal(2).ln()
    LN2, LN10 = pair(_LN2), pair(Decimal(10).ln())
    _PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899863")
    PI, LOG_PI, HALF_LOG_2PI = pair(_PI), pair(_PI.ln()), pair((2 * _PI).ln() / 2)

# The table of powers of two has an entry for each 1/STEPS, from -(CENTRE + MARGIN) on: one octave, and a little on both sides.
STEP_BITS = 13
STEPS = 2**STEP_BITS
FINE = 128
CENTRE = STEPS // 2 + FINE // 2
MARGIN = FINE
_STEP = Fraction(_LN2) / STEPS
FAR = np.array(1400.0)
STEPS_PER_UNIT = np.array(float(1 / _STEP))


def leading(x: Fraction, bits: int) -> Fraction:
    """``x`` to ``bits`` binary places."""
    return Fraction(round(x * 2**bits), 2**bits)


# 29 and 30 bits, so that their products with the number of steps are exact, and the rest; 26 bits of 1/6, and the rest.
_STEP_1 = leading(_STEP, 42)
_STEP_2 = leading(_STEP - _STEP_1, 72)
STEP_1, STEP_2, STEP_3 = (np.array(float(x)) for x in (_STEP_1, _STEP_2, _STEP - _STEP_1 - _STEP_2))
SIXTH_1, SIXTH_0 = (np.array(float(x)) for x in (leading(Fraction(1, 6), 28), Fraction(1, 6) - leading(Fraction(1, 6), 28)))
SIXTH, C4, C5, C6, C7 = (np.array(1 / factorial(n)) for n in range(3, 8))


@cache
def power_table() -> tuple[Pair, Pair]:
    """2**(j / STEPS) - 1 and 2**(j / STEPS), from two small tables."""
    with np.errstate(all="ignore"), localcontext() as context:
        context.prec = 60
        coarse = [pair((_LN2 * FINE * j / STEPS).exp() - 1) for j in range(-33, 34)]
        fine = [pair((_LN2 * j / STEPS).exp() - 1) for j in range(-FINE // 2, FINE // 2)]
        a1, a0 = np.array(coarse).T[:, :, None]
        b1, b0 = np.array(fine).T[:, None, :]
        hi, lo = add((a1, a0), add((b1, b0), multiply((a1, a0), (b1, b0))))
        less_one = hi.ravel(), lo.ravel()
        return less_one, add(ONE, less_one)


def expm1_near(x: Pair, mask: int = -1) -> tuple[Pair, NDArray[np.int64]]:
    """exp(x) - 1 for abs(x) <= 0.36 or, with the mask, the same of x less a multiple of log(2); and the steps in x."""
    n = np.rint(x[0] * STEPS_PER_UNIT)
    r, e = two_sum(x[0] - n * STEP_1, -n * STEP_2)
    r, low = two_sum(r, x[1])
    low = low + (e - n * STEP_3)
    # exp(r + low) - 1 = r + (r**2 (1/2 + r (1/6 + r/24 + ...)) + low exp(r)) with abs(r) < 4.3e-5. Of r/6, 65 bits count: the
    # product of both heads is exact. Of the bracket, 85 do.
    r1, r0 = split(r)
    r2 = r * r
    cross = r1 * r0
    r2_low = ((r1 * r1 - r2) + (cross + cross)) + r0 * r0
    s, e = fast_two_sum(HALF[0], SIXTH_1 * r1)
    e = e + ((SIXTH_0 * r1 + r0 * SIXTH) + r2 * (C4 + r * (C5 + r * (C6 + r * C7))))
    p, t = two_product(s, r2)
    t = t + (s * r2_low + e * r2)
    s, e = fast_two_sum(r, p)
    q = fast_two_sum(s, e + (t + low * (ONE[0] + (r + p))))
    # 2**(j/STEPS) (1 + q) - 1 = E + (1 + E) q, of which E is the larger, or 0.
    steps = n.astype(np.int64)
    j = ((steps + CENTRE) & mask) + MARGIN
    (e1, e0), (t1, t0) = power_table()
    y, low = multiply_finite((t1[j], t0[j]), q)
    s, e = fast_two_sum(e1[j], y)
    return fast_two_sum(s, e + (e0[j] + low)), steps


def expm1_parts(x: Pair) -> tuple[Pair, NDArray[np.int32]]:
    """exp(x) = (1 + m) * 2**k with m in [-0.31, 0.42]; gives m, accurate relative to itself, and k.

    Beyond +-1400 it takes x for +-1400, where float64 has long over- or underflowed.
    """
    far = np.abs(x[0]) > FAR
    x = patch(x, far, np.copysign(FAR, x[0])) if any_of(far) else x
    m, steps = expm1_near(x, STEPS - 1)
    return m, ((steps + CENTRE) >> STEP_BITS).astype(np.int32)


def exp(x: Pair) -> Pair:
    m, k = expm1_parts(x)
    y = scale(add_finite(ONE, m), k)
    return y if ordinary(y[1]) else patch(y, ~np.isfinite(y[0]), y[0])


def expm1(x: Pair) -> Pair:
    m, k = expm1_parts(x)
    y = where(k == 0, m, subtract(scale(add_finite(ONE, m), k), ONE)) if any_of(k) else m
    return y if ordinary(y[0] / x[0]) else patch(y, ~np.isfinite(y[0]) | (x[0] == 0), np.expm1(x[0]))


def log1p_near(d: Pair) -> Pair:
    """log(1 + d) for 1 + d in [0.7, 1.43], by one step of Newton's method from float64, accurate relative to itself."""
    start = np.log1p(d[0])
    m, _ = expm1_near(exact(-np.fmax(np.fmin(start, 0.36), -0.36)))
    # t = (1 + d) exp(-start) - 1 = d + m + d m, of size 1e-16 d; log(1 + t) = t - t**2/2.
    s, e = two_sum(d[0], m[0])
    p, low = multiply_finite(d, m)
    s, f = two_sum(s, p)
    t = s + ((e + f) + ((d[1] + m[1]) + low))
    return fast_two_sum(start, t - HALF[0] * t * t)


def reduce_exponent(x: Pair) -> tuple[Pair, NDArray[np.int32]]:
    """x = (1 + d) * 2**k with 1 + d in [0.7, 1.42]; gives d and k."""
    f, k = np.frexp(x[0])
    k = k - (f < 0.7071)
    f, low = scale(x, -k)
    return fast_two_sum(f - ONE[0], low), k


def add_octaves(x: Pair, k: NDArray[np.int32]) -> Pair:
    """x + k log(2)."""
    return add_finite(multiply_finite(exact(k.astype(np.float64)), LN2), x) if any_of(k) else x


def log(x: Pair) -> Pair:
    d, k = reduce_exponent(x)
    y = add_octaves(log1p_near(d), k)
    return y if ordinary(y[0]) else patch(y, ~np.isfinite(y[0]), np.log(x[0]))


def log1p(x: Pair) -> Pair:
    d, k = reduce_exponent(add(ONE, x))
    y = add_octaves(log1p_near(where(k == 0, x, d)), k)
    return y if ordinary(y[0] / x[0]) else patch(y, ~np.isfinite(y[0]) | (x[0] == 0), np.log1p(x[0]))


def log2(x: Pair) -> Pair:
    d, k = reduce_exponent(x)
    y = add(divide(log1p_near(d), LN2), exact(k.astype(np.float64)))
    return y if ordinary(y[0]) else patch(y, ~np.isfinite(y[0]), np.log2(x[0]))


def log10(x: Pair) -> Pair:
    return divide(log(x), LN10)


def integer_power(x: Pair, n: NDArray[np.int64]) -> Pair:
    """x**n by repeated squaring, abs(n) <= 1024."""
    shape = np.broadcast_shapes(np.shape(x[0]), np.shape(n))
    y: Pair = np.ones(shape), np.zeros(shape)
    rest = np.abs(n)
    while True:
        odd = (rest & 1).astype(bool)
        if odd.any():
            y = multiply(y, x) if odd.all() else where(odd, multiply(y, x), y)
        rest = rest >> 1
        if not rest.any():
            break
        x = square(x)
    return where(n < 0, reciprocal(y), y) if (n < 0).any() else y


def real_power(x: Pair, y: Pair) -> Pair:
    """abs(x)**y = 2**(k y) exp(y log1p(d)), the integer part of k y taken out exactly."""
    d, k = reduce_exponent(absolute(x))
    p, e = two_product(y[0], k.astype(np.float64))
    whole = np.clip(np.rint(p), -10000.0, 10000.0)
    part = add(fast_two_sum(p - whole, e), two_product(y[1], k.astype(np.float64)))
    m, more = expm1_parts(add(multiply(part, LN2), multiply(y, log1p_near(d))))
    return scale(add(ONE, m), whole.astype(np.int32) + more)


def power(x: Pair, y: Pair) -> Pair:
    """x**y: repeated squaring for integers to 1024, a root for 0.5, else exp(y log(abs(x))) with the sign of float64's power.

    Relative error ROUNDOFF * max(1, abs(y)).
    """
    if y[0].ndim == 0 and y[0] == 2 and y[1] == 0:
        return square(x)
    plain = np.where((x[0] < 0) & (y[1] != 0), np.nan, np.power(x[0], y[0]))
    if not any_of((np.rint(y[0]) != y[0]) | (np.abs(y[0]) > 1024) | (y[1] != 0)):
        z = integer_power(x, y[0].astype(np.int64))
    elif not any_of((y[0] != 0.5) | (y[1] != 0)):
        z = sqrt(x)
    else:
        z = copysign(real_power(x, y), exact(plain))
    return patch(z, ~np.isfinite(plain) | (plain == 0) | ~np.isfinite(z[0]) | (z[0] == 0) | (y[0] == 0), plain)


# --- functions made of these ------------------------------------------------------------------------------------------------


def tanh(x: Pair) -> Pair:
    t = expm1(scale(negative(absolute(x)), 1))
    return copysign(divide(t, add(pair(2), t)), x)


def expit(x: Pair) -> Pair:
    t = exp(negative(absolute(x)))
    return divide(where(x[0] < 0, t, ONE), add(ONE, t))


def log_expit(x: Pair) -> Pair:
    return negative(add(maximum(negative(x), exact(ZERO)), log1p(exp(negative(absolute(x))))))


def logaddexp(x: Pair, y: Pair) -> Pair:
    top = maximum(x, y)
    z = add(top, log1p(exp(negative(absolute(subtract(x, y))))))
    return patch(z, ~np.isfinite(top[0]), top[0])


def xlogy(x: Pair, y: Pair) -> Pair:
    return patch(multiply(x, log(y)), (x[0] == 0) & ~np.isnan(y[0]), 0.0)


def xlog1py(x: Pair, y: Pair) -> Pair:
    return patch(multiply(x, log1p(y)), (x[0] == 0) & ~np.isnan(y[0]), 0.0)


def entr(x: Pair) -> Pair:
    y = negative(multiply(x, log(x)))
    return y if ordinary(y[0] / x[0]) else patch(y, ~np.isfinite(y[0]) | (x[0] == 0), special.entr(x[0]))


def rel_entr(x: Pair, y: Pair) -> Pair:
    """x log(x / y), the quotient by its distance from 1 and clear of overflow."""
    k, k_y = np.frexp(x[0])[1], np.frexp(y[0])[1]
    k = np.where(np.abs(k - k_y) <= 1, 0, k - k_y)
    y_near = scale(y, -k_y)
    d = divide(subtract(scale(x, -k - k_y), y_near), y_near)
    z = multiply(x, add_octaves(log1p(d), k))
    plain = special.rel_entr(x[0], y[0])
    return patch(z, ~np.isfinite(plain) | ~np.isfinite(z[0]) | (x[0] == 0), plain)


# --- the logarithm of the gamma function ------------------------------------------------------------------------------------


@cache
def bernoulli(n: int) -> Fraction:
    if n > 1 and n % 2:
        return Fraction(0)
    return Fraction(1) if n == 0 else -sum((comb(n + 1, j) * bernoulli(j) for j in range(n)), Fraction(0)) / (n + 1)


def zeta_less_one(k: int, n: int = 20) -> Fraction:
    """Riemann's zeta(k) - 1 for k >= 2, to 40 digits, by Euler and Maclaurin's formula from the term ``n`` on."""
    tail = Fraction(1, (k - 1) * n ** (k - 1)) + Fraction(1, 2 * n**k)
    for j in range(1, 16):
        tail += bernoulli(2 * j) * prod(range(k, k + 2 * j - 1)) / (factorial(2 * j) * n ** (k + 2 * j - 1))
    return sum((Fraction(1, m**k) for m in range(2, n)), tail)


@cache
def stirling_series() -> list[Pair]:
    return [pair(bernoulli(2 * k) / (2 * k * (2 * k - 1))) for k in range(1, 20)]


@cache
def zeta_series() -> list[Pair]:
    """Coefficients of lgamma(2 + z) / z: 1 - gamma, then (-1)**k (zeta(k) - 1) / k."""
    euler = Fraction("0.57721566490153286060651209008240243104215933593992")
    return [pair(1 - euler), *(pair((-1) ** k * zeta_less_one(k) / k) for k in range(2, 38))]


@cache
def sine_series() -> list[Pair]:
    return [pair(Fraction((-1) ** k, factorial(2 * k + 1))) for k in range(17)]


def polynomial(x: Pair, coefficients: list[Pair], long: int) -> Pair:
    """Horner's rule; only the first ``long`` coefficients need more than float64."""
    tail = np.zeros_like(x[0])
    for c in reversed(coefficients[long:]):
        tail = tail * x[0] + c[0]
    y = exact(tail)
    for c in reversed(coefficients[:long]):
        y = add_finite(multiply_finite(y, x), c)
    return y


def gammaln_near_2(z: Pair) -> Pair:
    """log(gamma(2 + z)) for abs(z) <= 0.25, accurate relative to itself."""
    return multiply(z, polynomial(z, zeta_series(), 18))


def gammaln_positive(x: Pair) -> Pair:
    """Stirling's series at 16 and beyond; below, gamma(x) = gamma(x + 16) / (x (x + 1) ... (x + 15))."""
    small = x[0] < 16.0
    shifted = where(small, add(x, pair(16)), x)
    v = reciprocal(shifted)
    y = multiply(subtract(shifted, HALF), subtract(log(shifted), ONE))
    y = add(add(y, subtract(HALF_LOG_2PI, HALF)), multiply(v, polynomial(square(v), stirling_series(), 5)))
    if small.any():
        s = multiply(x, add(x, pair(15)))  # (x + i) (x + 15 - i) = s + i (15 - i)
        product = s
        for i in range(1, 8):
            product = multiply(product, add(s, pair(i * (15 - i))))
        y = where(small, subtract(y, log(product)), y)
    for centre in (1, 2):
        near = np.abs(x[0] - centre) <= 0.25
        if near.any():
            z = where(near, subtract(x, pair(centre)), exact(ZERO))
            taylor = gammaln_near_2(z)
            y = where(near, taylor if centre == 2 else subtract(taylor, log1p(z)), y)
    return y


def gammaln(x: Pair) -> Pair:
    """log(abs(gamma(x))); by reflection for x < 0, where the error is ROUNDOFF * (1 + the larger term)."""
    plain = special.gammaln(x[0])
    below = x[0] < 0
    y = gammaln_positive(where(below, subtract(ONE, x), x))
    if below.any():
        nearest = np.rint(x[0])
        t = multiply(PI, add(exact(x[0] - nearest), exact(x[1])))
        sine = multiply(t, polynomial(square(t), sine_series(), 17))
        y = where(below, subtract(subtract(LOG_PI, log(absolute(sine))), y), y)
    return patch(y, ~np.isfinite(plain), plain)


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    **ARITHMETIC,
    np.exp: exp,
    np.expm1: expm1,
    np.log: log,
    np.log1p: log1p,
    np.log2: log2,
    np.log10: log10,
    np.power: power,
    np.float_power: power,
    np.tanh: tanh,
    np.logaddexp: logaddexp,
    special.expit: expit,
    special.log_expit: log_expit,
    special.xlogy: xlogy,
    special.xlog1py: xlog1py,
    special.entr: entr,
    special.rel_entr: rel_entr,
    special.gammaln: gammaln,
}
