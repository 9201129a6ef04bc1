import math

import numpy as np

from benchkit.contract import NO_COMPLEX, NO_SPARSE_GRADIENTS, WAYS, at_least, between
from benchkit.spec import optimizer


def mean(x, *axes):
    """The mean along axes, which are kept; 0 of nothing."""
    return np.sum(x, axis=axes, keepdims=True) / max(math.prod(x.shape[axis] for axis in axes), 1)


def rms(x, dims):
    """The root of the mean square of every tensor of ``dims`` dimensions."""
    return np.sqrt(mean(x * x, *range(-dims, 0)))


@optimizer(
    "torch.optim.Adafactor",
    # The second lr is above 1 / sqrt(t) from step 5 on, and the second eps lets both of its numbers take over; 1e-30
    # is the paper's.
    options={
        "lr": [1e-2, 0.5],
        "beta2_decay": [-0.8, -0.3],
        "eps": [(None, 1e-3), (0.125, 2.0)],
        "d": [1.0, 2.0],
        "weight_decay": [0.0, 0.1],
        "maximize": [False, True],
    },
    edge_options={
        "lr": [0.0],
        "weight_decay": [10.0],
        "beta2_decay": [0.0, -3.0],
        "eps": [(1e-30, 1e-3), (0.0, 0.0)],
        "d": [1e6],
    },
    together=[{"lr": 0.5, "eps": (0.125, 2.0), "d": 2.0, "weight_decay": 0.1, "maximize": True}],
    shapes=(
        (((7,), (4, 5)), ((2, 3, 4), (3,))),
        (((2,), (1, 3)), ((3, 1), (1,))),
        (((1, 1), (6, 2)), ((16,), (1, 2, 1))),
        (((17, 2),), ((5,), (), (3, 3))),
        (((33,), (2, 9)), ((8,), (2, 2, 2, 2))),
    ),
    tags={"whole", "complete"},  # the first version of the class had all of today's options
    paths=("forloop", "foreach"),
    contract=[
        *at_least("lr"),
        *between("beta2_decay", None, 0.0, ways=WAYS),
        *at_least("eps", make=lambda x: (x, 1e-3)),
        *at_least("eps", make=lambda x: (None, x)),
        *at_least("d", 1.0),
        *at_least("weight_decay"),
        *NO_COMPLEX,
        *NO_SPARSE_GRADIENTS,
    ],
    # The gradient is read for the means and for the update, the parameter for its RMS and for the step, and written.
    bytes_per_element=5,
    read_again=2,
    operations_per_element=11,
    source="Shazeer and Stern, Adafactor: adaptive learning rates with sublinear memory cost, ICML 2018, algorithms 4 and 5",
)
def adafactor(p, g, state, *, dims=None, lr, beta2_decay, eps, d, weight_decay, maximize):
    """Step by the gradient over the root of its mean square, of which a matrix keeps the means by row and by column only.

    Formula: b = 1 - t**beta2_decay and RMS(x) the root of the mean of all x**2; alpha = max(eps2, RMS(p)) min(lr, 1 / sqrt(t)),
        with p before this step; then p = p - lr weight_decay p. From two dimensions on, along the last two,
        R = b R + (1 - b) mean of g**2 in each row, C = b C + (1 - b) mean of g**2 in each column and
        V = R C / max(mean of R, eps1); else V = b V + (1 - b) g**2. U = g / max(sqrt(V), eps1),
        p = p - alpha U / max(1, RMS(U) / d). Before that maximize negates the gradient. eps = (eps1, eps2).
    State: step (t); row_var (R, the last dimension 1) and col_var (C, the last but one 1), or variance (V); all start at 0.
    Shapes: p and g of one shape, of ``dims`` dimensions (default: all); axes before them stack tensors with a step each.
    Domain: real p and g of one shape; lr, eps1, eps2, weight_decay >= 0; beta2_decay <= 0; d >= 1. eps1 = None stands for the
        distance from 1 to the next number of the parameter's format. With eps1 = 0 an element whose gradients were all 0
        becomes 0 / 0 = NaN. Of an empty parameter there is nothing to update.
    Where torch differs: the paper adds eps1 to every squared gradient and has it nowhere else; it sums where torch's
        documentation takes means; it has the constant 0.01 for lr, and no weight decay. torch multiplies R by C before it
        divides, and squares eps1 to compare it with V: the product and the square overflow and underflow where the answer is
        an ordinary number (R C in float16 for gradients above 16 or below 0.02, the square of the paper's eps1 = 1e-30 in
        float32). It divides by the number of elements of an empty parameter, which raises ZeroDivisionError.
    Accuracy: V is evaluated as R / mean(R) times C, which does not leave the range of the format.
    Source: Shazeer and Stern, arXiv:1804.04235; torch.optim.Adafactor documentation.
    """
    dims = p.ndim if dims is None else dims
    eps1, eps2 = eps
    eps1 = np.finfo(np.float64).eps if eps1 is None else eps1
    g = -g if maximize else g
    t = state["step"] + 1
    forget = t**beta2_decay
    alpha = np.maximum(rms(p, dims), eps2) * np.minimum(lr, 1 / np.sqrt(t))
    p = p - lr * weight_decay * p if weight_decay else p
    if dims > 1:
        row = (1 - forget) * state["row_var"] + forget * mean(g * g, -1)
        col = (1 - forget) * state["col_var"] + forget * mean(g * g, -2)
        v = row / np.maximum(mean(row, -2), eps1) * col
        new = {"row_var": row, "col_var": col}
    else:
        v = (1 - forget) * state["variance"] + forget * g * g
        new = {"variance": v}
    u = g / np.maximum(np.sqrt(v), eps1)
    return p - alpha * u / np.maximum(rms(u, dims) / d, 1.0), {"step": t} | new


