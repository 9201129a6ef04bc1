"""An array of numbers of about 104 significant bits, on which unmodified numpy formulas run."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from benchkit import double_double_arithmetic as arithmetic
from benchkit.double_double_arithmetic import ZERO, Array, Pair
from benchkit.double_double_functions import FUNCTIONS, exp, log

Axis = int | tuple[int, ...] | None
IDENTITIES: dict[Any, float | None] = {np.add: 0.0, np.multiply: 1.0, np.logaddexp: -np.inf, np.maximum: None, np.minimum: None}


class DoubleDouble(NDArrayOperatorsMixin):
    """The unevaluated sums ``hi + lo`` of two float64 arrays of one shape, ``hi`` being the float64 nearest to the sum.

    numpy's and scipy.special's functions apply to it through the array protocols and give what they give for float64 arrays,
    with the accuracy stated in double_double_functions; comparisons and predicates give plain boolean arrays. Other operands
    may be whatever converts to float64 safely. It cannot be written to, and does not turn into a plain array by itself:
    ``to_float`` rounds. What is not supported raises TypeError with the name of the function.
    """

    hi: Array
    lo: Array

    def __init__(self, hi: Any, lo: Any = None) -> None:
        with np.errstate(all="ignore"):
            a, b = to_pair(hi)
            if lo is not None:
                a, b = arithmetic.add((a, b), to_pair(lo))
        self.hi, self.lo = np.asarray(a), np.asarray(b)

    @classmethod
    def from_pair(cls, pair: Pair) -> DoubleDouble:
        """Wrap a normalised pair as it is."""
        self = cls.__new__(cls)
        self.hi = np.asarray(pair[0])
        lo = np.asarray(pair[1])
        self.lo = lo if lo.shape == self.hi.shape else np.broadcast_to(lo, self.hi.shape)
        return self

    @classmethod
    def from_ratio(cls, p: Any, q: Any) -> DoubleDouble:
        """The quotient p / q, for numbers such as 1/3 that float64 does not have."""
        with np.errstate(all="ignore"):
            return cls.from_pair(arithmetic.divide(to_pair(p), to_pair(q)))

    @property
    def pair(self) -> Pair:
        return self.hi, self.lo

    @property
    def shape(self) -> tuple[int, ...]:
        return self.hi.shape

    @property
    def ndim(self) -> int:
        return self.hi.ndim

    @property
    def size(self) -> int:
        return self.hi.size

    @property
    def dtype(self) -> np.dtype[np.float64]:
        return self.hi.dtype

    @property
    def T(self) -> DoubleDouble:
        return DoubleDouble.from_pair((self.hi.T, self.lo.T))

    def to_float(self) -> Array:
        """The nearest float64 numbers."""
        return self.hi.copy()

    def __len__(self) -> int:
        return len(self.hi)

    def __bool__(self) -> bool:
        return bool(self.hi)

    def __getitem__(self, index: Any) -> DoubleDouble:
        return DoubleDouble.from_pair((self.hi[index], self.lo[index]))

    def __repr__(self) -> str:
        return f"DoubleDouble({self.hi!r}, {self.lo!r})"

    def __array__(self, *_args: Any, **_kwargs: Any) -> Any:
        raise TypeError("a DoubleDouble does not turn into a plain array by itself; to_float() rounds it")

    def sum(self, axis: Axis = None, keepdims: bool = False) -> DoubleDouble:
        return reduction(np.add, self, axis, keepdims)

    def prod(self, axis: Axis = None, keepdims: bool = False) -> DoubleDouble:
        return reduction(np.multiply, self, axis, keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False) -> DoubleDouble:
        return reduction(np.maximum, self, axis, keepdims)

    def min(self, axis: Axis = None, keepdims: bool = False) -> DoubleDouble:
        return reduction(np.minimum, self, axis, keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> DoubleDouble:
        total: Any = reduction(np.add, self, axis, keepdims)
        mean: DoubleDouble = total / (self.size / total.size if total.size else np.nan)
        return mean

    def reshape(self, *shape: Any) -> DoubleDouble:
        return DoubleDouble.from_pair((self.hi.reshape(*shape), self.lo.reshape(*shape)))

    def transpose(self, *axes: Any) -> DoubleDouble:
        return DoubleDouble.from_pair((self.hi.transpose(*axes), self.lo.transpose(*axes)))

    def ravel(self) -> DoubleDouble:
        return self.reshape(-1)

    def copy(self) -> DoubleDouble:
        return DoubleDouble.from_pair((self.hi.copy(), self.lo.copy()))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if not all(known(x) for x in inputs):
            return NotImplemented
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        options = {key: value for key, value in options.items() if value is not None or key == "axis"}
        if method == "reduce" and ufunc in IDENTITIES:
            return reduction(ufunc, *inputs, **{"axis": 0, **accept(name, options, "axis", "keepdims", "initial", "where")})
        if method == "accumulate" and ufunc is np.add:
            return cumulative_sum(*inputs, **{"axis": 0, **accept(name, options, "axis")})
        if method != "__call__" or ufunc not in FUNCTIONS:
            raise TypeError(f"DoubleDouble does not support {name}")
        accept(name, options)
        return call(FUNCTIONS[ufunc], *inputs)

    def __array_function__(self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if not all(issubclass(t, (DoubleDouble, np.ndarray)) for t in types):
            return NotImplemented
        if func not in ARRAY_FUNCTIONS:
            raise TypeError(f"DoubleDouble does not support numpy.{func.__name__}")
        return ARRAY_FUNCTIONS[func](*args, **kwargs)


def known(x: Any) -> bool:
    """Whether an operand is ours or a plain one; other array-likes are left to decide for themselves."""
    return isinstance(x, (DoubleDouble, np.ndarray, np.generic)) or not hasattr(x, "__array_ufunc__")


def to_pair(x: Any) -> Pair:
    """The pair of an operand; TypeError for what float64 cannot hold (complex and long double numbers, objects)."""
    if isinstance(x, DoubleDouble):
        return x.pair
    a = np.asarray(x)
    if not np.can_cast(a.dtype, np.float64):
        raise TypeError(f"a DoubleDouble takes numbers that float64 can hold, not {a.dtype}")
    return a.astype(np.float64), np.zeros(a.shape)


def operand(x: Any) -> Pair:
    """The pair of an operand whose ``lo`` may be the number 0: enough for functions that broadcast."""
    if isinstance(x, DoubleDouble):
        return x.hi, x.lo
    if isinstance(x, float):
        return np.array(x, np.float64), ZERO
    if isinstance(x, np.ndarray) and x.dtype == np.float64:
        return x, ZERO
    return to_pair(x)


def call(function: Callable[..., Any], *inputs: Any) -> Any:
    """Apply a function of pairs; a pair that comes back is wrapped, a plain array is not."""
    with np.errstate(all="ignore"):
        result = function(*map(operand, inputs))
    return DoubleDouble.from_pair(result) if isinstance(result, tuple) else result


def accept(name: str, options: dict[str, Any], *names: str) -> dict[str, Any]:
    """The options, none of them unsupported; ``dtype=float64`` and ``where=True`` say nothing."""
    options = {k: v for k, v in options.items() if not (k == "dtype" and v == np.float64) and not (k == "where" and v is True)}
    if unsupported := sorted(options.keys() - set(names)):
        raise TypeError(f"DoubleDouble does not support {name} with {', '.join(unsupported)}")
    return options


# --- reductions -------------------------------------------------------------------------------------------------------------


def reduction(
    ufunc: Any, x: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> DoubleDouble:
    """``ufunc.reduce`` by halving, so that the error of n terms grows with log2(n)."""
    identity = initial if IDENTITIES[ufunc] is None else IDENTITIES[ufunc]
    pair = to_pair(x)
    axes = tuple(range(pair[0].ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(sorted(operator.index(a) + pair[0].ndim * (a < 0) for a in axes))
    if any(not 0 <= a < pair[0].ndim for a in axes) or len(set(axes)) < len(axes):
        raise np.exceptions.AxisError(f"axis {axis} does not fit an array of {pair[0].ndim} dimensions")
    if where is not True:
        if identity is None:
            raise ValueError(f"reduction operation '{ufunc.__name__}' does not have an identity; to use where, give initial")
        pair = arithmetic.where(where, pair, to_pair(identity))
    rest = tuple(n for a, n in enumerate(pair[0].shape) if a not in axes)
    count = prod(pair[0].shape[a] for a in axes)
    hi, lo = (np.moveaxis(part, axes, range(len(axes))).reshape(count, *rest) for part in pair)
    if count == 0 and identity is None:
        raise ValueError(f"zero-size array to reduction operation {ufunc.__name__} which has no identity")
    with np.errstate(all="ignore"):
        if count == 0:
            result = arithmetic.where(np.ones(rest, bool), to_pair(identity), to_pair(identity))
        else:
            result = REDUCERS[ufunc]((hi, lo))
            result = result if initial is None else FUNCTIONS[ufunc](result, to_pair(initial))
    shape = tuple(1 if a in axes else n for a, n in enumerate(pair[0].shape)) if keepdims else rest
    return DoubleDouble.from_pair(result).reshape(shape)


def halve(function: Callable[[Pair, Pair], Pair], x: Pair) -> Pair:
    """Combine along the first axis, which is not empty."""
    hi, lo = x
    while (n := len(hi)) > 1:
        head, tail = function((hi[: n // 2], lo[: n // 2]), (hi[n // 2 : n - n % 2], lo[n // 2 : n - n % 2]))
        hi, lo = (np.concatenate([head, hi[-1:]]), np.concatenate([tail, lo[-1:]])) if n % 2 else (head, tail)
    return hi[0], lo[0]


def log_sum_exp(x: Pair) -> Pair:
    top = halve(arithmetic.maximum, x)
    shift = arithmetic.patch(top, ~np.isfinite(top[0]), 0.0)
    terms = total(exp(arithmetic.subtract(x, shift)))
    return arithmetic.patch(arithmetic.add(shift, log(terms)), ~np.isfinite(top[0]), top[0])


def total(x: Pair) -> Pair:
    """The sum, with an error of log2(n) 2**-104 times the sum of the absolute values."""
    hi, lo = halve(arithmetic.add_finite, x)
    return (hi, lo) if arithmetic.ordinary(lo / hi) else halve(arithmetic.add, x)


REDUCERS: dict[Any, Callable[[Pair], Pair]] = {
    np.add: total,
    np.multiply: partial(halve, arithmetic.multiply),
    np.maximum: partial(halve, arithmetic.maximum),
    np.minimum: partial(halve, arithmetic.minimum),
    np.logaddexp: log_sum_exp,
}


def cumulative_sum(x: Any, axis: int | None = None) -> DoubleDouble:
    """``add.accumulate``: sums of 2, then 4, 8, ... neighbours."""
    pair = to_pair(x) if axis is not None else to_pair(DoubleDouble(x).ravel())
    hi, lo = (np.moveaxis(part, axis or 0, 0) for part in pair)
    reach = 1
    with np.errstate(all="ignore"):
        while reach < len(hi):
            more = arithmetic.add((hi[reach:], lo[reach:]), (hi[:-reach], lo[:-reach]))
            hi, lo = np.concatenate([hi[:reach], more[0]]), np.concatenate([lo[:reach], more[1]])
            reach *= 2
    return DoubleDouble.from_pair((np.moveaxis(hi, 0, axis or 0), np.moveaxis(lo, 0, axis or 0)))


# --- functions of whole arrays ----------------------------------------------------------------------------------------------


def reducer(ufunc: np.ufunc) -> Callable[..., Any]:
    """numpy's function that reduces with ``ufunc``."""

    def function(a: Any, axis: Axis = None, **options: Any) -> Any:
        options = {key: value for key, value in options.items() if value is not None}
        return reduction(ufunc, a, axis, **accept(f"{ufunc.__name__}.reduce", options, "keepdims", "initial", "where"))

    return function


