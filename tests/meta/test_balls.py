"""Ball arithmetic: what a correct evaluation in a format can give lies in the ball; where nothing rounds the ball is a point.

``Format`` evaluates unmodified numpy expressions as a device does, one rounding after every operation, and as badly as the
stated accuracies allow: always up, always down, or at random, and each sum in a shuffled order.
"""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Callable

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.mixins import NDArrayOperatorsMixin
from scipy import special

from benchkit import ball_functions
from benchkit.ball_rules import COMPOSED, ERROR, ULPS
from benchkit.balls import Ball, Fuzzy, Rules, Undecidable, floats, lift, select
from benchkit.double_double import DoubleDouble
from benchkit.precision import FLOAT16, FLOAT32, FLOAT64, PRECISIONS, Precision

EVERY_FORMAT = pytest.mark.parametrize("precision", PRECISIONS.values(), ids=PRECISIONS)
SHORT_FORMATS = pytest.mark.parametrize("precision", [p for p in PRECISIONS.values() if p is not FLOAT64], ids=lambda p: p.name)
MODES = ("nearest", "up", "down", "random")
TINY = 1e-9  # relative: the centre of a short format is itself rounded to float64
inf, nan = float("inf"), float("nan")


def generator(*names: object) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(hashlib.sha256(repr(names).encode()).digest()[:8], "big"))


class Format(NDArrayOperatorsMixin):
    """Numbers of a format with its arithmetic: every operation is rounded by ``mode``.

    Away from ``nearest`` a result is off by the whole unit roundoff (library functions: by all the ulps that they may err), and
    so need not be a number of the format: the standard model of rounding, which the radii claim to cover.
    """

    def __init__(self, value: object, precision: Precision, mode: str, rng: np.random.Generator) -> None:
        self.value, self.precision, self.mode, self.rng = np.asarray(value, dtype=np.float64), precision, mode, rng

    shape = property(lambda self: self.value.shape)
    ndim = property(lambda self: self.value.ndim)
    size = property(lambda self: self.value.size)

    def like(self, value: object) -> Format:
        return Format(value, self.precision, self.mode, self.rng)

    def rounded(self, value: np.ndarray, ulps: float = 0.5, precision: Precision | None = None) -> Format:
        """The result of an operation of that accuracy."""
        p = precision or self.precision
        theta = {"up": 1.0, "down": -1.0, "random": self.rng.uniform(-1.0, 1.0, np.shape(value)), "nearest": 0.0}[self.mode]
        # What needs no rounding gets none: a basic operation with a representable result, and exp(0) = 1 in every library.
        theta = np.where(p.represents(value) if ulps == 0.5 else np.isin(value, (0.0, 1.0)), 0.0, theta)
        off = value * (1.0 + theta * 2.0 * ulps * p.unit) if p is not FLOAT64 else value
        return self.like(p.round(off) if self.mode == "nearest" or p is FLOAT64 else off)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        values = [x.value if isinstance(x, Format) else np.asarray(x, dtype=np.float64) for x in inputs]
        with np.errstate(all="ignore"):
            if method == "reduce":
                if ufunc is np.add:
                    return self.summed(kwargs.get("axis"), kwargs.get("keepdims", False))
                return self.like(ufunc.reduce(*values, **kwargs))
            operands = [self.precision.round(v) if isinstance(x, float) else v for v, x in zip(values, inputs, strict=True)]
            result = ufunc(*operands)
        if result.dtype == bool or ufunc in (np.negative, np.absolute, np.maximum, np.minimum, np.sign):
            return result if result.dtype == bool else self.like(result)
        return self.rounded(result, ULPS.get(ufunc.__name__, 0.5))

    def __array_function__(self, function, types, args, kwargs):
        if function is np.sum:
            return self.summed(kwargs.get("axis"), kwargs.get("keepdims", False))
        if function is np.mean:
            total = self.summed(kwargs.get("axis"), kwargs.get("keepdims", False))
            return total / float(self.size // max(total.size, 1))
        plain = [x.value if isinstance(x, Format) else [y.value for y in x] if isinstance(x, list) else x for x in args]
        return self.like(function(*plain, **kwargs))

    def sum(self, axis=None, keepdims=False) -> Format:
        return self.summed(axis, keepdims)

    def summed(self, axis, keepdims) -> Format:
        """One addition after another in an order of chance, in the accumulator; stored in the format."""
        terms = np.moveaxis(self.value, axis, 0) if axis is not None else self.value.ravel()
        total = self.like(np.zeros(terms.shape[1:]))
        for number, term in enumerate(self.rng.permutation(terms)):
            total = self.rounded(total.value + term, precision=self.precision.accumulator) if number else self.like(term)
        if self.precision.accumulator is not self.precision and len(terms) > 1:
            total = self.rounded(total.value)
        kept = np.expand_dims(total.value, axis if axis is not None else tuple(range(self.ndim)))
        return self.like(kept) if keepdims else total


def contains(ball: Ball, got: object, slack: float = TINY) -> np.ndarray:
    """Which points lie in the ball; an overflow does where the ball reaches beyond the format, anything in an infinite one."""
    got = np.asarray(got, dtype=np.float64)
    centre, reach = floats(ball.value), ball.radius + ball.width
    with np.errstate(all="ignore"):
        last_bits = (
            0.0 if isinstance(ball.value, DoubleDouble) else 2.0**-50 * np.where(np.isfinite(centre), np.abs(centre), 0.0)
        )
        near = np.abs(floats(ball.value - got)) <= reach * (1.0 + slack) + last_bits
        beyond = np.isinf(got) & (np.sign(got) == np.sign(centre)) & (np.abs(centre) + reach >= ball.rules.precision.overflow)
    alike = (np.isnan(got) & np.isnan(centre)) | (got == centre)
    return np.asarray(near | beyond | alike | np.isinf(ball.radius))


def assert_contains(ball: Ball, got: object, slack: float = TINY) -> None:
    inside = contains(ball, got, slack)
    if not inside.all():
        bad = np.argmin(inside.ravel())
        value, radius, width = (
            np.broadcast_to(a, inside.shape).ravel()[bad] for a in (floats(ball.value), ball.radius, ball.width)
        )
        raise AssertionError(
            f"{np.ravel(got)[bad]!r} is not in {value!r} ± {radius!r} (spread {width!r}), {ball.rules.precision.name}"
        )


def native(ufunc: np.ufunc, precision: Precision, points: list[np.ndarray]) -> np.ndarray:
    """A ufunc as numpy computes it in the format; bfloat16, which numpy lacks, by rounding the float64 result."""
    with np.errstate(all="ignore"):
        if precision.name == "bfloat16":
            return precision.round(ufunc(*points))
        return precision.round(ufunc(*(x.astype(precision.name) for x in points)))


# What each rule is tried on: for every operand the exponents (of 2) its magnitude is drawn from, and its sign.
NUMBERS = {"half": (-24.0, 7.0), "wide": (-149.0, 60.0)}
DOMAINS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("add", "subtract", "multiply", "divide", "true_divide"), ("real", "real")),
    **dict.fromkeys(("maximum", "minimum", "fmax", "fmin"), ("real", "real")),
    **dict.fromkeys(("negative", "positive", "absolute", "fabs", "square", "reciprocal", "sign"), ("real",)),
    **dict.fromkeys(("sqrt", "log", "log2", "entr", "gammaln"), ("positive",)),
    **dict.fromkeys(("exp", "expm1", "tanh", "expit", "log_expit"), ("moderate",)),
    "log1p": ("above -1",),
    "power": ("near 1", "moderate"),
    "xlogy": ("real", "positive"),
    "xlog1py": ("real", "above -1"),
    "rel_entr": ("positive", "positive"),
    "logaddexp": ("moderate", "moderate"),
}  # fmt: skip
UFUNCS = {name: getattr(np, name, None) or getattr(special, name) for name in {*ERROR, *COMPOSED}}


