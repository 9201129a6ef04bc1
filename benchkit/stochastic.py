"""Error bounds by random rounding: for iterations that ball arithmetic cannot follow.

A ball forgets where its error came from, so that in an iteration such as X = a X + (b A + c A A) X with A = X X' the bound
grows by a factor of about 30 a time, while the errors of the iteration itself hardly grow. Here the formula runs many times at
once, and every result of an operation is moved up or down, at random, by as much as rounding may move it; how far the
answers lie from the one without rounding (root mean square) is the bound (Monte Carlo arithmetic: Parker, Pierce and Eggert,
Computing in Science and Engineering 2, 2000). Roundings are smaller than that, but need not be random: the checker's factor
covers the difference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from benchkit.balls import Ball, Floats, floats
from benchkit.double_double import DoubleDouble
from benchkit.grid import generator
from benchkit.precision import PRECISIONS, Precision

RUNS = 64  # the root mean square of so many is known to a tenth


class Randomly(NDArrayOperatorsMixin):
    """Arrays of which every operation rounds at random: ``values`` of shape (1 + RUNS, *shape), the first without rounding.

    The formula sees the shape without the first axis, and counts axes from the end. Of ``exact`` numbers a result that is
    representable is not rounded.
    """

    __slots__ = ("exact", "precision", "rng", "values")

    def __init__(self, values: Floats, precision: Precision, rng: np.random.Generator, exact: bool = False) -> None:
        self.values, self.precision, self.rng, self.exact = values, precision, rng, exact

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape[1:]

    @property
    def ndim(self) -> int:
        return self.values.ndim - 1

    def moved(self, error: Floats) -> Randomly:
        """All runs but the first moved by ``error`` at most, up or down."""
        sides = self.rng.integers(0, 2, self.values[1:].shape) * 2.0 - 1.0
        moved = self.values[1:] + sides * (error[1:] if error.ndim == self.values.ndim else error)
        return self.of(np.concatenate([self.values[:1], moved]))

    def of(self, values: Floats) -> Randomly:
        """Other values of the same kind."""
        return Randomly(values, self.precision, self.rng, self.exact)

    def _rounded(self, values: Floats) -> Randomly:
        error = self.precision.unit * np.abs(values) + self.precision.smallest_subnormal
        if self.exact:
            error = np.where(self.precision.represents(values), 0.0, error)
        return self.of(values).moved(error)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or kwargs or ufunc not in KNOWN:
            raise TypeError(f"numpy.{ufunc.__name__} is not known to random rounding; add it to benchkit/stochastic.py")
        return self._rounded(np.asarray(ufunc(*(x.values if isinstance(x, Randomly) else x for x in inputs))))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function is np.swapaxes and max(args[1:]) < 0:
            return self.of(np.swapaxes(self.values, *args[1:]))
        if function is np.sum and max(np.atleast_1d(kwargs.get("axis", 0))) < 0:
            return self._rounded(np.sum(self.values, **kwargs))
        raise TypeError(f"numpy.{function.__name__} is not known to random rounding; add it to benchkit/stochastic.py")


KNOWN = {np.add, np.subtract, np.multiply, np.divide, np.sqrt, np.matmul, np.negative}


def plain(value: Any) -> Any:
    """An option as a number: what the subject holds without error needs no bound."""
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return float(floats(value.value)) if isinstance(value, Ball) else value


def evaluate(x: Ball, precision: str, function: Callable[..., Any], *args: Any) -> Ball:
    """A part of a formula that is defined in a format of its own, as a ball in the format of its argument.

    The argument is rounded to that format. Where one of the runs gives no finite number, nothing is known.
    """
    centre = floats(x.value)
    rng = generator("random rounding")
    start = Randomly(np.stack([centre] * (1 + RUNS)), PRECISIONS[precision], rng, x.rules.exact)
    with np.errstate(all="ignore"):
        given = start.moved(x.radius + x.width)
        found = function(given._rounded(given.values), *map(plain, args)).values
        radius = np.sqrt(np.mean((found[1:] - found[0]) ** 2, axis=0))
    radius = np.where(np.isfinite(found).all(axis=0) & np.isfinite(x.radius), radius, np.inf)
    return Ball(DoubleDouble(found[0]) if x.rules.extended else found[0], radius, x.rules)