def on_parts(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that only moves elements of its first argument: it moves ``hi`` and ``lo`` alike."""

    def moved(a: Any, *args: Any, **kwargs: Any) -> Any:
        hi, lo = to_pair(a)
        return DoubleDouble.from_pair((function(hi, *args, **kwargs), function(lo, *args, **kwargs)))

    return moved


def on_sequences(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that joins a sequence of arrays."""

    def joined(arrays: Sequence[Any], *args: Any, **kwargs: Any) -> Any:
        his, los = zip(*map(to_pair, arrays), strict=True)
        return DoubleDouble.from_pair((function(his, *args, **kwargs), function(los, *args, **kwargs)))

    return joined


def on_value(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of shape and type alone."""
    return lambda a, *args, **kwargs: function(to_pair(a)[0], *args, **kwargs)


def filled(value: Any) -> Callable[..., Any]:
    def like(a: Any, dtype: Any = None, shape: Any = None) -> DoubleDouble:
        return full_like(a, value, dtype, shape=shape)

    return like


def full_like(a: Any, fill_value: Any, dtype: Any = None, *, shape: Any = None) -> DoubleDouble:
    accept("full_like", {} if dtype is None else {"dtype": np.dtype(dtype)})
    shape = to_pair(a)[0].shape if shape is None else shape
    return on_parts(np.copy)(on_parts(np.broadcast_to)(fill_value, shape))


def where(condition: Any, *xy: Any) -> Any:
    if len(xy) != 2:
        raise TypeError("DoubleDouble does not support numpy.where without both values")
    if isinstance(condition, DoubleDouble):
        condition = condition.hi != 0
    return call(lambda x, y: arithmetic.where(condition, x, y), *xy)


def clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    low, high = a_min if min is None else min, a_max if max is None else max
    a = a if low is None else np.maximum(a, low)
    return a if high is None else np.minimum(a, high)


def dot(a: Any, b: Any) -> Any:
    if np.ndim(a) != 1 or np.ndim(b) != 1:
        raise TypeError("DoubleDouble supports numpy.dot of two one-dimensional arrays only")
    if np.shape(a) != np.shape(b):
        raise ValueError(f"shapes {np.shape(a)} and {np.shape(b)} not aligned")
    return reduction(np.add, np.multiply(a, b))


def broadcast_arrays(*arrays: Any) -> tuple[Any, ...]:
    shape = np.broadcast_shapes(*map(np.shape, arrays))
    return tuple(np.broadcast_to(a, shape) for a in arrays)


MOVING: list[Callable[..., Any]] = [
    *(np.take_along_axis, np.take, np.expand_dims, np.squeeze, np.moveaxis, np.rollaxis, np.transpose, np.swapaxes, np.reshape),
    *(np.ravel, np.broadcast_to, np.flip, np.fliplr, np.flipud, np.roll, np.rot90, np.repeat, np.tile, np.diagonal, np.copy),
    *(np.atleast_1d, np.atleast_2d, np.tril, np.triu, np.delete),
]
JOINING: list[Callable[..., Any]] = [np.concatenate, np.stack, np.vstack, np.hstack, np.dstack, np.column_stack]

ARRAY_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    **{f: on_parts(f) for f in MOVING},
    **{f: on_sequences(f) for f in JOINING},
    **{f: on_value(f) for f in (np.shape, np.ndim, np.size, np.iscomplexobj, np.isrealobj)},
    np.sum: reducer(np.add),
    np.prod: reducer(np.multiply),
    np.max: reducer(np.maximum),
    np.amax: reducer(np.maximum),
    np.min: reducer(np.minimum),
    np.amin: reducer(np.minimum),
    np.mean: lambda a, axis=None, keepdims=False: DoubleDouble(a).mean(axis, bool(keepdims)),
    np.cumsum: cumulative_sum,
    np.where: where,
    np.clip: clip,
    np.dot: dot,
    np.full_like: full_like,
    np.zeros_like: filled(0.0),
    np.empty_like: filled(0.0),
    np.ones_like: filled(1.0),
    np.broadcast_arrays: broadcast_arrays,
}
