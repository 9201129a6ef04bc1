import numpy as np

from benchkit.contract import (
    Acceptance,
    Refusal,
    cast,
    misfit,
    no_number,
    out_of_range,
    shaped,
    unlike,
    wrong_format,
    wrong_weights,
)
from benchkit.domains import Domain, class_indices, class_probabilities, class_weights, without_class_axis
from benchkit.spec import Figure, loss
from reference.summation import drifting_count

MANY_ROWS = (16, 2)


def with_large_losses(draw, scores):
    """Rows of one large score, no -inf and no NaN: every loss and their mean are representable, while their sum overflows."""
    return np.where(np.arange(2) == draw.rng.integers(0, 2, (len(scores), 1)), 0.75 * draw.precision.largest, scores)


LONG = "The target data type is required to be long when using class indices"
PLACES = "Target: (N, d_1, d_2, ..., d_K)"


def with_extremes(draw, scores, axis, reach):
    """Scores with -inf (an impossible class) and what is extreme for the options: the largest number in rows that are smoothed,
    -inf for classes of weight 0, NaN with the default options. Each has its own options, so that no failure hides another."""
    weight, smoothing = draw.options["weight"], draw.options["label_smoothing"]
    plain = weight is None and not smoothing and draw.options["ignore_index"] == -100
    if scores.shape == MANY_ROWS:
        return with_large_losses(draw, scores)
    p, row = draw.precision, (*scores.shape[:axis], 1, *scores.shape[axis + 1 :])
    classes = np.arange(scores.shape[axis]).reshape((-1,) + (1,) * (scores.ndim - axis - 1))
    top = reach * p.largest
    edges = [-np.inf] * 9 + ([top, top, -top] if plain else []) + [np.nan] * 3 * plain
    some = draw.rng.random(row) < 0.5
    scores = draw.mix_edges(scores, edges)
    if weight is not None:
        scores = np.where((weight[classes] == 0.0) & some, -np.inf, scores)
    elif 0.0 < smoothing < 1.0:
        here = classes == draw.rng.integers(0, classes.size, row)
        scores = np.where(here & some, p.largest, scores)
    return scores if plain else np.where((scores == -np.inf).all(axis=axis, keepdims=True), 0.0, scores)


def logits(*, extreme=False, reach=1.0):
    """Real scores; the edge lane moves whole rows far from 0, where scores tie, and may hold ``extreme`` ones that ``reach`` a
    part of the largest number: a logarithm that is multiplied by a probability must be a number of the format itself."""

    def sample(draw):
        if draw.lane == "exact":
            return draw.rng.integers(-12, 13, draw.shape) / 4.0
        ordinary = draw.rng.normal(0.0, 2.0, draw.shape) * 2.0 ** draw.rng.uniform(-3, 1, draw.shape)
        if draw.lane == "ordinary":
            return ordinary
        p = draw.precision
        big = min(1e8, p.largest / 64.0)
        axis = 1 if len(draw.shape) > 1 else 0
        row = (*draw.shape[:axis], 1, *draw.shape[axis + 1 :])
        moved = ordinary + draw.rng.choice([0.0, 0.0, 1000.0, -1000.0, big], row)
        mixed = draw.mix_edges(moved, [0.0, -0.0, p.smallest_subnormal, big, -big])
        return with_extremes(draw, mixed, axis, reach) if extreme and mixed.size else mixed

    return Domain("logits", sample, differentiable=True)


def high():
    """Scores by which, in the edge lane, class 0 is so improbable that three losses add up to more than the largest number."""

    def sample(draw):
        if draw.lane != "edge":
            return logits().sample(draw)
        axis = 1 if len(draw.shape) > 1 else 0
        others = np.arange(draw.shape[axis]).reshape((-1,) + (1,) * (len(draw.shape) - axis - 1)) > 0
        return np.where(others, draw.precision.largest * draw.rng.uniform(0.4, 0.8, draw.shape), 0.0)

    return Domain("high", sample, differentiable=True)


def first_class():
    """Class 0 for every row."""
    return Domain("indices", lambda draw: np.zeros(without_class_axis(draw), dtype=np.int64), floating=False)


def distributions():
    """Distributions over the classes, of each row."""
    return Domain(
        "probabilities",
        lambda draw: class_probabilities(axis=1 if len(draw.shape) > 1 else 0).sample(draw),
        differentiable=True,
    )


