"""The high-precision array: against mpmath, and against float64 where float64 has an answer of its own."""

from __future__ import annotations

import hashlib
import inspect
import operator

import mpmath
import numpy as np
import pytest
from scipy import special
from scipy.special import log_softmax

from benchkit.domains import Draw, draw_case
from benchkit.double_double import DoubleDouble
from benchkit.double_double_functions import FUNCTIONS, ROUNDOFF
from benchkit.precision import FLOAT32
from reference import LOSSES, OPTIMIZERS

COUNT = 300
SPECIALS = np.array([0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 5e-324, -5e-324, 1e-310, 1e300, -1e300, np.inf, -np.inf, np.nan])
SPECIALS = np.append(SPECIALS, [np.finfo(float).max, -np.finfo(float).max, 709.7, 709.8, -745.0, -746.0, 1e-20, 2.0])


def generator(name: str) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"))


def long_numbers(hi: np.ndarray, name: str) -> DoubleDouble:
    """Numbers that float64 does not have, next to ``hi``."""
    return DoubleDouble(hi, hi * generator(name + " lo").uniform(-1, 1, hi.shape) * 2.0**-54)


def uniform(low: float, high: float):
    return lambda rng: rng.uniform(low, high, COUNT)


def sizes(low: float, high: float, signs: bool = True, around: float = 0.0):
    """Numbers of evenly distributed decimal exponent, at that distance from ``around``."""
    return lambda rng: around + 10.0 ** rng.uniform(low, high, COUNT) * (rng.choice([-1, 1], COUNT) if signs else 1)


def exact(x: DoubleDouble) -> list:
    return [mpmath.mpf(float(h)) + mpmath.mpf(float(low)) for h, low in zip(x.hi.ravel(), x.lo.ravel(), strict=True)]


def relative_error(got: DoubleDouble, expected: list, scale: list | None = None) -> float:
    assert len(expected) == got.size > 0
    assert np.all(got.hi == got.hi + got.lo), "not normalised"
    scale = expected if scale is None else scale
    return max(float(abs(g - e) / abs(s)) if g != e else 0.0 for g, e, s in zip(exact(got), expected, scale, strict=True))


POSITIVE = sizes(-250, 300, signs=False)
ONE_ARGUMENT = {
    "sqrt": (np.sqrt, mpmath.sqrt, POSITIVE),
    "square": (np.square, lambda x: x * x, sizes(-100, 150)),
    "reciprocal": (np.reciprocal, lambda x: 1 / x, sizes(-250, 250)),
    "exp": (np.exp, mpmath.exp, uniform(-640, 709)),
    "exp near 0": (np.exp, mpmath.exp, sizes(-30, 0)),
    "expm1": (np.expm1, mpmath.expm1, uniform(-40, 709)),
    "expm1 near 0": (np.expm1, mpmath.expm1, sizes(-200, 0)),
    "expm1 near a step of its table": (np.expm1, mpmath.expm1, sizes(-5, -3)),
    "log": (np.log, mpmath.log, POSITIVE),
    "log near 1": (np.log, mpmath.log, sizes(-16, -0.2, around=1.0)),
    "log2 near 1": (np.log2, lambda x: mpmath.log(x) / mpmath.log(2), sizes(-16, -0.2, around=1.0)),
    "log10": (np.log10, mpmath.log10, POSITIVE),
    "log1p": (np.log1p, mpmath.log1p, sizes(-3, 300, signs=False)),
    "log1p near 0": (np.log1p, mpmath.log1p, sizes(-200, -0.02)),
    "log1p near -1": (np.log1p, mpmath.log1p, sizes(-15, -0.2, signs=False, around=-1.0)),
    "tanh": (np.tanh, mpmath.tanh, sizes(-200, 2.5)),
    "expit": (special.expit, lambda x: 1 / (1 + mpmath.exp(-x)), uniform(-640, 640)),
    "log_expit": (special.log_expit, lambda x: -mpmath.log1p(mpmath.exp(-x)), uniform(-700, 640)),
    "log_expit near 0": (special.log_expit, lambda x: -mpmath.log1p(mpmath.exp(-x)), sizes(-30, 1.5)),
    "entr near 1": (special.entr, lambda x: -x * mpmath.log(x), sizes(-16, -0.2, around=1.0)),
    "gammaln": (special.gammaln, mpmath.loggamma, sizes(-100, 8, signs=False)),
    "gammaln from 0 to 20": (special.gammaln, mpmath.loggamma, uniform(0.01, 20.0)),
    "gammaln near 1": (special.gammaln, mpmath.loggamma, sizes(-16, -0.5, around=1.0)),
    "gammaln near 2": (special.gammaln, mpmath.loggamma, sizes(-15, -0.5, around=2.0)),
    "fifth power": (lambda x: x**5, lambda x: x**5, sizes(-50, 50)),
    "power -3": (lambda x: x**-3, lambda x: x**-3, sizes(-80, 80)),
    "2 to the power": (lambda x: 2.0**x, lambda x: mpmath.mpf(2) ** x, uniform(-900, 1000)),
}


