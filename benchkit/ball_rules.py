"""What each elementwise numpy operation does to a ball: how it passes on error, and what its own rounding adds.

``ERROR[ufunc]`` is a function of the centres and the errors of the operands and bounds the error of the result rigorously (not
to first order), since the radii of half-precision work are no infinitesimals. ``ULPS`` is the accuracy of one evaluation in
units in the last place: IEEE 754 for the basic operations, and for the others the largest published for a device that torch
runs on (CUDA C++ Programming Guide, Mathematical Functions Appendix; SLEEF, ``_u10``; Intel oneMKL vector mathematics, high
accuracy).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.special as special

from benchkit.balls import UNDECIDED, Ball, Floats, Fuzzy, common_rules, floats, lift

ULPS = {
    "exp": 2.0, "expm1": 2.0, "log": 1.5, "log1p": 2.0, "log2": 1.5, "power": 4.0, "tanh": 2.0,
    "log_expit": 4.0, "expit": 4.0, "gammaln": 6.0,
}  # fmt: skip


def apply(ufunc: np.ufunc, inputs: Sequence[Any]) -> Any:
    """Evaluate a ufunc on operands of which one at least is a ball."""
    if any(isinstance(x, Fuzzy) for x in inputs):
        inputs = [x.as_ball() if isinstance(x, Fuzzy) else x for x in inputs]
    rules = common_rules(inputs)
    name = ufunc.__name__
    if name in COMPARISONS:
        return compare(ufunc, *(lift(x, rules) for x in inputs))
    if name in PREDICATES:
        return ufunc(floats(inputs[0].value))
    if name == "power" and not isinstance(inputs[1], Ball) and np.ndim(inputs[1]) == 0:
        return scalar_power(lift(inputs[0], rules), float(inputs[1]))
    if name in COMPOSED:
        return COMPOSED[name](*(lift(x, rules) for x in inputs))
    if name not in ERROR:
        raise TypeError(f"numpy.{name} is not known to ball arithmetic; add its rule to benchkit/ball_rules.py")
    operands = [lift(x, rules) for x in inputs]
    return finish(ufunc(*(x.value for x in operands)), name, operands)


def divide(a: Ball, b: Ball) -> Ball:
    """A quotient. Zero over zero, both certain, is what the mean over nothing is by its formula: NaN, and certainly so.

    On the exact lane only a power of two divides without rounding: by any other number a quotient may happen to be
    representable, but whoever multiplies with the reciprocal rounds.
    """
    ball = finish(a.value / b.value, "divide", [a, b])
    if ball.rules.exact:
        inexact = np.frexp(np.abs(floats(b.value)))[0] != 0.5
        own = ball.rules.inexact.rounding(ball.value, ball.radius)
        radius = np.where(inexact & (ball.radius == 0.0) & np.isfinite(own), own, ball.radius)
        ball = Ball(ball.value, radius, ball.rules, ball.spread)
    if not np.isnan(floats(ball.value)).any():
        return ball
    nothing = (floats(a.value) == 0.0) & (floats(b.value) == 0.0) & (a.radius + b.radius + a.width + b.width == 0.0)
    return Ball(ball.value, np.where(nothing, 0.0, ball.radius), ball.rules, ball.spread) if nothing.any() else ball


def multiply(a: Ball, b: Ball) -> Ball:
    """A product. Certainly zero times a number is zero without rounding, so that a comparison with it is decided."""
    ball = finish(a.value * b.value, "multiply", [a, b])
    if (floats(ball.value) != 0.0).all():
        return ball
    zeros = [(floats(x.value) == 0.0) & (x.radius + x.width == 0.0) for x in (a, b)]
    exact = (zeros[0] | zeros[1]) & np.isfinite(ball.radius) & (floats(ball.value) == 0.0)
    if not exact.any():
        return ball
    spread = None if ball.spread is None else np.where(exact, 0.0, ball.spread)
    return Ball(ball.value, np.where(exact, 0.0, ball.radius), ball.rules, spread)


def finish(value: Any, name: str, operands: Sequence[Ball], rounds: bool = True) -> Ball:
    """Wrap the centre of a result: pass on the operands' errors and spreads, then round."""
    rules = operands[0].rules if len(operands) == 1 else common_rules(operands)
    centres = [floats(x.value) for x in operands]
    result = floats(value)
    error = ERROR[name]
    if any(x.spread is not None for x in operands):
        spread = error(result, centres, [x.width for x in operands])
        radius = error(result, centres, [x.radius + x.width for x in operands]) - spread
    else:
        spread = None
        radius = error(result, centres, [x.radius for x in operands])
    if rounds and name not in UNROUNDED:
        radius = radius + rules.rounding(value, radius, ULPS.get(name, 0.5), FLOOR[name](rules.precision), spread)
    ball = settle(value, radius, operands, spread)
    if name in POLES and np.isinf(result).any():
        ball = _doubt_pole(ball, POLES[name](centres, [x.radius + x.width for x in operands]))
    if name in OUTSIDE or name in ("xlogy", "xlog1py"):
        # The logarithm or root of a number that is certainly outside the domain is NaN, and nothing else.
        last = operands[-1]
        certain = OUTSIDE[name.replace("xlogy", "log").replace("xlog1py", "log1p")](centres[-1]) & (last.radius == 0.0)
        nan = np.isnan(result) & certain & (last.width == 0.0)
        return Ball(ball.value, np.where(nan, 0.0, ball.radius), rules, ball.spread) if nan.any() else ball
    return ball


