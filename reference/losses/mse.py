import numpy as np

from benchkit.contract import half_broadcast, unlike, weights_unlike
from benchkit.domains import elementwise_weights, reals
from benchkit.spec import Figure, loss


@loss(
    "torch.nn.MSELoss",
    inputs={"input": reals(), "target": reals()},
    shapes=((4, 5), (7,), (2, 3, 4)),
    tags={"elementwise", "exact"},
    functional_options={"weight": [None, elementwise_weights()]},
    family="regression",
    operations_per_element=2,
    contract=[*unlike("target"), half_broadcast(), *weights_unlike()],
    document="3.5.4",
    source="torch.nn.MSELoss documentation",
    figure=Figure(xlabel="x - y", span=(-3.0, 3.0), inputs=lambda x: (x, np.zeros_like(x))),
)
def mse(x, y, *, weight=None):
    """Squared error.

    Formula: loss = w (x - y)**2, without the factor 1/2 that some texts carry; w = 1 without weight, which the
        functional form alone takes. "mean: the mean of the output is taken": by the number of losses.
    Shapes: x and y alike; one loss for each element.
    Domain: real x and y.
    Ties: none; smooth everywhere. The square overflows from the root of the largest number on.
    Where torch differs: the mean of weighted losses is divided by the sum of the weights.
    Accuracy: well conditioned except for the cancellation in x - y.
    Source: torch.nn.MSELoss documentation.
    """
    error = np.square(x - y)
    return error if weight is None else weight * error


@mse.gradient
def _(x, y, *, weight=None):
    slope = 2.0 * (x - y)
    slope = slope if weight is None else weight * slope
    return slope, -slope


mse.wrong("halved square", "np.square(x - y)", "0.5 * np.square(x - y)")
mse.wrong("difference of the squares", "np.square(x - y)", "np.square(x) - np.square(y)")
mse.wrong("absolute error", "np.square(x - y)", "np.abs(x - y)")
mse.wrong("derivative of half the square", "2.0 * (x - y)", "x - y", part="gradient")
mse.wrong("no derivative flows to the target", "-slope", "0.0 * slope", part="gradient", thread="PR 3876")


@mse.planted("sum for mean", part="mean", thread="10009, 12901, 43228")
def _(x, y, *, weight=None):
    return 1.0


@mse.planted("mean over the first axis only", part="mean")
def _(x, y, *, weight=None):
    return float(x.shape[0])


@mse.planted("strides of the input ignored", "subject", "124621", where="-input=")
def _(base):
    class Raw(base):
        def forward(self, input, target):
            flat = input.as_strided((input.numel(),), (1,))
            return super().forward(flat.reshape(input.shape), target)

    return Raw


@mse.planted("a target of fewer axes is broadcast along the first of them alone", thread="4938")
def _(x, y, *, weight=None):
    return np.square(x - y[:1]) if np.ndim(y) else np.square(x - y)
