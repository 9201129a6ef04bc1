import numpy as np

from benchkit.contract import Refusal, no_number, out_of_range, shaped, unlike, wrong_format, wrong_weights
from benchkit.domains import Domain, class_indices, class_weights, vectors
from benchkit.spec import Figure, loss


def _weights():
    """One weight for each class; zero for p = 1 only, since a square may overflow, and 0 * inf has no value."""
    return Domain("per_class", lambda draw: class_weights(zero=draw.options["p"] == 1).sample(draw))


def _scores(*strange):
    """Scores; for p = 2 none whose square overflows, since its derivative then depends on what is multiplied first."""

    def sample(draw):
        values = vectors(tie_options=["margin"], strange=strange).sample(draw)
        root = np.sqrt(draw.precision.largest) / 16.0
        return np.where(np.isfinite(values) & (draw.options["p"] == 2), np.clip(values, -root, root), values)

    return Domain("vectors", sample, differentiable=True)


@loss(
    "torch.nn.MultiMarginLoss",
    inputs={
        "": {"input": _scores(np.inf, -np.inf), "target": class_indices()},
        "nan": {"input": _scores(np.nan), "target": class_indices()},
    },
    options={"p": [1, 2], "margin": [1.0, 0.5], "weight": [None, _weights()]},
    edge_options={"margin": [0.0, -0.5]},
    shapes=((8, 4), (2, 8), (4,)),
    edge_shapes=((0, 4), (1, 1), (2, 1), (2, 2)),
    row_axes=-1,
    tags={"exact"},
    family="classification",
    operations_per_element=4,
    row_lengths=({"C": 10}, {"C": 1000}, {"C": 32768}),
    contract=[
        *out_of_range(stated="Target: each value is 0 <= targets[i] <= C - 1"),
        *wrong_format("target", "int32", "bool", "float32", shapes=[(8, 4)]),
        *unlike("target", stated="Target: (N)", axes=1, shape=(8, 4)),
        Refusal("input of three axes", "Input: (N, C) or (C)", inputs={"input": shaped(lambda x: x[None])}, shapes=[(8, 4)]),
        *wrong_weights("weight: has to be a Tensor of size C", shapes=[(8, 4)]),
        *(
            Refusal(f"p {value}", "1 and 2 are the only supported values", options={"p": value}, shapes=[(8, 4)])
            for value in (0, 3, 1.5)
        ),
        *no_number("margin"),
    ],
    document="3.5.11",
    source="Crammer and Singer, JMLR 2001; Weston and Watkins, ESANN 1999; torch.nn.MultiMarginLoss documentation",
    figure=Figure(
        xlabel="score of the target class; the others have 0, 0.5 and 1",
        span=(-1.0, 3.0),
        inputs=lambda x: (np.stack([x, 0.0 * x, 0.0 * x + 0.5, 0.0 * x + 1.0], axis=-1), np.zeros(np.shape(x), dtype=np.int64)),
        options=[{"p": 1, "margin": 0.5}, {"p": 1, "margin": 1.0}, {"p": 2, "margin": 0.5}, {"p": 2, "margin": 1.0}],
        gradient=lambda derivatives: derivatives[0][..., 0],
    ),
)
def multi_margin(x, y, *, p, margin, weight):
    """Hinge of every other class's score against the target's, to the power p, averaged over the classes.

    Formula: loss = (sum over i != y of w[y] max(0, margin - x[y] + x[i])**p) / C; the weight is outside of the power.
    Shapes: x (N, C) or (C), y (N) or (), weight (C) or None; one loss for each row. The mean divides by N, not by weights.
    Domain: real x; p is 1 or 2; 0 <= y < C; any margin, 1 by default; a single class has the loss 0.
    Ties: at x[y] - x[i] = margin the value is 0; for p = 1 the derivative is anything between 0 and w[y] / C.
        No derivative by the weight.
    Where torch differs: a NaN score is NaN by the formula; torch's maximum drops it (0; variant ``nan``). Its mean and sum of
        an empty batch are whatever the memory held. No half types on the CPU.
    Accuracy: well conditioned except for the cancellation in margin - x[y] + x[i].
    Source: torch.nn.MultiMarginLoss documentation; Weston and Watkins, ESANN 1999.
    """
    own = np.expand_dims(y, -1)
    z = np.maximum(0.0, margin - np.take_along_axis(x, own, axis=-1) + x)
    w = 1.0 if weight is None else weight[own]
    power = z if p == 1 else z * z
    return np.where(np.arange(x.shape[-1]) != own, w * power, 0.0).sum(axis=-1) / x.shape[-1]


@multi_margin.gradient
def _(x, y, *, p, margin, weight):
    own = np.expand_dims(y, -1)
    z = margin - np.take_along_axis(x, own, axis=-1) + x
    w = 1.0 if weight is None else weight[own]
    other = np.arange(x.shape[-1]) != own
    # Divided by the number of classes before it is doubled, which does not overflow where the derivative is representable.
    share = 1.0 / x.shape[-1]
    power = share * (0.5 + 0.5 * np.sign(z)) if p == 1 else 2.0 * (share * np.maximum(0.0, z))
    slope = np.where(other, w * power, 0.0)
    return (np.where(other, slope, -slope.sum(axis=-1, keepdims=True)),)


multi_margin.wrong("weight inside the power", "z if p == 1 else z * z", "z if p == 1 else w * z * z", thread="PR 104844")
multi_margin.wrong("weight of the other class instead of the target's", "weight[own]", "weight")
multi_margin.wrong("weight read without its stride", "weight[own]", "weight[own // 2]", thread="PR 104852")
multi_margin.wrong("the target class itself is counted", "np.arange(x.shape[-1]) != own", "own >= 0")
multi_margin.wrong("divided by the number of the other classes", "/ x.shape[-1]", "/ max(x.shape[-1] - 1, 1)")
multi_margin.wrong("not divided by the number of classes", " / x.shape[-1]", "")
multi_margin.wrong("the power ignored", "z if p == 1 else z * z", "z")
multi_margin.wrong("factor p missing", "2.0 * (share", "(share", part="gradient")
multi_margin.wrong("the weight missing in the derivative", "1.0 if weight is None else weight[own]", "1.0", part="gradient")