@adafactor.initial
def _(p, **_options):
    if p.ndim < 2:
        return {"step": 0, "variance": np.zeros_like(p)}
    zeros = np.zeros_like(p)
    return {"step": 0, "row_var": zeros.sum(axis=-1, keepdims=True), "col_var": zeros.sum(axis=-2, keepdims=True)}


@adafactor.resolve
def _(options, epsilon):
    eps1, eps2 = options["eps"]
    return options | {"eps": (epsilon if eps1 is None else eps1, eps2)}


adafactor.wrong("decay of the average one step late", "forget = t**beta2_decay", "forget = (t + 1) ** beta2_decay")
adafactor.wrong("decay of the average not raised to the power", "forget = t**beta2_decay", "forget = 1 / t")
adafactor.wrong("parameter scaling left out", "np.maximum(rms(p, dims), eps2) *", "eps2 *")
adafactor.wrong("relative step not limited by 1 / sqrt(t)", "np.minimum(lr, 1 / np.sqrt(t))", "lr")
adafactor.wrong("mean of the rows left out", "row / np.maximum(mean(row, -2), eps1) * col", "row * col")
adafactor.wrong("divided by the sum of the rows", "mean(row, -2)", "np.sum(row, axis=-2, keepdims=True)")
adafactor.wrong("divided by the mean of the tensor", "mean(row, -2)", "np.mean(row)")
adafactor.wrong("rows in the order of their mirror image", "forget * mean(g * g, -1)", "forget * mean(g * g, -1)[..., ::-1, :]")
adafactor.wrong("rows not averaged over time", '(1 - forget) * state["row_var"] +', "")
adafactor.wrong("update not clipped", "np.maximum(rms(u, dims) / d, 1.0)", "1.0")
adafactor.wrong("update always divided by its RMS", "np.maximum(rms(u, dims) / d, 1.0)", "(rms(u, dims) / d)")
adafactor.wrong("clipping threshold multiplied", "rms(u, dims) / d", "rms(u, dims) * d")
adafactor.wrong("clipped element by element", "np.maximum(rms(u, dims) / d, 1.0)", "np.maximum(np.abs(u) / d, 1.0)")
adafactor.wrong("eps1 added under the root, as in the paper", "np.maximum(np.sqrt(v), eps1)", "np.sqrt(v + eps1)")
adafactor.wrong("decay not scaled by the learning rate", "p - lr * weight_decay * p", "p - weight_decay * p")
adafactor.wrong(
    "decay enters the gradient", "p = p - lr * weight_decay * p", "g = g + weight_decay * p", thread="FlagGems 4988"
)
adafactor.wrong("maximize ignored", "-g if maximize", "g if maximize")
adafactor.wrong("learning rate off by 1e-3", "np.minimum(lr, 1 /", "np.minimum(lr * 1.001, 1 /")
adafactor.wrong("step counter starts at one", '{"step": 0, "row_var"', '{"step": 1, "row_var"', part="initial")

adafactor.equivalent("dims > 1 → dims > 1.001", why="The number of dimensions is whole.")
