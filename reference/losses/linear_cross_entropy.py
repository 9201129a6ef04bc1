import math

import numpy as np

from benchkit.contract import Refusal, no_number, out_of_range, shaped, unlike, wrong_format, wrong_weights
from benchkit.domains import Domain, reals
from benchkit.spec import Figure, Native, loss
from reference.losses.adaptive_log_softmax import linear, outer
from reference.losses.cross_entropy import cross_entropy

CHUNKED = [
    Native("chunked", "torch.nn.LinearCrossEntropyOptions()"),
    Native("chunks_of_2", "torch.nn.LinearCrossEntropyOptions(batch_chunk_size=2, allow_retain_graph=True)"),
]
BALANCED = "<2.14"  # the releases that have this policy
POLICIES = [
    Native("accurate", "torch.nn.LinearCrossEntropyOptions(batch_chunk_size=3, acc_policy='accurate')"),
    Native(
        "balanced",
        "torch.nn.LinearCrossEntropyOptions(chunking_method='aspect_ratio', acc_policy='balanced')",
        versions=BALANCED,
    ),
]
MIXED = [
    Native(
        f"{policy}_in_float32",
        f"torch.nn.LinearCrossEntropyOptions(batch_chunk_size=2, acc_policy={policy!r}, acc_dtype=torch.float32)",
        dtypes=("bfloat16", "float16"),
        versions=versions,
    )
    for policy, versions in (("accurate", ""), ("balanced", BALANCED), ("compact", ""))
]


def logits(x, weight, bias, num_classes, out_features):
    """The scores of every class at every place, (N, C, *out_features) or (C)."""
    scores = linear(x, weight) + bias
    return np.reshape(scores, (*x.shape[:-1], num_classes, *out_features))


def arguments(parameters, bias, options):
    """The bias or 0, and the options of the cross entropy; without an ignore_index it is that of class indices."""
    ignored = -100 if options["ignore_index"] is None else options["ignore_index"]
    return parameters[0] if bias else 0.0, {**options, "ignore_index": ignored}


def rows():
    """Real features, in the edge lane some large enough to leave one class only."""
    return reals(edges=[0.0, 1.0, -4.0, 1000.0])


def indices():
    """Class indices for every row and place; where an index is ignored, about a third of them are that."""

    def sample(draw):
        shape = (*draw.shape[:-1], *draw.options["out_features"])
        index = draw.rng.integers(0, draw.options["num_classes"], shape)
        ignored = -100 if draw.options["ignore_index"] is None else draw.options["ignore_index"]
        index = np.where(draw.rng.random(shape) < 0.3, ignored, index)
        kept = index.flat[:1] if draw.argument in draw.alike else index  # of places that will be made alike the first counts
        if index.size and draw.lane != "edge" and (kept == ignored).all():
            index.flat[0] = 1 if ignored == 0 else 0
        return np.asarray(index, dtype=np.int64)

    return Domain("indices", sample, floating=False)


def probabilities():
    """Distributions over the classes, for every row and place."""

    def sample(draw):
        axis = len(draw.shape) - 1
        shape = (*draw.shape[:-1], draw.options["num_classes"], *draw.options["out_features"])
        scores = np.exp(draw.rng.normal(0.0, 2.0, shape))
        return scores / scores.sum(axis=axis, keepdims=True)

    return Domain("probabilities", sample, differentiable=True)


def matrix():
    """The weights of the linear map, its rows ordered by class, then by place."""

    def sample(draw):
        width = draw.shape[-1]
        outputs = draw.options["num_classes"] * math.prod(draw.options["out_features"])
        return draw.rng.normal(0.0, 1.5 / np.sqrt(max(width, 1)), (outputs, width))

    return Domain("parameter", sample, differentiable=True, parameter="linear.weight")


def offsets():
    """The bias of the linear map, in the same order."""

    def sample(draw):
        return draw.rng.normal(0.0, 1.0, draw.options["num_classes"] * math.prod(draw.options["out_features"]))

    return Domain("parameter", sample, differentiable=True, parameter="linear.bias")