@st.composite
def operands(draw, domain: str, precision: Precision, count: int = 6) -> tuple[np.ndarray, Ball]:
    """Points that are numbers of the format, and balls around other centres that contain them: some of radius 0, some wide."""
    low, high = NUMBERS["half" if precision is FLOAT16 else "wide"]
    if domain in ("moderate", "above -1", "near 1"):
        low, high = (-10.0, 4.0 if domain == "moderate" else -0.1 if domain == "above -1" else 2.0)
    points, centres, radii, spreads = [], [], [], []
    for _ in range(count):
        x = 2.0 ** draw(st.floats(low, high)) * (
            draw(st.sampled_from([1.0, -1.0])) if domain not in ("positive", "near 1") else 1.0
        )
        x = float(precision.round(x)) or precision.smallest_subnormal
        width = draw(st.sampled_from([0.0, 0.0, 0.5, 1.0, 8.0, 60.0])) * precision.unit * abs(x)
        centres.append(draw(st.floats(-1.0, 1.0)) * width)  # the offset from the point
        points.append(x)
        share = draw(st.sampled_from([0.0, 0.0, 0.5, 1.0]))
        radii.append(width * (1.0 - share) * (1.0 + 1e-12))
        spreads.append(width * share * (1.0 + 1e-12))
    rules = Rules.of(precision)
    at = np.array(points)
    centre = DoubleDouble(at) + DoubleDouble(np.array(centres)) if rules.extended else at + np.array(centres)
    return at, Ball(centre, np.array(radii), rules, np.array(spreads))


