from typing import NamedTuple

import numpy as np

from benchkit.contract import Refusal, Text, no_number, unlike
from benchkit.domains import Domain, vectors
from benchkit.spec import Figure, Native, loss
from reference.losses.cosine_embedding import _unit
from reference.losses.triplet_margin import _direction, _norm

EPS = 1e-6  # of torch.nn.PairwiseDistance


class Distance(NamedTuple):
    """A distance of two vectors along the last axis, and its derivatives by both."""

    value: object
    slopes: object


def minkowski(p, eps):
    """The p-norm of the difference, to every component of which eps is added."""

    def value(x, y):
        return _norm(x - y + eps, p)

    def slopes(x, y):
        d = x - y + eps
        by_x = _direction(d, _norm(d, p), p)
        return by_x, -by_x

    return Distance(value, slopes)


def squared_slopes(x, y):
    return 2.0 * (x - y), -2.0 * (x - y)


def cosine_value(x, y):
    return 1.0 - (_unit(x)[0] * _unit(y)[0]).sum(axis=-1)


def cosine_slopes(x, y):
    (unit_x, length_x), (unit_y, length_y) = _unit(x), _unit(y)
    cos = (unit_x * unit_y).sum(axis=-1, keepdims=True)
    return (cos * unit_x - unit_y) / length_x, (cos * unit_y - unit_x) / length_y


REAL = "distance_function: A nonnegative, real-valued function"
EUCLIDEAN = minkowski(2.0, EPS)
DISTANCES = [
    Native("pairwise_1", "torch.nn.PairwiseDistance(p=1.0)", minkowski(1.0, EPS)),
    Native(
        "cosine",
        "lambda x, y: 1.0 - torch.nn.functional.cosine_similarity(x, y, dim=-1)",
        Distance(cosine_value, cosine_slopes),
    ),
    Native("l_infinity", "lambda x, y: torch.amax(torch.abs(x - y), dim=-1)", minkowski(np.inf, 0.0)),
    Native(
        "squared", "lambda x, y: (x - y).square().sum(-1)", Distance(lambda x, y: np.square(x - y).sum(axis=-1), squared_slopes)
    ),
]


def embeddings(*, like=()):
    """Vectors; where the distance is the cosine, none is zero."""

    def sample(draw):
        drawn = vectors(like=like, tie_options=["margin"], zero=False, largest=False, strange=[np.nan]).sample(draw)
        if getattr(draw.options["distance_function"], "label", "") != "cosine" or not drawn.size:
            return drawn
        short = np.abs(drawn).max(axis=-1, keepdims=True) < 2.0**-6
        return np.where(short, 1.0 + np.arange(drawn.shape[-1]), drawn)

    return Domain("vectors", sample, differentiable=True)


@loss(
    "torch.nn.TripletMarginWithDistanceLoss",
    inputs={
        "anchor": embeddings(),
        "positive": embeddings(like=["anchor"]),
        "negative": embeddings(like=["anchor", "positive"]),
    },
    options={"distance_function": [None, *DISTANCES], "margin": [1.0, 0.5], "swap": [False, True]},
    edge_options={"margin": [0.0]},
    shapes=((5, 4), (3, 8), (6,)),
    edge_shapes=((0, 3), (1, 1), (2, 1), (2, 3)),
    row_axes=-1,
    family="ranking and embedding",
    operations_per_element=8,
    row_lengths=({"D": 128},),
    contract=[
        *unlike("positive", "negative", stated="The input tensors have N elements each", shape=(5, 4)),
        Refusal("margin -1.0", "A nonnegative margin", options={"margin": -1.0}),
        *no_number("margin"),
        *(
            Refusal(f"a distance that is {words}", REAL, options={"distance_function": Text(f"lambda x, y: {text}")})
            for words, text in (
                ("negative", "-1.0 - (x - y).square().sum(-1)"),
                ("complex", "torch.complex((x - y).float().square().sum(-1), torch.tensor(1.0))"),
            )
        ),
    ],
    legacy=False,
    source="Balntas, Riba, Ponsa and Mikolajczyk, Learning local feature descriptors with triplets, BMVC 2016, section 3; "
    "torch.nn.TripletMarginWithDistanceLoss documentation",
    figure=Figure(
        xlabel="first component of the positive; anchor (0, 0), negative (1, 1)",
        span=(-2.0, 3.0),
        inputs=lambda x: (np.zeros((*np.shape(x), 2)), np.stack([x, 0.0 * x], axis=-1), np.ones((*np.shape(x), 2))),
        options=[{"distance_function": None}],
        gradient=lambda derivatives: derivatives[1][..., 0],
    ),
)
def triplet_margin_with_distance(anchor, positive, negative, *, distance_function, margin, swap):
    """How much nearer than the margin says the negative lies to the anchor, compared with the positive, by any distance.

    Formula: loss = max(0, d(anchor, positive) - d(anchor, negative) + margin); with swap, d(anchor, negative) is replaced by
        d(positive, negative) where that is smaller. Without a distance_function d(x, y) is that of PairwiseDistance, the
        2-norm of x - y + 1e-6.
    Shapes: three times what the distance takes, here (N, D) or (D); one loss for each distance.
    Domain: real vectors; margin >= 0, as is documented.
    Ties: where the sum is 0 the derivative is anything between 0 and the active side's; where both distances of swap agree,
        anything between theirs.
    Where torch differs: it refuses the margin 0.
    Accuracy: absolute, about a unit roundoff of the distances; the loss may cancel.
    Source: Balntas et al., BMVC 2016; torch.nn.TripletMarginWithDistanceLoss documentation.
    """
    d = EUCLIDEAN.value if distance_function is None else distance_function.formula.value
    to_positive, to_negative = d(anchor, positive), d(anchor, negative)
    if swap:
        to_negative = np.minimum(to_negative, d(positive, negative))
    return np.maximum(0.0, to_positive - to_negative + margin)


