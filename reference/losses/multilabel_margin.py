import numpy as np

from benchkit.contract import Refusal, first, out_of_range, shaped, unlike, wrong_format
from benchkit.domains import Domain, base, vectors
from benchkit.spec import Figure, loss


def _label_rows():
    """Rows of distinct class indices of any number, ended by -1, with labels or -1 after it; edge rows repeat a label."""

    def sample(draw):
        shape = base(draw)
        classes = shape[-1]
        labels = draw.rng.permuted(np.broadcast_to(np.arange(classes), shape), axis=-1)
        if draw.lane == "edge":
            labels = draw.rng.integers(0, classes, shape)
        end = np.expand_dims(draw.rng.integers(0, classes + 1, shape[:-1]), -1)
        behind = np.where(draw.rng.random(shape) < 0.5, -1, labels)
        position = np.arange(classes)
        return np.where(position < end, labels, np.where(position == end, -1, behind)).astype(np.int64)

    return Domain("label_rows", sample, floating=False, repeats=False)


def _block(y):
    """Which places of the target rows count, those before the first -1, and the index made harmless elsewhere."""
    block = np.logical_and.accumulate(y >= 0, axis=-1)
    return block, np.where(block, y, 0)


@loss(
    "torch.nn.MultiLabelMarginLoss",
    inputs={
        "": {"input": vectors(ties=[1.0], strange=[np.inf, -np.inf]), "target": _label_rows()},
        "nan": {"input": vectors(ties=[1.0], strange=[np.nan]), "target": _label_rows()},
    },
    shapes=((8, 4), (2, 8), (4,)),
    edge_shapes=((0, 4), (1, 1), (2, 1), (2, 2), (3, 3)),
    row_axes=-1,
    tags={"exact"},
    family="classification",
    operations_per_element=30,
    row_lengths=({"C": 10}, {"C": 100}),
    contract=[
        # The first index of a row counts in any case; from -1 on the others do not.
        *out_of_range(stated="0 <= y[j] <= x.size(0) - 1", place=first, least=None),
        *wrong_format("target", "int32", "bool", "float32", shapes=[(8, 4)]),
        *unlike("target", stated="y and x must have the same size"),
        Refusal(
            "input of three axes",
            "Input: (C) or (N, C)",
            inputs=dict.fromkeys(("input", "target"), shaped(lambda x: x[None])),
            shapes=[(8, 4)],
        ),
    ],
    document="3.5.9",
    source="torch.nn.MultiLabelMarginLoss documentation",
    figure=Figure(
        xlabel="score of the only label; the other classes have 0, 0.5 and 1",
        span=(-1.0, 3.0),
        inputs=lambda x: (
            np.stack([x, 0.0 * x, 0.0 * x + 0.5, 0.0 * x + 1.0], axis=-1),
            np.broadcast_to(np.array([0, -1, -1, -1]), (*np.shape(x), 4)),
        ),
        gradient=lambda derivatives: derivatives[0][..., 0],
    ),
)
def multilabel_margin(x, y):
    """Hinge of every class that is no label against every label, averaged over the classes.

    Formula: loss = (sum over labels j and non-labels i of max(0, 1 - (x[y[j]] - x[i]))) / C. The labels of a row are the
        entries of y before its first -1; what follows it is not read.
    Shapes: x and y alike, (N, C) or (C); one loss for each row.
    Domain: real x; y holds class indices 0 to C - 1 and -1. No label, or no class that is not one: 0.
        A label that is given twice counts twice, as the sum over j says.
    Ties: at x[y[j]] - x[i] = 1 a pair's value is 0 and its derivative anything between 0 and that of the active side.
    Where torch differs: a NaN score is NaN by the formula; torch's maximum drops it (0; variant ``nan``). Its mean and sum of
        an empty batch are whatever the memory held. No half types on the CPU.
    Accuracy: well conditioned except for the cancellation in 1 - (x[y[j]] - x[i]).
    Source: torch.nn.MultiLabelMarginLoss documentation.
    """
    block, label = _block(y)
    classes = np.arange(x.shape[-1])
    is_label = (block[..., None] & (label[..., None] == classes)).any(axis=-2)
    gap = np.expand_dims(np.take_along_axis(x, label, axis=-1), -1) - np.expand_dims(x, -2)
    counted = block[..., None] & ~is_label[..., None, :]
    return np.where(counted, np.maximum(0.0, 1.0 - gap), 0.0).sum(axis=-1).sum(axis=-1) / x.shape[-1]


@multilabel_margin.gradient
def _(x, y):
    block, label = _block(y)
    chosen = block[..., None] & (label[..., None] == np.arange(x.shape[-1]))
    gap = np.expand_dims(np.take_along_axis(x, label, axis=-1), -1) - np.expand_dims(x, -2)
    counted = block[..., None] & ~chosen.any(axis=-2)[..., None, :]
    slope = np.where(counted, 0.5 + 0.5 * np.sign(1.0 - gap), 0.0) / x.shape[-1]
    by_label = np.where(chosen, slope.sum(axis=-1, keepdims=True), 0.0).sum(axis=-2)
    return (slope.sum(axis=-2) - by_label,)


multilabel_margin.wrong("labels after the first -1 are read too", "_block(y)", "y >= 0, np.maximum(y, 0)")
multilabel_margin.wrong(
    "other labels are pushed away too",
    "block[..., None] & ~is_label[..., None, :]",
    "block[..., None] & (label[..., None] != classes)",
)
multilabel_margin.wrong("divided by the number of labels", "/ x.shape[-1]", "/ np.maximum(block.sum(axis=-1), 1)")
multilabel_margin.wrong("not divided by the number of classes", " / x.shape[-1]", "")
multilabel_margin.wrong(
    "only the first label of a row counts",
    "counted = block[..., None]",
    "counted = (block & (np.arange(x.shape[-1]) == 0))[..., None]",
)
multilabel_margin.wrong("the hinge at 0 instead of 1", "1.0 - gap)", "-gap)")
multilabel_margin.wrong(
    "no derivative by the labels' scores", "slope.sum(axis=-2) - by_label", "slope.sum(axis=-2)", part="gradient"
)
multilabel_margin.wrong(
    "derivative of the squared hinge", "0.5 + 0.5 * np.sign(1.0 - gap)", "2.0 * np.maximum(0.0, 1.0 - gap)", part="gradient"
)


@multilabel_margin.planted("a label beyond the classes is accepted", "subject", "77952", where="-refuses-")
def _(base):
    class Lenient(base):
        def forward(self, input, target):
            return super().forward(input, target.clamp(max=input.shape[-1] - 1))

    return Lenient