@EVERY_FORMAT
@pytest.mark.parametrize("name", sorted(UFUNCS))
@given(data=st.data())
@settings(max_examples=8)
def test_every_operation_stays_in_its_ball(name: str, precision: Precision, data: st.DataObject) -> None:
    """The operation, done in the format at points of the operands' balls, lands in the result's ball: factor 1, all rules."""
    drawn = [data.draw(operands(domain, precision)) for domain in DOMAINS[name]]
    ball = UFUNCS[name](*(b for _, b in drawn))
    assert_contains(ball, native(UFUNCS[name], precision, [x for x, _ in drawn]))
    narrow = functools.reduce(np.logical_and, (b.radius + b.width <= 0.25 * np.abs(floats(b.value)) for _, b in drawn))
    if name not in ("power", "xlog1py", "log1p", "gammaln"):
        assert np.isfinite(ball.radius[narrow]).all(), "an infinite radius would make this test say nothing"


@EVERY_FORMAT
@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, -0.5, -1.0, -2.0, 0.75])
@given(data=st.data())
@settings(max_examples=6)
def test_every_scalar_power_stays_in_its_ball(exponent: float, precision: Precision, data: st.DataObject) -> None:
    """A power by repeated products and by pow; whole exponents take negative bases."""
    points, ball = data.draw(operands("real" if exponent in (2.0, 3.0, 1.0) else "positive", precision))
    result = ball**exponent
    if exponent in (1.0, 2.0, 3.0):
        got = points
        for _ in range(int(exponent) - 1):
            got = native(np.multiply, precision, [got, points])
        assert_contains(result, got)
    assert_contains(result, native(np.power, precision, [points, np.full(points.shape, exponent)]))


def test_every_rule_has_a_domain() -> None:
    """A rule that is added must be added to these tests."""
    assert set(DOMAINS) == {*ERROR, *COMPOSED}
    assert all(callable(f) for f in UFUNCS.values())


def softmax(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def variance(x):
    d = x - np.mean(x, axis=-1, keepdims=True)
    return np.mean(d * d, axis=-1)


def log_sum_exp(x):
    m = np.max(x, axis=-1, keepdims=True)
    return m + np.log(np.sum(np.exp(x - m), axis=-1, keepdims=True))


def library_log_sum_exp(x):
    return log_sum_exp(x) if isinstance(x, Format) else np.logaddexp.reduce(x, axis=-1, keepdims=True)


def log_softmax(x):
    return x - library_log_sum_exp(x)


def adam_like(x):
    g, t = x[..., 1:], 3.0
    m, v = 0.9 * x[..., :-1] + (1 - 0.9) * g, 0.999 * g * g + (1 - 0.999) * x[..., :-1] * x[..., :-1]
    return g - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 0.01)


def cosine(x):
    a, b = x[..., ::2], x[..., 1::2]
    dot = np.sum(a * b, axis=-1)
    return dot / (np.sqrt(np.sum(a * a, axis=-1)) * np.sqrt(np.sum(b * b, axis=-1)))


def smooth(x):
    d = np.abs(x[..., ::2] - x[..., 1::2])
    return np.where(d < 1.0, 0.5 * d * d, d - 0.5)


def logistic(x):
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(-x, 0.0)


def cross_entropy_like(x):
    return np.mean(-np.sum(softmax(x[:, ::2]) * log_softmax(x[:, 1::2]), axis=-1), axis=0)


EXPRESSIONS = [
    softmax, variance, log_sum_exp, library_log_sum_exp, log_softmax, adam_like, cosine, smooth, logistic, cross_entropy_like,
]  # fmt: skip
Format.__getitem__ = lambda self, index: self.like(self.value[index])  # type: ignore[attr-defined]


@EVERY_FORMAT
@pytest.mark.parametrize("expression", EXPRESSIONS, ids=lambda f: f.__name__)
@given(
    rows=st.integers(1, 3),
    columns=st.sampled_from([2, 4, 10]),
    scale=st.sampled_from([0.25, 1.0, 3.0]),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=6)
def test_an_expression_stays_in_its_ball(
    expression: Callable, precision: Precision, rows: int, columns: int, scale: float, seed: int
) -> None:
    """Expressions of many operations, evaluated in the format with every rounding to nearest and with every one against us."""
    x = precision.round(scale * generator(seed).normal(size=(rows, columns)))
    ball = expression(Ball.exactly(x, Rules.of(precision)))
    assert np.isfinite(ball.radius).all()
    assert (ball.radius <= 0.5 * np.abs(floats(ball.value)) + 64.0 * scale * precision.unit * 8.0 * columns).mean() > 0.5
    for mode in MODES if precision is not FLOAT64 else MODES[:1]:
        got = expression(Format(x, precision, mode, generator(seed, mode)))
        assert_contains(ball, got.value, TINY if mode == "nearest" else 8.0 * precision.unit)  # the second order


