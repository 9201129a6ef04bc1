import numpy as np

from benchkit.contract import Refusal, given, last, shaped, unlike
from benchkit.domains import Domain, positive, reals, without_axis
from benchkit.spec import Figure, loss


def variances(shape=None, *, small=False):
    """Positive numbers; the edge lane has 0, numbers below and at eps, and infinity.

    In float16 a variance of 1/8 is the least unless ``small`` ones are asked for: with d**2 / v**2 the derivatives overflow.
    """

    def sample(draw):
        size = draw.shape if shape is None else shape(draw)
        drawn = positive(shape=lambda _: size).sample(draw)
        if draw.lane == "edge":
            drawn = draw.mix_edges(drawn, [draw.options["eps"], 0.25, 1.0])
        least = 0.125 if draw.precision.emax < 127 and not small else 0.0
        return np.where(np.maximum(drawn, draw.options["eps"]) < least, least, drawn)

    return Domain("variances", sample, differentiable=True)


def number():
    """A variance given as a plain number."""
    return Domain("number", lambda draw: float(draw.rng.choice([0.25, 0.5, 2.0, 4.0])), floating=False)


def one_along(axis):
    """The base shape with a single number along one axis."""

    def shape(draw):
        dims = list(draw.shape)
        dims[axis] = 1
        return tuple(dims)

    return shape


def far():
    """Real numbers, in the edge lane a large part of the largest."""

    def sample(draw):
        drawn = reals().sample(draw)
        some = draw.rng.random(draw.shape) < 0.5
        return drawn if draw.lane != "edge" else np.where(some, 2.0**-4 * draw.precision.largest, 1.0)

    return Domain("far", sample, differentiable=True)


def wide():
    """Variances that match such differences."""

    def sample(draw):
        drawn = positive().sample(draw)
        return drawn if draw.lane != "edge" else np.full(draw.shape, 2.0**-3 * draw.precision.largest)

    return Domain("wide", sample, differentiable=True)


def plain(**others):
    """The inputs of a variant."""
    inputs = {"input": reals(edges=[0.0, -0.0, np.inf, -np.inf, np.nan]), "target": reals(edges=[0.0, 1.0]), "var": variances()}
    return {**inputs, **others}


ONE_AXIS = "Target: same shape as the input, or same shape as the input but with one dimension equal to 1"
FEWER = "Var: same shape as the input, or with one dimension equal to 1, or with one fewer dimension, or a scalar value"
POSITIVE = "a tensor of positive variances"


@loss(
    "torch.nn.GaussianNLLLoss",
    inputs={
        "": plain(),
        "homoscedastic": plain(var=variances(one_along(-1))),
        "fewer": plain(var=variances(without_axis(-1))),
        "number": plain(var=number()),
        "across": plain(var=variances(one_along(0))),
        "target": plain(target=reals(edges=[0.0, 1.0], shape=one_along(-1))),
        "small": plain(var=variances(small=True)),
        "far": plain(input=far(), var=wide()),
    },
    options={"full": [False, True], "eps": [1e-6, 1e-2]},
    edge_options={"eps": [1.0]},
    # How the variance is shared does not depend on how it is clamped, nor on the constant.
    valid=lambda options: not options.get("variant") or (options["eps"] == 1e-6 and not options["full"]),
    shapes=((4, 5), (7,), (2, 3, 4)),
    long_axes=(-1,),  # of each loss the derivative by each of the variances of many rows would be a matrix of that size
    tags={"elementwise", "straight-through", "first_order"},
    family="regression",
    operations_per_element=7,
    contract=[
        *unlike("target", stated=ONE_AXIS, but=("one row", "one column")),
        *unlike("var", stated=FEWER, but=("one row", "one column")),
        *(
            Refusal(
                f"{name} that broadcasts, one number for a matrix",
                stated,
                inputs={name: shaped(lambda a: a[:1, :1])},
                shapes=[(4, 5)],
            )
            for name, stated in (("target", ONE_AXIS), ("var", FEWER))
        ),
        Refusal("a negative variance", POSITIVE, inputs={"var": last(-0.5)}, compiled=True),
        Refusal("a negative variance as a number", POSITIVE, inputs={"var": given(-0.5)}),
    ],
    legacy=False,
    source="Nix and Weigend, Estimating the mean and variance of the target probability distribution, 1994; "
    "torch.nn.GaussianNLLLoss documentation",
    figure=Figure(
        xlabel="input - target, for the variance 0.5",
        span=(-3.0, 3.0),
        inputs=lambda x: (x, np.zeros_like(x), np.full_like(x, 0.5)),
        options=[{"full": False}, {"full": True}],
    ),
)
def gaussian_nll(x, t, var, *, full, eps):
    """Negative logarithm of the density of a normal distribution with predicted mean and variance.

    Formula: loss = (log v + (x - t)**2 / v) / 2 with v = max(var, eps), plus log(2 pi) / 2 with full.
    Shapes: x any; t like x, or with one axis of length 1; var like x, with one axis of length 1, without the last axis, or a
        plain number; one loss for each element of x.
    Domain: real x and t, var >= 0 (torch raises for a negative one).
    Edges: the clamp of var is ignored in differentiation, as is documented: the derivative by var is 1 / (2 v) -
        ((x - t) / v)**2 / 2 also where var < eps. An infinite variance has an infinite loss.
    Where torch differs: the square of x - t overflows for differences above 1.8e19 in float32, 255 in float16, whatever the
        variance is (variant ``far``). In float16 it differentiates by way of 1 / (2 v), which overflows below v = 7.6e-6:
        NaN for x = t, infinity beside it (variant ``small``).
    Accuracy: well conditioned except for the cancellation in x - t and of the two terms.
    Source: Nix and Weigend, 1994; torch.nn.GaussianNLLLoss documentation.
    """
    if np.shape(var) == x.shape[:-1] and not isinstance(var, float):
        var = np.expand_dims(var, -1)
    v = np.maximum(var, eps)
    loss = 0.5 * (np.log(v) + (x - t) * ((x - t) / v))
    return loss + 0.5 * np.log(2.0 * np.pi) if full else loss


