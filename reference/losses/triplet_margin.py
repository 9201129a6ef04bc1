import numpy as np

from benchkit.contract import Refusal, no_number, unlike
from benchkit.domains import vectors
from benchkit.spec import Figure, loss


def _norm(d, p):
    """The p-norm along the last axis; scaled by the largest entry, so that powers neither overflow nor underflow."""
    if p == np.inf or p == 1:
        return np.abs(d).max(axis=-1) if p == np.inf else np.abs(d).sum(axis=-1)
    largest = np.abs(d).max(axis=-1, keepdims=True)
    scale = np.where((largest > 0) & (largest < np.inf), largest, 1.0)
    powers = np.square(d / scale) if p == 2 else (np.abs(d) / scale) ** p
    total = powers.sum(axis=-1)
    return scale[..., 0] * (np.sqrt(total) if p == 2 else total ** (1.0 / p))


def _direction(d, norm, p):
    """The derivative of the p-norm by d: sign(d) (abs(d) / norm)**(p - 1), and 0 for d = 0."""
    if p == 1:
        return np.sign(d)
    if p == np.inf:
        # Pairs of different entries are compared, never an entry with itself: only a tie of two entries is a tie.
        mine, theirs = np.expand_dims(np.abs(d), -1), np.expand_dims(np.abs(d), -2)
        itself = np.eye(d.shape[-1], dtype=bool)
        exceeded = np.where(itself, 0.0, np.where(theirs > mine, 1.0, 0.0)).max(axis=-1)
        shared_by = np.where(itself, 1.0, np.where(theirs < mine, 0.0, 1.0)).sum(axis=-1)
        return np.sign(d) * (1.0 - exceeded) / shared_by
    nothing = np.abs(d).max(axis=-1, keepdims=True) == 0
    unit = np.where(nothing, np.sign(d), d / np.where(nothing, 1.0, np.expand_dims(norm, -1)))
    return unit if p == 2 else np.sign(d) * np.abs(unit) ** (p - 1)


def _triplets(**how):
    return {
        "anchor": vectors(**how),
        "positive": vectors(like=["anchor"], **how),
        "negative": vectors(like=["anchor", "positive"], **how),
    }


@loss(
    "torch.nn.TripletMarginLoss",
    inputs={
        "": _triplets(largest=False, strange=[np.nan]),
        "huge": _triplets(strange=[np.inf, -np.inf]),
    },
    options={"margin": [1.0, 0.5], "p": [2.0, 1.0, 3.0], "eps": [1e-6, 1e-2], "swap": [False, True]},
    edge_options={"margin": [2.0**-12], "p": [np.inf, 8.0], "eps": [0.0]},
    shapes=((5, 4), (3, 8), (6,)),
    edge_shapes=((0, 3), (1, 1), (2, 1), (2, 3)),
    row_axes=-1,
    family="ranking and embedding",
    operations_per_element=8,
    row_lengths=({"D": 128},),
    contract=[
        *unlike("positive", "negative", stated="The shapes of all input tensors should be (N, D)"),
        *(
            Refusal(f"margin {value}", "a margin with a value greater than 0", options={"margin": value})
            for value in (0.0, -1.0)
        ),
        Refusal("p -1.0", "The norm degree for pairwise distance", options={"p": -1.0}),
        *no_number("margin", "p"),
    ],
    document="3.5.12",
    source="Balntas, Riba, Ponsa and Mikolajczyk, Learning local feature descriptors with triplets, BMVC 2016, section 3",
    figure=Figure(
        xlabel="first component of the positive; anchor (0, 0), negative (1, 1)",
        span=(-2.0, 3.0),
        inputs=lambda x: (np.zeros((*np.shape(x), 2)), np.stack([x, 0.0 * x], axis=-1), np.ones((*np.shape(x), 2))),
        options=[{"p": 1.0}, {"p": 2.0}, {"p": 2.0, "swap": True}, {"p": 3.0}],
        gradient=lambda derivatives: derivatives[1][..., 0],
    ),
)
def triplet_margin(anchor, positive, negative, *, margin, p, eps, swap):
    """How much nearer than the margin says the negative lies to the anchor, compared with the positive.

    Formula: loss = max(0, d(anchor, positive) - d(anchor, negative) + margin), where d(x, y) is the p-norm of x - y + eps;
        with swap, d(anchor, negative) is replaced by d(positive, negative) where that is smaller.
    Shapes: three times (N, D) or (D); one loss for each row.
    Domain: real vectors; margin > 0; p >= 1, inf allowed; eps >= 0 is added to every component, which makes d unsymmetric.
    Ties: where the sum is 0 the derivative is anything between 0 and the active side's; where both distances of swap agree,
        anything between theirs; components of p = 1 at 0 and equal largest ones of p = inf give subgradients.
        The derivative of a distance at x - y + eps = 0 is any vector of the unit ball, 0 here.
    Where torch differs: its powers are not scaled: differences above 2e19 in float32 and bfloat16 (p = 2) or 7e12 (p = 3)
        overflow, to NaN as a rule, and an infinite distance has a NaN derivative (variant ``huge``); in float16 with p = 3 the
        power of eps underflows: a NaN derivative for equal vectors. With p = 8 that derivative is 0 in the other formats.
    Accuracy: absolute, about a unit roundoff of the distances; the loss may cancel.
    Source: Balntas et al., BMVC 2016; torch.nn.TripletMarginLoss and torch.nn.PairwiseDistance documentation.
    """
    to_positive = _norm(anchor - positive + eps, p)
    to_negative = _norm(anchor - negative + eps, p)
    if swap:
        to_negative = np.minimum(to_negative, _norm(positive - negative + eps, p))
    return np.maximum(0.0, to_positive - to_negative + margin)