EXACT = {
    "squares": lambda x: x * x - 2.0 * x + 0.25,
    "sum": lambda x: np.sum(x, axis=-1),
    "sum of products": lambda x: np.sum(x[:, ::2] * x[:, 1::2], axis=0),
    "smooth": lambda x: smooth(x),
    "mean of four": lambda x: np.sum(x, axis=-1) / 4.0,
    "hinge": lambda x: np.maximum(0.0, 0.5 - x[:, ::2] * x[:, 1::2]),
    "clip": lambda x: np.clip(x, -1.0, 1.5) * 2.0,
    "square": lambda x: np.square(x) + x**2.0,
    "root of a square": lambda x: np.sqrt(x * x),
    "dot": lambda x: np.dot(x[:, 0], x[:, 1]),
    "sign": lambda x: np.sign(x) * np.abs(x),
    "stack": lambda x: np.stack([x, -x / 2.0]).sum(axis=0) + np.concatenate([x, x])[:4],
}


@EVERY_FORMAT
@pytest.mark.parametrize("name", EXACT)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=5)
def test_dyadic_inputs_are_evaluated_exactly(name: str, precision: Precision, seed: int) -> None:
    """On the exact lane the radius is 0, the centre is the true value, and any order of a sum gives the same bits."""
    steps = 2 if precision.bits == 8 else 8
    x = generator(seed).integers(-steps, steps + 1, (4, 6)) / 4.0
    ball = EXACT[name](Ball.exactly(x, Rules.of(precision, exact=True)))
    assert not ball.radius.any()
    assert not ball.width.any()
    with np.errstate(all="raise"):
        assert np.array_equal(floats(ball.value), EXACT[name](x))
    for order in range(3):
        got = EXACT[name](Format(x, precision, "nearest", generator(seed, order))) if name != "dot" else None
        assert got is None or np.array_equal(got.value, floats(ball.value))


@SHORT_FORMATS
def test_the_exact_lane_is_left_where_a_result_is_rounded(precision: Precision) -> None:
    """Thirds, roots of two, and sums that are too long for the format have a radius on the exact lane too."""
    rules = Rules.of(precision, exact=True)
    one = Ball.exactly([1.0], rules)
    assert (one / 3.0).radius > 0
    assert (one / 4.0).radius == 0
    assert np.sqrt(one + one).radius > 0
    assert np.exp(one).radius > 0
    assert (one + precision.unit / 2.0).radius > 0
    assert (Ball.exactly([6.0], rules) / 3.0).radius > 0  # 2 by division, but not by the reciprocal
    long = np.array([2.0**precision.accumulator.bits, 1.0, 1.0])
    assert np.sum(Ball.exactly(long, rules)).radius > 0
    short = np.array([1.0, 1.0, 2.0])
    assert np.sum(Ball.exactly(short, rules)).radius == 0
    assert np.sum(Ball.exactly(short, Rules.of(precision))).radius > 0


@EVERY_FORMAT
@given(seed=st.integers(0, 2**32), n=st.integers(1, 40), keepdims=st.booleans(), axis=st.sampled_from([None, 0, 1, -1]))
@settings(max_examples=12)
def test_sums_in_any_order(precision: Precision, seed: int, n: int, keepdims: bool, axis: int | None) -> None:
    """Sums and means over any axis, of terms of many magnitudes and both signs, that bring radii of their own."""
    rng = generator(seed)
    terms = precision.round(rng.normal(size=(2, n)) * 2.0 ** rng.uniform(-10, 6, (2, n)))
    moved = 4.0 * precision.unit * np.abs(terms)
    rules = Rules.of(precision)
    centre = DoubleDouble(terms) + DoubleDouble(moved) if rules.extended else terms + moved
    x = Ball(centre, moved * (1.0 + 1e-12), rules)
    for function in (np.sum, np.mean):
        ball = function(x, axis=axis, keepdims=keepdims)
        plain = function(terms, axis=axis, keepdims=keepdims)
        assert ball.shape == np.shape(plain)
        for mode in MODES:
            got = function(Format(terms, precision, mode, generator(seed, mode)), axis=axis, keepdims=keepdims)
            assert_contains(ball, got.value)


def test_a_sum_that_may_overflow_on_the_way_expects_nothing() -> None:
    """Magnitudes beyond the accumulator: one order overflows, another does not."""
    x = Ball.exactly([3e38, 3e38, -3e38], Rules.of(FLOAT32))
    assert np.isinf(np.sum(x).radius)
    assert np.isfinite(np.sum(x[1:]).radius) == (6e38 < FLOAT32.largest)


@pytest.mark.parametrize("precision", [FLOAT16, PRECISIONS["bfloat16"]], ids=lambda p: p.name)
def test_a_sum_of_a_term_beyond_its_format_expects_nothing(precision: Precision) -> None:
    """A term that is infinite in the format stays so in the sum, unless the sum is made without storing the terms."""
    x = Ball.exactly([1.5 * precision.largest, -0.75 * precision.largest, 1.0], Rules.of(precision))
    assert np.isinf(np.sum(x).radius)
    assert np.isfinite(np.sum(x[1:]).radius)


