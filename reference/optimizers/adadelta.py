import numpy as np

from benchkit.contract import NO_SPARSE_GRADIENTS, at_least, between
from benchkit.spec import optimizer


@optimizer(
    "torch.optim.Adadelta",
    options={
        "lr": [1.0, 0.1],
        "rho": [0.9, 0.5],
        "eps": [1e-6, 1e-2],
        "weight_decay": [0.0, 0.1],
        "maximize": [False, True],
    },
    edge_options={"lr": [0.0], "weight_decay": [10.0], "rho": [0.0, 1.0], "eps": [0.0, 1.0]},
    together=[{"rho": 0.5, "weight_decay": 0.1, "maximize": True}],
    tags={"elementwise"},
    learning_rates=(1e-2, 100.0, 9),
    paths=("forloop", "foreach"),
    bytes_per_element=7,
    operations_per_element=13,
    document="3.6",
    # The method finds its own step length: the paper has no learning rate, which is lr = 1.
    contract=[
        *at_least("lr"),
        *between("rho", 0.0, 1.0),
        *at_least("eps"),
        *at_least("weight_decay"),
        *NO_SPARSE_GRADIENTS,
    ],
    source="Zeiler, ADADELTA: an adaptive learning rate method, arXiv:1212.5701, algorithm 1",
)
def adadelta(p, g, state, *, lr, rho, eps, weight_decay, maximize):
    """Step by the gradient times the ratio of the roots of the mean square of past steps and of gradients.

    Formula: v = rho v + (1 - rho) g**2, d = sqrt(u + eps) / sqrt(v + eps) g, u = rho u + (1 - rho) d**2, p = p - lr d. Before
        that maximize negates the gradient and weight decay adds weight_decay p to it.
    State: step, square_avg (v), acc_delta (u, of steps before the factor lr); all start at 0.
    Domain: real p and g of one shape; 0 <= rho <= 1; lr, eps, weight_decay >= 0. eps is inside both roots; with eps = 0 the
        first step has length 0 (u = 0) and nothing ever moves.
    Where torch differs: the paper has no factor lr.
    Source: Zeiler, arXiv:1212.5701, algorithm 1; torch.optim.Adadelta documentation.
    """
    g = -g if maximize else g
    g = g + weight_decay * p if weight_decay else g
    v = rho * state["square_avg"] + (1 - rho) * g * g
    d = np.sqrt(state["acc_delta"] + eps) / np.sqrt(v + eps) * g
    u = rho * state["acc_delta"] + (1 - rho) * d * d
    return p - lr * d, {"step": state["step"] + 1, "square_avg": v, "acc_delta": u}


@adadelta.initial
def _(p, **_options):
    zeros = np.zeros_like(p)
    return {"step": 0, "square_avg": zeros, "acc_delta": zeros}


adadelta.wrong("eps outside the root of the gradients", "np.sqrt(v + eps)", "(np.sqrt(v) + eps)")
adadelta.wrong("no eps in the numerator", 'np.sqrt(state["acc_delta"] + eps)', 'np.sqrt(state["acc_delta"] + eps * 1e-2)')
adadelta.wrong("accumulates the step after the learning rate", "(1 - rho) * d * d", "(1 - rho) * lr * d * lr * d")
adadelta.wrong("accumulates gradients instead of steps", "(1 - rho) * d * d", "(1 - rho) * g * g")
adadelta.wrong("decay adds the wrong variable", "g + weight_decay * p", "g + weight_decay * g", thread="mlverse 821")
adadelta.wrong("maximize ignored", "-g if maximize", "g if maximize")
adadelta.wrong("rho off by 1e-4", 'rho * state["square_avg"]', '(rho - 1e-4) * state["square_avg"]')
adadelta.wrong("steps start at one", '"acc_delta": zeros', '"acc_delta": zeros + 1', part="initial")