@gaussian_nll.gradient
def _(x, t, var, *, full, eps):
    v = np.maximum(var, eps)
    fewer = np.shape(var) == x.shape[:-1] and not isinstance(var, float)
    v = np.expand_dims(v, -1) if fewer else v
    z = (x - t) / v
    by_var = 0.5 * (1.0 / v - z * z)
    if fewer:  # each variance belongs to the losses of one row: the derivative of every loss by every variance
        own = np.reshape(np.eye(np.size(var)), (*np.shape(var), 1, *np.shape(var)))
        by_var = np.expand_dims(by_var, tuple(range(x.ndim, 2 * x.ndim - 1))) * own
    return (z, -z) if isinstance(var, float) else (z, -z, by_var)


gaussian_nll.wrong("variance not clamped", "np.maximum(var, eps)", "var + 0.0 * eps")
gaussian_nll.wrong("eps added to the variance", "np.maximum(var, eps)", "var + eps")
gaussian_nll.wrong("standard deviation taken for the variance", "(x - t) * ((x - t) / v)", "((x - t) / v) * ((x - t) / v)")
gaussian_nll.wrong("full adds log(2 pi)", "loss + 0.5 * np.log(2.0 * np.pi)", "loss + np.log(2.0 * np.pi)")
gaussian_nll.wrong("no logarithm of the variance", "np.log(v) + ", "")
gaussian_nll.wrong("one variance too few taken for one of each column", "np.expand_dims(var, -1)", "np.reshape(var, (-1,))[0]")
gaussian_nll.wrong("derivative by the variance lacks its logarithm", "1.0 / v - z * z", "-z * z", part="gradient")
gaussian_nll.wrong(
    "no derivative by a variance that is clamped",
    "by_var = 0.5 * (1.0 / v - z * z)",
    "by_var = np.where(v > eps, 0.5 * (1.0 / v - z * z), 0.0)",
    part="gradient",
)
gaussian_nll.wrong("no derivative flows to the target", "(z, -z, by_var)", "(z, 0.0 * z, by_var)", part="gradient")


@gaussian_nll.planted("losses without reduction summed over the features", thread="53964")
def _(x, t, var, *, full, eps):
    return gaussian_nll.function(x, t, var, full=full, eps=eps).sum(axis=-1)


gaussian_nll.equivalent(
    "np.shape(var) == x.shape[:-1] and (not isinstance(var, float)) → np.shape(var) == x.shape[:-1]",
    why="A number broadcasts alike with one axis more.",
)