@EVERY_FORMAT
def test_every_right_number_of_a_set_is_rounded(precision: Precision) -> None:
    """The centre of a set may be representable where its ends are not: exact inputs leave a radius all the same."""
    rules = Rules.of(precision, exact=True)
    tie = Ball(Ball.exactly([1.0, 2.0], rules).value, np.zeros(2), rules, np.array([0.5, 0.0]))
    assert (np.add(tie, 1.0).radius > 0.0).tolist() == [True, False]
    assert np.sum(tie).radius > 0.0
    assert np.sum(tie[1:]).radius == 0.0


def test_infinity_times_what_may_be_zero_expects_nothing() -> None:
    """A number too small for the format may be 0, and 0 times infinity is NaN; beside what is none of these it is infinity."""
    tiny, large = balls([1e-45, 1.0], [1e-44, 1e-7]), balls([np.inf, np.inf])
    assert np.isinf((tiny * large).radius).tolist() == [True, False]
    assert np.isinf((large * tiny).radius).tolist() == [True, False]


def balls(value, radius=0.0, spread=0.0, precision: Precision = FLOAT32, kinks: bool = False) -> Ball:
    value = np.asarray(value, dtype=np.float64)
    r, s = (np.broadcast_to(np.asarray(a, dtype=np.float64), value.shape).copy() for a in (radius, spread))
    rules = Rules.of(precision, kinks=kinks)
    return Ball(DoubleDouble(value) if rules.extended else value, r, rules, s)


MOVES = {
    "expand_dims": lambda x: np.expand_dims(x, 1),
    "squeeze": lambda x: np.squeeze(x[:1], axis=0),
    "moveaxis": lambda x: np.moveaxis(x, 0, -1),
    "transpose": lambda x: np.transpose(x, (2, 0, 1)),
    "swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "reshape": lambda x: np.reshape(x, (6, 4)),
    "reshape method": lambda x: x.reshape(4, 6),
    "ravel": lambda x: np.ravel(x),
    "broadcast_to": lambda x: np.broadcast_to(x, (5, 2, 3, 4)),
    "flip": lambda x: np.flip(x, axis=1),
    "roll": lambda x: np.roll(x, 1, axis=2),
    "take_along_axis": lambda x: np.take_along_axis(x, np.array([[[1]], [[0]]]) * np.ones((2, 3, 1), int), axis=-1),
    "take": lambda x: np.take(x, [0, 2], axis=1),
    "repeat": lambda x: np.repeat(x, 2, axis=0),
    "tile": lambda x: np.tile(x, 2),
    "atleast_1d": lambda x: np.atleast_1d(x),
    "copy": lambda x: np.copy(x),
    "index": lambda x: x[1, ..., None, ::-1],
    "mask": lambda x: x[np.arange(24).reshape(2, 3, 4) % 3 == 0],
    "T": lambda x: x.T,
    "stack": lambda x: np.stack([x, x], axis=1),
    "concatenate": lambda x: np.concatenate([x, x], axis=2),
}


@EVERY_FORMAT
@pytest.mark.parametrize("name", MOVES)
def test_moving_elements_moves_centre_radius_and_spread_alike(name: str, precision: Precision) -> None:
    """Structural functions do to each part what numpy does to an array."""
    centre = np.arange(24.0).reshape(2, 3, 4)
    found = MOVES[name](balls(centre, centre + 0.25, centre + 0.5, precision))
    assert np.array_equal(floats(found.value), MOVES[name](centre))
    assert np.array_equal(found.radius, MOVES[name](centre + 0.25))
    assert np.array_equal(found.width, MOVES[name](centre + 0.5))


def test_every_move_is_tried() -> None:
    """No structural function is known to balls and not to this test."""
    assert {f.__name__ for f in ball_functions.MOVES} <= set(MOVES)


CONDITIONS = {
    "less": np.less, "less_equal": np.less_equal, "greater": np.greater, "greater_equal": np.greater_equal, "equal": np.equal,
    "not_equal": np.not_equal,
}  # fmt: skip