@pytest.mark.parametrize("name", ONE_ARGUMENT)
def test_a_function_is_accurate(name: str) -> None:
    """Within ROUNDOFF (gammaln: 8 times that) of mpmath on numbers that float64 lacks, zones of cancellation included."""
    function, true, draw = ONE_ARGUMENT[name]
    x = long_numbers(draw(generator(name)), name)
    with mpmath.workdps(60):
        error = relative_error(function(x), [true(v) for v in exact(x)])

    assert error <= (8 * ROUNDOFF if "gammaln" in name else ROUNDOFF)


TWO_ARGUMENTS = {
    "add": (operator.add, operator.add, sizes(-20, 20), sizes(-20, 20)),
    "subtract": (operator.sub, operator.sub, sizes(-20, 20), sizes(-20, 20)),
    "multiply": (operator.mul, operator.mul, sizes(-120, 120), sizes(-120, 120)),
    "divide": (operator.truediv, operator.truediv, sizes(-120, 120), sizes(-120, 120)),
    "power": (operator.pow, operator.pow, sizes(-20, 20, signs=False), uniform(-1, 1)),
    "logaddexp": (np.logaddexp, lambda x, y: mpmath.log(mpmath.exp(x) + mpmath.exp(y)), uniform(0, 600), uniform(0, 600)),
    "xlogy": (special.xlogy, lambda x, y: x * mpmath.log(y), sizes(-100, 100), POSITIVE),
    "xlog1py": (special.xlog1py, lambda x, y: x * mpmath.log1p(y), sizes(-100, 100), sizes(-30, -0.1)),
    "rel_entr": (special.rel_entr, lambda x, y: x * mpmath.log(x / y), sizes(-100, 100, signs=False), POSITIVE),
}


@pytest.mark.parametrize("name", TWO_ARGUMENTS)
def test_a_function_of_two_arguments_is_accurate(name: str) -> None:
    """Within ROUNDOFF of mpmath, and the same when one argument is a plain array."""
    function, true, draw_x, draw_y = TWO_ARGUMENTS[name]
    x = long_numbers(draw_x(generator(name)), name)
    y = long_numbers(draw_y(generator(name + " y")), name + " y")
    for a, b in ((x, y), (x.to_float(), y), (x, y.to_float())):
        with mpmath.workdps(60):
            truth = [true(u, v) for u, v in zip(*(exact(DoubleDouble(c)) for c in (a, b)), strict=True)]
            error = relative_error(function(a, b), truth)

        assert error <= ROUNDOFF


@pytest.mark.parametrize("name", ["subtract", "rel_entr"])
def test_arguments_that_nearly_cancel(name: str) -> None:
    """The difference, and the relative entropy, of numbers 1e-1 to 1e-31 apart keep their relative accuracy."""
    function, true, _, _ = TWO_ARGUMENTS[name]
    rng = generator(name + " close")
    x = long_numbers(sizes(-10, 10, signs=False)(rng), name)
    y = x * (1 + DoubleDouble(10.0 ** rng.uniform(-31, -1, COUNT)))
    with mpmath.workdps(60):
        error = relative_error(function(x, y), [true(u, v) for u, v in zip(exact(x), exact(y), strict=True)])

    assert error <= ROUNDOFF


def test_gammaln_of_negative_numbers() -> None:
    """By reflection, relative to 1 and the larger term."""
    x = long_numbers(uniform(-20, -0.01)(generator("reflection")), "reflection")
    with mpmath.workdps(60):
        truth = [mpmath.log(abs(mpmath.gamma(v))) for v in exact(x)]
        error = relative_error(special.gammaln(x), truth, [1 + abs(mpmath.loggamma(1 - v)) for v in exact(x)])

    assert error <= 8 * ROUNDOFF