@triplet_margin.gradient
def _(anchor, positive, negative, *, margin, p, eps, swap):
    ap, an, pn = anchor - positive + eps, anchor - negative + eps, positive - negative + eps
    d_ap, d_an, d_pn = _norm(ap, p), _norm(an, p), _norm(pn, p)
    u_ap, u_an, u_pn = _direction(ap, d_ap, p), _direction(an, d_an, p), _direction(pn, d_pn, p)
    nearer = d_pn < d_an if swap else np.zeros(np.shape(d_an), dtype=bool)
    inactive = np.expand_dims(d_ap - np.where(nearer, d_pn, d_an) + margin < 0, -1)
    nearer = np.expand_dims(nearer, -1)
    by_an, by_pn = np.where(nearer, 0.0, u_an), np.where(nearer, u_pn, 0.0)
    slopes = (u_ap - by_an, -u_ap - by_pn, by_an + by_pn)
    return tuple(np.where(inactive, 0.0, slope) for slope in slopes)


triplet_margin.wrong("eps left out of the differences", "anchor - positive + eps", "anchor - positive", thread="PR 105115")
triplet_margin.wrong("eps added to the norm", "_norm(anchor - positive + eps, p)", "_norm(anchor - positive, p) + eps")
triplet_margin.wrong("swap takes the larger distance", "np.minimum(", "np.maximum(")
triplet_margin.wrong("swap compares with the positive's distance", "positive - negative + eps", "anchor - positive + eps")
triplet_margin.wrong("squared distances", "to_positive - to_negative + margin", "to_positive**2 - to_negative**2 + margin")
triplet_margin.wrong("the margin fixed at 1", "to_negative + margin", "to_negative + 1.0")
triplet_margin.wrong("always the Euclidean norm", "_norm(anchor - negative + eps, p)", "_norm(anchor - negative + eps, 2)")
triplet_margin.wrong("the positive gets nothing from the swapped distance", "-u_ap - by_pn", "-u_ap", part="gradient")
triplet_margin.wrong("derivative of the anchor lacks the negative", "u_ap - by_an, ", "u_ap, ", part="gradient")

triplet_margin.equivalent(
    "p == np.inf or p == 1 → p == np.inf",
    "p == np.inf or p == 1 → p == np.inf or p == 1.001",
    "p == 2 → p == 2.002",
    "np.sqrt(total) if p == 2 else total ** (1.0 / p) → np.sqrt(total) if p == 2.002 else total ** (1.0 / p)",
    "p == 1 → p == 1.001",
    why="The general formula holds for p = 1 and p = 2, too.",
)
triplet_margin.equivalent(
    "1.0 → 1.001",
    within="_norm",
    why="A vector of zeros has the norm 0 and one with infinities an infinite norm, whatever scales it.",
)
triplet_margin.equivalent(
    "np.where(nothing, 1.0, np.expand_dims(norm, -1)) → np.where(nothing, 1.001, np.expand_dims(norm, -1))",
    why="The number stands in for a norm of 0, where the derivative is any vector of the unit ball.",
)
triplet_margin.equivalent(
    "np.where(theirs > mine, 1.0, 0.0) → np.where(theirs >= mine, 1.0, 0.0)",
    "np.where(theirs < mine, 0.0, 1.0) → np.where(theirs <= mine, 0.0, 1.0)",
    "np.where(theirs < mine, 0.0, 1.0) → np.where(theirs < mine, 0.0, 1.001)",
    "np.sign(d) * (1.0 - exceeded) / shared_by → np.sign(d) * (1.0 - exceeded)",
    why="They differ where the largest components tie, and there any number from 0 to the sign is a derivative.",
)
triplet_margin.equivalent("d_pn < d_an → d_pn <= d_an", why="Where both distances tie, either derivative is right.")
triplet_margin.equivalent(
    "d_ap - np.where(nearer, d_pn, d_an) + margin < 0 → d_ap - np.where(nearer, d_pn, d_an) + margin <= 0",
    why="At the kink of the hinge the derivative of either side is right.",
)