def settle(value: Any, radius: Any, operands: Sequence[Ball], spread: Any = None) -> Ball:
    """Give results that are no finite numbers their radius: 0 where the operands leave no doubt, infinite where they do.

    NaN from a NaN is certain. NaN from numbers and infinities (inf - inf, 0 * inf) is an expression without a value:
    nothing may be expected there, so its radius is infinite.
    """
    rules = common_rules(operands)
    result = floats(value)
    radius = np.asarray(radius, dtype=np.float64)
    if radius.shape != result.shape:
        radius = np.broadcast_to(radius, result.shape)
    strange = ~np.isfinite(result)
    if strange.any() or np.isnan(radius).any():
        unknown = np.zeros(result.shape, dtype=bool)
        certain_nan = np.zeros(result.shape, dtype=bool)
        for x in operands:
            centre = floats(x.value)
            if _aligned(x.radius, result):
                unknown = unknown | np.isinf(x.radius)
                certain_nan = certain_nan | (np.isnan(centre) & ~np.isinf(x.radius))
        indeterminate = np.isnan(result) & ~certain_nan
        radius = np.where(strange, np.where(unknown | indeterminate, np.inf, 0.0), radius)
        radius = np.where(np.isnan(radius), np.inf, radius)
        spread = None if spread is None else np.where(strange | np.isnan(spread), 0.0, spread)
    return Ball(value, radius, rules, None if spread is None else np.broadcast_to(spread, result.shape))


OUTSIDE = {  # where a function of real numbers has no value
    "log": lambda x: x < 0.0,
    "log2": lambda x: x < 0.0,
    "sqrt": lambda x: x < 0.0,
    "log1p": lambda x: x < -1.0,
}


def _infinite_times_zero(x: Sequence[Floats], e: Sequence[Floats]) -> Any:
    """Where infinity meets what may be zero, or of either sign: the product may be NaN."""
    return (np.isinf(x[0]) & (e[1] > 0.0) & (np.abs(x[1]) <= e[1])) | (np.isinf(x[1]) & (e[0] > 0.0) & (np.abs(x[0]) <= e[0]))


