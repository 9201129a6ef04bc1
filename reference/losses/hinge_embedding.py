import numpy as np

from benchkit.contract import first, labels, misfit, no_number
from benchkit.domains import reals, signs
from benchkit.spec import Figure, loss


@loss(
    "torch.nn.HingeEmbeddingLoss",
    inputs={
        "": {"input": reals(tie_options=["margin"]), "target": signs()},
        "broadcast": {"input": reals(tie_options=["margin"]), "target": signs(shape=lambda draw: draw.shape[-1:])},
    },
    options={"margin": [1.0, 0.5, 2.0]},
    edge_options={"margin": [0.0, -1.0]},
    tags={"elementwise", "exact"},
    family="ranking and embedding",
    operations_per_element=2,
    contract=[
        *misfit(),
        *labels(0.0, 0.5, stated="a labels tensor y (containing 1 or -1)"),
        *no_number("margin", inputs={"target": first(-1.0)}),  # of what is similar none is asked
    ],
    document="3.5.13",
    source="torch.nn.HingeEmbeddingLoss documentation",
    figure=Figure(
        xlabel="x, for y = -1",
        span=(-1.0, 3.0),
        inputs=lambda x: (x, -np.ones_like(x)),
        options=[{"margin": 0.5}, {"margin": 1.0}, {"margin": 2.0}],
    ),
)
def hinge_embedding(x, y, *, margin):
    """A distance itself for similar pairs, and what it lacks of the margin for dissimilar ones.

    Formula: loss = x where y = 1; max(0, margin - x) where y = -1.
    Shapes: x and y alike; one loss for each element. torch also lets y broadcast to x (variant ``broadcast``).
    Domain: real x, a distance as a rule; y is 1 or -1; any margin, 1 by default. The sum over y = 1 may be negative.
    Ties: at y = -1 and x = margin the value is 0 and the derivative any number of [-1, 0]. No derivative by y.
    Accuracy: exact where y = 1; one rounding, margin - x, elsewhere.
    Source: torch.nn.HingeEmbeddingLoss documentation.
    """
    return np.where(y == 1, x, np.maximum(0.0, margin - x))


@hinge_embedding.gradient
def _(x, y, *, margin):
    y = np.broadcast_to(y, np.shape(x))
    return (np.where(y == 1, 1.0, np.where(margin - x > 0, -1.0, 0.0)),)


hinge_embedding.wrong("the labels are swapped", "y == 1", "y == -1")
hinge_embedding.wrong("similar pairs are hinged at 0", "y == 1, x,", "y == 1, np.maximum(0.0, x),")
hinge_embedding.wrong("the margin fixed at 1", "0.0, margin - x))", "0.0, 1.0 - x))")
hinge_embedding.wrong("no hinge for dissimilar pairs", "x, np.maximum(0.0, margin - x)", "x, margin - x")
hinge_embedding.wrong(
    "the labels run along the wrong axis in the derivative",
    "np.broadcast_to(y, np.shape(x))",
    "np.reshape(np.repeat(y, np.size(x) // max(np.size(y), 1)), np.shape(x))",
    part="gradient",
    thread="PR 3773",
)
hinge_embedding.wrong("derivative goes on beyond the margin", "margin - x > 0", "margin - x > -margin", part="gradient")

hinge_embedding.equivalent(
    "derivative held in the format below",
    why="The derivative is -1, 0 or 1, which every format holds.",
)
hinge_embedding.equivalent(
    "np.where(margin - x > 0, -1.0, 0.0) → np.where(margin - x >= 0, -1.0, 0.0)",
    why="At the kink of the hinge the derivative of either side is right.",
)