def places(*sizes):
    """Further dimensions of the loss; none for an unbatched input, which torch does not take with them."""
    return Domain(str(sizes).replace(" ", ""), lambda draw: sizes if len(draw.shape) > 1 else (), floating=False)


def weights():
    """One weight for each class, some 0 in the edge lane; not with smoothing, whose mean would divide by 0."""

    def sample(draw):
        zero = draw.lane == "edge" and not draw.options["label_smoothing"]
        return draw.rng.integers(0 if zero else 1, 9, draw.options["num_classes"]) / 4.0

    return Domain("per_class", sample, differentiable=True)


def allowed(variant="", *, bias, ignore_index, label_smoothing, out_features, options, **_):
    """What torch takes together. Objects of options leave smoothing, places and probabilities aside: one is enough for that."""
    if options not in (None, CHUNKED[0]) and (label_smoothing or out_features != () or variant.startswith("probabilities")):
        return False
    if variant.startswith("probabilities") and ignore_index is not None:
        return False
    return not variant or bias == variant.endswith("bias")


def contract():
    """What CrossEntropyLoss refuses, and what does not fit the linear map; with the whole batch at once and in chunks."""
    rows, indices_, size = [(5, 4)], "where each value should be between [0, C)", "weight: has to be a Tensor of size C"

    def classes(draw):
        return draw.options["num_classes"]

    found = []
    for suffix, options in (("", {}), (" in chunks", {"options": CHUNKED[1]})):
        counted = {"suffix": suffix, "options": options, "shapes": rows}
        found += [
            *out_of_range(stated=indices_, count=classes, **counted),
            *(
                Refusal(
                    f"label_smoothing {value}{suffix}", "A float in [0.0, 1.0]", options={"label_smoothing": value, **options}
                )
                for value in (-0.1, 1.1)
            ),
            *(
                Refusal(
                    f"target of {words}{suffix}",
                    "Target: shape (), (N) or (N, *out_features)",
                    inputs={"target": shaped(change)},
                    options=options,
                    shapes=rows,
                )
                for words, change in (
                    ("a row less", lambda y: y[:-1]),
                    ("a row more", lambda y: np.append(y, y[-1:])),
                    ("one row", lambda y: y[:1]),
                    ("a further axis behind", lambda y: y[:, None]),
                    ("a further axis in front", lambda y: y[None]),
                )
            ),
            *(
                Refusal(
                    f"input of {words}{suffix}",
                    "Input: Shape (in_features), (N, in_features)",
                    inputs={"input": shaped(change)},
                    options=options,
                    shapes=rows,
                )
                for words, change in (
                    ("a feature less", lambda x: x[:, :-1]),
                    ("a feature more", lambda x: np.concatenate([x, x[:, :1]], axis=1)),
                    ("three axes", lambda x: x[None]),
                )
            ),
        ]
    return [
        *found,
        *wrong_format(
            "target", "int32", "int16", "bool", "float32", stated="required to be long when using class indices", shapes=rows
        ),
        Refusal("target without its places", "Target: shape (N, *out_features)", options={"out_features": (2,)}, shapes=rows),
        *wrong_weights(size, count=classes, shapes=rows),
        *wrong_weights(size, count=classes, suffix=" with probabilities", variant="probabilities-bias", shapes=rows),
        *no_number("label_smoothing"),
        *unlike(
            "target",
            stated="If containing class probabilities, the target must have shape (C) or (N, C, *out_features)",
            variant="probabilities-bias",
            shape=(5, 4),
        ),
        Refusal(
            "ignore_index with probabilities",
            "ignore_index is only applicable when the target contains class indices",
            options={"ignore_index": 1},
            variant="probabilities-bias",
            shapes=rows,
        ),
    ]