POLES: dict[str, Callable[[Sequence[Floats], Sequence[Floats]], Any]] = {  # where the ball of an operand reaches a pole
    "multiply": _infinite_times_zero,
    "divide": lambda x, e: (e[1] > 0.0) & (np.abs(x[1]) <= e[1]),
    "reciprocal": lambda x, e: (e[0] > 0.0) & (np.abs(x[0]) <= e[0]),
    "power": lambda x, e: (e[0] > 0.0) & (np.abs(x[0]) <= e[0]),
    "log": lambda x, e: (e[0] > 0.0) & (x[0] <= e[0]),
    "log2": lambda x, e: (e[0] > 0.0) & (x[0] <= e[0]),
    "log1p": lambda x, e: (e[0] > 0.0) & (1.0 + x[0] <= e[0]),
    "xlogy": lambda x, e: (e[1] > 0.0) & (x[1] <= e[1]),
    "xlog1py": lambda x, e: (e[1] > 0.0) & (1.0 + x[1] <= e[1]),
    "rel_entr": lambda x, e: ((e[0] > 0.0) & (x[0] <= e[0])) | ((e[1] > 0.0) & (x[1] <= e[1])),
}


def _doubt_pole(ball: Ball, pole: Any) -> Ball:
    """An infinity that the centre alone gives: beside the centre the result is a number, so nothing may be expected."""
    doubt = np.isinf(floats(ball.value)) & pole
    return Ball(ball.value, np.where(doubt, np.inf, ball.radius), ball.rules, ball.spread) if doubt.any() else ball


def _aligned(operand: Floats, result: Floats) -> bool:
    return np.broadcast_shapes(operand.shape, result.shape) == result.shape


def compare(ufunc: np.ufunc, a: Ball, b: Ball) -> Any:
    """Compare centres; open where the operands are within rounding of each other, or tie at a kink."""
    yes = np.asarray(ufunc(a.value, b.value))
    noise = a.radius + b.radius
    width = UNDECIDED * noise
    if a.spread is not None or b.spread is not None:
        width = width + a.width + b.width
    gap = np.abs(floats(a.value - b.value))
    inequality = ufunc.__name__ not in ("equal", "not_equal")
    can_tie = (width > 0.0) | (common_rules([a, b]).kinks and inequality)
    open_here = ((gap <= width) | np.isinf(noise)) & can_tie  # what is not known at all may be either, its centre NaN or not
    return Fuzzy(yes, open_here, common_rules([a, b])) if open_here.any() else yes


def scalar_power(x: Ball, exponent: float) -> Ball:
    """A power with a plain number as exponent: products for small integers, else the library's pow."""
    if exponent in (1.0, 2.0, 3.0):
        value = x.value
        for _ in range(int(exponent) - 1):
            value = value * x.value
        ulps = 0.5 * (exponent - 1.0)
    else:
        value, ulps = np.power(x.value, exponent), ULPS["power"]
    centre, result = floats(x.value), floats(value)

    def error(e: Floats) -> Floats:
        outer = np.abs(np.power(np.abs(centre) + e, exponent) - np.abs(result))
        inside = np.abs(centre) - e
        inner = np.where(inside > 0.0, np.abs(np.abs(result) - np.power(np.maximum(inside, 0.0), exponent)), np.inf)
        limit = np.inf if exponent < 0 else np.abs(result) + np.power(np.abs(centre) + e, exponent)
        return np.where(e == 0.0, 0.0, np.maximum(outer, np.where(inside > 0.0, inner, limit)))

    spread = None if x.spread is None else error(x.spread)
    radius = error(x.radius) if spread is None else error(x.radius + x.width) - spread
    if exponent not in (0.0, 1.0):
        radius = radius + x.rules.rounding(value, radius, ulps, FLOOR["power"](x.rules.precision), spread)
    return _doubt_pole(settle(value, radius, [x], spread), POLES["power"]([centre], [x.radius + x.width]))


def maximum(a: Ball, b: Ball) -> Ball:
    """The larger of two; a doubtful winner brings the larger of both errors."""
    return _extreme(np.maximum, a, b, 1.0)


def minimum(a: Ball, b: Ball) -> Ball:
    """The smaller of two."""
    return _extreme(np.minimum, a, b, -1.0)


