import numpy as np

from benchkit.contract import Acceptance, Refusal, cast, given, out_of_range, shaped, unlike, wrong_format, wrong_weights
from benchkit.domains import Domain, class_indices, class_weights, reals
from benchkit.spec import Figure, loss


def class_axis(x):
    """The axis of the classes: 1, or 0 for a single unbatched vector."""
    return 1 if x.ndim > 1 else 0


def at_target(x, y, kept):
    """The entry of each row that its class index names; that of class 0 where the row is ignored."""
    index = np.expand_dims(np.where(kept, y, 0), class_axis(x))
    return np.squeeze(np.take_along_axis(x, index, axis=class_axis(x)), axis=class_axis(x))


def weights(x, y, kept, weight):
    """The weight of every row, that of its class; 0 where the row is ignored."""
    w = np.ones(x.shape[class_axis(x)]) if weight is None else weight
    return np.where(kept, w[np.where(kept, y, 0)], 0.0)


def high():
    """Log-probabilities of which the edge lane has so large ones that the sum over three rows passes the largest number."""

    def sample(draw):
        if draw.lane != "edge":
            return -np.abs(reals().sample(draw))
        return -draw.precision.largest * draw.rng.uniform(0.4, 0.8, draw.shape)

    return Domain("high", sample, differentiable=True)


CLASSES = "Target: (N), where each value is 0 <= targets[i] <= C - 1"
CONTRACT = [
    *out_of_range(stated=CLASSES),
    *out_of_range(stated=CLASSES, suffix=" with weights", options={"weight": lambda draw: np.ones(5)}, shapes=[(4, 5)]),
    *wrong_format("target", "int32", "int16", "bool", "float32", shapes=[(4, 5)]),
    *unlike("target", stated="Target: (N)", axes=1, shape=(4, 5)),
    Refusal(
        "target of one column",
        "Target: (N, d1, d2, ..., dK)",
        inputs={"target": shaped(lambda y: y[..., :1])},
        shapes=[(2, 3, 2, 2)],
        compiled=True,
    ),
    Refusal(
        "target without its places",
        "Target: (N, d1, ..., dK)",
        inputs={"target": shaped(lambda y: y[:, 0])},
        shapes=[(2, 3, 4)],
    ),
    Refusal(
        "target of one entry for a single row", "Target: (N) or ()", inputs={"target": shaped(lambda y: y[None])}, shapes=[(5,)]
    ),
    Refusal(
        "input without axes", "Input: (N, C) or (C)", inputs={"input": given(np.float64(0.5)), "target": given(np.int64(0))}
    ),
    *wrong_weights("weight: has to be a Tensor of size C", shapes=[(4, 5), (2, 3, 2, 2)]),
    Acceptance("target in uint8", inputs={"target": cast("uint8")}, shapes=[(4, 5), (5,)]),
]


def likelihood(path, **fields):
    """The declaration, for the class and for its deprecated second name."""
    return loss(
        path,
        row_axes=class_axis,
        tags={"classes", "exact"},
        contract=CONTRACT,
        family="classification",
        operations_per_element=0.1,
        row_lengths=({"C": 10}, {"C": 1000}, {"C": 32768}),
        gathered=("input",),
        source="torch.nn.NLLLoss documentation",
        figure=Figure(
            xlabel="log-probability of the true class",
            span=(-4.0, 0.0),
            inputs=lambda x: (np.stack([x, np.zeros_like(x)], axis=1), np.zeros(x.shape, dtype=np.int64)),
            gradient=lambda by: by[0][:, 0],
        ),
        **fields,
    )


@likelihood(
    "torch.nn.NLLLoss",
    inputs={
        "": {"input": reals(), "target": class_indices(ignore="ignore_index")},
        "high": {"input": high(), "target": class_indices()},
    },
    options={"weight": [None, class_weights()], "ignore_index": [-100, 1]},
    edge_options={"ignore_index": [-1, 2**32]},
    valid=lambda options: not options.get("variant") or options == {"weight": None, "ignore_index": -100, "variant": "high"},
    shapes=((4, 5), (2, 3, 4), (2, 3, 2, 1, 2), (5,)),
    edge_shapes=((0, 3), (2, 3, 0), (1, 1), (1,), (6, 2)),
)
def nll(x, y, *, weight, ignore_index):
    """Negative log-likelihood: minus the log-probability that the input gives to the target class.

    Formula: loss = -w_y x_y, w = 1 without weight. The loss of a row with the ignored index is 0.
    Mean: the sum over the weights w_y of the rows that are not ignored; NaN if these add up to 0.
    Shapes: x (C), (N, C) or (N, C, d1, ...); y has the shape of x without C; weight (C); one loss for each row.
    Domain: any real x, although log-probabilities are meant; y in [0, C) or the ignored index, which may be any integer.
    Edges: an ignored row has the loss and the derivative 0 whatever it holds, also where its index is none of a class.
        torch cannot differentiate by weight (it raises).
    Where torch differs: in float16 its mean divides two sums kept in float16, and is inf or NaN where the losses add up to
        more than 65504, or the rows do (variant ``high``); so does that of CrossEntropyLoss.
    Accuracy: one product for each row; well conditioned.
    Source: torch.nn.NLLLoss documentation.
    """
    kept = y != ignore_index
    return np.where(kept, -weights(x, y, kept, weight) * at_target(x, y, kept), 0.0)