def class_axis(x):
    """The axis of the classes: 1, or 0 for a single unbatched vector of scores."""
    return 1 if x.ndim > 1 else 0


def log_softmax(x):
    """Logarithm of the softmax along the class axis, shifted by the largest score so that no exponential overflows."""
    shifted = x - np.max(x, axis=class_axis(x), keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=class_axis(x), keepdims=True))


def indexed(y):
    """Whether the target holds class indices; otherwise it holds class probabilities."""
    return isinstance(y, np.ndarray) and y.dtype.kind in "iu"


def target_distribution(x, y, ignore_index):
    """Which rows count, and the distribution over the classes that the target asks for; class indices as 0 and 1."""
    if not indexed(y):
        return True, y
    y = np.expand_dims(y, class_axis(x))
    classes = np.reshape(np.arange(class_count(x)), per_class(x))
    return y != ignore_index, np.where(classes == y, 1.0, 0.0)


def class_count(x):
    """The number of classes."""
    return x.shape[class_axis(x)]


def per_class(x):
    """The shape in which one number for each class broadcasts against x."""
    return (-1,) + (1,) * (x.ndim - class_axis(x) - 1)


def times(w, q, log_p):
    """The product, with 0 * -inf = 0: a class without probability or weight adds nothing, however impossible it is held."""
    return np.where(((w == 0.0) | (q == 0.0)) & (log_p == -np.inf), 0.0, w * q * log_p)


def allowed(variant, *, weight, ignore_index, label_smoothing, **_):
    """torch refuses an ignored index that could be a class together with probabilities; ``high`` is about the mean alone."""
    if variant == "high":
        return weight is None and ignore_index == -100 and not label_smoothing
    return not variant.endswith("probabilities") or ignore_index < 0