def _extreme(ufunc: np.ufunc, a: Ball, b: Ball, side: float) -> Ball:
    value = ufunc(a.value, b.value)
    lead = side * floats(a.value - b.value)
    doubt = np.abs(lead) <= UNDECIDED * (a.radius + b.radius) + a.width + b.width
    radius = np.where(doubt, np.maximum(a.radius, b.radius), np.where(lead > 0.0, a.radius, b.radius))
    if a.spread is None and b.spread is None:
        return settle(value, radius, [a, b])
    spread = np.where(doubt, np.maximum(a.width, b.width), np.where(lead > 0.0, a.width, b.width))
    return settle(value, radius, [a, b], spread)


def sign(x: Ball) -> Ball:
    """The sign; where rounding may cross zero, or at zero when a derivative is taken, all of [-1, 1] (or one side's half)."""
    centre = floats(x.value)
    doubt = np.abs(centre) <= UNDECIDED * x.radius + x.width
    doubt &= (x.radius + x.width > 0.0) | x.rules.kinks
    value = np.where(doubt, 0.0, np.sign(centre))
    zeros = np.zeros(centre.shape)
    return settle(value, np.where(np.isinf(x.radius), np.inf, zeros), [x], np.where(doubt, 1.0, zeros))


def logaddexp(a: Ball, b: Ball) -> Ball:
    """log(exp(a) + exp(b)) by the shifted sum."""
    shape = np.broadcast_shapes(a.shape, b.shape)
    pair = [x.map(lambda v: np.broadcast_to(v, shape)) for x in (a, b)]
    stacked = Ball(
        np.stack([x.value for x in pair]),
        np.stack([x.radius for x in pair]),
        common_rules([a, b]),
        np.stack([x.width for x in pair]),
    )
    return log_sum_exp(stacked, axis=0, keepdims=False)


def log_sum_exp(x: Ball, axis: Any, keepdims: bool) -> Ball:
    """log(sum(exp(x))) along an axis, m + log(sum(exp(x - m))) with m the maximum: its conditioning and its roundings."""
    value = np.logaddexp.reduce(x.value, axis=axis, keepdims=True)
    result, centre, u = floats(value), floats(x.value), x.rules.precision.unit
    certain = np.isneginf(centre) & (x.radius == 0.0)
    weights = np.where(certain, 0.0, np.exp(centre - np.where(np.isfinite(result), result, 0.0)))
    top = np.max(np.where(np.isfinite(centre), centre, -np.inf), axis=axis, keepdims=True)

    def error(e: Floats) -> Floats:
        grown: Floats = np.sum(np.where(certain, 0.0, weights * np.expm1(e)), axis=axis, keepdims=True)
        return np.log1p(grown)

    spread = None if x.spread is None else error(x.spread)
    radius = error(x.radius) if spread is None else error(x.radius + x.width) - spread
    terms = np.sum(~certain, axis=axis, keepdims=True)
    shift = np.sum(np.where(certain, 0.0, weights * np.abs(np.where(certain, 0.0, centre - top))), axis=axis, keepdims=True)
    own = shift + 2.0 * ULPS["exp"] + np.maximum(terms - 1, 0) + 2.0 * ULPS["log"] * np.abs(result - top)
    lone = terms <= 1  # the logarithm of one exponential is its argument, without rounding
    radius = radius + np.where(lone, 0.0, u * own + u * np.abs(result))
    ball = settle(value, radius, [x] if x.shape == result.shape else [_worst(x, axis)], spread)
    return ball if keepdims else ball.map(lambda v: np.squeeze(v, axis=axis))