@pytest.mark.parametrize("exponent", [0.5, 1.5, -0.25, 7.3, 250.7, 1000, 2000.0])
def test_power_loses_with_the_exponent_only(exponent: float) -> None:
    """The error of a power grows with its exponent, whatever the base."""
    x = long_numbers(uniform(0.75, 1.25)(generator("power")), "power")
    with mpmath.workdps(60):
        error = relative_error(x**exponent, [v ** mpmath.mpf(exponent) for v in exact(x)])

    assert error <= ROUNDOFF * max(1, exponent)


def test_sums_are_accurate_relative_to_the_absolute_values() -> None:
    """Sum, product, cumulative sum, dot product and logsumexp of 299 terms of both signs."""
    rng = generator("sums")
    x = long_numbers(sizes(-10, 3)(rng)[:299], "sums")
    with mpmath.workdps(60):
        terms = exact(x)
        size = mpmath.fsum(abs(t) for t in terms)
        assert relative_error(x.sum(), [mpmath.fsum(terms)], [size]) <= ROUNDOFF
        assert relative_error(np.dot(x, x), [mpmath.fsum(t * t for t in terms)]) <= ROUNDOFF
        running = [mpmath.fsum(terms[: i + 1]) for i in range(len(terms))]
        assert relative_error(np.cumsum(x), running, [size] * len(terms)) <= ROUNDOFF
        assert relative_error(np.prod(x[:40]), [mpmath.fprod(terms[:40])]) <= ROUNDOFF
        expected = mpmath.log(mpmath.fsum(mpmath.exp(t / 10) for t in terms))
        assert relative_error(np.logaddexp.reduce(x / 10), [expected]) <= 2 * ROUNDOFF * 100


@pytest.mark.parametrize("ufunc", FUNCTIONS, ids=lambda f: f.__name__)
def test_special_values_are_those_of_float64(ufunc: np.ufunc) -> None:
    """Infinities, NaN, zeros with their signs, the largest and the subnormal numbers: as numpy and scipy have them."""
    x = SPECIALS if ufunc.nin == 1 else SPECIALS[:, None]
    inputs = (x,) if ufunc.nin == 1 else (x, SPECIALS[None, :])
    with np.errstate(all="ignore"):
        expected = ufunc(*inputs)
    got = ufunc(*map(DoubleDouble, inputs))

    if expected.dtype == bool:
        assert np.array_equal(got, expected)
        return
    assert np.all(np.isfinite(got.lo))
    np.testing.assert_allclose(got.to_float(), expected, rtol=4e-15, atol=1e-323)
    zero = (expected == 0) & (got.hi == 0)
    assert np.array_equal(np.signbit(got.hi[zero]), np.signbit(expected[zero])) or ufunc in (np.maximum, np.minimum)


REDUCERS = [np.add, np.multiply, np.maximum, np.minimum, np.logaddexp]


@pytest.mark.parametrize("ufunc", REDUCERS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2), (1, 0), (0, 1, 2), ()])
@pytest.mark.parametrize("keepdims", [False, True])
def test_reductions_have_the_axes_of_numpy(ufunc: np.ufunc, axis, keepdims: bool) -> None:
    """Shape and value of every reduction, with initial and where too, on dyadic numbers."""
    x = generator("axes").integers(-8, 9, (3, 5, 4)) / 4
    keep = x != 0.5
    for options in ({}, {"initial": 1.5}, {"initial": -1.0, "where": keep}):
        expected = ufunc.reduce(x, axis=axis, keepdims=keepdims, **options)
        got = ufunc.reduce(DoubleDouble(x), axis=axis, keepdims=keepdims, **options)

        assert got.shape == np.shape(expected)
        np.testing.assert_allclose(got.to_float(), expected, rtol=1e-14)


def test_reductions_of_nothing_and_of_special_values() -> None:
    """An empty sum is 0, an empty maximum an error, and infinities come through."""
    empty = DoubleDouble(np.zeros((0, 3)))
    assert empty.sum().to_float() == 0
    assert empty.sum(axis=1).shape == (0,)
    assert np.all(np.logaddexp.reduce(empty, axis=0).to_float() == -np.inf)
    with pytest.raises(ValueError, match="no identity"):
        empty.max()
    rows = np.array([[np.inf, 1.0, 2.0], [np.inf, -np.inf, 0.0], [-np.inf] * 3, [np.nan, 1.0, np.inf], [1e308] * 3, [-0.0] * 3])
    with np.errstate(all="ignore"):
        for ufunc in REDUCERS:
            got, expected = ufunc.reduce(DoubleDouble(rows), axis=1).to_float(), ufunc.reduce(rows, axis=1)
            np.testing.assert_allclose(got, expected, rtol=1e-15)


