import numpy as np
from scipy.special import expit

from benchkit.contract import labels, unlike
from benchkit.domains import Domain, reals, signs
from benchkit.spec import Figure, loss
from reference.elementary import log_expit


def scores(*, far=False):
    """Real scores up to the largest whose exponential is finite in the format; with ``far`` the edge lane goes to infinity."""

    def sample(draw):
        drawn = reals(scale=4.0, ties=[1.0, 12.0, 17.0, 40.0, 89.0, 104.0, 710.0, 1000.0]).sample(draw)
        top = np.floor(np.log(draw.precision.largest))
        return drawn if far and draw.lane == "edge" else np.clip(drawn, -top, top)

    return Domain("reals", sample, differentiable=True)


@loss(
    "torch.nn.SoftMarginLoss",
    inputs={
        "": {"input": scores(), "target": signs()},
        "far": {"input": scores(far=True), "target": signs()},
    },
    tags={"elementwise"},
    family="classification",
    operations_per_element=4,
    contract=[*unlike("target"), *labels(0.0, 0.5, stated="target tensor y (containing 1 or -1)")],
    document="3.5.10",
    source="torch.nn.SoftMarginLoss documentation; Cox, The regression analysis of binary sequences, 1958",
    figure=Figure(xlabel="x, for y = 1", span=(-6.0, 6.0), inputs=lambda x: (x, np.ones_like(x))),
)
def soft_margin(x, y):
    """Two-class logistic loss of a score against a label of 1 or -1.

    Formula: loss = log(1 + exp(-y x)), written as -log_expit(y x), which does not overflow.
    Shapes: x and y alike; one loss for each element.
    Domain: real x; y is 1 or -1. At y x = -inf the loss is inf and its derivative -y; at y x = inf both are 0.
    Ties: none, the loss is smooth. No derivative by y.
    Where torch differs: exp(-y x) overflows there (y x < -709 in float64, -88 in float32, -11 in float16): inf for a loss
        of -y x, and a NaN derivative instead of -y (variant ``far``).
    Accuracy: well conditioned; the relative error of exp(-y x) grows as abs(x) where the loss is small.
    Source: torch.nn.SoftMarginLoss documentation.
    """
    return -log_expit(y * x)


@soft_margin.gradient
def _(x, y):
    return (-y * expit(-y * x),)


soft_margin.wrong("the label is used with the wrong sign", "log_expit(y * x)", "log_expit(-y * x)")
soft_margin.wrong("labels are read as 0 and 1", "log_expit(y * x)", "log_expit(np.maximum(y, 0.0) * x)")
soft_margin.wrong("hinge instead of its smooth form", "return -log_expit(y * x)", "return np.maximum(0.0, 1.0 - y * x)")
soft_margin.wrong("small losses lost in 1 + e", "return -log_expit(y * x)", "return np.log(1.0 + np.exp(-y * x))")
soft_margin.wrong(
    "derivative 0 for a saturated wrong score", "expit(-y * x)", "np.where(y * x < -9.0, 0.0, expit(-y * x))", "gradient"
)
soft_margin.wrong("derivative lacks the label", "-y * expit", "-expit", part="gradient")