def rel_entr(x: Ball, y: Ball) -> Ball:
    """x log(x / y), whose logarithm may be taken of the quotient or as a difference: the second rounds more, and is allowed."""
    ball = finish(special.rel_entr(x.value, y.value), "rel_entr", [x, y])
    a, b = floats(x.value), floats(y.value)
    logs = np.abs(np.log(np.where(a > 0.0, a, 1.0))) + np.abs(np.log(np.where(b > 0.0, b, 1.0)))
    rounding = (2.0 * ULPS["log"] + 2.0) * common_rules([x, y]).precision.unit * np.abs(a) * logs
    return settle(ball.value, ball.radius + np.where(np.isfinite(rounding), rounding, 0.0), [x, y], ball.spread)


def _worst(x: Ball, axis: Any) -> Ball:
    """A stand-in for the operand of a reduction: NaN where one of its elements is, in doubt where one of them is."""
    centre = floats(x.value)
    nan = np.isnan(centre).any(axis=axis, keepdims=True)
    doubt = np.isinf(x.radius).any(axis=axis, keepdims=True)
    return Ball(np.where(nan, np.nan, 0.0), np.where(doubt, np.inf, 0.0), x.rules)


def _product(result: Floats, x: Sequence[Floats], e: Sequence[Floats]) -> Floats:
    a, b = np.abs(x[0]), np.abs(x[1])
    error: Floats = a * e[1] + b * e[0] + e[0] * e[1]
    if np.isfinite(error).all():  # no infinity, and no zero times one
        return error
    return _zero_times(a, e[1]) + _zero_times(b, e[0]) + _zero_times(e[0], e[1])


def _zero_times(a: Floats, b: Floats) -> Floats:
    """A factor times an error: no error stays none even beside an infinity, and zero times anything may be NaN."""
    product: Floats = a * b
    if np.isfinite(product).all():
        return product
    return np.where(b == 0.0, 0.0, np.where((a == 0.0) & np.isinf(b), np.inf, product))


def _quotient(result: Floats, x: Sequence[Floats], e: Sequence[Floats]) -> Floats:
    room = np.abs(x[1]) - e[1]
    error = (e[0] + _zero_times(np.abs(result), e[1])) / room
    return np.where((e[0] == 0.0) & (e[1] == 0.0), 0.0, np.where(room > 0.0, error, np.inf))


def _logarithm(argument: Floats, e: Floats) -> Floats:
    return np.where(e == 0.0, 0.0, np.where(e < argument, -np.log1p(-e / argument), np.inf))


def _root(result: Floats, x: Sequence[Floats], e: Sequence[Floats]) -> Floats:
    low = np.sqrt(np.maximum(x[0] - e[0], 0.0))
    return np.where(e[0] == 0.0, 0.0, np.maximum(result - low, np.sqrt(np.maximum(x[0], 0.0) + e[0]) - result))


def _gammaln(x: Floats, e: Floats) -> Floats:
    """The derivative, digamma, grows with its argument: over a ball it is largest at one of the ends."""
    slope = np.maximum(np.abs(special.digamma(x - e)), np.abs(special.digamma(x + e)))
    return np.where(e == 0.0, 0.0, np.where(e < x, slope * e, np.inf))


def _xlogy(log: Callable[[Floats], Floats], argument: Callable[[Floats], Floats]) -> Any:
    def error(result: Floats, x: Sequence[Floats], e: Sequence[Floats]) -> Floats:
        logs = np.abs(log(x[1]))
        moved = np.where((x[0] == 0.0) & (e[0] == 0.0), 0.0, _logarithm(argument(x[1]), e[1]))  # 0 log(y) is 0 by definition
        return _zero_times(logs, e[0]) + _zero_times(np.abs(x[0]), moved) + _zero_times(e[0], moved)

    return error


def _rel_entr(result: Floats, x: Sequence[Floats], e: Sequence[Floats]) -> Floats:
    zero = (x[0] == 0.0) & (e[0] == 0.0)
    ratio = np.where(zero, 0.0, np.abs(np.log(x[0] / x[1])))
    moved = _logarithm(x[0], e[0]) + _logarithm(x[1], e[1])
    return np.where(zero, 0.0, _zero_times(ratio, e[0]) + (np.abs(x[0]) + e[0]) * moved)


