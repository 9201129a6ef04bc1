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
    rest = np.abs(x, out=np.empty_like(x))
    for step in (np.negative, np.exp, np.log1p):
        step(rest, out=rest)
    return np.subtract(np.minimum(x, 0.0), rest, out=rest)


LEAST = -1e38  # the logarithm of what is as good as 0, finite in float32 too


def log_add_exp(terms):
    """log(exp(a) + exp(b) + ...) for logarithms of probabilities of equal shape, -inf among them."""
    if not all(isinstance(term, np.ndarray) for term in terms):
        return np.logaddexp.reduce(np.stack(terms), axis=0)
    stacked = np.stack(terms)
    top = np.maximum(stacked.max(axis=0), LEAST)  # -inf - -inf is no number
    stacked -= top
    with np.errstate(divide="ignore"):
        return top + np.log(np.exp(stacked, out=stacked).sum(axis=0))
