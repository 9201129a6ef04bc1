import numpy as np

from benchkit.contract import Refusal, last, unlike
from benchkit.domains import Domain
from benchkit.spec import Figure, loss


def rates(*, zero=False):
    """Rates of the Poisson distribution, or their logarithms with log_input.

    The edge lane of the rates has tiny and huge ones, -1 (outside the domain) and, with ``zero``, 0 and eps, unless eps is 0:
    then log 0 is asked for. That of the logarithms reaches both ends, where the exponential underflows and overflows.
    """

    def sample(draw):
        p = draw.precision
        if draw.lane == "exact":
            return draw.rng.integers(1, 13, draw.shape) / 4.0
        ordinary = draw.rng.normal(0.0, 1.5, draw.shape)
        if draw.options["log_input"]:
            top = np.ceil(np.log(p.largest))
            edges = [0.0, -0.0, p.smallest_subnormal, top - 1.0, top + 1.0, -2.0 * top, -p.largest, np.nan]
        else:
            ordinary, eps = np.exp(ordinary), draw.options["eps"]
            edges = [1.0, p.largest, -1.0, np.nan] + ([0.0, 0.0, p.smallest_subnormal, eps] if eps and zero else [])
        return draw.mix_edges(ordinary, edges) if draw.lane == "edge" else ordinary

    return Domain("rates", sample, differentiable=True)


def counts(*, zero=False):
    """Positive counts and some numbers between; with ``zero`` also 0 and, since torch takes any target, negative numbers."""

    def sample(draw):
        count = draw.rng.poisson(3.0, draw.shape) + (0.0 if zero else 1.0)
        if draw.lane == "exact":
            return count
        between = draw.rng.normal(0.0, 2.0, draw.shape)
        count = np.where(draw.rng.random(draw.shape) < 0.3, between if zero else np.abs(between) + 0.01, count)
        unit = draw.precision.unit
        edges = [1.0, 1.0 + 2.0 * unit, 1.0 - unit, 2.0, 1000.0] + ([0.0, 0.0, -1.0] if zero else [])
        return draw.mix_edges(count, edges) if draw.lane == "edge" else count

    return Domain("counts", sample, differentiable=True)


@loss(
    "torch.nn.PoissonNLLLoss",
    inputs={
        "": {"input": rates(), "target": counts()},
        "zeros": {"input": rates(zero=True), "target": counts(zero=True)},
    },
    options={"log_input": [True, False], "full": [False, True], "eps": [1e-8, 1e-2]},
    edge_options={"eps": [0.0]},
    shapes=((4, 5), (7,), (2, 3, 4)),
    tags={"elementwise"},
    family="regression",
    operations_per_element=3,
    contract=[
        *unlike("target"),
        # Its logarithm is no number, and NaN says so.
        Refusal("a negative rate", options={"log_input": False}, inputs={"input": last(-0.5)}, or_nan=True),
    ],
    document="3.5.6",
    source="Poisson distribution and Stirling's formula as in the torch.nn.PoissonNLLLoss documentation",
    figure=Figure(
        xlabel="input x (log-rate, or rate with log_input=False), target 2",
        span=(0.05, 4.0),
        inputs=lambda x: (x, np.full_like(x, 2.0)),
        options=[
            {"log_input": True, "full": False, "eps": 1e-8},
            {"log_input": True, "full": True, "eps": 1e-8},
            {"log_input": False, "full": False, "eps": 1e-8},
            {"log_input": False, "full": True, "eps": 1e-8},
        ],
    ),
)
def poisson_nll(x, t, *, log_input, full, eps):
    """Negative logarithm of the Poisson probability of a count, without or with Stirling's formula for the factorial.

    Formula: loss = exp(x) - t x, or with log_input=False x - t log(x + eps); where t > 1, full adds Stirling's formula
        t log t - t + log(2 pi t) / 2.
    Shapes: x and t alike; one loss for each element.
    Domain: x a finite log-rate, or a rate: x > 0, and x = 0 where eps > 0 (eps = 0 asks for log 0 there). The target is a
        count, but any real number is taken.
    Ties: the added term begins with a jump at t = 1, where it is not added; the derivative by t at 1 is that from below.
    Edges: NaN where log(x + eps) is; the exponential overflows in the dtype of x.
    Where torch differs: with full, the derivative by t is NaN for t <= 0, where the added term is absent (variant ``zeros``);
        in float16 an eps of 1e-8 is 0, and the loss infinite at x = 0.
    Accuracy: the terms cancel near the minimum; the exponential multiplies the error of x by x.
    Source: torch.nn.PoissonNLLLoss documentation.
    """
    loss = np.exp(x) - t * x if log_input else x - t * np.log(x + eps)
    if not full:
        return loss
    above = np.where(t > 1.0, t, 2.0)  # 2 stands where no term is added, so that no logarithm of a negative number is taken
    return loss + np.where(t > 1.0, above * np.log(above) - above + 0.5 * np.log(2.0 * np.pi * above), 0.0)


@poisson_nll.gradient
def _(x, t, *, log_input, full, eps):
    by_x = np.exp(x) - t if log_input else 1.0 - t / (x + eps)
    by_t = -x if log_input else -np.log(x + eps)
    above = np.where(t > 1.0, t, 2.0)
    return by_x, by_t + np.where(t > 1.0, np.log(above) + 0.5 / above, 0.0) if full else by_t


poisson_nll.wrong("Stirling's term left out of full", "if not full:", "if True:", thread="28575")
poisson_nll.wrong("eps missing: log 0", "np.log(x + eps)", "np.log(x)", thread="PR 3336")
poisson_nll.wrong("no pi in Stirling's term", "2.0 * np.pi * above", "2.0 * above")
poisson_nll.wrong("Stirling's term from t = 1 on", "loss + np.where(t > 1.0,", "loss + np.where(t >= 1.0,")
poisson_nll.wrong("eps added outside the logarithm", "np.log(x + eps)", "(np.log(x) + eps)")
poisson_nll.wrong("rate taken for its logarithm", "np.exp(x) - t * x if log_input else", "np.exp(x) - t * x if True else")
poisson_nll.wrong("derivative without eps", "t / (x + eps)", "t / x", part="gradient")
poisson_nll.wrong("Stirling's term not differentiated", " if full else", " if False else", part="gradient")

poisson_nll.equivalent(
    "np.where(t > 1.0, t, 2.0) → np.where(t >= 1.0, t, 2.0)",
    "np.where(t > 1.0, t, 2.0) → np.where(t > 1.0, t, 2.002)",
    why="The number stands in for targets up to 1, whose Stirling term is set to 0.",
)
poisson_nll.equivalent(
    "t > 1.0 → t >= 1.0",
    why="At a target of 1 the Stirling term jumps: there is no derivative that an answer could be held to.",
    within="gradient",
)
