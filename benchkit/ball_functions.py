"""Numpy's reductions and structural functions on balls."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from benchkit.ball_rules import _worst, log_sum_exp, maximum, minimum, settle
from benchkit.balls import Ball, Floats, Fuzzy, common_rules, floats, lift, select

CASCADE = 16.0  # the terms that a leaf of a cascaded sum may add up one after another


def reduce(ufunc: np.ufunc, x: Ball, axis: Any = 0, keepdims: bool = False, **kwargs: Any) -> Ball:
    """``ufunc.reduce`` for the reductions that formulas use."""
    kwargs = {k: v for k, v in kwargs.items() if v is not None and v is not np._NoValue}
    if kwargs or ufunc.__name__ not in ("add", "maximum", "minimum", "logaddexp"):
        raise TypeError(f"numpy.{ufunc.__name__}.reduce with {kwargs or 'these arguments'} is not known to ball arithmetic")
    with np.errstate(all="ignore"):
        if ufunc.__name__ == "add":
            return sum_(x, axis, keepdims)
        if ufunc.__name__ == "logaddexp":
            return log_sum_exp(x, axis, keepdims)
        return extreme(np.max if ufunc.__name__ == "maximum" else np.min, x, axis, keepdims)


def sum_(x: Ball, axis: Any = None, keepdims: bool = False) -> Ball:
    """The sum of n terms in any order: (n - 1) roundings of the sum of the magnitudes, in the format's accumulator; a cascaded
    sum: as many as its tree is high.

    A sum whose magnitudes pass the largest number of the accumulator may overflow in one order and not in another: its
    radius is infinite. So it is where one of the terms, each of them a number of the format, is beyond its range.
    """
    value = np.sum(x.value, axis=axis, keepdims=True)
    result, centre = floats(value), np.abs(floats(x.value))
    terms = x.size // max(result.size, 1)
    magnitude = np.sum(centre, axis=axis, keepdims=True)
    carried = np.sum(x.radius, axis=axis, keepdims=True)
    spread = None if x.spread is None else np.sum(x.spread, axis=axis, keepdims=True)
    within = carried if spread is None else carried + spread
    precision = x.rules.precision
    steps = min(max(terms - 1, 0), CASCADE + math.log2(max(terms, 1)) if x.rules.cascaded else math.inf)
    order = steps * precision.accumulator.unit * (magnitude + within)
    if x.rules.exact:
        order = np.where(
            (within == 0.0) & _order_free(floats(x.value), magnitude, precision.accumulator.bits, axis), 0.0, order
        )
    radius = carried + order
    if precision.accumulator is not precision and terms > 1:
        radius = radius + x.rules.rounding(value, radius, spread=spread)
        beyond = (np.max(centre, axis=axis, keepdims=True) >= precision.overflow) & (np.abs(result) < precision.overflow)
        radius = np.where(np.isfinite(result) & beyond, np.inf, radius)
    radius = np.where(np.isfinite(result) & (magnitude > precision.accumulator.largest), np.inf, radius)
    ball = settle(value, radius, [_worst(x, axis)], spread)
    return ball if keepdims else ball.map(lambda v: np.squeeze(v, axis=axis))


def _order_free(terms: Floats, magnitude: Floats, bits: int, axis: Any) -> Any:
    """Whether every partial sum is representable: all terms are multiples of one quantum, and their magnitudes add up to
    less than 2**bits of it."""
    mantissa, exponent = np.frexp(terms)
    digits = np.ldexp(mantissa, 53).astype(np.int64, casting="unsafe") if np.isfinite(terms).all() else None
    if digits is None:
        return np.zeros(magnitude.shape, dtype=bool)
    lowest = np.where(digits == 0, 1024, np.log2(np.maximum(digits & -digits, 1)) + exponent - 53)
    quantum = np.min(lowest, axis=axis, keepdims=True, initial=1024)
    return np.ldexp(magnitude, -quantum.astype(int)) <= 2.0**bits


def mean(x: Ball, axis: Any = None, keepdims: bool = False) -> Ball:
    """The sum over the number of terms."""
    total = sum_(x, axis, keepdims)
    average: Ball = total / float(x.size // max(total.size, 1))
    return average


def extreme(function: Any, x: Ball, axis: Any = None, keepdims: bool = False) -> Ball:
    """The largest or smallest along an axis; its error is at most the largest error there."""
    value = function(x.value, axis=axis, keepdims=True)
    radius = np.max(x.radius, axis=axis, keepdims=True)
    spread = None if x.spread is None else np.max(x.spread, axis=axis, keepdims=True)
    ball = settle(value, radius, [_worst(x, axis)], spread)
    return ball if keepdims else ball.map(lambda v: np.squeeze(v, axis=axis))


def clip(x: Any, low: Any = None, high: Any = None, **kwargs: Any) -> Any:
    """Limit to an interval, as numpy's clip."""
    low, high = kwargs.pop("min", low), kwargs.pop("max", high)
    if kwargs:
        raise TypeError(f"np.clip with {', '.join(kwargs)} is not known to ball arithmetic")
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