@pytest.mark.parametrize("precision", [FLOAT32, FLOAT64], ids=lambda p: p.name)
@pytest.mark.parametrize("name", CONDITIONS)
def test_comparisons_that_rounding_may_turn_are_open(name: str, precision: Precision) -> None:
    """Open within four radii (the checker's own factor), decided beyond; certain where both sides are certain."""
    left = balls([1.0, 1.0, 1.0, 1.0, 1.0], [0.01, 0.01, 0.01, 0.0, 0.0], precision=precision)
    found = CONDITIONS[name](left, np.array([1.0, 1.039, 1.05, 1.0, 2.0]))
    assert isinstance(found, Fuzzy)
    assert found.open.tolist() == [True, True, False, False, False]
    assert found.yes.tolist() == CONDITIONS[name](np.ones(5), np.array([1.0, 1.039, 1.05, 1.0, 2.0])).tolist()
    certain = CONDITIONS[name](left[3:], np.array([1.0, 2.0]))
    assert isinstance(certain, np.ndarray)


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3), st.floats(0, 0.5), st.floats(0, 0.5), st.booleans()), min_size=1))
@settings(max_examples=60)
def test_an_open_selection_covers_both_branches(rows: list[tuple[float, float, float, float, bool]]) -> None:
    """The hull of np.where holds every point of both branches where the condition is open, and of the taken one elsewhere."""
    a, b, ra, rb, is_open = (np.array(column) for column in zip(*rows, strict=True))
    left, right = balls(a, ra, 0.5 * ra), balls(b, rb, 0.25 * rb)
    condition = Fuzzy(a > 0, is_open, Rules.of(FLOAT32))
    found = np.where(condition, left, right)
    for side, centre, reach in ((a > 0, a, 1.5 * ra), (a <= 0, b, 1.25 * rb)):
        needed = side | is_open
        for end in (centre - reach, centre + reach):
            assert contains(found, end, 1e-12)[needed].all()
    assert np.array_equal(found.width[~is_open], np.where(a > 0, left.width, right.width)[~is_open])


def test_logic_of_open_comparisons() -> None:
    """Three-valued logic: and, or, xor, not, against all decisions that the open ones may take."""
    states = [(yes, is_open) for yes in (False, True) for is_open in (False, True)]

    def outcomes(state):
        return {state[0]} if not state[1] else {False, True}

    for function in (np.logical_and, np.logical_or, np.bitwise_xor):
        for s in states:
            for t in states:
                found = function(*(Fuzzy(np.array([y]), np.array([o]), Rules.of(FLOAT32)) for y, o in (s, t)))
                possible = {bool(function(u, v)) for u in outcomes(s) for v in outcomes(t)}
                assert possible <= outcomes((bool(found.yes[0]), bool(found.open[0])))
                assert found.yes[0] == function(s[0], t[0])
                assert not (len(possible) == 1 and found.open[0] and not (s[1] or t[1]))
    flipped = ~Fuzzy(np.array([True, False]), np.array([True, False]), Rules.of(FLOAT32))
    assert flipped.yes.tolist() == [False, True]
    assert flipped.open.tolist() == [True, False]
    number = Fuzzy(np.array([True, True]), np.array([True, False]), Rules.of(FLOAT32)) * 2.0
    assert contains(number, np.array([0.0, 2.0])).all()
    assert number.width.tolist() == [1.0, 0.0]


def test_signs_and_kinks() -> None:
    """Where rounding may cross zero the sign is anything of [-1, 1]; at an exact zero only where a derivative is taken."""
    x = [2.0, -2.0, 0.0, 0.0, 0.03]
    radius = [0.01, 0.01, 0.0, 0.01, 0.01]
    value = np.sign(balls(x, radius))
    assert floats(value.value).tolist() == [1.0, -1.0, 0.0, 0.0, 0.0]
    assert value.width.tolist() == [0.0, 0.0, 0.0, 1.0, 1.0]
    slope = np.sign(balls(x, radius, kinks=True))
    assert slope.width.tolist() == [0.0, 0.0, 1.0, 1.0, 1.0]
    tie = np.where(balls([1.0, 1.0], kinks=True) < np.array([1.0, 2.0]), 5.0, 7.0)
    assert contains(tie, [5.0, 5.0]).all()
    assert contains(tie, [7.0, 7.0]).tolist() == [True, False]
    assert np.where(balls([1.0]) < 1.0, 5.0, 7.0).tolist() == [7.0]
    same = np.where(balls([1.0], kinks=True) == 1.0, 5.0, 7.0)
    assert same.tolist() == [5.0], "an equality is a condition, not a kink"


@given(st.tuples(*[st.floats(-2, 2)] * 2), st.tuples(*[st.floats(0, 0.4)] * 2), st.tuples(*[st.floats(-1, 1)] * 2))
def test_a_doubtful_maximum_covers_both(centre, radius, offset) -> None:
    """The larger and the smaller of two points of two balls lie in the ball of the larger and of the smaller."""
    a, b = (balls([c], r) for c, r in zip(centre, radius, strict=True))
    points = [c + r * o for c, r, o in zip(centre, radius, offset, strict=True)]
    assert_contains(np.maximum(a, b), [max(points)])
    assert_contains(np.minimum(a, b), [min(points)])
    joined = np.concatenate([a, b])
    assert_contains(np.max(joined, axis=0), max(points))
    assert_contains(np.min(joined, axis=0), min(points))
    assert_contains(np.clip(a, -0.5, 0.5), np.clip([points[0]], -0.5, 0.5))


