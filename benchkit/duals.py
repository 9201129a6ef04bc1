"""Dual numbers: a value and its derivative along one direction, on which unmodified numpy formulas run.

A ``Dual`` carries two arrays (or balls) of one shape through a formula; every operation applies the chain rule to the
second. What a formula of a gradient gives on dual numbers is the Hessian times the direction, by the rules of calculus and
without a step size; on balls it comes with the bound of its own roundings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.special as special
from numpy.lib.mixins import NDArrayOperatorsMixin

from benchkit.ball_functions import MOVES
from benchkit.ball_rules import COMPARISONS, PREDICATES
from benchkit.balls import Ball, Fuzzy, floats


class Dual(NDArrayOperatorsMixin):
    """An array and its tangent, both plain or both balls; a tangent of None says that the array does not move."""

    __slots__ = ("tangent", "value")
    wraps_balls = True  # balls leave an operation that has one of these to it

    def __init__(self, value: Any, tangent: Any = None) -> None:
        self.value, self.tangent = value, tangent

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.value)

    @property
    def ndim(self) -> int:
        return np.ndim(self.value)

    @property
    def size(self) -> int:
        return int(np.size(self.value))

    @property
    def T(self) -> Dual:
        return self.map(np.transpose)

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, index: Any) -> Dual:
        return self.map(lambda a: a[index])

    def __bool__(self) -> bool:
        return bool(self.value)

    def __float__(self) -> float:
        raise TypeError("a formula may not take the float of a computed value: its derivative would be lost")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("this numpy function is not known to dual numbers")

    def map(self, linear: Callable[[Any], Any]) -> Dual:
        """Apply a linear function to value and tangent alike."""
        return Dual(linear(self.value), None if self.tangent is None else linear(self.tangent))

    def moving(self) -> Any:
        """The tangent, zeros where there is none."""
        return np.zeros(self.shape) if self.tangent is None else self.tangent

    def sum(self, axis: Any = None, keepdims: bool = False) -> Dual:
        return self.map(lambda a: np.sum(a, axis=axis, keepdims=keepdims))

    def mean(self, axis: Any = None, keepdims: bool = False) -> Dual:
        return self.map(lambda a: np.mean(a, axis=axis, keepdims=keepdims))

    def max(self, axis: Any = None, keepdims: bool = False) -> Dual:
        return extreme(np.max, np.argmax, self, axis, keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Dual:
        return extreme(np.min, np.argmin, self, axis, keepdims)

    def reshape(self, *shape: Any) -> Dual:
        return self.map(lambda a: a.reshape(*shape))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if kwargs.pop("out", None) is not None or kwargs.pop("where", True) is not True:
            raise TypeError(f"numpy.{ufunc.__name__}: out= and where= are not known to dual numbers")
        name = ufunc.__name__
        if method == "reduce" and name in REDUCTIONS:
            kept = {k: v for k, v in kwargs.items() if k in ("axis", "keepdims") and v is not np._NoValue}
            return REDUCTIONS[name](inputs[0], **{"axis": 0, **kept})
        if method != "__call__" or kwargs:
            return NotImplemented
        values = [constant(x) for x in inputs]
        if name in COMPARISONS or name in PREDICATES:
            return ufunc(*values)
        if name not in DERIVATIVE:
            raise TypeError(f"numpy.{name} is not known to dual numbers; add its derivative to benchkit/duals.py")
        with np.errstate(all="ignore"):
            value = ufunc(*values)
            tangents = [x.tangent if isinstance(x, Dual) else None for x in inputs]
            return Dual(value, None if all(t is None for t in tangents) else DERIVATIVE[name](value, values, tangents))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        with np.errstate(all="ignore"):
            if function in FUNCTIONS:
                return FUNCTIONS[function](*args, **kwargs)
            if function in MOVES and isinstance(args[0], Dual):
                return args[0].map(lambda a: function(a, *args[1:], **kwargs))
        raise TypeError(f"numpy.{function.__name__} is not known to dual numbers; add it to benchkit/duals.py")


def constant(x: Any) -> Any:
    """The value of an operand; a comparison stands for the number 0 or 1."""
    return x.value if isinstance(x, Dual) else x.as_ball() if isinstance(x, Fuzzy) else x


def total(*terms: tuple[Any, Any]) -> Any:
    """The sum of partial derivative times tangent over the operands that move."""
    products = [partial * tangent for partial, tangent in terms if tangent is not None]
    return products[0] if len(products) == 1 else products[0] + products[1]


def _power(r: Any, x: Sequence[Any], t: Sequence[Any]) -> Any:
    if t[1] is None and not isinstance(x[1], Ball) and np.ndim(x[1]) == 0:
        return (float(x[1]) * np.power(x[0], float(x[1]) - 1.0)) * t[0]
    return total((x[1] * np.power(x[0], x[1] - 1.0), t[0]), (r * np.log(x[0]), t[1]))


def _choice(r: Any, x: Sequence[Any], t: Sequence[Any], first: Any) -> Any:
    """The tangent of the operand that was chosen; where rounding may choose either, the ball that covers both."""
    return np.where(first, *(np.zeros(np.shape(v)) if s is None else s for v, s in zip(x, t, strict=True)))


def _sign(r: Any, x: Sequence[Any], t: Sequence[Any]) -> Any:
    """Zero; where the sign is in doubt it may jump, and there is no derivative."""
    zeros = np.zeros(np.shape(r))
    return (
        Ball(Ball.exactly(zeros, r.rules).value, np.where(r.width > 0.0, np.inf, 0.0), r.rules)
        if isinstance(r, Ball)
        else zeros
    )


Rule = Callable[[Any, Sequence[Any], Sequence[Any]], Any]
DERIVATIVE: dict[str, Rule] = {  # result, operands and their tangents (None: does not move) -> tangent of the result
    "add": lambda r, x, t: total((1.0, t[0]), (1.0, t[1])),
    "subtract": lambda r, x, t: total((1.0, t[0]), (-1.0, t[1])),
    "multiply": lambda r, x, t: total((x[1], t[0]), (x[0], t[1])),
    "divide": lambda r, x, t: (t[0] if t[1] is None else total((1.0, t[0]), (-r, t[1]))) / x[1],
    "negative": lambda r, x, t: -t[0],
    "positive": lambda r, x, t: t[0],
    "absolute": lambda r, x, t: np.sign(x[0]) * t[0],
    "square": lambda r, x, t: 2.0 * x[0] * t[0],
    "reciprocal": lambda r, x, t: -(r * r) * t[0],
    "sqrt": lambda r, x, t: 0.5 * t[0] / r,
    "exp": lambda r, x, t: r * t[0],
    "expm1": lambda r, x, t: np.exp(x[0]) * t[0],
    "log": lambda r, x, t: t[0] / x[0],
    "log2": lambda r, x, t: t[0] / (np.log(2.0) * x[0]),
    "log1p": lambda r, x, t: t[0] / (1.0 + x[0]),
    "tanh": lambda r, x, t: (1.0 - r * r) * t[0],
    "expit": lambda r, x, t: r * special.expit(-x[0]) * t[0],
    "log_expit": lambda r, x, t: special.expit(-x[0]) * t[0],
    "power": _power,
    "maximum": lambda r, x, t: _choice(r, x, t, x[0] > x[1]),
    "minimum": lambda r, x, t: _choice(r, x, t, x[0] < x[1]),
    "sign": _sign,
    "logaddexp": lambda r, x, t: total((np.exp(x[0] - r), t[0]), (np.exp(x[1] - r), t[1])),
    "xlogy": lambda r, x, t: total((np.log(x[1]), t[0]), (x[0] / x[1], t[1])),
    "xlog1py": lambda r, x, t: total((np.log1p(x[1]), t[0]), (x[0] / (1.0 + x[1]), t[1])),
    "entr": lambda r, x, t: -(np.log(x[0]) + 1.0) * t[0],
    "rel_entr": lambda r, x, t: total((np.log(x[0] / x[1]) + 1.0, t[0]), (-x[0] / x[1], t[1])),
}
DERIVATIVE |= {"true_divide": DERIVATIVE["divide"], "fabs": DERIVATIVE["absolute"]}
DERIVATIVE |= {"fmax": DERIVATIVE["maximum"], "fmin": DERIVATIVE["minimum"]}


def extreme(function: Any, place: Any, x: Dual, axis: Any = None, keepdims: bool = False) -> Dual:
    """The largest or smallest along an axis, moving with the first of those that are equal.

    Formulas take it to scale by, which cancels out of the result whichever one it is.
    """
    value = function(x.value, axis=axis, keepdims=keepdims)
    if x.tangent is None:
        return Dual(value)
    if not isinstance(axis, int):
        raise TypeError("the largest of dual numbers is known along one axis only")
    index = np.expand_dims(place(centres(x.value), axis=axis), axis)
    chosen = np.take_along_axis(x.tangent, index, axis=axis)
    return Dual(value, chosen if keepdims else np.squeeze(chosen, axis=axis))


def centres(x: Any) -> Any:
    """The float64 numbers of an array or of the centres of balls."""
    return floats(x.value) if isinstance(x, Ball) else x


def log_sum_exp(x: Dual, axis: Any = 0, keepdims: bool = False) -> Dual:
    """log(sum(exp(x))), whose derivative is the mean of the tangents under the softmax."""
    value = np.logaddexp.reduce(x.value, axis=axis, keepdims=True)
    tangent = None if x.tangent is None else np.sum(np.exp(x.value - value) * x.tangent, axis=axis, keepdims=True)
    found = Dual(value, tangent)
    return found if keepdims else found.map(lambda a: np.squeeze(a, axis=axis))


def where(condition: Any, a: Any, b: Any) -> Any:
    """``np.where`` with a plain or an open condition."""
    pair = [x if isinstance(x, Dual) else Dual(x) for x in (a, b)]
    if isinstance(condition, Dual):
        raise TypeError("the condition of np.where must be a comparison")
    value = np.where(condition, pair[0].value, pair[1].value)
    if pair[0].tangent is None and pair[1].tangent is None:
        return Dual(value)
    return Dual(value, np.where(condition, *(0.0 if x.tangent is None else x.tangent for x in pair)))


def clip(x: Any, low: Any = None, high: Any = None) -> Any:
    """Limit to an interval."""
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


def joined(function: Any) -> Callable[..., Dual]:
    """``np.concatenate`` and its like; a part that does not move gets a tangent of zeros."""

    def join(parts: Any, axis: int = 0) -> Dual:
        duals = [p if isinstance(p, Dual) else Dual(np.asarray(p) if not isinstance(p, Ball) else p) for p in parts]
        value = function([d.value for d in duals], axis=axis)
        still = all(d.tangent is None for d in duals)
        return Dual(value, None if still else function([d.moving() for d in duals], axis=axis))

    return join


REDUCTIONS: dict[str, Callable[..., Dual]] = {
    "add": Dual.sum, "maximum": Dual.max, "minimum": Dual.min, "logaddexp": log_sum_exp,
}  # fmt: skip
FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.sum: Dual.sum,
    np.mean: Dual.mean,
    np.max: Dual.max,
    np.min: Dual.min,
    np.clip: clip,
    np.where: where,
    np.dot: lambda a, b: np.sum(a * b),
    np.concatenate: joined(np.concatenate),
    np.stack: joined(np.stack),
    np.zeros_like: lambda x: np.zeros(x.shape),
    np.ones_like: lambda x: np.ones(x.shape),
    np.full_like: lambda x, number, shape=None: np.full(x.shape if shape is None else shape, number),
    np.shape: lambda x: x.shape,
    np.ndim: lambda x: x.ndim,
    np.size: lambda x: x.size,
}
FUNCTIONS |= {np.amax: FUNCTIONS[np.max], np.amin: FUNCTIONS[np.min]}