@triplet_margin_with_distance.gradient
def _(anchor, positive, negative, *, distance_function, margin, swap):
    d, slopes = EUCLIDEAN if distance_function is None else distance_function.formula
    d_ap, d_an, d_pn = d(anchor, positive), d(anchor, negative), d(positive, negative)
    (ap_a, ap_p), (an_a, an_n), (pn_p, pn_n) = slopes(anchor, positive), slopes(anchor, negative), slopes(positive, negative)
    nearer = d_pn < d_an if swap else np.zeros(np.shape(d_an), dtype=bool)
    inactive = np.expand_dims(d_ap - np.where(nearer, d_pn, d_an) + margin < 0, -1)
    nearer = np.expand_dims(nearer, -1)
    by_anchor = ap_a - np.where(nearer, 0.0, an_a)
    by_positive = ap_p - np.where(nearer, pn_p, 0.0)
    by_negative = -np.where(nearer, pn_n, an_n)
    return tuple(np.where(inactive, 0.0, slope) for slope in (by_anchor, by_positive, by_negative))


triplet_margin_with_distance.wrong(
    "the distance given is not used", "EUCLIDEAN.value if distance_function is None", "EUCLIDEAN.value if True"
)
triplet_margin_with_distance.wrong("swap takes the larger distance", "np.minimum(", "np.maximum(")
triplet_margin_with_distance.wrong("swap ignored", "if swap:", "if False:")
triplet_margin_with_distance.wrong(
    "swap compares with the positive's distance", "to_negative, d(positive, negative)", "to_negative, d(anchor, positive)"
)
triplet_margin_with_distance.wrong("the margin fixed at 1", "to_negative + margin", "to_negative + 1.0")
triplet_margin_with_distance.wrong(
    "no hinge", "np.maximum(0.0, to_positive - to_negative + margin)", "to_positive - to_negative + margin"
)
triplet_margin_with_distance.wrong(
    "eps left out of the distance by default", "EUCLIDEAN.value if", "minkowski(2.0, 0.0).value if", thread="PR 105115"
)
triplet_margin_with_distance.wrong(
    "the positive gets nothing from the swapped distance", "ap_p - np.where(nearer, pn_p, 0.0)", "ap_p", part="gradient"
)
triplet_margin_with_distance.wrong(
    "derivative of the anchor lacks the negative", "ap_a - np.where(nearer, 0.0, an_a)", "ap_a", part="gradient"
)

triplet_margin_with_distance.equivalent(
    "d(anchor, positive) → d(positive, anchor)",
    "d(anchor, negative) → d(negative, anchor)",
    "d(positive, negative) → d(negative, positive)",
    why="In the derivative the distances only say which side of a kink it is, and but for an eps of 1e-6 they are symmetric.",
    within="gradient",
)
triplet_margin_with_distance.equivalent(
    "d_pn < d_an → d_pn <= d_an",
    why="Where both distances tie, either derivative is right.",
)
triplet_margin_with_distance.equivalent(
    "d_ap - np.where(nearer, d_pn, d_an) + margin < 0 → d_ap - np.where(nearer, d_pn, d_an) + margin <= 0",
    why="At the kink of the hinge the derivative of either side is right.",
)
