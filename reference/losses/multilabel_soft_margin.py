import numpy as np

from benchkit.contract import labels as no_labels
from benchkit.contract import unlike, wrong_weights
from benchkit.domains import Domain, class_weights
from benchkit.spec import Figure, loss
from reference.elementary import log_expit
from reference.losses.bce_with_logits import entropy, logits, slope


def labels():
    """0 and 1."""
    return Domain("labels", lambda draw: draw.rng.integers(0, 2, draw.shape).astype(float), differentiable=True)


def far_logits():
    """In the edge lane one infinite logit of a class, the others ordinary; every second of its rows is right about it."""

    def sample(draw):
        ordinary = logits().sample(draw)
        if draw.lane != "edge" or not ordinary.size:
            return ordinary
        here = np.arange(draw.shape[-1]) == draw.rng.integers(0, draw.shape[-1], (*draw.shape[:-1], 1))
        return np.where(here, draw.rng.choice([np.inf, -np.inf], draw.shape), np.where(np.isnan(ordinary), 0.5, ordinary))

    return Domain("logits", sample, differentiable=True)


@loss(
    "torch.nn.MultiLabelSoftMarginLoss",
    inputs={
        "": {"input": logits(), "target": labels()},
        "far": {"input": far_logits(), "target": labels()},
    },
    options={"weight": [None, class_weights(differentiable=True)]},
    valid=lambda options: not options.get("variant") or options["weight"] is None,
    shapes=((5, 4), (2, 8)),
    edge_shapes=((0, 3), (1, 1), (2, 1), (6, 2)),
    row_axes=-1,
    tags={"classes"},
    family="classification",
    operations_per_element=9,
    row_lengths=({"C": 10}, {"C": 1000}, {"C": 32768}),
    contract=[
        *unlike("target", stated="label targets must have the same shape as the input"),
        *no_labels(0.5, 2.0, stated="y[i] in {0, 1}"),
        *wrong_weights("weight: it has to be a Tensor of size C", shapes=[(5, 4)]),
    ],
    source="torch.nn.MultiLabelSoftMarginLoss documentation",
    figure=Figure(
        xlabel="logit of a class that is a label; another with the logit 1 is not",
        span=(-6.0, 6.0),
        inputs=lambda x: (np.stack([x, np.ones_like(x)], axis=-1), np.stack([np.ones_like(x), np.zeros_like(x)], axis=-1)),
        gradient=lambda by: by[0][..., 0],
    ),
)
def multilabel_soft_margin(x, y, *, weight):
    """Binary cross entropy of every class, one against all others, averaged over the classes.

    Formula: loss = -(sum over classes c of w_c (y_c log s(x_c) + (1 - y_c) log s(-x_c))) / C, with s(x) = 1 / (1 + exp(-x))
        and w = 1 without weight.
    Shapes: x and y (N, C), weight (C); one loss for each row. The mean divides by N, not by weights.
    Domain: any real x; y is 0 or 1.
    Edges: 0 log 0 = 0: an infinite logit of the right sign adds 0.
    Where torch differs: it multiplies that infinity by 0, and the row is NaN (variant ``far``).
    Accuracy: absolute, a unit roundoff of the logits.
    Source: torch.nn.MultiLabelSoftMarginLoss documentation.
    """
    terms = entropy(x, y, 1.0, np.inf)
    return np.sum(terms if weight is None else weight * terms, axis=-1) / x.shape[-1]


@multilabel_soft_margin.gradient
def _(x, y, *, weight):
    w = 1.0 if weight is None else weight
    share = 1.0 / x.shape[-1]
    by_x, by_y = share * w * slope(x, y, 1.0, np.inf), share * w * (log_expit(-x) - log_expit(x))
    return (by_x, by_y) if weight is None else (by_x, by_y, share * entropy(x, y, 1.0, np.inf))


multilabel_soft_margin.wrong(
    "derivative 0 for a saturated wrong logit",
    "slope(x, y, 1.0, np.inf)",
    "np.where(np.abs(x) > 40.0, 0.0, slope(x, y, 1.0, np.inf))",
    part="gradient",
    thread="1516",
)
multilabel_soft_margin.wrong("not divided by the number of classes", " / x.shape[-1]", "")
multilabel_soft_margin.wrong("weights not applied", "terms if weight is None else weight * terms", "terms")
multilabel_soft_margin.wrong(
    "divided by the sum of the weights", "/ x.shape[-1]", "/ (x.shape[-1] if weight is None else np.sum(weight))"
)
multilabel_soft_margin.wrong(
    "classes that are no labels left out", "entropy(x, y, 1.0, np.inf)", "y * entropy(x, y, 1.0, np.inf)"
)
multilabel_soft_margin.wrong("labels read as 1 and -1", "entropy(x, y, 1.0, np.inf)", "entropy(x * y, 1.0, 1.0, np.inf)")
multilabel_soft_margin.wrong(
    "the weight missing in the derivative", "1.0 if weight is None else weight", "1.0", part="gradient"
)
multilabel_soft_margin.wrong(
    "derivative by the weight summed, not averaged",
    "share * entropy(x, y, 1.0, np.inf)",
    "entropy(x, y, 1.0, np.inf)",
    part="gradient",
)
