import numpy as np
from scipy.special import expit

from benchkit.contract import Acceptance, Refusal, half_broadcast, unlike
from benchkit.contract import labels as no_labels
from benchkit.domains import Domain, reals, unit_interval
from benchkit.spec import Figure, loss
from reference.elementary import log_expits

SURE = 8.0  # logits beyond which a right answer leaves a loss that is small beside the logit


def settled(x, y, sure=SURE):
    """Where the loss is the logarithm of one plus almost nothing, or where the logit is infinite: no terms may cancel there."""
    return np.isinf(x) | ((y == 0.0) & (x < -sure)) | ((y == 1.0) & (x > sure))


def entropy(x, y, p, sure=SURE):
    """-(p y log s(x) + (1 - y) log s(-x)) with s the sigmoid and 0 log 0 = 0.

    As log s(-x) = log s(x) - x, a correct implementation may leave out either logarithm, and all three forms are usual. They
    lose digits for different x, so the mean of the two shorter ones stands here, whose bound is that of either. Beyond the
    logit ``sure`` the first is asked for, where it is the label that is sure.
    """
    no, yes = log_expits(x)
    positive, negative = p * y, 1.0 - y
    as_written = -(np.where(y == 0.0, 0.0, positive * yes) + np.where(y == 1.0, 0.0, negative * no))
    both = positive + negative
    without_no, without_yes = negative * x - both * yes, -positive * x - both * no
    return np.where(settled(x, y, sure), as_written, 0.5 * (without_no + without_yes))


def slope(x, y, p, sure=SURE):
    """The derivative of the entropy by x, in the same forms."""
    as_written = (1.0 - y) * expit(x) - p * y * expit(-x)
    without_no = (1.0 - y) - (p * y + (1.0 - y)) * expit(-x)
    without_yes = (p * y + (1.0 - y)) * expit(x) - p * y
    return np.where(settled(x, y, sure), as_written, 0.5 * (without_no + without_yes))


def logits(*, far=False):
    """Real scores, in the edge lane up to 1e4 and at the kinks of the clamps; ``far`` up to infinity."""

    def sample(draw):
        p = draw.precision
        edges = [0.0, -0.0, p.smallest_subnormal, -p.smallest_normal, np.nan]
        edges += [np.inf, -np.inf, p.largest, -p.largest] if far else []
        return reals(scale=4.0, edges=edges, ties=[14.9, 20.0, 50.0, 89.0, 100.0, 120.0, 1e4]).sample(draw)

    return Domain("logits", sample, differentiable=True)


def labels():
    """Numbers in [0, 1], many of them 0 or 1, but one half beside a logit that is sure of that: a variant has those."""

    def sample(draw):
        soft = unit_interval().sample(draw)
        drawn = draw.precision.round(np.where(draw.rng.random(soft.shape) < 0.4, np.rint(soft), soft))
        return np.where(settled(draw.inputs["input"], drawn) & np.isfinite(draw.inputs["input"]), 0.5, drawn)

    return Domain("unit", sample, differentiable=True, repeats=False)


def sure_logits():
    """Scores beyond which a sigmoid is 0 or 1 to all the digits of a half, and further."""

    def sample(draw):
        size = np.exp(draw.rng.uniform(np.log(SURE + 0.5), np.log(80.0), draw.shape))
        return draw.rng.choice([-1.0, 1.0], draw.shape) * size

    return Domain("sure", sample, differentiable=True)


def right_labels():
    """The label 0 or 1 of which the logit is sure."""
    return Domain("labels", lambda draw: np.where(draw.inputs["input"] > 0.0, 1.0, 0.0), differentiable=True, repeats=False)


def factors(label, shape):
    """Dyadic factors, some of them 1, that broadcast to the inputs."""

    def sample(draw):
        return draw.rng.choice([0.25, 0.5, 1.0, 1.0, 2.0, 3.0], shape(draw.shape))

    return Domain(label, sample)


