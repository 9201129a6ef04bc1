import numpy as np

from benchkit.contract import Acceptance, cast, unlike, weights_unlike
from benchkit.domains import elementwise_weights, reals
from benchkit.spec import Figure, loss
from reference.summation import drifting_count


@loss(
    "torch.nn.L1Loss",
    inputs={"input": reals(), "target": reals()},
    shapes=((4, 5), (7,), (2, 3, 4)),
    tags={"elementwise", "exact", "piecewise"},
    functional_options={"weight": [None, elementwise_weights()]},
    family="regression",
    operations_per_element=2,
    contract=[
        *unlike("target"),
        *weights_unlike(),
        Acceptance(
            "complex numbers",
            "Supports real-valued and complex-valued inputs",
            inputs=dict.fromkeys(("input", "target"), cast("complex128")),
        ),
    ],
    document="3.5.3",
    source="torch.nn.L1Loss documentation",
    figure=Figure(xlabel="x - y", span=(-3.0, 3.0), inputs=lambda x: (x, np.zeros_like(x))),
)
def l1(x, y, *, weight=None):
    """Absolute error.

    Formula: loss = w abs(x - y); w = 1 without weight, which the
        functional form alone takes. "mean: the mean of the output is taken": by the number of losses.
    Shapes: x and y alike; one loss for each element.
    Domain: real x and y. (torch also takes complex ones, with abs the modulus; they are not declared here.)
    Ties: at x = y the derivative is any number of [-1, 1]; 0 is taken, the middle, as torch does. Where x - y is NaN (two
        equal infinities) value and derivative are NaN.
    Where torch differs: the derivative is 0 where the value is NaN.
        The mean of weighted losses is divided by the sum of the weights.
    Accuracy: one rounding; exact where x - y is representable.
    Source: torch.nn.L1Loss documentation.
    """
    error = np.abs(x - y)
    return error if weight is None else weight * error


@l1.gradient
def _(x, y, *, weight=None):
    slope = np.sign(x - y)
    slope = slope if weight is None else weight * slope
    return slope, -slope


l1.wrong("error not taken absolute", "np.abs(x - y)", "x - y")
l1.wrong("squared error", "np.abs(x - y)", "(x - y) * (x - y)")
l1.wrong("difference of the absolute values", "np.abs(x - y)", "np.abs(np.abs(x) - np.abs(y))")
l1.wrong("no derivative flows to the target", "-slope", "0.0 * slope", part="gradient", thread="PR 3876")


@l1.planted("sum for mean", part="mean", thread="10009, 12901, 43228")
def _(x, y, *, weight=None):
    return 1.0


@l1.planted("mean over the first axis only", part="mean")
def _(x, y, *, weight=None):
    return float(x.shape[0])


@l1.planted("one float32 sum, number by number, drifts in a large mean", part="mean", thread="27692", where="-large-")
def _(x, y, *, weight=None):
    return drifting_count(l1(x, y))
