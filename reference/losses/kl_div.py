import numpy as np
from scipy.special import xlogy

from benchkit.contract import Refusal, last, unlike
from benchkit.domains import Domain, class_probabilities
from benchkit.spec import Figure, loss


def log_probabilities(*, zero=False):
    """Logarithms of distributions along the last axis; the edge lane has those of 1, of underflow and, with ``zero``, of 0."""

    def sample(draw):
        ordinary = class_probabilities(log=True).sample(draw)
        edges = [0.0, -0.0, -draw.precision.smallest_normal, -5.0, -200.0] + ([-np.inf, -np.inf] if zero else [])
        return draw.mix_edges(ordinary, edges) if draw.lane == "edge" else ordinary

    return Domain("log-probabilities", sample, differentiable=True)


def target(*, zero=False):
    """Distributions, or their logarithms with log_target; the edge lane has 1, tiny and negative ones and, with ``zero``, 0.

    Without ``zero`` they are so far above the smallest number of the format that their share of a mean is a normal number.
    """

    def sample(draw):
        if draw.options["log_target"]:
            return log_probabilities(zero=zero).sample(draw)
        ordinary, p = class_probabilities().sample(draw), draw.precision
        positive = np.maximum(ordinary, p.smallest_normal)
        edges = [1.0, p.smallest_normal, -1.0] + ([p.smallest_subnormal, 0.0, 0.0] if zero else [])
        if draw.lane == "edge":
            return draw.mix_edges(positive, edges)
        return ordinary if zero else np.maximum(ordinary, 1024.0 * p.smallest_normal)

    return Domain("distribution", sample, differentiable=True)


def times(t, x):
    """The product, with 0 * -inf = 0: an event of probability 0 adds nothing, whatever its predicted probability."""
    return np.where((t == 0.0) & (x == -np.inf), 0.0, t * x)


@loss(
    "torch.nn.KLDivLoss",
    functional="kl_div",
    inputs={
        "": {"input": log_probabilities(), "target": target()},
        "zeros": {"input": log_probabilities(), "target": target(zero=True)},
        "impossible": {"input": log_probabilities(zero=True), "target": target(zero=True)},
    },
    options={"log_target": [False, True]},
    shapes=((4, 5), (7,), (2, 3, 4)),
    tags={"elementwise", "probabilities"},
    family="classification",
    operations_per_element=4,
    contract=[
        *unlike("target"),
        # Its logarithm is no number, and NaN says so.
        Refusal("a negative target", inputs={"target": last(-0.5)}, or_nan=True),
    ],
    document="3.5.7",
    source="Cover and Thomas, Elements of Information Theory, 2006, section 2.3; torch.nn.KLDivLoss documentation",
    figure=Figure(
        xlabel="log-probability x, target probability 0.5",
        span=(-4.0, 0.0),
        inputs=lambda x: (x, np.full_like(x, 0.5)),
        options=[{"log_target": False}],
    ),
)
def kl_div(x, t, *, log_target):
    """Terms of the Kullback-Leibler divergence of a predicted distribution, given by logarithms, from a target distribution.

    Formula: loss = t (log t - x); with log_target, loss = exp(t) (t - x).
    Shapes: x and t alike; one loss for each element. Reduction batchmean divides the sum by x.shape[0], mean by the number of
        elements (which is not the divergence).
    Domain: x = log q and t = p (or log p), q and p in [0, 1]; nothing checks that they sum to 1. A negative p gives NaN.
    Edges: by the convention of the divergence 0 log(0 / q) = 0 for every q, also q = 0, and p log(p / 0) is infinite: so the
        loss is 0 at p = 0 also where x = -inf. The derivative by t is that of this function from inside the domain: -inf
        at t = 0, and +inf there where x = -inf too; with log_target it is 0 at t = -inf.
    Where torch differs: value NaN at p = 0 with x = -inf (variant ``impossible``), and for log_target at t = -inf with any
        x; derivative by t NaN at p = 0 (89558) and at t = -inf, inexact for a subnormal p (variant ``zeros``).
    Accuracy: log t and x cancel where the distributions agree.
    Source: Cover and Thomas, Elements of Information Theory, 2006, section 2.3; torch.nn.KLDivLoss documentation.
    """
    if log_target:
        return np.where((t == -np.inf) & (x < np.inf), 0.0, np.exp(t) * (t - x))
    return xlogy(t, t) - times(t, x)


@kl_div.gradient
def _(x, t, *, log_target):
    if log_target:
        p = np.exp(t)
        return -p, np.where((t == -np.inf) & (x < np.inf), 0.0, p * (t - x) + p)
    return -t, np.where((t == 0.0) & (x == -np.inf), np.inf, np.log(t) + 1.0 - x)


@kl_div.denominator("batchmean")
def _(x, t, *, log_target):
    return float(x.shape[0])


kl_div.wrong("batchmean confused with mean", "x.shape[0]", "x.size", part="batchmean", thread="PR 7006, 51716")
kl_div.wrong(
    "a negative target contributes 0",
    "xlogy(t, t) - times(t, x)",
    "np.where(t > 0.0, xlogy(t, t) - times(t, x), 0.0)",
    thread="69230",
)
kl_div.wrong("entropy of the target dropped", "xlogy(t, t) - times(t, x)", "-times(t, x)")
kl_div.wrong("NaN at target 0", "xlogy(t, t)", "t * np.log(t)")
kl_div.wrong("log_target: the target is not exponentiated", "np.exp(t) * (t - x)", "t * (t - x)")
kl_div.wrong("input taken for a probability", "times(t, x)", "xlogy(t, np.abs(x))")
kl_div.wrong("derivative by the target without that of its logarithm", "np.log(t) + 1.0 - x", "np.log(t) - x", part="gradient")
kl_div.wrong("log_target: derivative by the input is -t", "return -p,", "return -t,", part="gradient")


@kl_div.planted("mean confused with batchmean", part="mean", thread="PR 7006, 51716")
def _(x, t, *, log_target):
    return float(x.shape[0])


kl_div.equivalent(
    "(t == -np.inf) & (x < np.inf) → t == -np.inf",
    "(t == -np.inf) & (x < np.inf) → (t == -np.inf) & (x <= np.inf)",
    why="The input is the logarithm of a probability and never inf.",
)
kl_div.equivalent(
    "(t == 0.0) & (x == -np.inf) → t == 0.0",
    why="The input is finite or -inf, and 0 times what is finite is 0 anyway.",
    within="times",
)
kl_div.equivalent(
    "(t == 0.0) & (x == -np.inf) → x == -np.inf",
    why="A positive target has an infinite derivative there, too: log t + 1 + inf.",
    within="gradient",
)
