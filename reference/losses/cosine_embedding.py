import numpy as np

from benchkit.contract import Refusal, first, labels, no_number, shaped, unlike
from benchkit.domains import Domain, signs, vectors, without_axis
from benchkit.spec import Figure, loss


def _unit(x):
    """The vectors along the last axis divided by their lengths, and the lengths; a zero vector is left as it is, length 1.

    Scaled by the largest entry, so that squares neither overflow nor underflow.
    """
    largest = np.abs(x).max(axis=-1, keepdims=True)
    nonzero = largest != 0
    scale = np.where(nonzero & (largest < np.inf), largest, 1.0)
    scaled = x / scale
    length = np.sqrt(np.square(scaled).sum(axis=-1, keepdims=True))
    length = np.where(nonzero, length, 1.0)
    return scaled / length, scale * length


def embeddings(*, like=(), short=False, largest=True):
    """Vectors, of which those that are not ``short`` have a squared length beside which 1e-12 is less than a rounding.

    Among the short ones are some whose squared length is less than 1e-12 itself, or than what its format holds. Where the
    ``largest`` number is none of their entries, the product of two squared lengths is a number of the format, too. Some vectors
    are almost at right angles to one that they are ``like``: the cosine lies between 0 and 2**-11.
    """

    def sample(draw):
        drawn = vectors(like=like, zero=short, largest=largest).sample(draw)
        if not drawn.size:
            return drawn
        if draw.lane == "ordinary" and drawn.shape[-1] > 1:
            for name in like:
                other = draw.inputs[name]
                turned = np.zeros(drawn.shape)
                turned[..., :2] = np.stack([-other[..., 1], other[..., 0]], axis=-1) + 2.0**-11 * other[..., :2]
                drawn = np.where(draw.rng.random((*drawn.shape[:-1], 1)) < 0.2, turned, drawn)
        if short and draw.lane == "edge":
            tiny = draw.rng.random((*drawn.shape[:-1], 1)) < 0.4
            drawn = np.where(tiny, np.ldexp(drawn, -8 if draw.precision.largest < 2.0**16 else -20), drawn)
        if not short:
            # Float64 resolves 1e-12 beside the square of any ordinary length, float32 beside that of a hundredth; below a tenth
            # float16 has too few digits for the product of two squares. What repeats another input is long already.
            entry, power = np.abs(drawn).max(axis=-1, keepdims=True), 10 if draw.precision.bits == 53 else -2
            drawn = np.ldexp(drawn, np.where(entry < 2.0**power, power + 1 - np.frexp(entry)[1], 0))
        if not largest and draw.precision.emax == 15:
            length = np.sqrt(np.square(np.where(np.isfinite(drawn), drawn, 0.0)).sum(axis=-1, keepdims=True))
            return np.ldexp(drawn, np.minimum(4 - np.frexp(length)[1], 0))  # shorter than 16
        return drawn

    return Domain("vectors", sample, differentiable=True)


def _pairs(**how):
    return {
        "input1": embeddings(**how),
        "input2": embeddings(like=["input1"], **how),
        "target": signs(shape=without_axis(-1)),
    }


@loss(
    "torch.nn.CosineEmbeddingLoss",
    inputs={
        "": _pairs(largest=False),
        "short": _pairs(largest=False, short=True),
        "huge": _pairs(),
    },
    options={"margin": [0.0, 0.5]},
    edge_options={"margin": [-1.0, 1.0]},
    shapes=((5, 4), (3, 8), (6,)),
    edge_shapes=((0, 3), (1, 1), (2, 1), (2, 3)),
    row_axes=-1,
    family="ranking and embedding",
    operations_per_element=7,
    row_lengths=({"D": 128},),
    contract=[
        *unlike("input2", stated="Input2: same shape as Input1"),
        *unlike("target", stated="Target: (N)", axes=1),
        *labels(0.0, 0.5, stated="a Tensor label y with values 1 or -1", shapes=[(4, 5)]),
        *(
            Refusal(f"margin {value}", "margin: Should be a number from -1 to 1", options={"margin": value}, shapes=[(4, 5)])
            for value in (1.5, -1.5)
        ),
        *no_number("margin", inputs={"target": first(-1.0)}),  # of pairs that agree none is asked
        Refusal(
            "inputs of three axes",
            "Input1: (N, D) or (D)",
            inputs=dict.fromkeys(("input1", "input2"), shaped(lambda x: x[None])),
            shapes=[(4, 5)],
        ),
    ],
    document="3.5.14",
    source="torch.nn.CosineEmbeddingLoss documentation",
    figure=Figure(
        xlabel="x, for x1 = (x, 1), x2 = (1, 0) and y = -1",
        span=(-4.0, 4.0),
        inputs=lambda x: (
            np.stack([x, 0.0 * x + 1.0], axis=-1),
            np.stack([0.0 * x + 1.0, 0.0 * x], axis=-1),
            -np.ones_like(x),
        ),
        options=[{"margin": -0.5}, {"margin": 0.0}, {"margin": 0.5}],
        gradient=lambda derivatives: derivatives[0][..., 0],
    ),
)
def cosine_embedding(x1, x2, y, *, margin):
    """One minus the cosine of two vectors that should agree; the cosine above the margin of two that should not.

    Formula: cos = x1.x2 / (norm(x1) norm(x2)); loss = 1 - cos where y = 1; max(0, cos - margin) where y = -1.
    Shapes: x1 and x2 (N, D) with y (N), or (D) with y (); one loss for each row. y of shape (N, 1) is an error.
    Domain: real vectors; y is 1 or -1; margin in [-1, 1]. The cosine with a zero vector is 0, as
        torch.nn.functional.cosine_similarity, which keeps the norms above eps = 1e-8, has it; the documentation of this
        loss names no eps. The cosine jumps there: it has no derivative by a zero
        vector (NaN here), except where the loss stays constant.
    Ties: at y = -1 and cos = margin the value is 0 and the derivative anything between 0 and that of the cosine.
        No derivative by y.
    Where torch differs: it acts as if 1e-12 were added to each squared norm, which no documentation says: the cosine of
        equal vectors is 1 - 1e-12 / norm**2, seen in float64, in float32 for norms below 0.01, and as NaN for a zero vector
        in float16 (variant ``short``). The product of its squares overflows: norms above 4e9 in float32, 16 in float16, give a
        cosine of 0, and NaN where the square itself overflows, above 2e19 and 256 (``huge``).
    Accuracy: absolute, about a unit roundoff; 1 - cos of nearly parallel vectors has few correct digits.
    Source: torch.nn.CosineEmbeddingLoss and torch.nn.functional.cosine_similarity documentation.
    """
    unit1, _ = _unit(x1)
    unit2, _ = _unit(x2)
    cos = (unit1 * unit2).sum(axis=-1)
    return np.where(y == 1, 1.0 - cos, np.maximum(0.0, cos - margin))


