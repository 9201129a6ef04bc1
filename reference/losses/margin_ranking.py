import numpy as np

from benchkit.contract import labels, no_number, unlike
from benchkit.domains import Domain, base, reals, signs
from benchkit.spec import Figure, loss


def _first(infinite):
    """Real numbers; the edge lane has differences that are infinite, or overflow, only where ``infinite``."""
    return Domain("reals", lambda draw: _scores(draw, infinite), differentiable=True)


def _scores(draw, infinite):
    p = draw.precision
    finite = [0.0, -0.0, p.smallest_subnormal, -p.smallest_normal, p.largest / 4.0, -p.largest / 4.0, np.nan]
    return reals(edges=None if infinite else finite).sample(draw)


def _second(infinite):
    """As the first input, but about a third of which (exact and edge lanes) lies just at the margin from it."""

    def sample(draw):
        ordinary = _scores(draw, infinite)
        if draw.lane == "ordinary":
            return ordinary
        tie = draw.inputs["input1"] + draw.rng.choice([-1.0, 1.0], base(draw)) * draw.options["margin"]
        return np.where(draw.rng.random(base(draw)) < 0.3, tie, ordinary)

    return Domain("reals", sample, differentiable=True)


@loss(
    "torch.nn.MarginRankingLoss",
    inputs={
        name: {"input1": _first(infinite), "input2": _second(infinite), "target": signs(differentiable=True)}
        for name, infinite in (("", False), ("infinite", True))
    },
    options={"margin": [0.0, 1.0, 0.5]},
    edge_options={"margin": [-1.0]},
    shapes=((7,), (40,), ()),
    tags={"elementwise", "exact"},
    family="ranking and embedding",
    operations_per_element=5,
    contract=[
        *unlike("input2", stated="Input2: same shape as the Input1", axes=1, shape=(7,)),
        *unlike("target", stated="Target: same shape as the inputs", axes=1, shape=(7,)),
        *labels(0.0, 0.5, stated="a label 1D mini-batch or 0D Tensor y (containing 1 or -1)"),
        *no_number("margin"),
    ],
    document="3.5.8",
    source="torch.nn.MarginRankingLoss documentation; Joachims, Optimizing search engines using clickthrough data, KDD 2002",
    figure=Figure(
        xlabel="x1 - x2, for y = 1",
        span=(-3.0, 3.0),
        inputs=lambda x: (x, np.zeros_like(x), np.ones_like(x)),
        options=[{"margin": 0.0}, {"margin": 0.5}, {"margin": 1.0}],
    ),
)
def margin_ranking(x1, x2, y, *, margin):
    """Hinge on the difference of two scores, of which y says which one should be the larger.

    Formula: loss = max(0, -y (x1 - x2) + margin).
    Shapes: x1, x2 and y alike, (N) or (); one loss for each pair.
    Domain: real x1 and x2; y is 1 or -1; any margin, 0 by default.
    Ties: at y (x1 - x2) = margin the value is 0 and the derivative anything between 0 and that of the active side.
        torch differentiates by y too, so the reference does: -(x1 - x2) where active.
    Where torch differs: the derivative by y of an inactive pair with an infinite difference is 0; torch has 0 * inf = NaN
        (variant ``infinite``).
    Accuracy: well conditioned except for the cancellation in x1 - x2.
    Source: torch.nn.MarginRankingLoss documentation; the pairs are Joachims's, KDD 2002.
    """
    return np.maximum(0.0, -y * (x1 - x2) + margin)


@margin_ranking.gradient
def _(x1, x2, y, *, margin):
    hinge = -y * (x1 - x2) + margin
    slope = np.where(hinge > 0, -y, 0.0)
    return slope, -slope, np.where(hinge < 0, 0.0, -(x1 - x2))


margin_ranking.wrong("the label is used with the wrong sign", "0.0, -y * (x1 - x2)", "0.0, y * (x1 - x2)")
margin_ranking.wrong("the margin is subtracted", "(x1 - x2) + margin)\n", "(x1 - x2) - margin)\n")
margin_ranking.wrong(
    "no hinge: satisfied pairs are rewarded",
    "return np.maximum(0.0, -y * (x1 - x2) + margin)",
    "return -y * (x1 - x2) + margin",
)
margin_ranking.wrong(
    "the margin follows the label", "np.maximum(0.0, -y * (x1 - x2) + margin", "np.maximum(0.0, -y * (x1 - x2 - margin)"
)
margin_ranking.wrong("derivative forgets the margin", " + margin", "", part="gradient")
margin_ranking.wrong("the same sign for both scores", "slope, -slope", "slope, slope", part="gradient")

margin_ranking.equivalent(
    "np.where(hinge > 0, -y, 0.0) → np.where(hinge >= 0, -y, 0.0)",
    "np.where(hinge < 0, 0.0, -(x1 - x2)) → np.where(hinge <= 0, 0.0, -(x1 - x2))",
    why="At the kink of the hinge the derivative of either side is right.",
)
