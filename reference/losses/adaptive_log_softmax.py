import numpy as np

from benchkit.contract import Acceptance, Refusal, Text, out_of_range, shaped, unlike, wrong_format
from benchkit.domains import Domain, reals
from benchkit.spec import Figure, loss


def log_softmax(z):
    """Logarithm of the softmax along the last axis, shifted by the largest score so that no exponential overflows."""
    shifted = z - np.max(z, axis=-1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))


def linear(x, w):
    """The product with the transpose of a matrix: a sum over the features for every row of ``w``."""
    return np.sum(np.expand_dims(x, -2) * w, axis=-1)


def outer(dz, x):
    """The derivative by a matrix: by its rows ``dz``, along its columns ``x``."""
    return np.expand_dims(dz, -1) * np.expand_dims(x, -2)


def back(dz, w):
    """The derivative by the argument of ``linear``."""
    return np.sum(np.expand_dims(dz, -1) * w, axis=-2)


def split(parameters, head_bias):
    """The head's matrix and bias, and for each cluster its two matrices."""
    head, rest = parameters[0], parameters[1 + head_bias :]
    return head, (parameters[1] if head_bias else 0.0), list(zip(rest[::2], rest[1::2]))


def places(y, cutoffs):
    """The cluster of every target, 0 for the head, and the target's place in it; and its entry in the head."""
    first = np.array([0, *cutoffs])
    cluster = np.searchsorted(first, y, side="right") - 1
    return cluster, y - first[cluster], np.where(cluster == 0, y, cutoffs[0] + cluster - 1)


def chosen(z, index):
    """1 at the place that every row chooses, 0 elsewhere."""
    return np.where(np.arange(z.shape[-1]) == np.expand_dims(index, -1), 1.0, 0.0)


def scaled(shape, *, features):
    """Matrices whose products with a row of the input are of the size of a logit; some rows are larger in the edge lane."""

    def sample(draw):
        size = shape(draw)
        width = max(features(draw), 1)
        drawn = draw.rng.normal(0.0, 1.5 / np.sqrt(width), size)
        if draw.lane == "edge" and drawn.size:
            factors = draw.rng.choice([1.0, 1.0, 8.0, 0.0], (size[0],) + (1,) * (len(size) - 1))
            drawn = drawn * factors
        return drawn

    return sample


def width(draw):
    """The number of features of the input."""
    return draw.shape[-1]