@cosine_embedding.gradient
def _(x1, x2, y, *, margin):
    unit1, length1 = _unit(x1)
    unit2, length2 = _unit(x2)
    cos = (unit1 * unit2).sum(axis=-1, keepdims=True)
    y = np.expand_dims(y, -1)
    slope = np.where(y == 1, -1.0, np.where(cos - margin > 0, 1.0, 0.0))
    by_x1, by_x2 = slope * (unit2 - cos * unit1), slope * (unit1 - cos * unit2)
    # From a zero vector the cosine jumps along every axis on which the other vector has a component, and along no other.
    nothing1, nothing2 = (np.abs(x).max(axis=-1, keepdims=True) == 0 for x in (x1, x2))
    by_x1 = np.where(nothing1, np.where((slope != 0) & (x2 != 0), np.nan, 0.0), by_x1)
    by_x2 = np.where(nothing2, np.where((slope != 0) & (x1 != 0), np.nan, 0.0), by_x2)
    return by_x1 / length1, by_x2 / length2


cosine_embedding.wrong(
    "target (N, 1) broadcasts to (N, N)",
    "np.where(y == 1, 1.0 - cos, np.maximum(0.0, cos - margin))",
    "np.where(np.expand_dims(y, -1) == 1, 1.0 - cos, np.maximum(0.0, cos - margin)).mean(axis=-1)",
    thread="53030",
)
cosine_embedding.wrong("the margin is added", "0.0, cos - margin))", "0.0, cos + margin))")
cosine_embedding.wrong("no hinge for pairs that should differ", "np.maximum(0.0, cos - margin))", "cos - margin)")
cosine_embedding.wrong("dot product without the second norm", "unit2, _ = _unit(x2)", "unit2 = x2")
cosine_embedding.wrong(
    "margin for pairs that should agree", "y == 1, 1.0 - cos,", "y == 1, np.maximum(0.0, 1.0 - cos - margin),"
)
cosine_embedding.wrong("derivative not projected off the vector itself", "unit2 - cos * unit1", "unit2", part="gradient")
cosine_embedding.wrong("derivative not divided by the length", " / length2", "", part="gradient")

cosine_embedding.equivalent(
    "np.where(cos - margin > 0, 1.0, 0.0) → np.where(cos - margin >= 0, 1.0, 0.0)",
    why="At the kink of the hinge the derivative of either side is right.",
)
cosine_embedding.equivalent(
    "nonzero & (largest < np.inf) → nonzero",
    "nonzero & (largest < np.inf) → nonzero & (largest <= np.inf)",
    why="A vector with an infinite component has no direction: its cosine is NaN either way.",
)
cosine_embedding.equivalent(
    "1.0 → 1.001",
    "np.where(nonzero, length, 1.0) → np.where(nonzero, length, 1.001)",
    why="A vector of zeros divided by any number is one of zeros, and one with infinities has no direction.",
    within="_unit",
)
cosine_embedding.equivalent(
    "np.abs(x).max(axis=-1, keepdims=True) == 0 → np.abs(x).max(axis=-1, keepdims=True) == 0.001",
    why="Zero vectors then get what the formula gives: 0 where the derivative exists, and any answer is taken elsewhere.",
)
