"""Bounds by random rounding: they hold for rounded arithmetic, tell one iteration from another, and know their limits."""

from __future__ import annotations

import numpy as np
import pytest

from benchkit.balls import Ball, Rules, floats
from benchkit.grid import generator
from benchkit.judge import LIMIT
from benchkit.precision import BFLOAT16, FLOAT32, PRECISIONS
from benchkit.spec import computed_in
from reference.optimizers.muon import muon, newton_schulz

COEFFICIENTS = muon.defaults["ns_coefficients"]
EPS = muon.defaults["eps"]
SHAPES = [(1, 1), (1, 5), (4, 1), (2, 2), (3, 4), (5, 3), (6, 6)]
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def in_bfloat16(m, steps):
    """The iteration with every result rounded to bfloat16, on the longer side of the matrix."""
    r, (a, b, c) = BFLOAT16.round, COEFFICIENTS
    x = r(m)
    x = r(x / r(r(np.sqrt(np.sum(x * x))) + EPS))
    x = x if m.shape[0] > m.shape[1] else x.T
    for _ in range(steps):
        gram = r(x.T @ x)
        x = r(r(a * x) + r(x @ r(r(b * gram) + r(c * r(gram @ gram)))))
    return x if m.shape[0] > m.shape[1] else x.T


def matrices(shape, count):
    return generator("stochastic", shape).normal(size=(count, *shape))


def bound(m, steps, precision=FLOAT32):
    ball = Ball.exactly(m, Rules.of(precision))
    return newton_schulz(ball, COEFFICIENTS, steps, EPS)


@every_shape
@pytest.mark.parametrize("steps", [0, 1, 5])
def test_rounded_arithmetic_stays_within_the_bound(shape, steps):
    """No element of a hundred matrices is off by more than two thirds of what the checker allows; some come near the bound."""
    stack = matrices(shape, 100)
    ball = bound(stack, steps)
    ratios = [
        np.abs(in_bfloat16(m, steps) - centre) / radius for m, centre, radius in zip(stack, floats(ball.value), ball.radius)
    ]

    assert np.max(ratios) <= 0.67 * LIMIT
    assert np.max(ratios) >= 0.1 or shape == (1, 1)  # one number over its own magnitude is hardly ever off


@every_shape
def test_the_centre_is_the_formula(shape):
    """The centre is what the same source gives on plain numbers, for each matrix of a stack, whatever the format outside."""
    stack = matrices(shape, 3)
    for precision in PRECISIONS.values():
        ball = bound(stack, 5, precision)

        assert np.allclose(floats(ball.value), newton_schulz(stack, COEFFICIENTS, 5, EPS), rtol=1e-12)
        assert ball.rules.precision is precision


@every_shape
def test_another_number_of_iterations_is_told_from_the_right_one(shape):
    """The bound is far below what one iteration more or less changes, in most matrices: what a ball would not be."""
    stack = matrices(shape, 40)
    ball = bound(stack, 5)
    told = [
        (np.abs(newton_schulz(stack, COEFFICIENTS, steps, EPS) - floats(ball.value)) > LIMIT * ball.radius).any(axis=(1, 2))
        for steps in (4, 6)
    ]

    assert np.mean(told) > 0.8


def test_the_bound_of_a_sum_is_that_of_its_roundings():
    """Doubling a number in bfloat16 brings two errors of a unit of the result, of the number and of the sum: their root."""
    x = matrices((4, 4), 1)[0]
    ball = computed_in("bfloat16")(lambda m: m + m)(Ball.exactly(x, Rules.of(FLOAT32)))

    assert np.allclose(floats(ball.value), 2 * x, rtol=1e-15)
    assert np.allclose(ball.radius / (2 * np.abs(x) * BFLOAT16.unit), np.sqrt(2), rtol=0.3)


def test_the_same_bound_every_time():
    """The roundings are random, and the same in every run."""
    m = matrices((3, 3), 1)[0]

    assert np.array_equal(bound(m, 5).radius, bound(m, 5).radius)


def test_errors_of_the_argument_count():
    """A radius of the argument widens the bound."""
    m = matrices((2, 3), 1)[0]
    ball = Ball.exactly(m, Rules.of(FLOAT32))
    wide = Ball(ball.value, np.full(m.shape, 0.1), ball.rules)

    assert (newton_schulz(wide, COEFFICIENTS, 5, EPS).radius > bound(m, 5).radius).all()


def test_nothing_is_claimed_where_there_is_no_number():
    """A matrix with an infinity or NaN, or one whose norm is 0 without eps, has no bound; its neighbours in a stack have."""
    stack = matrices((2, 2), 3)
    stack[1, 0, 0] = np.inf
    stack[2] = 0.0
    ball = newton_schulz(Ball.exactly(stack, Rules.of(FLOAT32)), COEFFICIENTS, 5, 0.0)

    assert np.isfinite(ball.radius[0]).all()
    assert np.isinf(ball.radius[1:]).all()


def test_unknown_functions_are_named():
    """An operation without a rule is an error, never a bound of 0."""
    ball = Ball.exactly(np.ones((2, 2)), Rules.of(FLOAT32))
    for function, name in ((np.exp, "exp"), (np.max, "max"), (np.sum, "sum")):
        with pytest.raises(TypeError, match=f"numpy.{name}.* is not known to random rounding"):
            computed_in("bfloat16")(function)(ball)


def test_plain_numbers_are_left_alone():
    """Without a bound to keep, a part in a format of its own is a plain function."""
    assert computed_in("bfloat16")(np.exp)(np.zeros(2)).tolist() == [1.0, 1.0]


@every_shape
def test_singular_values_end_in_the_documented_band(shape):
    """Five iterations bring the singular values, if they were not tiny, to between 0.5 and 1.5, as the post says."""
    for m in matrices(shape, 40):
        values = np.linalg.svd(m, compute_uv=False)
        large = values > 0.01 * np.linalg.norm(m)
        pushed = np.linalg.svd(newton_schulz(m, COEFFICIENTS, 5, EPS), compute_uv=False)

        assert (pushed[: large.sum()] > 0.5).all()
        assert (pushed < 1.5).all()


def test_on_the_exact_lane_what_is_representable_does_not_round() -> None:
    """A matrix of one entry keeps its one singular value at 1 by the coefficients that converge there: no error at all."""
    one = np.zeros((3, 4))
    one[1, 2] = -8.0
    found = newton_schulz(Ball.exactly(one, Rules.of(FLOAT32, exact=True)), (1.875, -1.25, 0.375), 5, 0.0)
    assert np.array_equal(floats(found.value), np.sign(one))
    assert not found.radius.any()
    full = newton_schulz(Ball.exactly(one + 1.0, Rules.of(FLOAT32, exact=True)), (1.875, -1.25, 0.375), 5, 0.0)
    assert (full.radius > 0.0).all()