def test_scalars_of_the_host() -> None:
    """A number held in double meets the format either rounded to it first or not: both are right."""
    for precision in PRECISIONS.values():
        rules = Rules.of(precision)
        x = precision.round(generator("host").normal(size=200))
        for scalar in (0.1, 1.0 / 3.0, 1e-3, 0.999):
            held = Ball.exactly(scalar, rules.host)
            for function in (np.add, np.multiply, np.divide, np.subtract):
                ball = function(Ball.exactly(x, rules), held)
                assert ball.rules.precision is precision
                for number in (scalar, float(precision.round(scalar))):
                    assert_contains(ball, precision.round(function(x, number)))
            assert (held - 1.0).rules.precision is FLOAT64


def test_what_has_no_value_expects_nothing() -> None:
    """inf - inf and inf / inf have an infinite radius; NaN from NaN, the logarithm of -1 and 0 / 0 are certain NaNs."""
    infinite = balls([inf])
    for ball in (infinite - infinite, infinite / infinite, infinite * 0.0):
        assert np.isinf(ball.radius).all()
    for ball in (balls([nan]) + 1.0, np.log(balls([-1.0])), np.sqrt(balls([-1.0])), balls([0.0]) / balls([0.0])):
        assert np.isnan(floats(ball.value)).all()
        assert not ball.radius.any()
    for ball, value in (
        (balls([1.0]) / 0.0, inf),
        (np.log(balls([0.0])), -inf),
        (infinite + 1.0, inf),
        (np.exp(-infinite), 0.0),
    ):
        assert floats(ball.value) == value
        assert contains(ball, [value]).all()
        assert not contains(ball, [value + 1.0 if value == 0.0 else 1.0]).any()


@pytest.mark.parametrize(
    "unsure",
    [
        lambda: 1.0 / balls([0.0], 1e-3), lambda: np.log(balls([0.0], 1e-3)), lambda: np.log1p(balls([-1.0], 1e-3)),
        lambda: balls([0.0], 1e-3) ** -1.0, lambda: np.reciprocal(balls([0.0], 0.0, 1e-3)), lambda: np.log2(balls([0.0], 1e-3)),
        lambda: np.where(Fuzzy([True], [True], Rules.of(FLOAT32)), balls([inf]), balls([0.0])),
        lambda: np.where(Fuzzy([True], [True], Rules.of(FLOAT32)), balls([1.0]), balls([nan])),
        lambda: np.where(Fuzzy([False], [True], Rules.of(FLOAT32)), balls([-inf]), balls([inf])),
        lambda: balls([0.0]) * balls([1.0], inf),
    ],
)  # fmt: skip
def test_what_rounding_may_carry_anywhere_expects_nothing(unsure) -> None:
    """A pole inside the ball, an open choice between a number and none, a factor that nothing is known of."""
    ball = unsure()
    for got in (0.5, 1e30, inf, nan) if np.isinf(ball.radius).all() else (1.0,):
        assert contains(ball, [got]).all()
    assert np.isinf(ball.radius).all()


def test_a_comparison_of_the_unknown_is_open() -> None:
    """An operand of infinite radius may be anything, whatever its centre."""
    for centre in (0.0, 1.0, inf, nan):
        assert (balls([centre], inf) < 0.5).open.all()


def test_subnormal_hyperparameters() -> None:
    """A number of the host below the format's range may have become 0 when it met the format."""
    rules = Rules.of(FLOAT16)
    ball = Ball.exactly([0.0, 1.0], rules) + Ball.exactly(1e-8, rules.host)
    assert_contains(ball, FLOAT16.round(np.array([0.0, 1.0]) + FLOAT16.round(1e-8)))


UNKNOWN = [
    np.sin, np.arctan, np.floor, np.cumsum, np.prod, np.sort, np.linalg.norm, np.var, np.std, np.median, np.nan_to_num,
    np.argmax, np.any, np.diff, np.outer, special.erf,
]  # fmt: skip


@EVERY_FORMAT
@pytest.mark.parametrize("function", UNKNOWN, ids=lambda f: f.__name__)
def test_an_unknown_function_is_named(function: Callable, precision: Precision) -> None:
    """What has no rule raises TypeError with the name of the function, so that nothing is evaluated without its error."""
    x = balls([0.5, 0.25], 1e-3, precision=precision)
    with pytest.raises(TypeError, match=function.__name__):
        function(x, x) if function is np.outer else function(x)


@pytest.mark.parametrize("escape", [float, int, complex, bool, math.exp, np.asarray, np.array], ids=lambda f: f.__name__)
def test_no_number_escapes(escape: Callable) -> None:
    """A formula cannot take the plain number out of a computed ball."""
    x = balls(0.5, 1e-3)
    with pytest.raises(TypeError):
        escape(x)