def where(condition: Any, *branches: Any) -> Any:
    """``np.where`` with a plain or an open condition."""
    if len(branches) != 2:
        raise TypeError("np.where of a ball needs both branches")
    if isinstance(condition, Fuzzy) or any(isinstance(b, Ball) for b in branches):
        return select(condition, *branches)
    return np.where(condition, *branches)


def dot(a: Any, b: Any) -> Any:
    """The inner product of two vectors."""
    if np.ndim(a) != 1 or np.ndim(b) != 1:
        raise TypeError("np.dot of balls is known for vectors only")
    return np.sum(a * b)


def joined(function: Any) -> Callable[..., Ball]:
    """``np.concatenate`` and its like: every part becomes a ball first."""

    def join(parts: Any, axis: int = 0) -> Ball:
        rules = common_rules(parts)
        balls = [lift(p, rules) for p in parts]
        return Ball(
            function([b.value for b in balls], axis=axis),
            function([b.radius for b in balls], axis=axis),
            rules,
            function([b.width for b in balls], axis=axis),
        )

    return join


def like(number: float) -> Callable[..., Floats]:
    """``np.zeros_like`` and its like: plain exact numbers."""
    return lambda x: np.full(x.shape, number)


def full_like(x: Ball, fill_value: Any, *, shape: tuple[int, ...] | None = None) -> Any:
    """An array of one number, plain or a ball."""
    shape = x.shape if shape is None else shape
    if isinstance(fill_value, Ball):
        return fill_value.map(lambda v: np.broadcast_to(v, shape))
    return np.full(shape, fill_value)


MOVES = [
    np.expand_dims, np.squeeze, np.moveaxis, np.transpose, np.swapaxes, np.reshape, np.ravel, np.broadcast_to, np.flip, np.roll,
    np.take_along_axis, np.take, np.repeat, np.tile, np.atleast_1d, np.copy,
]  # fmt: skip
KNOWN: dict[Any, Callable[..., Any]] = {
    np.sum: lambda x, axis=None, keepdims=False: sum_(x, axis, keepdims),
    np.mean: lambda x, axis=None, keepdims=False: mean(x, axis, keepdims),
    np.max: lambda x, axis=None, keepdims=False: extreme(np.max, x, axis, keepdims),
    np.min: lambda x, axis=None, keepdims=False: extreme(np.min, x, axis, keepdims),
    np.clip: clip,
    np.where: where,
    np.dot: dot,
    np.concatenate: joined(np.concatenate),
    np.stack: joined(np.stack),
    np.zeros_like: like(0.0),
    np.ones_like: like(1.0),
    np.full_like: full_like,
    np.shape: lambda x: x.shape,
    np.ndim: lambda x: x.ndim,
    np.size: lambda x: x.size,
}
KNOWN |= {np.amax: KNOWN[np.max], np.amin: KNOWN[np.min]}


def call(function: Any, args: Any, kwargs: Any) -> Any:
    """Dispatch a numpy function that got a ball or an open comparison."""
    if isinstance(args[0], Fuzzy) and function is np.sum:
        return function(args[0].as_ball(), *args[1:], **kwargs)
    if function in KNOWN:
        return KNOWN[function](*args, **kwargs)
    if function in MOVES and isinstance(args[0], Ball):
        return args[0].map(lambda a: function(a, *args[1:], **kwargs))
    if function in MOVES and isinstance(args[0], Fuzzy):
        yes, open_ = (function(a, *args[1:], **kwargs) for a in (args[0].yes, args[0].open))
        return Fuzzy(yes, open_, args[0].rules)
    raise TypeError(f"numpy.{function.__name__} is not known to ball arithmetic; add it to benchkit/ball_functions.py")


__all__ = ["call", "maximum", "minimum", "reduce"]