EACH, OF_CLASS, OF_ROW = (
    lambda shape: shape,
    lambda shape: shape[-1:],
    lambda shape: (*shape[:-1], 1),
)


BROADCASTS = "weight and pos_weight: broadcast with the target"


def allowed(variant, *, weight, pos_weight):
    """Which factors a variant meets."""
    return not variant or (weight is None and (pos_weight is None or (variant == "sure" and pos_weight.label == "per_class")))


@loss(
    "torch.nn.BCEWithLogitsLoss",
    functional="binary_cross_entropy_with_logits",
    inputs={
        "": {"input": logits(), "target": labels()},
        "sure": {"input": sure_logits(), "target": right_labels()},
        "far": {"input": logits(far=True), "target": labels()},
    },
    options={
        "weight": [None, factors("elementwise", EACH), factors("of_row", OF_ROW)],
        "pos_weight": [None, factors("per_class", OF_CLASS), factors("elementwise", EACH)],
    },
    # The further variants are about the logits, not the factors; but a sure logit must not make pos_weight ignored.
    valid=lambda options: allowed(**{"variant": "", **options}),
    shapes=((4, 5), (7,), (2, 3, 4)),
    tags={"elementwise"},
    family="classification",
    operations_per_element=9,
    contract=[
        *unlike("target"),
        half_broadcast(),
        *no_labels(1.5, -0.5, stated="the targets t[i] should be numbers between 0 and 1"),
        *(
            Refusal(f"{name} {words}", stated, options={name: factors}, shapes=[(4, 5)])
            for name, stated in (
                ("weight", "weight supports broadcasting to a common shape with respect to the output"),
                ("pos_weight", "pos_weight: Must be a tensor with equal size along the class dimension"),
            )
            for words, factors in (
                ("one too few", lambda draw: np.ones(draw.shape[-1] - 1)),
                ("one too many", lambda draw: np.ones(draw.shape[-1] + 1)),
            )
        ),
        *(
            Acceptance(f"{name} {words}", BROADCASTS, options={name: factors}, shapes=[(4, 5), (2, 3, 4)])
            for name in ("weight", "pos_weight")
            for words, factors in (
                ("of the last axis", lambda draw: np.ones(draw.shape[-1])),
                ("of one row", lambda draw: np.ones((1, *draw.shape[1:]))),
                ("of every element", lambda draw: np.ones(draw.shape)),
            )
        ),
    ],
    source="torch.nn.BCEWithLogitsLoss documentation",
    figure=Figure(
        xlabel="logit x, target 1",
        span=(-6.0, 6.0),
        inputs=lambda x: (x, np.ones_like(x)),
    ),
)
def bce_with_logits(x, y, *, weight, pos_weight):
    """Cross entropy between the sigmoid of a logit and the probability of the target, each of one event.

    Formula: loss = -w (p y log s(x) + (1 - y) log s(-x)) with s(x) = 1 / (1 + exp(-x)); w = 1 without weight, p = 1 without
        pos_weight, which counts the positive answers p times.
    Shapes: x and y alike; weight and pos_weight broadcast to them; one loss for each element.
    Domain: any real x, infinities too, since the sigmoid is never computed: the loss grows as abs(x) and does not overflow
        before that does. y in [0, 1]. torch cannot differentiate by weight or pos_weight (it raises).
    Edges: 0 log 0 = 0: an infinite logit of the right sign has the loss 0 with y = 0 or 1, and infinity otherwise.
    Where torch differs: it computes (1 - y) x - log s(x), in which the loss of a sure and right logit of target 0 cancels: 0
        instead of 2e-9 for x = -20 in float32, and its derivative s(x) - y does for target 1 (variant ``sure``). At
        infinite logits it gives NaN (variant ``far``).
    Accuracy: absolute, a unit roundoff of x; relative where the label is 0 or 1 and the loss small.
    Source: torch.nn.BCEWithLogitsLoss documentation.
    """
    p = 1.0 if pos_weight is None else pos_weight
    found = entropy(x, y, p)
    return found if weight is None else weight * found