STRUCTURE = {
    "take_along_axis": lambda x: np.take_along_axis(x, np.array([[[1], [0], [2]]]), axis=2),
    "expand_dims": lambda x: np.expand_dims(x, 1),
    "squeeze": lambda x: np.squeeze(x[:1]),
    "moveaxis": lambda x: np.moveaxis(x, 0, -1),
    "transpose": lambda x: np.transpose(x, (1, 0, 2)),
    "swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "T": lambda x: x.T,
    "reshape": lambda x: np.reshape(x, (3, -1)) + x.reshape(3, 8).reshape((3, 8)),
    "ravel": lambda x: np.ravel(x),
    "concatenate": lambda x: np.concatenate([x, np.ones((1, 3, 4))], axis=0),
    "stack": lambda x: np.stack([x, x], axis=-1),
    "broadcast_to": lambda x: np.broadcast_to(x, (5, 2, 3, 4)),
    "broadcast_arrays": lambda x: np.broadcast_arrays(x, x[0])[1],
    "flip": lambda x: np.flip(x, 1),
    "roll": lambda x: np.roll(x, 1, axis=2),
    "where": lambda x: np.where(x > 0, x, np.where(x < -1, -1.0, 0)),
    "clip": lambda x: np.clip(x, -0.5, 0.5) + np.clip(x, 0.25, None) + x.min(),
    "sum": lambda x: np.sum(x, axis=1, keepdims=True) + np.max(x) - np.min(x, axis=0),
    "mean": lambda x: np.mean(x, axis=2) - x.mean(),
    "cumsum": lambda x: np.cumsum(x, axis=1),
    "likes": lambda x: np.zeros_like(x) + np.ones_like(x) + np.full_like(x, 2.5),
    "dot": lambda x: np.dot(x[0, 0], x[1, 2]),
    "shape": lambda x: x + np.ndim(x) + np.size(x) + np.shape(x)[1] + len(x),
    "integer index": lambda x: x[1, np.array([0, 2, 2]), 1:3],
    "boolean index": lambda x: x[np.arange(24).reshape(2, 3, 4) % 5 > 1],
    "new axis": lambda x: x[..., None, 0],
    "rows": lambda x: sum(row[0] for row in x),
    "signs": lambda x: np.sign(x) * abs(x) + (+x) - np.copysign(x, -1.0),
}


@pytest.mark.parametrize("name", STRUCTURE)
def test_structure_is_that_of_numpy(name: str) -> None:
    """The same expression on plain and on long numbers: same shape, same values; both parts move alike."""
    x = generator("structure").integers(-16, 17, (2, 3, 4)) / 8
    expected, got = STRUCTURE[name](x), STRUCTURE[name](DoubleDouble(x))

    assert isinstance(got, DoubleDouble)
    assert got.shape == np.shape(expected)
    np.testing.assert_allclose(got.to_float(), expected, rtol=1e-15)
    if name not in ("clip", "signs", "where", "likes", "mean"):
        small = STRUCTURE[name](DoubleDouble(x * 2.0**-70)).to_float()
        shift = STRUCTURE[name](DoubleDouble(np.zeros_like(x), x * 2.0**-70)).to_float()
        np.testing.assert_array_equal(shift, small)


def test_comparisons_see_the_low_part() -> None:
    """1 + 2**-80 is greater than 1, and equal to itself alone."""
    x, y = DoubleDouble([1.0, 1.0]), DoubleDouble([1.0, 1.0], [2.0**-80, 0.0])

    assert (x < y).tolist() == [True, False]
    assert (x == y).tolist() == [False, True]
    assert (x >= y).tolist() == [False, True]
    assert (x != y).tolist() == [True, False]
    assert (np.maximum(x, y) == y).all()
    assert (np.minimum(x, y) == x).all()
    assert ((y - x) > 0).tolist() == [True, False]


def test_conversions() -> None:
    """Constructor, ratio and rounding; an array does not change with its source."""
    source = np.array([1.0, 2.0])
    x = DoubleDouble(source, [-1.0, 2.0**-60])
    source[0] = 9.0

    assert x.hi.tolist() == [0.0, 2.0]
    assert x.lo.tolist() == [0.0, 2.0**-60]
    assert DoubleDouble(source).hi[0] == 9.0
    assert x.dtype == np.float64
    assert len(x) == x.size == 2
    third = DoubleDouble.from_ratio(1, 3)
    assert (3 * third - 1).to_float() == pytest.approx(0.0, abs=1e-31)
    assert third.lo != 0
    assert bool(third)
    assert "DoubleDouble" in repr(third)
    assert third.copy().to_float() == 1 / 3


