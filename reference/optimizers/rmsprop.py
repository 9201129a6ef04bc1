import numpy as np

from benchkit.contract import NO_SPARSE_GRADIENTS, at_least
from benchkit.spec import optimizer


@optimizer(
    "torch.optim.RMSprop",
    options={
        "lr": [1e-2, 1e-3],
        "alpha": [0.99, 0.5],
        "eps": [1e-8, 1e-2],
        "weight_decay": [0.0, 0.1],
        "momentum": [0.0, 0.9],
        "centered": [False, True],
        "maximize": [False, True],
    },
    edge_options={"lr": [0.0], "weight_decay": [10.0], "alpha": [0.0, 0.9999], "eps": [0.0, 1.0], "momentum": [1.0]},
    together=[{"weight_decay": 0.1, "momentum": 0.9, "centered": True, "maximize": True}],
    tags={"elementwise"},
    paths=("forloop", "foreach"),
    bytes_per_element=5,
    operations_per_element=7,
    document="3.6",
    contract=[
        *at_least("lr"),
        *at_least("alpha"),
        *at_least("eps"),
        *at_least("momentum"),
        *at_least("weight_decay"),
        *NO_SPARSE_GRADIENTS,
    ],
    source="Tieleman and Hinton, Lecture 6.5, Coursera 2012; Graves, Generating sequences with recurrent neural networks, 2013",
)
def rmsprop(p, g, state, *, lr, alpha, eps, weight_decay, momentum, centered, maximize):
    """Step by the gradient over the root of its running mean square, or of its running variance when centered.

    Formula: v = alpha v + (1 - alpha) g**2; centered: a = alpha a + (1 - alpha) g and w = v - a**2, else w = v;
        d = g / (sqrt(w) + eps); p = p - lr d, or with momentum b = momentum b + d and p = p - lr b. Before that maximize
        negates the gradient and weight decay adds weight_decay p to it.
    State: step, square_avg (v), grad_avg (a, centered only), momentum_buffer (b, with momentum only); all start at 0.
    Domain: real p and g of one shape; every hyperparameter >= 0. Centered, w >= 0 holds for real numbers, but v - a**2 cancels
        when the gradient hardly changes: rounding can make w negative and the root NaN, the more so with alpha near 0.
    Where torch differs: TensorFlow and Graves add eps inside the root; torch adds it outside (issue 23796).
    Source: Tieleman and Hinton, Lecture 6.5; Graves, arXiv:1308.0850, equations 38 to 45; torch.optim.RMSprop documentation.
    """
    g = -g if maximize else g
    g = g + weight_decay * p if weight_decay else g
    v = alpha * state["square_avg"] + (1 - alpha) * g * g
    new = {"step": state["step"] + 1, "square_avg": v}
    if centered:
        new["grad_avg"] = alpha * state["grad_avg"] + (1 - alpha) * g
        v = v - new["grad_avg"] * new["grad_avg"]
    d = g / (np.sqrt(v) + eps)
    if momentum:
        new["momentum_buffer"] = d = momentum * state["momentum_buffer"] + d
    return p - lr * d, new


@rmsprop.initial
def _(p, *, momentum, centered, **_options):
    zeros = np.zeros_like(p)
    state = {"step": 0, "square_avg": zeros}
    return state | ({"grad_avg": zeros} if centered else {}) | ({"momentum_buffer": zeros} if momentum else {})


rmsprop.wrong("eps inside the root", "np.sqrt(v) + eps", "np.sqrt(v + eps)", thread="23796")
rmsprop.wrong("centered ignored", "if centered", "if False")
rmsprop.wrong("square of the mean added instead of subtracted", "v - new", "v + new")
rmsprop.wrong("momentum of the raw gradient", '["momentum_buffer"] + d', '["momentum_buffer"] + g')
rmsprop.wrong("decay adds the wrong variable", "g + weight_decay * p", "g + weight_decay * g", thread="mlverse 821")
rmsprop.wrong("mean square weighs old and new alike", "(1 - alpha) * g * g", "alpha * g * g")
rmsprop.wrong("maximize ignored", "-g if maximize", "g if maximize")
rmsprop.wrong("alpha off by 1e-4", 'alpha * state["square_avg"]', '(alpha - 1e-4) * state["square_avg"]')
rmsprop.wrong("mean square starts at one", '"square_avg": zeros', '"square_avg": zeros + 1', part="initial")