@bce_with_logits.gradient
def _(x, y, *, weight, pos_weight):
    p = 1.0 if pos_weight is None else pos_weight
    no, yes = log_expits(x)
    by_x, by_y = slope(x, y, p), no - p * yes
    return (by_x, by_y) if weight is None else (weight * by_x, weight * by_y)


bce_with_logits.wrong("pos_weight not applied", "1.0 if pos_weight is None else pos_weight", "1.0")
bce_with_logits.wrong("weight not applied", "weight * found", "found")
bce_with_logits.wrong("pos_weight counts the negatives too", "entropy(x, y, p)", "p * entropy(x, y, 1.0)")
bce_with_logits.wrong("the logit taken for a probability", "entropy(x, y, p)", "entropy(np.log(np.abs(x)), y, p)")
bce_with_logits.wrong("pos_weight not in the derivative", "slope(x, y, p)", "slope(x, y, 1.0)", part="gradient")
bce_with_logits.wrong("pos_weight not in the derivative by the target", "p * yes", "yes", part="gradient")


@bce_with_logits.planted("pos_weight form overflows where the plain one does not", thread="13773")
def _(x, y, *, weight, pos_weight):
    p = 1.0 if pos_weight is None else pos_weight
    found = (1.0 - y) * x + (p * y + (1.0 - y)) * np.log(1.0 + np.exp(-x))
    return found if weight is None else weight * found


@bce_with_logits.planted("sign slip in the clamp that makes it stable", thread="PR 2221")
def _(x, y, *, weight, pos_weight):
    p = 1.0 if pos_weight is None else pos_weight
    clamp = np.maximum(x, 0.0)
    found = (1.0 - y) * x + (p * y + (1.0 - y)) * (clamp + np.log(np.exp(-clamp) + np.exp(-x - clamp)))
    return found if weight is None else weight * found


@bce_with_logits.planted("pos_weight forgotten once the logit saturates", thread="PaddlePaddle 65859")
def _(x, y, *, weight, pos_weight):
    p = 1.0 if pos_weight is None else pos_weight
    found = np.where(np.abs(x) < 14.0, entropy(x, y, p), entropy(x, y, 1.0))
    return found if weight is None else weight * found


@bce_with_logits.planted("derivative 0 at the logit 0, from the sign of 0", part="gradient", thread="2298")
def _(x, y, *, weight, pos_weight):
    p = 1.0 if pos_weight is None else pos_weight
    by_x = np.where(x == 0.0, -y * 1.0, slope(x, y, p))
    no, yes = log_expits(x)
    by_y = no - p * yes
    return (by_x, by_y) if weight is None else (weight * by_x, weight * by_y)


FORMS = "All three forms are the same number; the one that is asked for where the label is sure has the most digits anywhere."
bce_with_logits.equivalent(
    "np.isinf(x) | (y == 0.0) & (x < -sure) → np.isinf(x) | ((y == 0.0) | (x < -sure))",
    "np.isinf(x) | (y == 0.0) & (x < -sure) → np.isinf(x) | (y == 0.0)",
    "np.isinf(x) | (y == 0.0) & (x < -sure) → np.isinf(x) | (x < -sure)",
    "np.isinf(x) | (y == 0.0) & (x < -sure) → np.isinf(x) | (y == 0.0) & (x <= -sure)",
    "np.isinf(x) | (y == 0.0) & (x < -sure) → np.isinf(x) | (y == 0.0) & (x < sure)",
    "(y == 1.0) & (x > sure) → (y == 1.0) | (x > sure)",
    "(y == 1.0) & (x > sure) → y == 1.0",
    "(y == 1.0) & (x > sure) → x > sure",
    "(y == 1.0) & (x > sure) → (y == 1.0) & (x >= sure)",
    why=FORMS,
)
bce_with_logits.equivalent(
    "np.where(y == 1.0, 0.0, negative * no) → np.where(y == 1.0, 0.0, no)",
    why="Taken where y is 0, the factor is 1, and at infinite logits, where the logarithm is 0 or infinite.",
)
