"""The losses once more, from another source: scipy, mpmath at 50 digits, or enumeration; slow and independent of reference/.

``SECOND`` holds by item slug a function of the inputs and options that returns the unreduced losses; ``SHAPES`` the shapes
on which an item is affordable here, for those whose declared shapes are not.
"""

from itertools import product

import mpmath
import numpy as np
from scipy import special, stats
from scipy.spatial import distance


def elementwise(scalar):
    """Evaluate ``scalar`` on every element at 50 digits."""

    def array(*inputs, **options):
        inputs = np.broadcast_arrays(*inputs)
        with mpmath.workdps(50):
            values = [float(scalar(*map(mpmath.mpf, each), **options)) for each in zip(*(a.ravel().tolist() for a in inputs))]
        return np.reshape(np.array(values), inputs[0].shape)

    return array


def rowwise(scalar, axis=-1):
    """Evaluate ``scalar`` on every slice along ``axis``; inputs that lack the axis give one number for each slice."""

    def array(x, *others, **options):
        along = (1 if x.ndim > 1 else 0) if axis == "classes" else axis
        rows = np.moveaxis(x, along, -1)
        columns = [np.moveaxis(a, along, -1) if a.ndim == x.ndim else a for a in others]
        with mpmath.workdps(50):
            values = [float(scalar(rows[i], *(a[i] for a in columns), **options)) for i in np.ndindex(rows.shape[:-1])]
        return np.reshape(np.array(values), rows.shape[:-1])

    return array


def bce(x, y, *, weight):
    floor = np.exp(-100.0)
    kept = special.xlogy(y, np.maximum(x, floor)) + special.xlogy(1.0 - y, np.maximum(1.0 - x, floor))
    return -kept * (1.0 if weight is None else weight)


def cross_entropy(x, y, *, weight, ignore_index, label_smoothing):
    classes = len(x)
    weight = np.ones(classes) if weight is None else weight
    total = mpmath.fsum(mpmath.exp(v) for v in x)
    nll = [-w * mpmath.log(mpmath.exp(v) / total) for v, w in zip(x, weight)]
    if np.ndim(y) == 0 and y == ignore_index:
        return 0
    hard = nll[int(y)] if np.ndim(y) == 0 else mpmath.fdot(zip(nll, y))
    return (1 - mpmath.mpf(label_smoothing)) * hard + mpmath.mpf(label_smoothing) / classes * mpmath.fsum(nll)


def smooth_l1(x, y, *, beta):
    return special.huber(beta, x - y) / beta if beta else np.maximum(x - y, y - x)


def poisson_nll(x, t, *, log_input, full, eps):
    rate, log_rate = (mpmath.exp(x), x) if log_input else (x, mpmath.log(x + mpmath.mpf(eps)))
    stirling = mpmath.log(mpmath.sqrt(2 * mpmath.pi * t) * (t / mpmath.e) ** t) if full and t > 1 else 0
    return rate - t * log_rate + stirling


def nll(x, y, *, weight, ignore_index):
    return 0.0 if y == ignore_index else -(1.0 if weight is None else weight[y]) * x[y]


def bce_with_logits(x, y, *, weight, pos_weight):
    """The logarithms of the sigmoid and of its complement, each as it stands, at 50 digits."""
    weight, pos_weight = (np.ones(()) if w is None else w for w in (weight, pos_weight))

    def each(x, y, w, p):
        yes, no = 1 / (1 + mpmath.exp(-x)), 1 / (1 + mpmath.exp(x))
        return -w * ((p * y * mpmath.log(yes) if y else 0) + ((1 - y) * mpmath.log(no) if y != 1 else 0))

    return elementwise(each)(x, y, weight, pos_weight)


def gaussian_nll(x, t, var, *, full, eps):
    """Minus the logarithm of scipy's normal density, less its constant."""
    var = np.asarray(var)
    var = var[..., None] if np.shape(var) == x.shape[:-1] else var
    losses = -stats.norm.logpdf(t, loc=x, scale=np.sqrt(np.clip(var, eps, None)))
    return losses if full else losses + stats.norm.logpdf(0.0)


def multilabel_soft_margin(x, y, *, weight):
    weight = np.ones(len(x)) if weight is None else weight
    signed = [-v if label else v for v, label in zip(map(mpmath.mpf, x), y)]
    return mpmath.fsum(w * mpmath.log(1 + mpmath.exp(v)) for v, w in zip(signed, weight)) / len(x)


SECOND_DISTANCES = {
    "": lambda x, y: distance.euclidean(x + 1e-6, y),
    "pairwise_1": lambda x, y: distance.cityblock(x + 1e-6, y),
    "cosine": distance.cosine,
    "l_infinity": distance.chebyshev,
    "squared": distance.sqeuclidean,
}


def triplet_margin_with_distance(a, positive, negative, *, distance_function, margin, swap):
    d = SECOND_DISTANCES[getattr(distance_function, "label", "")]
    nearest = min(d(a, negative), d(positive, negative)) if swap else d(a, negative)
    return max(0.0, d(a, positive) - nearest + margin)