@loss(
    "torch.nn.LinearCrossEntropyLoss",
    functional="",
    inputs={
        "indices": {"input": rows(), "target": indices(), "linear_weight": matrix()},
        "indices-bias": {"input": rows(), "target": indices(), "linear_weight": matrix(), "linear_bias": offsets()},
        "probabilities-bias": {"input": rows(), "target": probabilities(), "linear_weight": matrix(), "linear_bias": offsets()},
    },
    options={
        "in_features": [Domain("in_features", lambda draw: draw.shape[-1], floating=False)],
        "num_classes": [5],
        "out_features": [(), places(2)],
        "bias": [False, True],
        "ignore_index": [None, 1],
        "label_smoothing": [0.0, 0.1],
        "weight": [None, weights()],
        "options": [None, *CHUNKED, MIXED[0]],
    },
    edge_options={
        "num_classes": [2],
        "out_features": [places(2, 1)],
        "ignore_index": [-1, 2**32, 0],
        "label_smoothing": [1.0],
        "options": [*POLICIES, *MIXED[1:]],
    },
    valid=lambda options: allowed(**options),
    required=("in_features", "num_classes"),
    shapes=((5, 4), (4,)),
    edge_shapes=((0, 3), (1, 1)),
    row_axes=-1,
    tags={"classes", "probabilities", "places"},
    contract=contract(),
    family="classification",
    operations_per_element=13,
    row_lengths=({"D": 64},),
    legacy=False,
    source="torch.nn.LinearCrossEntropyLoss and torch.nn.CrossEntropyLoss documentation",
    figure=Figure(
        xlabel="the only feature; the logit of the true class is twice it, that of the other is 1",
        span=(-3.0, 3.0),
        inputs=lambda x: (x[:, None], np.zeros(x.shape, dtype=np.int64), np.array([[2.0], [0.0]]), np.array([0.0, 1.0])),
        options=[
            {"in_features": 1, "num_classes": 2, "bias": True, "label_smoothing": 0.0},
            {"in_features": 1, "num_classes": 2, "bias": True, "label_smoothing": 0.1},
        ],
        gradient=lambda derivatives: derivatives[0][..., 0],
    ),
)
def linear_cross_entropy(x, y, w, *parameters, in_features, num_classes, out_features, bias, options, **how):
    """Cross entropy between a target and the softmax of logits that the loss makes of its input by a linear map of its own.

    Formula: z = W x (+ b), and the loss is that of CrossEntropyLoss for the logits z; ``options`` says only how it is computed.
    Mean: that of CrossEntropyLoss: over the weights of the rows kept with class indices, over the rows with probabilities.
    Shapes: x (N, D) or (D); W (C d1 ... dK, D) and b (C d1 ... dK), their rows by class, then place; indices (N, d1, ..., dK)
        or (); probabilities (N, C, d1, ..., dK) or (C); weight (C). One loss for each row and place (N, d1, ..., dK).
    Domain: that of CrossEntropyLoss; places d1 ... dK need a batch. An ignore_index of None is -100 for indices; torch refuses
        one together with probabilities.
    Edges: those of CrossEntropyLoss. The mean over no row is NaN.
    Accuracy: absolute, the rounding of the products; chunks of the batch are computed one after the other.
    Source: torch.nn.LinearCrossEntropyLoss and torch.nn.CrossEntropyLoss documentation.
    """
    b, how = arguments(parameters, bias, how)
    return cross_entropy.function(logits(x, w, b, num_classes, out_features), y, **how)


