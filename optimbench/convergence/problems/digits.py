"""Real images that install with a package: the 1797 handwritten digits, 8 by 8, of scikit-learn; enlarged for networks."""

from __future__ import annotations

import functools

import numpy as np

from optimbench.convergence.problem import Arrays, stream

SIDE, CLASSES = 8, 10


@functools.cache
def digits(side: int = SIDE, count: int | None = None) -> Arrays:
    """``image`` (count, side, side), grey from 0 to 1, enlarged by linear interpolation, and ``label`` (count,).

    ``count`` images are drawn, always the same ones; None: all 1797 in their order.
    """
    from sklearn.datasets import load_digits

    found = load_digits()
    image, label = found.images / 16.0, found.target.astype(np.int64)
    if count is not None:
        drawn = stream("digits", f"{count} images", 0).permutation(len(image))[:count]
        image, label = image[drawn], label[drawn]
    enlarge = enlargement(side)
    return {"image": enlarge @ image @ enlarge.T, "label": label}


def enlargement(side: int) -> np.ndarray:
    """The matrix (side, 8) of linear interpolation; the corners stay corners."""
    places = np.linspace(0.0, SIDE - 1.0, side)
    return np.maximum(0.0, 1.0 - np.abs(places[:, None] - np.arange(SIDE)))


def cross_entropy(scores: np.ndarray, label: np.ndarray) -> tuple[float, np.ndarray]:
    """The mean of -log softmax(scores) (n, classes) at the labels, and its gradient."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    total = np.exp(shifted).sum(axis=1, keepdims=True)
    rows = np.arange(len(label))
    slope = np.exp(shifted) / total
    slope[rows, label] -= 1.0
    return float(np.mean(np.log(total[:, 0]) - shifted[rows, label])), slope / len(label)
