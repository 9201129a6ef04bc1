"""Matrices with a first-order error bound that keeps the correlations: for iterations that ball arithmetic cannot follow.

A ball forgets where its error came from, so that in an iteration such as X = a X + (b A + c A A) X with A = X X' the bound
grows by a factor of about 30 a time, while the errors of the iteration itself hardly grow. A ``Correlated`` array keeps for
every rounding so far how far it moves each element (affine arithmetic to first order: de Figueiredo and Stolfi, Affine
arithmetic, 2004). The roundings are then added up as independent errors of mean zero, as the root of the sum of the squares
(probabilistic rounding error analysis: Higham and Mary, SIAM J. Sci. Comput. 41, 2019): by Hoeffding's inequality
less than one element in a thousand is off by more than four of these bounds, the checker's limit, even if every rounding
were as large as it can be.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from benchkit.balls import Ball, Floats, floats
from benchkit.double_double import DoubleDouble
from benchkit.precision import PRECISIONS, Precision


class Correlated(NDArrayOperatorsMixin):
    """Matrices, or stacks of them, with their derivatives by every rounding so far: ``shifts`` of shape (roundings, *shape),
    each scaled by the size of its rounding. The matrices of a stack have their roundings side by side."""

    __slots__ = ("precision", "shifts", "value")

    def __init__(self, value: Floats, shifts: Floats, precision: Precision) -> None:
        self.value, self.shifts, self.precision = value, shifts, precision

    @classmethod
    def of(cls, value: Floats, error: Floats, precision: Precision) -> Correlated:
        """Numbers with errors that are independent of each other and known to be at most ``error``."""
        return cls(value, np.zeros((0, *value.shape)), precision)._with(error)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @property
    def radius(self) -> Floats:
        """The bound: the roundings as independent errors."""
        return np.sqrt(np.sum(self.shifts * self.shifts, axis=0))

    def rounded(self) -> Correlated:
        """Every element rounded once more, on its own."""
        return self._with(self.precision.unit * np.abs(self.value) + self.precision.smallest_subnormal)

    def _with(self, error: Floats) -> Correlated:
        """One more error for every element of a matrix."""
        size = self.shape[-2] * self.shape[-1]
        own = np.eye(size).reshape(size, *(1,) * (self.value.ndim - 2), *self.shape[-2:])
        return Correlated(self.value, np.concatenate([self.shifts, own * error]), self.precision)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and not kwargs and ufunc in RULES:
            return RULES[ufunc](*inputs)
        raise TypeError(f"numpy.{ufunc.__name__} is not known to correlated bounds; add its rule to benchkit/correlated.py")

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function is np.swapaxes and args[1:] == (-1, -2):
            return Correlated(np.swapaxes(self.value, -1, -2), np.swapaxes(self.shifts, -1, -2), self.precision)
        if function is np.sum and kwargs == {"axis": (-2, -1), "keepdims": True}:
            return Correlated(np.sum(self.value, **kwargs), np.sum(self.shifts, **kwargs), self.precision).rounded()
        raise TypeError(f"numpy.{function.__name__} is not known to correlated bounds; add it to benchkit/correlated.py")


def _linear(value: Floats, parts: list[tuple[Correlated, Callable[[Floats], Floats]]]) -> Correlated:
    """A result whose shifts are those of its operands, each carried on by a linear map; rounded."""
    count = max(len(x.shifts) for x, _ in parts)
    shifts = np.zeros((count, *value.shape))
    for x, carry in parts:
        shifts[: len(x.shifts)] += carry(x.shifts)
    return Correlated(value, shifts, parts[0][0].precision).rounded()


def _value(x: Any) -> Any:
    return x.value if isinstance(x, Correlated) else np.asarray(x, dtype=np.float64)


def _rule(function: Callable[..., Any], *slopes: Callable[..., Any]) -> Callable[..., Correlated]:
    """The rule of an elementwise function with its derivative by each operand."""

    def apply(*operands: Any) -> Correlated:
        values = [_value(x) for x in operands]
        parts: list[tuple[Correlated, Callable[[Floats], Floats]]] = []
        for x, slope in zip(operands, slopes, strict=True):
            if isinstance(x, Correlated):
                parts.append((x, partial(np.multiply, slope(*values))))
        return _linear(np.asarray(function(*values)), parts)

    return apply


def _matmul(a: Any, b: Any) -> Correlated:
    """A product of matrices: every sum of products accumulates in a wider format and is rounded once."""
    x, y = _value(a), _value(b)
    parts: list[tuple[Correlated, Callable[[Floats], Floats]]] = []
    if isinstance(a, Correlated):
        parts.append((a, lambda shifts: shifts @ y))
    if isinstance(b, Correlated):
        parts.append((b, lambda shifts: x @ shifts))
    return _linear(x @ y, parts)


RULES: dict[Any, Callable[..., Correlated]] = {
    np.add: _rule(np.add, lambda x, y: np.ones(()), lambda x, y: np.ones(())),
    np.subtract: _rule(np.subtract, lambda x, y: np.ones(()), lambda x, y: -np.ones(())),
    np.multiply: _rule(np.multiply, lambda x, y: y, lambda x, y: x),
    np.divide: _rule(np.divide, lambda x, y: 1.0 / y, lambda x, y: -x / (y * y)),
    np.sqrt: _rule(np.sqrt, lambda x: np.where(x > 0.0, 0.5 / np.sqrt(np.where(x > 0.0, x, 1.0)), 0.0)),
    np.matmul: _matmul,
}


def plain(value: Any) -> Any:
    """An option as a number: what the subject holds without error needs no bound."""
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return float(floats(value.value)) if isinstance(value, Ball) else value


def evaluate(x: Ball, precision: str, function: Callable[..., Any], *args: Any) -> Ball:
    """A part of a formula that is defined in a format of its own, as a ball in the format of its argument.

    The argument is rounded to that format, and what is not a finite number in it has no bound.
    """
    inner = PRECISIONS[precision]
    centre = floats(x.value)
    given = Correlated.of(centre, x.radius + x.width, inner).rounded()
    with np.errstate(all="ignore"):
        found = function(given, *map(plain, args))
    known = np.isfinite(found.value) & np.isfinite(found.radius)
    radius = np.where(known, found.radius, np.inf)
    return Ball(DoubleDouble(found.value) if x.rules.extended else found.value, radius, x.rules)