@linear_cross_entropy.gradient
def _(x, y, w, *parameters, in_features, num_classes, out_features, bias, options, **how):
    b, how = arguments(parameters, bias, how)
    z = logits(x, w, b, num_classes, out_features)
    by_z, *others = cross_entropy.gradient_function(z, y, **how)
    by_y = others.pop(0) if np.shape(y) == z.shape else None
    if not out_features:
        matrix = np.reshape(w, (num_classes, x.shape[-1]))
        by_x = np.sum(np.expand_dims(by_z, -1) * matrix, axis=-2)
        found = [by_x, by_y, outer(by_z, x), by_z if bias else None]
        return tuple(slope for slope in (*found, *others) if slope is not None)
    # Many losses share a row of the input: the derivative of every loss (n, k) by every number, mostly zeros.
    count, places = len(x), math.prod(out_features)
    rows, ks = np.eye(count, dtype=bool), np.eye(places, dtype=bool)
    losses = (count, *out_features)
    by_z = np.moveaxis(np.reshape(by_z, (count, num_classes, places)), 1, -1)  # (n, k, c)
    matrix = np.moveaxis(np.reshape(w, (num_classes, places, x.shape[-1])), 0, 1)  # (k, c, d)
    by_x = np.sum(np.expand_dims(by_z, -1) * matrix, axis=-2)  # (n, k, d)
    by_x = np.where(rows[:, None, :, None], np.expand_dims(by_x, 2), 0.0)
    by_bias = np.where(ks[None, :, None, :], np.expand_dims(by_z, -1), 0.0)  # (n, k, c, k')
    by_matrix = np.expand_dims(by_bias, -1) * x[:, None, None, None, :]
    found = [np.reshape(by_x, (*losses, *x.shape))]
    if by_y is not None:
        by_y = np.moveaxis(np.reshape(by_y, (count, num_classes, places)), 1, -1)
        own = rows[:, None, :, None, None] & ks[None, :, None, None, :]
        found.append(np.reshape(np.where(own, by_y[:, :, None, :, None], 0.0), (*losses, *np.shape(y))))
    found.append(np.reshape(by_matrix, (*losses, *np.shape(w))))
    found += [np.reshape(by_bias, (*losses, np.shape(w)[0]))] if bias else []
    return (*found, *others)


@linear_cross_entropy.denominator("mean")
def _(x, y, w, *parameters, in_features, num_classes, out_features, bias, options, **how):
    _, how = arguments(parameters, bias, how)
    like_logits = np.zeros((*x.shape[:-1], num_classes, *out_features))
    return cross_entropy.reductions["mean"](like_logits, y, **how)


linear_cross_entropy.wrong("the bias not added", "arguments(parameters, bias, how)", "arguments(parameters, False, how)")
linear_cross_entropy.wrong(
    "options change the weights", "y, **how)", "y, **{**how, 'weight': how['weight'] if options is None else None})"
)
linear_cross_entropy.wrong("smoothing ignored", "y, **how)", "y, **{**how, 'label_smoothing': 0.0})")
linear_cross_entropy.wrong(
    "the matrix gets the derivative of the last row alone", "outer(by_z, x)", "outer(by_z, x[-1:])", part="gradient"
)
linear_cross_entropy.wrong(
    "no derivative by the bias", "by_z if bias else None]", "0.0 * by_z if bias else None]", part="gradient"
)
linear_cross_entropy.wrong(
    "the derivative of one place counted for all",
    "np.where(ks[None, :, None, :], np.expand_dims(by_z, -1), 0.0)",
    "np.where(True, np.expand_dims(by_z, -1), 0.0 * ks[None, :, None, :])",
    part="gradient",
)
linear_cross_entropy.wrong(
    "mean over the places too often",
    'cross_entropy.reductions["mean"](like_logits, y, **how)',
    'cross_entropy.reductions["mean"](like_logits, y, **how) * max(1, math.prod(out_features))',
    part="mean",
)


@linear_cross_entropy.planted("only the first chunk of the batch counts with options")
def _(x, y, w, *parameters, options, **how):
    losses = linear_cross_entropy.function(x, y, w, *parameters, options=options, **how)
    if options is None or losses.ndim == 0:
        return losses
    return np.where(np.reshape(np.arange(len(losses)) < 2, (-1,) + (1,) * (losses.ndim - 1)), losses, 0.0)


@linear_cross_entropy.planted("rows of the matrix ordered by place, then class")
def _(x, y, w, *parameters, num_classes, out_features, **how):
    by_class = np.moveaxis(np.reshape(np.arange(len(w)), (*out_features, num_classes)), -1, 0).ravel()
    return linear_cross_entropy.function(
        x, y, w[by_class], *parameters, num_classes=num_classes, out_features=out_features, **how
    )


linear_cross_entropy.equivalent(
    "parameters[0] if bias else 0.0 → parameters[0] if bias else 0.001",
    why="A softmax does not change where all its scores move by the same.",
)