@loss(
    "torch.nn.CrossEntropyLoss",
    functional="cross_entropy",
    inputs={
        "indices": {"input": logits(), "target": class_indices(ignore="ignore_index")},
        "probabilities": {"input": logits(), "target": distributions()},
        "extreme-indices": {"input": logits(extreme=True), "target": class_indices(ignore="ignore_index")},
        "extreme-probabilities": {"input": logits(extreme=True, reach=0.25), "target": distributions()},
        "high": {"input": high(), "target": first_class()},
    },
    options={"weight": [None, class_weights(differentiable=True)], "ignore_index": [-100, 1], "label_smoothing": [0.0, 0.1]},
    edge_options={"ignore_index": [-1, 2**32], "label_smoothing": [1.0]},
    valid=lambda options: allowed(**{"variant": "", **options}),
    shapes=((4, 5), (2, 3, 4), (2, 3, 2, 2), (5,)),
    edge_shapes=((0, 3), (2, 3, 0), (1, 1), (1,), (6, 2), MANY_ROWS),
    row_axes=class_axis,
    tags={"probabilities", "classes"},
    family="classification",
    operations_per_element=5,
    row_lengths=({"C": 10}, {"C": 1000}, {"C": 32768}),
    contract=[
        *out_of_range(stated="Class indices in the range [0, C)"),
        *out_of_range(
            stated="Class indices in the range [0, C)",
            suffix=" with smoothing",
            options={"label_smoothing": 0.1},
            shapes=[(4, 5)],
        ),
        *wrong_format("target", "int32", "int16", "bool", "float32", "float64", stated=LONG, shapes=[(4, 5)]),
        Refusal(
            "target without its places",
            PLACES,
            inputs={"target": shaped(lambda y: y[:, 0])},
            shapes=[(2, 3, 2, 2)],
        ),
        *unlike("target", stated="Target: (N)", axes=1, shape=(4, 5)),
        Refusal("target of one entry for a single row", PLACES, inputs={"target": shaped(lambda y: y[None])}, shapes=[(5,)]),
        Refusal(
            "target of one column",
            PLACES,
            inputs={"target": shaped(lambda y: y[..., :1])},
            shapes=[(2, 3, 2, 2)],
            compiled=True,
        ),
        *wrong_weights("weight: has to be a Tensor of size C", shapes=[(4, 5)]),
        *wrong_weights(
            "weight: has to be a Tensor of size C", variant="probabilities", suffix=" with probabilities", shapes=[(4, 5)]
        ),
        *(
            Refusal(f"label_smoothing {value}", "A float in [0.0, 1.0]", options={"label_smoothing": value}, compiled=True)
            for value in (-0.1, 1.1)
        ),
        *no_number("label_smoothing"),
        *misfit(
            stated="If containing class probabilities, the target must be the same shape input",
            variant="probabilities",
            suffix=" with probabilities",
        ),
        Refusal(
            "probabilities in int64",
            "the target data type is required to be float when using class probabilities",
            inputs={"target": cast("int64")},
            variant="probabilities",
        ),
        Refusal(
            "ignore_index with probabilities",
            "ignore_index is only applicable when the target contains class indices",
            options={"ignore_index": 1},
            variant="probabilities",
            compiled=True,
        ),
        Acceptance("target in uint8", inputs={"target": cast("uint8")}, shapes=[(4, 5), (5,)]),
    ],
    document="3.5.2",
    source="torch.nn.CrossEntropyLoss documentation; Szegedy et al., Rethinking the Inception architecture, 2016, section 7",
    figure=Figure(
        xlabel="logit of the true class, against one logit 0",
        span=(-6.0, 6.0),
        inputs=lambda x: (np.stack([x, np.zeros_like(x)], axis=1), np.zeros(x.shape, dtype=np.int64)),
        options=[{"label_smoothing": 0.0}, {"label_smoothing": 0.1}, {"label_smoothing": 1.0}],
        gradient=lambda by: by[0][:, 0],
    ),
)
def cross_entropy(x, y, *, weight, ignore_index, label_smoothing):
    """Cross entropy between the softmax of the scores and a target class or a target distribution over the classes.

    Formula: loss = -sum_c w_c q_c log(softmax(x)_c), w = 1 without weight. Class probabilities are q themselves; a class index
        is q = 1 for that class and 0 for the others. Smoothing s replaces q by (1 - s) q + s / C for C classes, so that with
        indices loss = -(1 - s) w_y log(softmax(x)_y) - (s / C) sum_c w_c log(softmax(x)_c): the uniform part has the
        weight of every class, not that of the target's. The loss of a row with the ignored index is 0.
    Mean: with indices, the sum over the weights w_y of the rows that are not ignored, smoothed or not (NaN if these are 0);
        with probabilities, the sum over the number of rows, whatever their weights.
    Shapes: x (C), (N, C) or (N, C, d1, ...); indices have the shape of x without C, probabilities that of x; weight (C);
        one loss for each row.
    Domain: scores finite or -inf, not all -inf in a row; indices in [0, C) or the ignored one, which applies to indices alone
        (torch raises for a non-negative one with probabilities); s in [0, 1]. Rows of probabilities need not sum to 1.
        torch can differentiate by class probabilities; by weight only with probabilities (it raises with indices). The
        derivative of the mean by weight is left out here.
    Edges: by the convention of the entropy 0 log 0 = 0, a class with q = 0 or w = 0 adds 0 where its softmax is 0. An
        ignored row has derivative 0 whatever its scores are.
    Where torch differs (variants ``extreme``): 0 * log 0 is NaN, in the value for probabilities, weight 0 and smoothing 1; a
        difference of scores or a sum over the classes overflows early; an ignored row with NaN has the derivative NaN. The
        mean over indices overflows in float16 where the sum of the losses does (variant ``high``).
    Accuracy: scores are shifted by the largest of the row; the derivative cancels where softmax(x) is near q.
    Source: torch.nn.CrossEntropyLoss documentation; Szegedy et al., 2016, section 7.
    """
    kept, q = target_distribution(x, y, ignore_index)
    if label_smoothing:
        q = (1.0 - label_smoothing) * q + label_smoothing / class_count(x)
    w = 1.0 if weight is None else np.reshape(weight, per_class(x))
    terms = -times(w, q, log_softmax(x))
    return np.sum(np.where(kept, terms, 0.0), axis=class_axis(x))


@cross_entropy.gradient
def _(x, y, *, weight, ignore_index, label_smoothing):
    kept, q = target_distribution(x, y, ignore_index)
    if label_smoothing:
        q = (1.0 - label_smoothing) * q + label_smoothing / class_count(x)
    w = 1.0 if weight is None else np.reshape(weight, per_class(x))
    log_p = log_softmax(x)
    by_x = np.where(kept, np.exp(log_p) * np.sum(w * q, axis=class_axis(x), keepdims=True) - w * q, 0.0)
    # With smoothing 1 an impossible class makes the loss infinite whatever q is: there is no derivative by q, 0 * -inf.
    found = (by_x,) if indexed(y) else (by_x, -(1.0 - label_smoothing) * times(w, 1.0, log_p))
    by_weight = np.moveaxis(np.where(kept, -times(1.0, q, log_p), 0.0), class_axis(x), -1)
    return found if weight is None else (*found, by_weight)