def test_no_argument_is_ignored() -> None:
    """out=, where=, other reductions and other ufunc methods are refused; np.where needs both branches; no in-place result."""
    x = balls([1.0, 2.0], 1e-3)
    for attempt in (
        lambda: np.add(x, x, out=np.zeros(2)),
        lambda: np.add(x, x, where=np.array([True, False])),
        lambda: np.multiply.reduce(x),
        lambda: np.add.reduce(x, initial=3.0),
        lambda: np.add.accumulate(x),
        lambda: np.multiply.outer(x, x),
        lambda: np.where(x > 1.0),
        lambda: np.sum(x, initial=3.0),
        lambda: np.sum(x, where=np.array([True, False])),
        lambda: np.max(x, axis=0, initial=9.0),
        lambda: np.mean(x, dtype=np.float32),
        lambda: np.clip(x, 0.0, 1.0, out=np.zeros(2)),
        lambda: np.full_like(x, 2.0, dtype=np.float32),
        lambda: np.ones_like(x, shape=(3,)),
        lambda: np.dot(balls(np.eye(2)), balls(np.eye(2))),
        lambda: np.zeros(2).__iadd__(x),
        lambda: x.__setitem__(0, 1.0),
    ):
        with pytest.raises((TypeError, AttributeError)):
            attempt()


def test_an_open_comparison_decides_no_branch() -> None:
    """``if`` on an open comparison raises; on a decided one it works, as do options that stand exactly."""
    with pytest.raises(Undecidable):
        bool(balls(1.0, 0.1) < 1.05)
    assert bool(balls(1.0, 0.1) < 5.0)
    assert bool(balls(0.1))
    assert not balls(0.0)
    with pytest.raises(TypeError):
        bool(balls([0.1, 0.2]))


def test_masks_meet_plain_arrays() -> None:
    """select takes plain conditions and plain branches, and rounds those to the format."""
    found = select(np.array([True, False]), balls([1.0, 2.0], 0.5), np.array([3.0, 1.0 / 3.0]))
    assert found.radius[0] == 0.5
    assert 0.0 < found.radius[1] <= FLOAT32.unit
    assert lift(np.array([0.25]), Rules.of(FLOAT32)).radius == 0.0


EXTENDED = {
    "add": (np.add, lambda a, b: a + b),
    "multiply": (np.multiply, lambda a, b: a * b),
    "divide": (np.divide, lambda a, b: a / b),
    "sqrt": (lambda a, b: np.sqrt(a), lambda a, b: mpmath.sqrt(a)),
    "exp": (lambda a, b: np.exp(a), lambda a, b: mpmath.exp(a)),
    "expm1": (lambda a, b: np.expm1(a), lambda a, b: mpmath.expm1(a)),
    "log": (lambda a, b: np.log(a), lambda a, b: mpmath.log(a)),
    "log1p": (lambda a, b: np.log1p(a), lambda a, b: mpmath.log1p(a)),
    "log_expit": (lambda a, b: special.log_expit(a), lambda a, b: -mpmath.log1p(mpmath.exp(-a))),
    "gammaln": (lambda a, b: special.gammaln(a), lambda a, b: mpmath.loggamma(a)),
    "logaddexp": (np.logaddexp, lambda a, b: mpmath.log(mpmath.exp(a) + mpmath.exp(b))),
    "xlogy": (special.xlogy, lambda a, b: a * mpmath.log(b)),
    "rel_entr": (special.rel_entr, lambda a, b: a * mpmath.log(a / b)),
    "power": (lambda a, b: a**1.5, lambda a, b: a ** mpmath.mpf(1.5)),
    "cube": (lambda a, b: a**3, lambda a, b: a**3),
}


@pytest.mark.parametrize("name", EXTENDED)
@given(a=st.lists(st.floats(0.01, 20.0), min_size=4, max_size=4), b=st.lists(st.floats(0.01, 20.0), min_size=4, max_size=4))
@settings(max_examples=5)
def test_centres_of_the_extended_rules(name: str, a: list[float], b: list[float]) -> None:
    """Where float64 is under test the centre has far more digits than float64, and the radius covers the error of float64."""
    function, true = EXTENDED[name]
    rules = Rules.of(FLOAT64)
    ball = function(Ball.exactly(a, rules), Ball.exactly(b, rules))
    with mpmath.workdps(50):
        for i in range(4):
            truth = true(mpmath.mpf(a[i]), mpmath.mpf(b[i]))
            got = mpmath.mpf(float(ball.value.hi[i])) + mpmath.mpf(float(ball.value.lo[i]))
            scale = max(abs(truth), mpmath.mpf(2) ** -50)
            assert abs(got - truth) <= scale * mpmath.mpf(2) ** -90
            assert abs(mpmath.mpf(float(truth)) - got) <= mpmath.mpf(float(ball.radius[i])) + mpmath.mpf(2) ** -1070
