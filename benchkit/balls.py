"""Ball arithmetic: a value with an error radius, which runs through unmodified numpy formulas.

A ``Ball`` is an array whose elements are a centre, evaluated in higher precision than the format under test, and a radius:
how far a correct evaluation of the same formula in that format may end from the centre. Every operation adds its own rounding
to what its operands bring along (a running error bound, as in Higham, Accuracy and Stability of Numerical Algorithms, 3.3;
the representation is that of ball arithmetic, Johansson, Arb, 2017), so the conditioning of the formula is in the radius
without anybody having written it down.

Where the answer is a set and not a number (the derivative at a kink, a branch that rounding may take either way) the
ball carries the half width of that set as its ``spread``. The checker multiplies the radius by its factor, never the spread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

from benchkit.double_double import DoubleDouble
from benchkit.precision import FLOAT64, Precision

Floats = NDArray[np.float64]
Centre = Any  # a float64 ndarray, or a DoubleDouble where float64 itself is under test

MOST_LIFTED = 1000  # plain numbers that are kept as balls
UNDECIDED = 4.0  # a comparison is open when its operands are closer than this many radii: the checker's own factor


class Undecidable(ArithmeticError):
    """A branch depends on a comparison that rounding may decide either way."""


@dataclass(frozen=True)
class Rules:
    """How the subject computes: in which format, on ``exact`` inputs (operations whose result is representable do not round),
    and whether comparisons stand for kinks of a function whose derivative is being taken (``kinks``).

    ``extended`` says that centres are double-double, as they must be where float64 itself is under test. ``cascaded`` says that
    sums are accumulated as a tree: their error grows with log2 of the number of terms, which no definition promises but every
    library that is used for large sums keeps.
    """

    precision: Precision
    exact: bool = False
    kinks: bool = False
    extended: bool = False
    cascaded: bool = False

    @classmethod
    @cache
    def of(cls, precision: Precision, exact: bool = False, kinks: bool = False) -> Rules:
        """The rules for arrays of ``precision``."""
        return cls(precision, exact, kinks, extended=precision is FLOAT64)

    @cached_property
    def host(self) -> Rules:
        """The rules for scalars that the subject holds and combines in double, such as hyperparameters."""
        return replace(self, precision=FLOAT64)

    @cached_property
    def inexact(self) -> Rules:
        """The rules by which every operation rounds."""
        return replace(self, exact=False)

    @cached_property
    def lifted(self) -> dict[float, Ball]:
        """The plain numbers that were operands under these rules, as balls; of the zeros, which are equal, none."""
        return {}

    def rounding(
        self, centre: Centre, error: Floats, ulps: float = 0.5, floor: float = 0.0, spread: Floats | None = None
    ) -> Floats:
        """The error that one operation of ``ulps`` accuracy adds; ``floor`` is its absolute error near underflow.

        Of a set of right numbers each is rounded, so that one of them at the centre that is representable is not enough.
        """
        value = floats(centre)
        if spread is not None:
            error = error + spread
        added = (2.0 * ulps * self.precision.unit) * (np.abs(value) + error) + floor
        if self.exact and ulps == 0.5:
            representable = self.precision.represents(value)
            if isinstance(centre, DoubleDouble):
                representable &= centre.lo == 0.0
            added = np.where((error == 0.0) & representable, 0.0, added)
        return added


class Known(NamedTuple):
    """What numpy does to balls: elementwise, reducing, and otherwise."""

    apply: Callable[..., Any]
    reduce: Callable[..., Any]
    call: Callable[..., Any]


@cache
def known() -> Known:
    """The modules that know it, which need this one first."""
    from benchkit import ball_functions, ball_rules

    return Known(ball_rules.apply, ball_functions.reduce, ball_functions.call)


def floats(centre: Centre) -> Floats:
    """The float64 approximation of a centre."""
    return centre.hi if isinstance(centre, DoubleDouble) else centre


def wrapped(operands: Any) -> bool:
    """Whether one of the operands (or types) carries balls itself and knows better what to do."""
    return True in [getattr(x, "wraps_balls", False) for x in operands]


class Ball(NDArrayOperatorsMixin):
    """An array of balls: ``value`` (centre), ``radius`` and ``spread``, all of one shape."""

    __slots__ = ("radius", "rules", "spread", "value")

    def __init__(self, value: Centre, radius: Floats, rules: Rules, spread: Floats | None = None) -> None:
        self.value = value
        self.radius = radius
        self.rules = rules
        self.spread = spread if spread is not None and np.any(spread) else None

    @classmethod
    def exactly(cls, value: object, rules: Rules) -> Ball:
        """Numbers that the subject holds without error; their centres are double-double where float64 is under test."""
        centre: Centre = np.asarray(value, dtype=np.float64)
        radius = np.zeros(centre.shape)
        return cls(DoubleDouble(centre) if rules.extended else centre, radius, rules)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.radius.shape

    @property
    def ndim(self) -> int:
        return self.radius.ndim

    @property
    def size(self) -> int:
        return self.radius.size

    @property
    def T(self) -> Ball:
        return self.map(np.transpose)

    @property
    def width(self) -> Floats:
        """The spread as an array."""
        return np.zeros(self.shape) if self.spread is None else self.spread

    def __len__(self) -> int:
        return len(self.radius)

    def __getitem__(self, index: Any) -> Ball:
        return self.map(lambda a: a[index])

    def __bool__(self) -> bool:
        if self.size == 1 and not self.radius.any() and self.spread is None:
            return bool(floats(self.value) != 0.0)  # an option, as in ``if weight_decay``
        raise TypeError("a computed ball has no truth value; compare it first")

    def __float__(self) -> float:
        raise TypeError("a formula may not take the float of a computed value: its error bound would be lost")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("this numpy function is not known to ball arithmetic")

    def __repr__(self) -> str:
        return f"Ball({floats(self.value)!r} ± {self.radius!r}, spread {self.spread!r}, {self.rules.precision.name})"

    def map(self, restructure: Callable[[Any], Any]) -> Ball:
        """Apply a function that only moves elements about."""
        spread = None if self.spread is None else np.asarray(restructure(self.spread))
        value = restructure(self.value)
        value = value if isinstance(value, DoubleDouble) else np.asarray(value)
        return Ball(value, np.asarray(restructure(self.radius)), self.rules, spread)

    def computed_in(self, precision: str, function: Callable[..., Any], *args: Any) -> Ball:
        """See ``benchkit.spec.computed_in``."""
        from benchkit import stochastic

        return stochastic.evaluate(self, precision, function, *args)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Ball:
        found: Ball = np.sum(self, axis=axis, keepdims=keepdims)
        return found

    def mean(self, axis: Any = None, keepdims: bool = False) -> Ball:
        found: Ball = np.mean(self, axis=axis, keepdims=keepdims)
        return found

    def max(self, axis: Any = None, keepdims: bool = False) -> Ball:
        found: Ball = np.max(self, axis=axis, keepdims=keepdims)
        return found

    def min(self, axis: Any = None, keepdims: bool = False) -> Ball:
        found: Ball = np.min(self, axis=axis, keepdims=keepdims)
        return found

    def reshape(self, *shape: Any) -> Ball:
        return self.map(lambda a: a.reshape(*shape))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if wrapped(inputs):
            return NotImplemented
        if kwargs.pop("out", None) is not None or kwargs.pop("where", True) is not True:
            raise TypeError(f"numpy.{ufunc.__name__}: out= and where= are not known to ball arithmetic")
        if method == "reduce":
            return known().reduce(ufunc, *inputs, **kwargs)
        if method != "__call__" or kwargs:
            return NotImplemented
        with np.errstate(all="ignore"):
            return known().apply(ufunc, inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if wrapped(types):
            return NotImplemented
        with np.errstate(all="ignore"):
            return known().call(function, args, kwargs)


def lift(x: object, rules: Rules) -> Ball:
    """See ``x`` as an operand in the format of ``rules``: numbers of a finer format are rounded to it first.

    Below the normal numbers rounding errs by half of the smallest one: what is smaller still may become 0.
    """
    if isinstance(x, Ball):
        if x.rules is rules or x.rules.precision.unit >= rules.precision.unit:
            return x
        return _narrowed(x, rules)
    if type(x) is float and x != 0.0:
        if x not in rules.lifted:
            if len(rules.lifted) > MOST_LIFTED:
                rules.lifted.clear()
            rules.lifted[x] = _narrowed(Ball.exactly(x, rules.host), rules)
        return rules.lifted[x]
    return _narrowed(Ball.exactly(x, rules.host), rules)


def _narrowed(ball: Ball, rules: Rules) -> Ball:
    """A ball in a format that may be coarser than its own."""
    if ball.rules.precision.unit >= rules.precision.unit:
        return ball
    value = floats(ball.value)
    inexact = (~rules.precision.represents(value) | (ball.radius > 0.0)) & np.isfinite(value)
    rounded = np.maximum(rules.precision.unit * (np.abs(value) + ball.radius), 0.5 * rules.precision.smallest_subnormal)
    rounded = np.where(inexact, rounded, 0.0)
    return Ball(ball.value, ball.radius + rounded, rules, ball.spread)


def common_rules(operands: Any) -> Rules:
    """The coarsest format among the balls: the one in which an operation on them takes place."""
    found: Rules | None = None
    for x in operands:
        if isinstance(x, Ball) and x.rules is not found:
            found = x.rules if found is None or x.rules.precision.unit > found.precision.unit else found
    assert found is not None
    return found


class Fuzzy(NDArrayOperatorsMixin):
    """The outcome of comparisons, some open: ``yes`` is the decision at the centres, ``open`` where it may be the other."""

    __slots__ = ("open", "rules", "yes")

    def __init__(self, yes: Any, open: Any, rules: Rules) -> None:
        self.yes: NDArray[np.bool_] = np.asarray(yes, dtype=bool)
        self.open: NDArray[np.bool_] = np.asarray(open, dtype=bool)
        self.rules = rules

    @property
    def shape(self) -> tuple[int, ...]:
        return self.yes.shape

    @property
    def ndim(self) -> int:
        return self.yes.ndim

    def __bool__(self) -> bool:
        if self.open.any():
            raise Undecidable("rounding may decide this comparison either way")
        return bool(self.yes)

    def __getitem__(self, index: Any) -> Fuzzy:
        return Fuzzy(self.yes[index], self.open[index], self.rules)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if wrapped(inputs):
            return NotImplemented
        name = ufunc.__name__.replace("logical_not", "invert").replace("logical_", "bitwise_")
        if method != "__call__":
            return NotImplemented
        if name in ("bitwise_and", "bitwise_or", "bitwise_xor", "invert"):
            masks = [x if isinstance(x, Fuzzy) else Fuzzy(x, np.zeros(np.shape(x), bool), self.rules) for x in inputs]
            return self._logic(name, masks)
        return ufunc(*(x.as_ball() if isinstance(x, Fuzzy) else x for x in inputs))

    def _logic(self, name: str, masks: list[Fuzzy]) -> Fuzzy:
        if name == "invert":
            return Fuzzy(~self.yes, self.open, self.rules)
        a, b = masks
        if name == "bitwise_xor":
            return Fuzzy(a.yes ^ b.yes, a.open | b.open, self.rules)
        if name == "bitwise_or":
            neither: Fuzzy = ~a & ~b
            return neither._logic("invert", [])
        possible = (a.yes | a.open) & (b.yes | b.open)
        certain = (a.yes & ~a.open) & (b.yes & ~b.open)
        return Fuzzy(a.yes & b.yes, possible & ~certain, self.rules)

    def as_ball(self) -> Ball:
        """The comparison as the number 0 or 1, for formulas that multiply by a mask."""
        return select(self, np.ones(self.shape), np.zeros(self.shape))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if wrapped(types):
            return NotImplemented
        with np.errstate(all="ignore"):
            return known().call(function, args, kwargs)


def select(condition: object, a: object, b: object) -> Ball:
    """``np.where`` on balls; where the condition is open, the ball that covers both branches."""
    fuzzy = condition if isinstance(condition, Fuzzy) else None
    balls = [x for x in (a, b) if isinstance(x, Ball)]
    rules = common_rules(balls) if balls or fuzzy is None else fuzzy.rules
    a, b = lift(a, rules), lift(b, rules)
    yes = np.asarray(condition if fuzzy is None else fuzzy.yes, dtype=bool)
    value: Centre = np.where(yes, a.value, b.value)
    radius = np.where(yes, a.radius, b.radius)
    spread = None if a.spread is None and b.spread is None else np.where(yes, a.width, b.width)
    if fuzzy is not None and fuzzy.open.any():
        other: Centre = np.where(yes, b.value, a.value)
        one, two = floats(value), floats(other)
        gap = np.where((one == two) | (np.isnan(one) & np.isnan(two)), 0.0, np.abs(floats(other - value)))
        open_here = np.broadcast_to(fuzzy.open, gap.shape)
        nothing = open_here & ~np.isfinite(gap)  # a number or none: no ball holds both
        gap = np.where(nothing, 0.0, gap)
        value = np.where(open_here & (gap > 0.0), value + 0.5 * (other - value), value)
        spread = np.where(open_here, 0.5 * gap + np.maximum(a.width, b.width), 0.0 if spread is None else spread)
        radius = np.where(open_here, np.where(nothing, np.inf, np.maximum(a.radius, b.radius)), radius)
    return Ball(value, np.asarray(radius), rules, spread)