@cross_entropy.denominator("mean")
def _(x, y, *, weight, ignore_index, label_smoothing):
    if not indexed(y):
        return np.float64(np.prod(x.shape) / class_count(x))
    kept = y != ignore_index
    w = np.ones(class_count(x)) if weight is None else weight
    return np.sum(np.where(kept, w[np.where(kept, y, 0)], 0.0))


cross_entropy.wrong("uniform part of the smoothing counts ignored rows", "np.where(kept, terms, 0.0)", "terms", thread="73205")
cross_entropy.wrong(
    "ignored rows keep what was in memory", "np.where(kept, terms, 0.0)", "np.where(kept, terms, x)", thread="20406"
)
cross_entropy.wrong("ignore_index ignored", "(x, y, ignore_index)", "(x, y, -100)", thread="108148")
cross_entropy.wrong(
    "ignore_index wrapped to 32 bits",
    "(x, y, ignore_index)",
    "(x, y, (ignore_index + 2**31) % 2**32 - 2**31)",
    thread="PR 187559",
)
cross_entropy.wrong(
    "scores not shifted: exponentials overflow",
    "log_softmax(x)",
    "(x - np.log(np.sum(np.exp(x), axis=class_axis(x), keepdims=True)))",
    thread="11752",
)
cross_entropy.wrong(
    "log-sum-exp rounded together with large scores",
    "log_softmax(x)",
    "(x - np.logaddexp.reduce(x, axis=class_axis(x), keepdims=True))",
    thread="11752",
)
cross_entropy.wrong("weights not applied", "times(w, q,", "times(1.0, q,")
cross_entropy.wrong(
    "uniform part of the smoothing spread over C - 1 classes", "/ class_count(x)", "/ max(class_count(x) - 1, 1)"
)
cross_entropy.wrong("smoothing adds to the target without taking from it", "(1.0 - label_smoothing) * q", "q")
cross_entropy.wrong(
    "softmax not multiplied by the sum of the weights",
    "np.exp(log_p) * np.sum(w * q, axis=class_axis(x), keepdims=True)",
    "np.exp(log_p)",
    part="gradient",
)
cross_entropy.wrong("derivative of ignored rows not cleared", "np.where(kept, np.exp", "np.where(True, np.exp", part="gradient")
cross_entropy.wrong(
    "mean over all rows, ignored ones too",
    "np.where(kept, w[np.where(kept, y, 0)], 0.0)",
    "w[np.where(kept, y, 0)]",
    part="mean",
)
cross_entropy.wrong(
    "mean over the number of rows, not their weights",
    "np.ones(class_count(x)) if weight is None else weight",
    "np.ones(class_count(x))",
    part="mean",
)


@cross_entropy.planted("smoothing with weights: denominator counts ignored rows", part="mean", thread="69339, PR 69511")
def _(x, y, *, weight, ignore_index, label_smoothing):
    if not indexed(y):
        return np.float64(np.prod(x.shape) / class_count(x))
    kept = y != ignore_index
    w = np.ones(class_count(x)) if weight is None else weight
    return np.sum(
        w[np.where(kept, y, 0)] if label_smoothing and weight is not None else np.where(kept, w[np.where(kept, y, 0)], 0.0)
    )


@cross_entropy.planted(
    "one float32 sum, number by number, drifts in a large mean", part="mean", thread="55657", where="-large-"
)
def _(x, y, **options):
    losses = cross_entropy(x, y, **options)
    return cross_entropy.reductions["mean"](x, y, **options) / losses.size * drifting_count(losses)


cross_entropy.equivalent(
    "-times(w, q, log_softmax(x)) → -times(q, w, log_softmax(x))",
    "-(1.0 - label_smoothing) * times(w, 1.0, log_p) → -(1.0 - label_smoothing) * times(1.0, w, log_p)",
    "np.where(kept, -times(1.0, q, log_p), 0.0) → np.where(kept, -times(q, 1.0, log_p), 0.0)",
    why="The product takes weight and probability in either order.",
)
cross_entropy.equivalent(
    "((w == 0.0) | (q == 0.0)) & (log_p == -np.inf) → (w == 0.0) | (q == 0.0)",
    why="A finite logarithm times 0 is 0, and a row with NaN has NaN in the terms of all its classes.",
)