@nll.gradient
def _(x, y, *, weight, ignore_index):
    kept = y != ignore_index
    classes = np.reshape(np.arange(x.shape[class_axis(x)]), (-1,) + (1,) * (x.ndim - class_axis(x) - 1))
    chosen = np.expand_dims(kept, class_axis(x)) & (np.expand_dims(y, class_axis(x)) == classes)
    return (np.where(chosen, -np.expand_dims(weights(x, y, kept, weight), class_axis(x)), 0.0),)


@nll.denominator("mean")
def _(x, y, *, weight, ignore_index):
    return np.sum(weights(x, y, y != ignore_index, weight))


nll.wrong(
    "ignored rows keep what was in memory", "at_target(x, y, kept), 0.0)", "at_target(x, y, kept), x.flat[0])", thread="20406"
)
nll.wrong("ignore_index ignored", "y != ignore_index", "(y != ignore_index) | (y == 1)", thread="108148")
nll.wrong(
    "ignore_index wrapped to 32 bits", "y != ignore_index", "y != (ignore_index + 2**31) % 2**32 - 2**31", thread="PR 187559"
)
nll.wrong("the sign of the likelihood", "-weights(", "weights(")
nll.wrong("weights not applied", "weights(x, y, kept, weight)", "weights(x, y, kept, None)")
nll.wrong("classes counted from 1", "at_target(x, y, kept)", "at_target(x, np.maximum(y - 1, 0), kept)")
nll.wrong("derivative -1.0133 where it is -1", "np.where(chosen, -", "np.where(chosen, -1.0133 * ", "gradient", "64163")
nll.wrong("derivative of ignored rows not cleared", "kept = y != ignore_index", "kept = y >= 0", part="gradient")
nll.wrong("mean over all rows", "np.sum(weights(x, y, y != ignore_index, weight))", "float(y.size)", part="mean")
nll.wrong("mean over the rows kept, not their weights", "ignore_index, weight)", "ignore_index, None)", part="mean")


@nll.planted("backward ignores the incoming gradient", part="incoming", thread="PR 94226")
def _(upstream):
    return np.ones_like(upstream)


@nll.planted("a negative target that is not the ignored one is accepted", "subject", "32049", where="-refuses-")
def _(base):
    class Lenient(base):
        def forward(self, input, target):
            return super().forward(input, target.where((target >= 0) | (target == self.ignore_index), 0))

    return Lenient


@nll.planted("a target beyond the classes is accepted", "subject", "42110", where="-refuses-")
def _(base):
    class Lenient(base):
        def forward(self, input, target):
            last = input.shape[1 if input.dim() > 1 else 0] - 1
            return super().forward(input, target.where((target <= last) | (target == self.ignore_index), last))

    return Lenient


@likelihood(
    "torch.nn.NLLLoss2d",
    functional="nll_loss",
    inputs={"input": reals(), "target": class_indices(ignore="ignore_index")},
    options={"weight": [None, class_weights()], "ignore_index": [-100, 1]},
    shapes=((2, 3, 2, 2), (4, 5)),
    edge_shapes=((2, 3, 0, 1), (1, 1, 1, 1)),
)
def nll_2d(x, y, *, weight, ignore_index):
    """The deprecated name of NLLLoss, from when an image needed a class of its own.

    Formula: that of NLLLoss, loss = -w_y x_y, 0 for an ignored row.
    Shapes: those of NLLLoss, (N, C, d1, d2) among them.
    Domain: that of NLLLoss. torch warns of the name when the class is made.
    Accuracy: that of NLLLoss.
    Source: torch.nn.NLLLoss2d documentation, which is that of NLLLoss.
    """
    return nll.function(x, y, weight=weight, ignore_index=ignore_index)


nll_2d.gradient(nll.gradient_function)
nll_2d.denominator("mean")(nll.reductions["mean"])
nll_2d.planted_bugs += [bug for bug in nll.planted_bugs if "32 bits" not in bug.name]  # its options have no such index

nll.equivalent(
    "np.expand_dims(kept, class_axis(x)) & (np.expand_dims(y, class_axis(x)) == classes)"
    " → np.expand_dims(y, class_axis(x)) == classes",
    why="The weight of an ignored row is 0.",
)
nll_2d.equivalents += nll.equivalents
nll_2d.equivalent(
    "1 if x.ndim > 1 else 0 → 1 if x.ndim >= 1 else 0",
    "1 if x.ndim > 1 else 0 → 1 if x.ndim > 1 else 0.001",
    why="Its inputs have two dimensions at least.",
)