Error = Callable[[Floats, Sequence[Floats], Sequence[Floats]], Floats]
ERROR: dict[str, Error] = {
    "add": lambda r, x, e: e[0] + e[1],
    "subtract": lambda r, x, e: e[0] + e[1],
    "multiply": _product,
    "divide": _quotient,
    "negative": lambda r, x, e: e[0],
    "positive": lambda r, x, e: e[0],
    "absolute": lambda r, x, e: e[0],
    "fabs": lambda r, x, e: e[0],
    "square": lambda r, x, e: 2.0 * _zero_times(np.abs(x[0]), e[0]) + e[0] * e[0],
    "reciprocal": lambda r, x, e: _quotient(r, [np.ones(()), x[0]], [np.zeros(()), e[0]]),
    "sqrt": _root,
    "exp": lambda r, x, e: _zero_times(r, np.expm1(e[0])),
    "expm1": lambda r, x, e: _zero_times(r + 1.0, np.expm1(e[0])),
    "log": lambda r, x, e: _logarithm(x[0], e[0]),
    "log2": lambda r, x, e: _logarithm(x[0], e[0]) / np.log(2.0),
    "log1p": lambda r, x, e: _logarithm(1.0 + x[0], e[0]),
    "tanh": lambda r, x, e: np.minimum(e[0], 2.0),
    "expit": lambda r, x, e: np.minimum(_zero_times(r, np.expm1(e[0])), e[0]),
    "log_expit": lambda r, x, e: _zero_times(special.expit(-(x[0] - e[0])), e[0]),
    "gammaln": lambda r, x, e: _gammaln(x[0], e[0]),
    "power": lambda r, x, e: _zero_times(
        np.abs(r), np.expm1(_zero_times(np.abs(x[1]) + e[1], _logarithm(x[0], e[0])) + _zero_times(np.abs(np.log(x[0])), e[1]))
    ),
    "xlogy": _xlogy(np.log, lambda y: y),
    "xlog1py": _xlogy(np.log1p, lambda y: 1.0 + y),
    "entr": lambda r, x, e: _xlogy(np.log, lambda y: y)(r, [x[0], x[0]], [e[0], e[0]]),
    "rel_entr": _rel_entr,
}
ERROR["true_divide"] = ERROR["divide"]
UNROUNDED = {"negative", "positive", "absolute", "fabs"}
COMPARISONS = {"less", "less_equal", "greater", "greater_equal", "equal", "not_equal"}
PREDICATES = {"isnan", "isinf", "isfinite", "signbit"}
COMPOSED: dict[str, Callable[..., Ball]] = {
    "maximum": maximum, "minimum": minimum, "fmax": maximum, "fmin": minimum, "sign": sign, "logaddexp": logaddexp,
    "rel_entr": rel_entr, "divide": divide, "true_divide": divide, "multiply": multiply,
}  # fmt: skip

# Near underflow the error of an operation is absolute. Sums are exact there; products and quotients round to subnormals;
# vector libraries may flush the subnormal results of the transcendental functions to zero.
FLOOR: dict[str, Any] = dict.fromkeys(ERROR, lambda p: p.smallest_normal)
FLOOR |= dict.fromkeys(("add", "subtract", "negative", "positive", "absolute", "fabs", "sqrt"), lambda p: 0.0)
# Beside its zeros at 1 and 2 the logarithm of the gamma function is a difference of logarithms in every library.
FLOOR["gammaln"] = lambda p: 2.0 * p.unit
FLOOR |= dict.fromkeys(("multiply", "divide", "true_divide", "square", "reciprocal"), lambda p: p.smallest_subnormal)

# A product with a logarithm rounds twice, and the quotient inside rel_entr may be taken as a difference of logarithms.
ULPS |= {"xlogy": 2.0 + ULPS["log"], "xlog1py": 2.0 + ULPS["log1p"], "entr": 2.0 + ULPS["log"]}
