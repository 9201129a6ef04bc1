import numpy as np

from benchkit.contract import Refusal, no_number, unlike, weights_unlike
from benchkit.domains import elementwise_weights, reals
from benchkit.spec import Figure, loss


@loss(
    "torch.nn.HuberLoss",
    inputs={"input": reals(tie_options=["delta"]), "target": reals(largest=False)},  # whose difference does not overflow
    options={"delta": [1.0, 0.5, 2.0]},
    edge_options={"delta": [2.0**-10, 1000.0]},
    shapes=((4, 5), (7,), (2, 3, 4)),
    tags={"elementwise", "exact"},
    family="regression",
    operations_per_element=5,
    contract=[
        *unlike("target"),
        *weights_unlike(),
        *(
            Refusal(f"delta {value}", "The value must be positive", options={"delta": value}, compiled=value < 0.0)
            for value in (0.0, -1.0)
        ),
        *no_number("delta"),
    ],
    functional_options={"weight": [None, elementwise_weights()]},
    legacy=False,
    source="Huber, Robust estimation of a location parameter, 1964; torch.nn.HuberLoss documentation",
    figure=Figure(
        xlabel="x - y",
        span=(-3.0, 3.0),
        inputs=lambda x: (x, np.zeros_like(x)),
        options=[{"delta": 0.5}, {"delta": 1.0}, {"delta": 2.0}],
    ),
)
def huber(x, y, *, delta, weight=None):
    """Squared error that turns into absolute error where it is larger than delta.

    Formula: with d = abs(x - y), loss = w d**2 / 2 where d < delta, else w delta (d - delta / 2); w = 1 without weight, which
        the functional form alone takes.
    Shapes: x and y alike; one loss for each element.
    Domain: real x and y; delta > 0.
    Ties: value and derivative are continuous at d = delta. An infinite difference has the loss inf and the derivative delta.
    Accuracy: well conditioned except for the cancellation in x - y.
    Source: Huber, 1964; torch.nn.HuberLoss documentation.
    """
    d = np.abs(x - y)
    # The two cases as one product, d (d / 2) or delta (d - delta / 2): choosing by a mask takes as long as ten multiplications.
    error = np.minimum(d, delta) * np.maximum(0.5 * d, d - 0.5 * delta)
    return error if weight is None else weight * error


@huber.gradient
def _(x, y, *, delta, weight=None):
    d = x - y
    slope = np.where(np.abs(d) < delta, d, delta * np.sign(d))
    slope = slope if weight is None else weight * slope
    return slope, -slope


ERROR = "np.minimum(d, delta) * np.maximum(0.5 * d, d - 0.5 * delta)"
huber.wrong("scaled like SmoothL1", ERROR, f"{ERROR} / delta", thread="PR 17447")
huber.wrong("threshold tested on the signed difference", "np.abs(x - y)", "x - y", thread="attorch 13")
huber.wrong("linear part without its offset", ERROR, "np.where(d < delta, 0.5 * d * d, delta * d)")
huber.wrong("linear part not scaled by delta", ERROR, "np.where(d < delta, 0.5 * d * d, d - 0.5 * delta)")
huber.wrong("threshold fixed at 1", ERROR, "np.where(d < 1.0, 0.5 * d * d, delta * (d - 0.5 * delta))")
huber.wrong("slope of the linear part is 1", "delta * np.sign(d)", "np.sign(d)", part="gradient")
huber.wrong("no derivative flows to the target", "-slope", "0.0 * slope", part="gradient")

huber.equivalent(
    "np.abs(d) < delta → np.abs(d) <= delta",
    why="Value and derivative are continuous where the difference is delta.",
)
huber.equivalent(
    "delta * np.sign(d) → delta / np.sign(d)",
    why="Beyond delta the sign is 1 or -1, its own inverse.",
)
