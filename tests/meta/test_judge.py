"""The verdict on one array: every way in which an answer can be wrong must count, and no right answer may."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchkit.balls import Ball, Rules
from benchkit.judge import FAIL, LIMIT, MARGINAL, PASS, WRONG, Comparison, alike, all_wrong, compare, failure
from benchkit.precision import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, PRECISIONS, Precision

inf, nan = float("inf"), float("nan")


def ball(value, radius=0.0, spread=0.0, precision: Precision = FLOAT32) -> Ball:
    """Balls of one radius and spread around each of the values."""
    value = np.asarray(value, dtype=np.float64)
    return Ball(value, np.full(value.shape, radius, dtype=float), Rules(precision), np.full(value.shape, spread, dtype=float))


def judged(value, got, radius=0.0, spread=0.0, precision: Precision = FLOAT32) -> Comparison:
    """One number against one ball, the answer stored in the same format."""
    return compare(ball([value], radius, spread, precision), np.array([got]), precision)


@pytest.mark.parametrize("got", [0.0, 1.0, 2.0, inf, -inf])
def test_a_number_is_no_nan(got: float):
    """Where NaN is expected every number is infinitely wrong, and NaN is right."""
    assert judged(nan, got).ratio == inf
    assert judged(nan, got).status == FAIL
    assert judged(nan, nan).status == PASS
    assert judged(nan, nan).compared == 1


@pytest.mark.parametrize("expected", [0.0, 1.0, inf, -inf])
@pytest.mark.parametrize("radius", [0.0, 1.0, 1e300])
def test_nan_is_no_number(expected: float, radius: float):
    """NaN where a number is expected is infinitely wrong, however wide the bound."""
    found = judged(expected, nan, radius)
    assert (found.status, found.ratio, found.compared) == (FAIL, inf, 1)


@pytest.mark.parametrize(("expected", "got"), [(inf, 1.0), (inf, -inf), (-inf, inf), (1.0, inf), (0.0, -inf), (inf, 3.4e38)])
@pytest.mark.parametrize("radius", [0.0, 1.0])
def test_an_infinity_is_matched_by_itself_alone(expected: float, got: float, radius: float):
    """A finite number where an infinity is expected, the other infinity, or an infinity where a number is expected."""
    assert judged(expected, got, radius).ratio == inf
    assert judged(expected, expected, radius).ratio == 0.0


@pytest.mark.parametrize("precision", PRECISIONS.values(), ids=PRECISIONS)
def test_early_overflow(precision: Precision):
    """Infinity for a number far inside the range fails in every format; so does the largest number for infinity."""
    assert judged(precision.largest / 2.0, inf, precision.largest * precision.unit, precision=precision).status == FAIL
    assert judged(inf, precision.largest, precision=precision).status == FAIL


@pytest.mark.parametrize("precision", [FLOAT16, BFLOAT16, FLOAT32], ids=lambda p: p.name)
def test_numbers_beyond_the_range_must_overflow(precision: Precision):
    """A finite number that the format does not reach must have become the infinity of its sign."""
    for sign in (1.0, -1.0):
        beyond = sign * 4.0 * precision.largest
        assert judged(beyond, sign * inf, precision=precision).status == PASS
        assert judged(beyond, sign * precision.largest, precision=precision).status == FAIL
        assert judged(beyond, -sign * inf, precision=precision).status == FAIL
        assert judged(beyond, nan, precision=precision).status == FAIL


@pytest.mark.parametrize("precision", [FLOAT16, BFLOAT16, FLOAT32], ids=lambda p: p.name)
def test_numbers_that_may_overflow(precision: Precision):
    """Within the bound of the end of the range both the infinity and the largest number are right, but no NaN."""
    bound = precision.largest * precision.unit * 8.0
    for got in (inf, precision.largest):
        assert judged(precision.largest, got, bound, precision=precision).status == PASS
    assert judged(precision.largest, -inf, bound, precision=precision).status == FAIL
    assert judged(precision.largest, nan, bound, precision=precision).status == FAIL


@pytest.mark.parametrize("precision", [FLOAT16, BFLOAT16], ids=lambda p: p.name)
def test_an_answer_in_a_coarser_format_may_round_once_more(precision: Precision):
    """An expectation in float32 is held against the half type that stores the answer: half a unit, overflow included."""
    third = ball([1.0 / 3.0, precision.overflow])
    rounded = np.array([precision.round(1.0 / 3.0), inf])
    assert compare(third, rounded, precision).status == PASS
    off = np.array([1.0 / 3.0 * (1.0 + 5.0 * LIMIT * precision.unit), inf])
    assert compare(third, off, precision).status == FAIL


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        ((3,), (4,)), ((1, 3), (3,)), ((), (1,)), ((1,), ()), ((0,), (1,)), ((1,), (0,)), ((0,), (0, 2)), ((3, 1), (3, 3)),
        ((2, 3), (3, 2)),
    ],
)  # fmt: skip
def test_a_shape_that_would_broadcast_is_still_wrong(got, expected):
    """Shapes must be equal, not only compatible, empty ones too; the sentence names both."""
    found = compare(ball(np.zeros(expected)), np.zeros(got), FLOAT32)
    assert (found.status, found.ratio, found.compared) == (FAIL, inf, 1)
    assert str(got) in found.why
    assert str(expected) in found.why


def test_an_empty_answer_of_the_right_shape_is_one_comparison():
    """Its shape was compared; that is what there was to compare."""
    assert compare(ball(np.zeros((0, 3))), np.zeros((0, 3)), FLOAT32) == Comparison(PASS, 0.0, 1, 1)


@pytest.mark.parametrize("got", [0.0, 1e30, nan, inf])
def test_nothing_comparable_is_no_comparison(got: float):
    """Where every radius is infinite nothing was compared, and the count says so."""
    found = compare(ball([0.0, nan, inf], inf), np.full(3, got), FLOAT32)
    assert found.compared == 0
    assert found.telling == 0


def test_elements_without_expectation_hide_no_others():
    """One unbounded element among three: two are compared, and the wrong one of them is found."""
    expected = ball([1.0, 2.0, 3.0])
    expected.radius[0] = inf
    assert compare(expected, np.array([99.0, 2.0, 3.0]), FLOAT32) == Comparison(PASS, 0.0, 2, 2, (1,), 2.0, 2.0)
    found = compare(expected, np.array([99.0, 2.0, 4.0]), FLOAT32)
    assert (found.status, found.where, found.expected, found.got, found.compared) == (FAIL, (2,), 3.0, 4.0, 2)


@pytest.mark.parametrize(("expected", "got"), [(0.0, -0.0), (-0.0, 0.0), (-0.0, -0.0)])
def test_the_sign_of_zero_does_not_count(expected: float, got: float):
    """Zeros are equal, exactly as comparisons have it."""
    assert judged(expected, got).ratio == 0.0


def test_exact_expectations_allow_no_error():
    """With radius zero the neighbouring number fails."""
    assert judged(1.0, 1.0).status == PASS
    assert judged(1.0, float(np.nextafter(np.float32(1.0), np.float32(2.0)))).ratio == inf
    assert judged(0.0, 1e-45).ratio == inf


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_everything_in_the_spread_is_right_and_nothing_beyond(side: float):
    """The spread is a set of answers: it is neither multiplied nor rounded; beyond it only the bound is left."""
    for got in (0.0, side * 0.25, side * 0.5):
        assert judged(0.0, got, spread=0.5).ratio == 0.0
    assert judged(0.0, side * 0.5000001, spread=0.5).ratio == inf
    assert judged(0.0, side * 0.625, radius=0.125, spread=0.5).status == PASS
    assert judged(0.0, side * 1.0, radius=0.125, spread=0.5).status == MARGINAL
    assert judged(0.0, side * 1.125, radius=0.125, spread=0.5).status == FAIL


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize(
    ("error", "status"),
    [(0.0, PASS), (0.5, PASS), (1.0, PASS), (1.001, MARGINAL), (4.0, MARGINAL), (4.001, FAIL), (1e30, FAIL)],
)
def test_ratio_and_thresholds(side: float, error: float, status: str):
    """Up to 1 bound passes, up to 4 is marginal, above fails; the ratio is error over bound."""
    found = judged(0.0, side * error * 0.125, radius=0.125)
    assert found.status == status
    assert found.ratio == pytest.approx(error, rel=1e-12)
    assert found.bound == 0.125
    assert LIMIT == 4.0


def test_the_worst_element_is_reported():
    """Of several wrong elements the one with the largest ratio, with its index; NaN beats every number."""
    expected = ball(np.zeros((2, 3)), 1.0)
    got = np.array([[0.0, 5.0, 2.0], [7.0, 0.5, -6.0]])
    found = compare(expected, got, FLOAT32)
    assert (found.where, found.got, found.ratio) == ((1, 0), 7.0, 7.0)
    got[0, 2] = nan
    assert compare(expected, got, FLOAT32).where == (0, 2)


def test_a_derivative_at_nan_is_not_judged():
    """Elements whose expected derivative is NaN are left out; of a value they are not."""
    expected = ball([nan, 1.0])
    got = np.array([5.0, 1.0])
    assert compare(expected, got, FLOAT32).status == FAIL
    assert compare(expected, got, FLOAT32, derivative=True) == Comparison(PASS, 0.0, 1, 1, (1,), 1.0, 1.0)
    assert compare(expected, np.array([5.0, nan]), FLOAT32, derivative=True).status == FAIL


def test_what_could_not_tell_right_from_wrong():
    """A bound as wide as the numbers lets a zero, a NaN or anything else pass: it tells nothing."""
    assert judged(1.0, 1.0, radius=1e-6).telling == 1
    assert judged(1.0, 1.0, radius=1.0).telling == 0
    assert judged(1.0, 1.0, spread=1.0).telling == 0
    assert judged(nan, nan).telling == 1
    assert judged(inf, inf).telling == 1
    assert judged(0.0, 0.0).telling == 1


def test_a_failure_without_numbers():
    """It counts, it fails, and it says why."""
    found = failure("no gradient flows")
    assert (found.status, found.ratio, found.compared) == (FAIL, inf, 1)
    assert found.sentence("d/dinput") == "d/dinput: no gradient flows"


@pytest.mark.parametrize(
    ("expected", "got", "kind"),
    [
        (1.0, nan, "nan"),
        (1.0, -inf, "inf"),
        (1.0, 2.0, "number"),
        (nan, 1.0, "number for nan"),
        (nan, inf, "inf for nan"),
        (inf, 1.0, "number for inf"),
        (-inf, nan, "nan for inf"),
        (inf, -inf, "inf for inf"),
        (1e300, 1.0, "number for inf"),  # beyond the range of float32
    ],
)
def test_what_came_out_is_told(expected: float, got: float, kind: str):
    """Of the elements that fail, and of each kind that there is; a right one beside them is no part of it."""
    assert judged(expected, got).wrong == (kind,)
    assert kind in WRONG
    assert judged(2.0, 2.0).wrong == ()
    beside = compare(ball([0.5, expected, 2.0, 3.0]), np.array([0.5, got, nan, 3.0]), FLOAT32)
    assert set(beside.wrong) == {kind, "nan"}


def test_what_is_marginal_is_not_wrong():
    assert judged(1.0, 1.0 + LIMIT, radius=1.0).wrong == ()


def test_all_that_is_wrong_in_several_arrays():
    """No kind is lost beside the worst array, and a difference that is none of numbers has a kind of its own."""
    found = [judged(1.0, 2.0), judged(1.0, 1.0), judged(1.0, nan), failure("no gradient flows")]
    assert all_wrong(found) == ["nan", "number", "other"]


def test_the_sentence_loses_no_bits():
    """Index, hex floats that read back as the very numbers, and the spread where there is one."""
    found = compare(ball([[0.1, 0.2]], 1e-9, 0.25), np.array([[0.1, 0.9]]), FLOAT32)
    sentence = found.sentence("value")
    assert sentence.startswith("value[0, 1] = ")
    assert (0.9).hex() in sentence
    assert (0.2).hex() in sentence
    assert "within 0.25" in sentence
    assert "nan" in judged(1.0, nan).sentence("value")


@pytest.mark.parametrize("precision", PRECISIONS.values(), ids=PRECISIONS)
@given(data=st.data())
def test_the_verdict_is_that_of_the_definition(precision: Precision, data: st.DataObject):
    """For finite numbers: pass if the distance less the spread is within the bound, fail above four bounds."""
    side = st.floats(-100.0, 100.0)
    value, got = data.draw(side), data.draw(side)
    radius, spread = data.draw(st.floats(1e-6, 10.0)), data.draw(st.sampled_from([0.0, 0.5, 3.0]))
    excess = max(abs(value - got) - spread, 0.0)
    found = judged(value, got, radius, spread, precision)
    assert found.compared == 1
    assert found.ratio == pytest.approx(excess / radius, rel=1e-9, abs=1e-9)
    assert found.status == (PASS if found.ratio <= 1.0 else MARGINAL if found.ratio <= LIMIT else FAIL)


def test_float64_is_judged_beyond_float64():
    """Double-double centres: an error below the spacing of float64 at the centre still counts."""
    expected = Ball.exactly([1.0], Rules.of(FLOAT64)) + Ball.exactly([2.0**-60], Rules.of(FLOAT64))
    found = compare(expected, np.array([1.0]), FLOAT64)
    assert found.status == PASS
    assert found.ratio == pytest.approx(2.0**-60 / 2.0**-53, rel=1e-6)


@pytest.mark.parametrize(
    ("got", "eager", "status"),
    [(nan, nan, PASS), (0.0, -0.0, PASS), (0.0, nan, FAIL), (nan, 0.0, FAIL), (1.0, 0.0, FAIL), (inf, inf, PASS)],
)
def test_where_a_loss_is_nan_a_graph_is_held_to_its_class(got: float, eager: float, status: str):
    """What the derivative is there is a convention, but one class has only one."""
    found = alike(np.array([nan, got]), np.array([nan, eager]))
    assert found.status == status
    assert found.compared == found.telling == 2
    assert bool(found.wrong) == (status == FAIL)