@pytest.mark.parametrize(
    ("action", "name"),
    [
        (lambda x: np.sin(x), "sin"),
        (lambda x: np.arctan2(x, x), "arctan2"),
        (lambda x: np.sort(x), "sort"),
        (lambda x: np.linalg.norm(x), "norm"),
        (lambda x: np.subtract.reduce(x), "subtract.reduce"),
        (lambda x: np.add.at(x, 0, 1), "add.at"),
        (lambda x: np.add(x, 1, out=np.zeros(2)), "add with out"),
        (lambda x: operator.iadd(x, 1), "add with out"),
        (lambda x: np.where(x), "where"),
        (lambda x: np.dot(x[None], x), "dot"),
        (lambda x: np.asarray(x), "to_float"),
        (lambda x: x + 1j, "complex"),
        (lambda x: np.zeros_like(x, dtype=int), "full_like with dtype"),
    ],
)
def test_what_is_not_supported_says_so(action, name: str) -> None:
    """A TypeError that names the function or the type."""
    with pytest.raises(TypeError, match=name.replace(".", r"\.")):
        action(DoubleDouble([1.0, 2.0]))


def test_other_array_likes_decide_for_themselves() -> None:
    """An operand of an unknown kind gets its turn."""

    class Other:
        def __array_ufunc__(self, *args, **kwargs):
            return "mine"

        def __array_function__(self, *args, **kwargs):
            return "mine"

    x = DoubleDouble([1.0])
    assert x + Other() == "mine"
    assert np.exp(x) is not None
    assert np.concatenate([x, Other()]) == "mine"


def lifted(x):
    return DoubleDouble(x) if isinstance(x, np.ndarray) and x.dtype == np.float64 else x


AT_DEFAULTS = [
    (name, variant)
    for name, loss in LOSSES.items()
    for variant in loss.variants
    if loss.valid is None or loss.valid({**loss.defaults, "variant": variant})
]


@pytest.mark.parametrize(("name", "variant"), AT_DEFAULTS)
def test_losses_run_unmodified(name: str, variant: str) -> None:
    """Every formula and gradient gives on long numbers, rounded, what it gives on float64, for each declared shape."""
    loss = LOSSES[name]
    domains = loss.variants[variant]
    for shape in loss.shapes:
        draw = Draw(generator(name + variant), "ordinary", shape, FLOAT32, rowwise="elementwise" not in loss.tags)
        draw = draw_case(domains, {**loss.defaults}, draw)
        plain = [
            log_softmax(draw.inputs[n], axis=-1) if d.through == "log_softmax" else draw.inputs[n] for n, d in domains.items()
        ]
        longer, options = [lifted(x) for x in plain], {k: lifted(v) for k, v in draw.options.items()}
        expected = loss.function(*plain, **draw.options), *loss.gradient_function(*plain, **draw.options)
        got = loss.function(*longer, **options), *loss.gradient_function(*longer, **options)

        assert isinstance(got[0], DoubleDouble)
        for e, g in zip(expected, got, strict=True):
            np.testing.assert_allclose(DoubleDouble(g).to_float(), e, rtol=1e-9, atol=1e-12)


# Those whose step takes the parameter, the gradient, the state and options, and has no part in a format of its own.
PLAIN_STEPS = [
    name
    for name, item in OPTIMIZERS.items()
    if inspect.signature(item.function).parameters.keys() <= {"p", "g", "state", "dims", *item.options}
    and "matrices" not in item.tags
]


@pytest.mark.parametrize("name", PLAIN_STEPS)
def test_optimizers_run_unmodified(name: str) -> None:
    """Three steps give on long numbers, rounded, what they give on float64."""
    item = OPTIMIZERS[name]
    p, g = generator(name).uniform(-1, 1, (2, 7))
    results = []
    for kind in (np.asarray, DoubleDouble):
        q, state = kind(p), item.initial_function(kind(p), **item.defaults) if item.initial_function else {}
        for _ in range(3):
            q, state = item.function(q, kind(g), state, **item.defaults)
        results.append(q)

    assert isinstance(results[1], DoubleDouble)
    np.testing.assert_allclose(results[1].to_float(), results[0], rtol=1e-12)
