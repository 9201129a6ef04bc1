import numpy as np

from benchkit.contract import Refusal, no_number, unlike
from benchkit.domains import reals
from benchkit.spec import Figure, loss


@loss(
    "torch.nn.SmoothL1Loss",
    inputs={"input": reals(tie_options=["beta"]), "target": reals()},
    options={"beta": [1.0, 0.5, 2.0]},
    edge_options={"beta": [0.0, 2.0**-12]},
    shapes=((4, 5), (7,), (2, 3, 4)),
    tags={"elementwise", "exact"},
    family="regression",
    operations_per_element=6,
    contract=[
        *unlike("target"),
        Refusal("beta -1.0", "The value must be non-negative", options={"beta": -1.0}, compiled=True),
        Refusal("beta -1e-9", "The value must be non-negative", options={"beta": -1e-9}),
        *no_number("beta"),
    ],
    document="3.5.5",
    source="Girshick, Fast R-CNN, 2015, equation 3 (beta = 1); torch.nn.SmoothL1Loss documentation",
    figure=Figure(
        xlabel="x - y",
        span=(-3.0, 3.0),
        inputs=lambda x: (x, np.zeros_like(x)),
        options=[{"beta": 0.0}, {"beta": 0.5}, {"beta": 1.0}, {"beta": 2.0}],
    ),
)
def smooth_l1(x, y, *, beta):
    """Absolute error, smoothed to a parabola where it is smaller than beta.

    Formula: with d = x - y, loss = d**2 / (2 beta) where abs(d) < beta, else abs(d) - beta / 2.
    Shapes: x and y alike; one loss for each element.
    Domain: real x and y; beta >= 0, and beta = 0 is the L1 loss.
    Ties: value and derivative are continuous at abs(d) = beta > 0; at beta = 0 the derivative at d = 0 is any number of
        [-1, 1], and 0 is taken.
    Accuracy: well conditioned except for the cancellation in x - y.
    Source: Girshick, Fast R-CNN, 2015, equation 3; torch.nn.SmoothL1Loss documentation.
    """
    d = np.abs(x - y)
    if beta == 0.0:
        return d
    # The line touches the parabola at beta and lies below it elsewhere. Choosing by a mask would take ten times as long.
    h = np.minimum(d, beta)
    return np.maximum(0.5 / beta * (h * h), d - 0.5 * beta)


@smooth_l1.gradient
def _(x, y, *, beta):
    d = x - y
    half = 0.5 * d  # which is rounded where d is subnormal; the derivative of q (a - q / 2) / beta has it
    slope = np.where(np.abs(d) < beta, (half + half) / beta, np.sign(d)) if beta > 0 else np.sign(d)
    return slope, -slope


smooth_l1.wrong("Huber scaling: the parabola is not divided by beta", "0.5 / beta * (h * h)", "0.5 * h * h", thread="PR 17447")
smooth_l1.wrong("threshold tested on the signed difference", "np.abs(x - y)", "x - y", thread="attorch 13")
smooth_l1.wrong(
    "half of beta not subtracted in the linear part",
    "np.maximum(0.5 / beta * (h * h), d - 0.5 * beta)",
    "np.where(d < beta, 0.5 / beta * (h * h), d)",
)
smooth_l1.wrong("derivative of the parabola not divided by beta", "(half + half) / beta", "d", part="gradient")
smooth_l1.wrong("no derivative flows to the target", "-slope", "0.0 * slope", part="gradient")
smooth_l1.wrong(
    "NaN derivative at beta = 0",
    "< beta, (half + half) / beta, np.sign(d)) if beta > 0 else np.sign(d)",
    "<= beta, d / beta, np.sign(d))",
    part="gradient",
    thread="96813",
)


@smooth_l1.planted("sum for mean", part="mean", thread="10009, 12901, 43228")
def _(x, y, *, beta):
    return 1.0


@smooth_l1.planted("backward ignores the incoming gradient", part="incoming", thread="PR 94226")
def _(upstream):
    return np.ones_like(upstream)


@smooth_l1.planted("a negative beta gives a value", "subject", "PR 45532", where="-refuses-")
def _(base):
    class Lenient(base):
        def __init__(self, size_average=None, reduce=None, reduction="mean", beta=1.0):
            super().__init__(size_average, reduce, reduction, max(beta, 0.0))

    return Lenient


smooth_l1.equivalent(
    "np.abs(d) < beta → np.abs(d) <= beta",
    why="Value and derivative are continuous where the difference is beta.",
)
smooth_l1.equivalent(
    "beta > 0 → beta >= 0",
    why="With beta = 0 no difference is below it.",
)
