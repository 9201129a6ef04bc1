"""Elementary functions that numpy and scipy have as loops over single numbers, here by vector instructions.

On plain arrays these are compositions of vectorised operations, several times as fast. On anything else, numbers that carry
an error bound, more digits or a derivative, they are numpy's and scipy's own functions, for which such numbers have rules.
"""

import numpy as np
from scipy import special


def log_expit(x):
    """log(1 / (1 + exp(-x))) with a small relative error for every x; -inf at -inf."""
    if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
        return special.log_expit(x)
    rest = _log_rest(x)
    return np.subtract(np.minimum(x, 0.0), rest, out=rest)


def log_expits(x):
    """log_expit of -x and of x, which share their logarithm."""
    if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
        return special.log_expit(-x), special.log_expit(x)
    rest = _log_rest(x)
    below = np.subtract(np.minimum(x, 0.0), rest)
    return -np.add(np.maximum(x, 0.0), rest, out=rest), below


def _log_rest(x):
    """log(1 + exp(-abs(x))), by which log_expit is below min(x, 0)."""
    rest = np.abs(x, out=np.empty_like(x))
    for step in (np.negative, np.exp, np.log1p):
        step(rest, out=rest)
    return rest


LEAST = -1e38  # the logarithm of what is as good as 0, finite in float32 too


def log_add_exp(terms):
    """log(exp(a) + exp(b) + ...) for logarithms of probabilities of equal shape, -inf among them."""
    if not all(isinstance(term, np.ndarray) for term in terms):
        return np.logaddexp.reduce(np.stack(terms), axis=0)
    top = np.maximum(terms[0], LEAST)  # -inf - -inf is no number
    for term in terms[1:]:
        np.maximum(top, term, out=top)
    total, share = np.zeros_like(top), np.empty_like(top)
    for term in terms:
        np.subtract(term, top, out=share)
        total += np.exp(share, out=share)
    with np.errstate(divide="ignore"):
        return np.add(top, np.log(total, out=total), out=total)
