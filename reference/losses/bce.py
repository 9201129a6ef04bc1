import numpy as np

from benchkit.contract import Acceptance, Refusal, half_broadcast, last, unlike
from benchkit.domains import Domain, elementwise_weights, unit_interval
from benchkit.spec import Figure, loss

PROBABILITIES = "the Binary Cross Entropy between the target and the input probabilities"


def inner_probabilities():
    """Probabilities that leave some doubt: the edge lane comes near to 0 and 1, but not below 1e-11."""

    def sample(draw):
        ordinary = unit_interval().sample(draw)
        if draw.lane != "edge":
            return ordinary
        near = max(1e-11, draw.precision.unit)
        return np.where((ordinary < near) | (ordinary > 1.0 - near), draw.rng.choice([near, 1.0 - near], draw.shape), ordinary)

    return Domain("unit", sample, differentiable=True)


def certain_probabilities():
    """Probabilities up to 0 and 1, some of them just below the number whose logarithm is -100."""

    def sample(draw):
        drawn = unit_interval().sample(draw)
        return np.where(draw.rng.random(drawn.shape) < 0.1, np.exp(-100.05), drawn) if draw.lane == "edge" else drawn

    return Domain("unit", sample, differentiable=True)


@loss(
    "torch.nn.BCELoss",
    functional="binary_cross_entropy",
    inputs={
        "": {"input": inner_probabilities(), "target": unit_interval()},
        "certain": {"input": certain_probabilities(), "target": unit_interval()},
    },
    options={"weight": [None, elementwise_weights()]},
    shapes=((4, 5), (7,), (2, 3, 4)),
    tags={"elementwise"},
    family="classification",
    operations_per_element=9,
    contract=[
        *unlike("target"),
        half_broadcast(),
        *(
            Refusal(f"{name} {value}", stated, inputs={name: last(value)}, compiled=True)
            for name, stated in (("input", PROBABILITIES), ("target", "the targets y should be numbers between 0 and 1"))
            for value in (1.5, -0.5)
        ),
        Acceptance(
            "weight of the size of the batch",
            "weight (Tensor, optional): ... has to be a Tensor of size nbatch",
            options={"weight": lambda draw: np.ones(draw.shape[0])},
            shapes=[(4, 5), (7,)],
        ),
    ],
    document="3.5.1",
    source="torch.nn.BCELoss documentation",
    figure=Figure(
        xlabel="predicted probability x, target 1",
        span=(0.005, 0.995),
        inputs=lambda x: (x, np.ones_like(x)),
    ),
)
def bce(x, y, *, weight):
    """Cross entropy between a predicted probability and the probability of the target, each of one event.

    Formula: loss = -w (y max(log x, -100) + (1 - y) max(log(1 - x), -100)), w = 1 without weight.
    Shapes: x, y and weight alike (weight may be anything that broadcasts to them); one loss for each element.
    Domain: x and y in [0, 1]; torch raises outside, also for NaN. It cannot differentiate by weight and raises.
    Edges: the logarithms are cut at -100, so the loss is finite at x = 0 and x = 1 and a zero factor gives 0. The derivative
        is that of this function: a cut logarithm is constant, so its term contributes nothing. In exact arithmetic the cut
        acts where x or 1 - x is below exp(-100) = 3.7e-44, so d/dx is w (1 - y) at x = 0 and -w y at x = 1, and d/dy keeps
        the cut logarithms, -w (max(log x, -100) - max(log(1 - x), -100)).
    Where torch differs: d/dx is w (x - y) / max(x (1 - x), 1e-12): up to 1e12 where the loss is constant (171327), 0 instead
        of 1 at x = y = 0 and of -1 at x = y = 1, and wrong wherever x (1 - x) < 1e-12. d/dy is not cut: infinite at
        x = 0 and x = 1 (PR 44950 describes the cut that it should have).
    Accuracy: log(1 - x) is log1p(-x), accurate for small x; d/dx cancels near x = y.
    Source: torch.nn.BCELoss documentation.
    """
    entropy = -(y * np.maximum(np.log(x), -100.0) + (1.0 - y) * np.maximum(np.log1p(-x), -100.0))
    return entropy if weight is None else weight * entropy


@bce.gradient
def _(x, y, *, weight):
    log_x, log_1_x = np.log(x), np.log1p(-x)
    by_x = np.where(log_1_x > -100.0, (1.0 - y) / (1.0 - x), 0.0) - np.where(log_x > -100.0, y / x, 0.0)
    by_y = np.maximum(log_1_x, -100.0) - np.maximum(log_x, -100.0)
    return (by_x, by_y) if weight is None else (weight * by_x, weight * by_y)


bce.wrong("no entropy of the complement", " + (1.0 - y) * np.maximum(np.log1p(-x), -100.0)", "")
bce.wrong("logarithm not cut: 0 log 0", "np.maximum(np.log(x), -100.0)", "np.log(x)")
bce.wrong("weight not applied", "weight * entropy", "entropy")
bce.wrong("derivative by the target not cut", "- np.maximum(log_x, -100.0)", "- log_x", part="gradient")
bce.wrong("weight not applied to the derivative", "weight * by_x", "by_x", part="gradient")


@bce.planted("epsilon inside the logarithms: caps at 27.63 instead of 100", thread="4867")
def _(x, y, *, weight):
    entropy = -(y * np.log(x + 1e-12) + (1.0 - y) * np.log(1.0 - x + 1e-12))
    return entropy if weight is None else weight * entropy


@bce.planted("derivative 1e12 where the loss is cut", part="gradient", thread="171327")
def _(x, y, *, weight):
    by_x = (x - y) / np.maximum(x * (1.0 - x), 1e-12)
    by_y = np.maximum(np.log1p(-x), -100.0) - np.maximum(np.log(x), -100.0)
    return (by_x, by_y) if weight is None else (weight * by_x, weight * by_y)


@bce.planted("mean weighted: divided by the sum of the weights", part="mean")
def _(x, y, *, weight):
    return float(x.size) if weight is None else np.sum(weight)


bce.equivalent(
    "log_1_x > -100.0 → log_1_x >= -100.0",
    "log_1_x > -100.0 → log_1_x > -100.1",
    why="Next to 1 the logarithm of the complement is -37 at the least, and -inf at 1 itself.",
)
bce.equivalent(
    "np.where(log_x > -100.0, y / x, 0.0) → np.where(log_x >= -100.0, y / x, 0.0)",
    why="No number has the logarithm -100 exactly.",
)
