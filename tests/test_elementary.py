"""The vectorised elementary functions of the reference against numpy's and scipy's loops."""

import warnings

import mpmath
import numpy as np
import pytest
from scipy import special

from reference.elementary import log_add_exp, log_expit, log_expits

FORMATS = [np.float32, np.float64]
ULPS = 4.0  # what the bound of an implementation allows a logarithm of the sigmoid


def scores(dtype):
    rng = np.random.default_rng(7)
    drawn = np.concatenate([rng.normal(0.0, 4.0, 5000), rng.uniform(-700.0, 700.0, 2000), rng.normal(0.0, 1e-6, 500)])
    return drawn.astype(dtype)


@pytest.mark.parametrize("dtype", FORMATS)
def test_log_expit_keeps_its_relative_accuracy(dtype):
    """The error is below four units in the last place from the far negative to where the result underflows."""
    x = scores(dtype)
    found = log_expit(x)
    assert found.dtype == dtype
    with mpmath.workdps(60):
        wanted = np.array([float(-mpmath.log1p(mpmath.exp(-mpmath.mpf(float(v))))) for v in x])
    normal = np.abs(wanted) > np.finfo(dtype).tiny
    assert normal.sum() > 5000
    error = np.abs(found.astype(float) - wanted)[normal]
    assert np.all(error <= ULPS * np.finfo(dtype).eps * np.abs(wanted)[normal])


@pytest.mark.parametrize("dtype", FORMATS)
def test_log_expit_at_its_ends_and_in_no_dimension(dtype):
    """Infinities, NaN, zero and an array without axes give what scipy gives, and no warning."""
    ends = np.array([-np.inf, np.inf, np.nan, 0.0, -0.0], dtype=dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(log_expit(ends), special.log_expit(ends), rtol=1e-6)
        assert log_expit(np.array(0.5, dtype=dtype)) == pytest.approx(special.log_expit(0.5))
    assert np.all(np.isneginf(log_expit(ends)[:1]))
    assert np.array_equal(log_expit(np.arange(3)), special.log_expit(np.arange(3.0)))


@pytest.mark.parametrize("dtype", FORMATS)
def test_both_log_expits_are_those_of_either(dtype):
    """Of -x and of x, at the ends too, and for numbers that are no array."""
    x = np.concatenate([scores(dtype), np.array([-np.inf, np.inf, np.nan, 0.0, -0.0], dtype=dtype)])
    for found, wanted in zip(log_expits(x), (log_expit(-x), log_expit(x)), strict=True):
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, wanted)
    assert log_expits(0.5) == (special.log_expit(-0.5), special.log_expit(0.5))


@pytest.mark.parametrize("dtype", FORMATS)
def test_log_add_exp_is_numpys_sum_of_probabilities(dtype):
    """Ordinary logarithms, those of 0 among them, all of them 0, and NaN give what numpy's loop gives, without warnings."""
    rng = np.random.default_rng(8)
    terms = rng.uniform(-90.0, 0.0, (3, 40, 7)).astype(dtype)
    terms[rng.random(terms.shape) < 0.3] = -np.inf
    terms[:, 0] = -np.inf
    terms[1, 1] = np.nan
    before = terms.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = log_add_exp(list(terms))
    with np.errstate(invalid="ignore"):
        wanted = np.logaddexp.reduce(terms.astype(float), axis=0)
    assert found.dtype == dtype
    assert np.array_equal(np.isneginf(found), np.isneginf(wanted))
    assert np.isneginf(found[0]).all()
    assert np.isnan(found[1]).all()
    np.testing.assert_allclose(found, wanted, rtol=8 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(terms, before)