def adaptive_log_softmax(x, y, head, *rest, in_features, n_classes, cutoffs, div_value, head_bias):
    """The probabilities of all classes, row by row, and minus the logarithm of that of the target."""
    bias = rest[0] if head_bias else np.zeros(len(head))
    tail, first = rest[head_bias:], cutoffs[0]

    def probabilities(row):
        in_head = special.softmax(head @ row + bias)
        parts = [in_head[:first]]
        for i, share in enumerate(in_head[first:]):
            parts.append(share * special.softmax(tail[2 * i + 1] @ (tail[2 * i] @ row)))
        return np.concatenate(parts)

    assert len(probabilities(np.zeros(in_features))) == n_classes
    losses = [-np.log(probabilities(x[i])[y[i]]) for i in np.ndindex(x.shape[:-1])]
    return np.reshape(np.array(losses), x.shape[:-1])


def linear_cross_entropy(x, y, w, *rest, in_features, num_classes, out_features, bias, options, ignore_index, **how):
    """The matrix product of numpy, then the cross entropy of this file."""
    scores = x @ w.T + (rest[0] if bias else 0.0)
    logits = scores.reshape(*x.shape[:-1], num_classes, *out_features)
    return rowwise(cross_entropy, axis="classes")(logits, y, ignore_index=-100 if ignore_index is None else ignore_index, **how)


def kl_div(x, t, *, log_target):
    return special.kl_div(np.exp(t) if log_target else t, np.exp(x)) + (np.exp(t) if log_target else t) - np.exp(x)


def hinge_embedding(x, y, *, margin):
    return x if y == 1 else max(0, mpmath.mpf(margin) - x)


def multilabel_margin(x, y):
    labels = [int(label) for label in y[: int(np.argmax(np.append(y, -1) == -1))]]
    others = [i for i in range(len(x)) if i not in labels]
    return sum(max(0.0, 1.0 - (x[j] - x[i])) for j in labels for i in others) / len(x)


def multi_margin(x, y, *, p, margin, weight):
    hinges = [max(0.0, margin - x[y] + x[i]) ** p for i in range(len(x)) if i != y]
    return (1.0 if weight is None else weight[y]) * sum(hinges) / len(x)


def triplet_margin(a, positive, negative, *, margin, p, eps, swap):
    to_positive, to_negative = distance.minkowski(a + eps, positive, p), distance.minkowski(a + eps, negative, p)
    if swap:
        to_negative = min(to_negative, distance.minkowski(positive + eps, negative, p))
    return max(0.0, to_positive - to_negative + margin)


def cosine_embedding(x1, x2, y, *, margin):
    cosine = 1.0 - distance.cosine(x1, x2) if x1.any() and x2.any() else 0.0
    return 1.0 - cosine if y == 1 else max(0.0, cosine - margin)


def ctc(log_probs, targets, input_lengths, target_lengths, *, blank, zero_infinity):
    """Enumerate every path of every row."""
    if log_probs.ndim == 2:
        log_probs = log_probs[:, None]
    lengths = np.reshape(target_lengths, -1).tolist()
    rows = np.split(targets, np.cumsum(lengths)[:-1]) if targets.ndim == 1 else list(targets)
    losses = []
    for n, (frames, length) in enumerate(zip(np.reshape(input_lengths, -1).tolist(), lengths)):
        probability = 0.0
        for path in product(range(log_probs.shape[-1]), repeat=frames):
            spelled = [label for t, label in enumerate(path) if label != blank and (t == 0 or label != path[t - 1])]
            if spelled == rows[n][:length].tolist():
                probability += np.prod([np.exp(log_probs[t, n, label]) for t, label in enumerate(path)])
        losses.append(-np.log(probability) if probability else 0.0 if zero_infinity else np.inf)
    return np.reshape(np.array(losses), np.shape(target_lengths))


SECOND = {
    "nll": rowwise(nll, axis="classes"),
    "nll_2d": rowwise(nll, axis="classes"),
    "bce_with_logits": bce_with_logits,
    "gaussian_nll": gaussian_nll,
    "huber": lambda x, y, *, delta: special.huber(delta, x - y) if np.isfinite(delta) else 0.5 * (x - y) ** 2,
    "multilabel_soft_margin": rowwise(multilabel_soft_margin),
    "triplet_margin_with_distance": rowwise(triplet_margin_with_distance),
    "adaptive_log_softmax": adaptive_log_softmax,
    "linear_cross_entropy": linear_cross_entropy,
    "bce": bce,
    "cross_entropy": rowwise(cross_entropy, axis="classes"),
    "l1": elementwise(lambda x, y: max(x - y, y - x)),
    "mse": elementwise(lambda x, y: x**2 - 2 * x * y + y**2),
    "smooth_l1": smooth_l1,
    "poisson_nll": elementwise(poisson_nll),
    "kl_div": kl_div,
    "margin_ranking": elementwise(lambda x1, x2, y, margin: max(0, mpmath.mpf(margin) - y * (x1 - x2))),
    "multilabel_margin": rowwise(multilabel_margin),
    "soft_margin": elementwise(lambda x, y: mpmath.log(1 + mpmath.exp(-y * x))),
    "multi_margin": rowwise(multi_margin),
    "triplet_margin": rowwise(triplet_margin),
    "hinge_embedding": elementwise(hinge_embedding),
    "cosine_embedding": rowwise(cosine_embedding),
    "ctc": ctc,
}

SHAPES = {
    "ctc": ((4, 2, 3), (5, 3, 3), (3, 1, 4)),
    "adaptive_log_softmax": ((2, 3), (3,)),
    "linear_cross_entropy": ((3, 2), (2,)),
}