def parameters(clusters, bias):
    """The parameters of the module, by the name that each has in its state_dict."""

    def projected(draw, i):
        return int(width(draw) // draw.options["div_value"] ** (i + 1))

    def labels(draw, i):
        ends = [*draw.options["cutoffs"], draw.options["n_classes"]]
        return ends[i + 1] - ends[i]

    def entries(draw):
        return draw.options["cutoffs"][0] + clusters

    def parameter(name, shape, features):
        return Domain("parameter", scaled(shape, features=features), differentiable=True, parameter=name)

    found = {"head": parameter("head.weight", lambda draw: (entries(draw), width(draw)), width)}
    if bias:
        found["bias"] = parameter("head.bias", lambda draw: (entries(draw),), lambda draw: 1)
    for i in range(clusters):
        found[f"down_{i}"] = parameter(f"tail.{i}.0.weight", lambda draw, i=i: (projected(draw, i), width(draw)), width)
        found[f"out_{i}"] = parameter(
            f"tail.{i}.1.weight", lambda draw, i=i: (labels(draw, i), projected(draw, i)), lambda draw, i=i: projected(draw, i)
        )
    return found


def variant(clusters, bias):
    """The inputs of a module with so many clusters beside its head."""
    rows = reals(scale=1.0, edges=[0.0, 1.0, -4.0, 1000.0])  # of larger logits nothing would be known in bfloat16
    target = Domain("indices", lambda draw: draw.rng.integers(0, draw.options["n_classes"], draw.shape[:-1]), floating=False)
    return {"input": rows, "target": target, **parameters(clusters, bias)}


def contract():
    """Cutoffs that part nothing, and targets and inputs that do not fit."""
    rows = [(5, 16)]
    cutoffs = {
        "that fall": (5, 2),
        "that repeat": (2, 2),
        "from 0": (0, 3),
        "from -1": (-1, 3),
        "to the number of classes": (3, 9),
        "beyond the classes": (2, 12),
        "with a fraction": (2.5, 5),
        "without any": (),
    }
    return [
        *(
            Refusal(f"cutoffs {words}", "cutoffs should be an ordered Sequence of integers sorted", options={"cutoffs": value})
            for words, value in cutoffs.items()
        ),
        *(
            Refusal(
                f"div_value {value}",
                "the size of each cluster is floor(in_features / div_value**idx)",
                options={"div_value": value},
            )
            for value in (0.0, -4.0, float("nan"))
        ),
        *out_of_range(stated="target: 0 <= target[i] < n_classes", count=lambda draw: draw.options["n_classes"]),
        *wrong_format("target", "bool", "float32", shapes=rows),
        *unlike("target", stated="target: (N)", axes=1, shape=rows[0]),
        Refusal("target alone for rows", "target: (N) or ()", inputs={"target": shaped(lambda y: y[0])}, shapes=rows),
        *(
            Refusal(
                f"input of {words}", "input: (N, in_features) or (in_features)", inputs={"input": shaped(change)}, shapes=rows
            )
            for words, change in (
                ("a feature less", lambda x: x[:, :-1]),
                ("a feature more", lambda x: np.concatenate([x, x[:, :1]], axis=1)),
                ("three axes", lambda x: x[None]),
                ("one row for many targets", lambda x: x[0]),
            )
        ),
        Acceptance("cutoffs in a list", "cutoffs (Sequence)", options={"cutoffs": Text("[2, 5]")}),
    ]


@loss(
    "torch.nn.AdaptiveLogSoftmaxWithLoss",
    functional="",
    inputs={"two": variant(2, False), "two-bias": variant(2, True), "one": variant(1, False), "three-bias": variant(3, True)},
    options={
        "in_features": [Domain("in_features", width, floating=False)],
        "n_classes": [9, 12],
        "cutoffs": [(2, 5), (3,), (1, 2, 6), (8,)],
        "div_value": [4.0, 2.0],
        "head_bias": [False, True],
    },
    edge_options={"div_value": [1.0, 100.0], "cutoffs": [(1, 8), (1,)]},
    valid=lambda options: (
        not options.get("variant")
        or options["variant"] == {1: "one", 2: "two", 3: "three"}[len(options["cutoffs"])] + "-bias" * options["head_bias"]
    ),
    required=("in_features", "n_classes", "cutoffs"),
    shapes=((5, 16), (16,)),
    edge_shapes=((1, 8), (0, 8)),
    row_axes=-1,
    by_class=("log_prob", "predict"),
    answers={"mean": "loss", "none": "-output"},
    tags={"classes", "nats"},
    contract=contract(),
    family="classification",
    operations_per_element=15,
    row_lengths=({"D": 64},),
    legacy=False,
    source="Grave, Joulin, Cissé, Grangier and Jégou, Efficient softmax approximation for GPUs, ICML 2017; "
    "torch.nn.AdaptiveLogSoftmaxWithLoss documentation",
    figure=Figure(
        xlabel="first feature of the input; the head prefers class 0 with it, the cluster class 2",
        span=(-4.0, 4.0),
        inputs=lambda x: (
            np.stack([x, 1.0 + 0.0 * x], axis=-1),
            np.full(x.shape, 2),
            np.array([[1.0, 0.0], [0.0, 1.0]]),
            np.array([[1.0, 0.0]]),
            np.array([[1.0], [-1.0]]),
        ),
        options=[{"in_features": 2, "n_classes": 3, "cutoffs": (1,), "div_value": 2.0}],
        gradient=lambda derivatives: derivatives[0][..., 0],
    ),
)
def adaptive_log_softmax(x, y, *parameters, in_features, n_classes, cutoffs, div_value, head_bias):
    """Negative log-likelihood of a class under a softmax in two steps: a head of frequent classes and clusters, then a cluster.

    Formula: the head's logits are W x (+ b), the first cutoffs[0] of which are classes and the others one for each cluster. For
        y < cutoffs[0], loss = -log softmax(W x + b)_y; for y in cluster i, cutoffs[i] <= y < cutoffs[i + 1],
        loss = -log softmax(W x + b)_(cutoffs[0] + i) - log softmax(B_i A_i x)_(y - cutoffs[i]).
    Answer: ``output`` holds the log-likelihoods, minus the losses here; ``loss`` the mean of the losses.
    Shapes: x (N, D) or (D); y (N) or (); W (cutoffs[0] + clusters, D); A_i (floor(D / div_value**(i + 1)), D), B_i its classes
        by its rows, which may be none: then the classes of the cluster are equally likely. One loss for each row.
    Domain: real x; 0 <= y < n_classes; cutoffs increasing, from 1 to n_classes - 1.
    Edges: the mean over no row is NaN.
    Where torch differs: its documentation allows y = n_classes, which it refuses.
    Accuracy: absolute, the rounding of the products; logits are shifted by the largest of the row.
    Source: Grave et al., 2017; torch.nn.AdaptiveLogSoftmaxWithLoss documentation.
    """
    head, bias, tail = split(parameters, head_bias)
    cluster, place, entry = places(y, cutoffs)
    z = linear(x, head) + bias
    found = -np.sum(chosen(z, entry) * log_softmax(z), axis=-1)
    for i, (down, out) in enumerate(tail):
        z = linear(linear(x, down), out)
        found = found - np.where(cluster == i + 1, np.sum(chosen(z, place) * log_softmax(z), axis=-1), 0.0)
    return found


@adaptive_log_softmax.gradient
def _(x, y, *parameters, in_features, n_classes, cutoffs, div_value, head_bias):
    head, bias, tail = split(parameters, head_bias)
    cluster, place, entry = places(y, cutoffs)
    z = linear(x, head) + bias
    dz = np.exp(log_softmax(z)) - chosen(z, entry)
    by_x = back(dz, head)
    by_parameters = [outer(dz, x)] + ([dz] if head_bias else [])
    for i, (down, out) in enumerate(tail):
        inner = linear(x, down)
        z = linear(inner, out)
        inside = np.expand_dims(cluster == i + 1, -1)
        dz = np.where(inside, np.exp(log_softmax(z)) - chosen(z, place), 0.0)
        by_inner = back(dz, out)
        by_x = by_x + back(by_inner, down)
        by_parameters += [outer(by_inner, x), outer(dz, inner)]
    return by_x, *by_parameters


adaptive_log_softmax.wrong(
    "the cluster's own softmax left out", "for i, (down, out) in enumerate(tail)", "for i, (down, out) in ()"
)
adaptive_log_softmax.wrong("the bias of the head not added", "linear(x, head) + bias", "linear(x, head)")
adaptive_log_softmax.wrong(
    "clusters in the head in reverse order", "chosen(z, entry)", "chosen(z, np.where(cluster == 0, y, z.shape[-1] - cluster))"
)
adaptive_log_softmax.wrong(
    "a class of a cluster by its number in all", "chosen(z, place)", "chosen(z, np.minimum(y, z.shape[-1] - 1))"
)
adaptive_log_softmax.wrong(
    "the first projection of a cluster for all of them",
    "linear(linear(x, down), out)",
    "linear(linear(x, tail[0][0])[..., : out.shape[-1]], out)",
)
adaptive_log_softmax.wrong(
    "a target at a cutoff belongs to the class before",
    "places(y, cutoffs)",
    "places(np.where(np.isin(y, cutoffs), y - 1, y), cutoffs)",
)
adaptive_log_softmax.wrong(
    "logits not shifted: exponentials overflow",
    "np.sum(chosen(z, entry) * log_softmax(z), axis=-1)",
    "(np.sum(chosen(z, entry) * z, axis=-1) - np.log(np.sum(np.exp(z), axis=-1)))",
)
adaptive_log_softmax.wrong(
    "nothing flows to the input from its cluster", "by_x = by_x + back(by_inner, down)", "by_x = by_x", part="gradient"
)
adaptive_log_softmax.wrong(
    "the head's matrix gets the derivative of the probabilities alone",
    "[outer(dz, x)]",
    "[outer(dz + chosen(z, entry), x)]",
    part="gradient",
)
adaptive_log_softmax.wrong(
    "clusters without a target get a derivative too", "np.where(inside, np.exp", "np.where(True, np.exp", part="gradient"
)


@adaptive_log_softmax.planted("a cutoff of n_classes - 1 refused", thread="16658")
def _(x, y, *parameters, n_classes, cutoffs, **options):
    if max(cutoffs) > n_classes - 2:
        raise ValueError("cutoffs should be a sequence of unique, positive integers below n_classes - 1")
    return adaptive_log_softmax.function(x, y, *parameters, n_classes=n_classes, cutoffs=cutoffs, **options)


@adaptive_log_softmax.planted("sum for mean", part="mean")
def _(x, y, *parameters, **options):
    return 1.0


adaptive_log_softmax.equivalent(
    "parameters[1] if head_bias else 0.0 → parameters[1] if head_bias else 0.001",
    why="A softmax does not change where all its scores move by the same.",
)
adaptive_log_softmax.equivalent(
    "div_value off by 1e-4",
    why="It only sets the sizes of the projections, which the formula gets as they are.",
)
