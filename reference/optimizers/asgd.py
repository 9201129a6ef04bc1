import numpy as np

from benchkit.contract import NO_SPARSE_GRADIENTS, Refusal, at_least
from benchkit.spec import optimizer


@optimizer(
    "torch.optim.ASGD",
    # t0 = 3 lets the averaging begin within a few steps, lambd = 0.1 lets eta and the shrinking show.
    options={
        "lr": [1e-2, 0.1],
        "lambd": [1e-4, 0.1],
        "alpha": [0.75, 0.5],
        "t0": [1e6, 3.0],
        "weight_decay": [0.0, 0.1],
        "maximize": [False, True],
    },
    edge_options={"lr": [0.0], "weight_decay": [10.0], "lambd": [0.0], "alpha": [0.0, 1.0], "t0": [0.0]},
    together=[
        {"lr": 0.1, "lambd": 0.1, "alpha": 0.5, "t0": 3.0, "weight_decay": 0.1, "maximize": True},
        {"lambd": 0.1, "alpha": 1.0},
        {"lambd": 0.1, "alpha": 0.0},
    ],
    # With lambd = 0 and alpha = 0 the rate stays lr; t0 is past the exact lane's steps, so that mu stays 1. A lambd other than
    # 0 would make p - eta (g + lambd p) another rounding than (1 - lambd eta) p - eta g, and both are right.
    exact_options=[{"lr": 0.25, "lambd": 0.0, "alpha": 0.0, "weight_decay": 0.25}],
    tags={"elementwise"},
    learning_rates=(1e-5, 10.0, 13),
    paths=("forloop", "foreach"),
    # The average ax is written at every step and read once averaging has begun.
    bytes_per_element=5,
    operations_per_element=6,
    document="3.6",
    contract=[
        *at_least("lr"),
        *at_least("weight_decay"),
        # The denominator of the rate, 1 + lambd lr t, passes through 0.
        Refusal("negative lambd", "lambd: decay term", options={"lambd": -0.5}),
        *NO_SPARSE_GRADIENTS,
    ],
    source="Polyak and Juditsky, Acceleration of stochastic approximation by averaging, 1992; Bottou, sgd-2.0 (the schedules)",
)
def asgd(p, g, state, *, lr, lambd, alpha, t0, weight_decay, maximize):
    """Step against the gradient with a decreasing rate, and keep the average of the parameters.

    Formula: p = (1 - lambd eta) p - eta g and ax = ax + mu (p - ax); then, for the next step,
        eta = lr / (1 + lambd lr t)**alpha and mu = 1 / max(1, t - t0), where t counts the steps made. Before that maximize
        negates the gradient and weight decay adds weight_decay p to it.
    State: step (t), eta (at first lr), mu (at first 1), ax (at first 0); with mu = 1 the average is the parameter itself.
    Domain: real p and g of one shape; lr, lambd, weight_decay >= 0.
    Where torch differs: it keeps eta and mu in float32 whatever the parameter's dtype, so that a float64 step has a
        learning rate of 24 bits.
    Source: Polyak and Juditsky, SIAM J. Control Optim. 1992; Bottou, sgd-2.0; torch.optim.ASGD documentation.
    """
    eta, mu = state["eta"], state["mu"]
    g = -g if maximize else g
    g = g + weight_decay * p if weight_decay else g
    p = (1 - lambd * eta) * p - eta * g
    t = state["step"] + 1
    ax = np.where(mu == 1, p, state["ax"] + mu * (p - state["ax"]))
    return p, {"step": t, "eta": lr / (1 + lambd * lr * t) ** alpha, "mu": 1 / np.maximum(1, t - t0), "ax": ax}


@asgd.initial
def _(p, *, lr, **_options):
    return {"step": 0, "eta": lr, "mu": 1.0, "ax": np.zeros_like(p)}


asgd.wrong("eta without the power", "** alpha", "** 1", thread="125440, 126375")
asgd.wrong("eta forgets the steps made", "lambd * lr * t)", "lambd * lr)")
asgd.wrong("eta one step ahead", "lambd * lr * t)", "lambd * lr * (t + 1))")
asgd.wrong("parameter not shrunk by lambd", "(1 - lambd * eta) * p", "p")
asgd.wrong("averaging begins one step late", "np.maximum(1, t - t0)", "np.maximum(1, t - t0 - 1)")
asgd.wrong("average of the old parameter", "mu * (p -", "mu * (p + eta * g -")
asgd.wrong("decay adds the wrong variable", "g + weight_decay * p", "g + weight_decay * g", thread="mlverse 821")
asgd.wrong("maximize ignored", "-g if maximize", "g if maximize")
asgd.wrong("eta starts off by 1e-4", '"eta": lr', '"eta": lr * (1 + 1e-4)', part="initial")


def _states(optimizer, name):
    """The states that hold an entry, in the order of the parameters."""
    every = [optimizer.state.get(p, {}) for group in optimizer.param_groups for p in group["params"]]
    return [state for state in every if name in state]


@asgd.planted("one step counter for all parameters", "subject", "125440, 126375", where="-late-")
def _(base):
    class Shared(base):
        def step(self, closure=None):
            answer = super().step(closure)
            for state in _states(self, "step")[1:]:
                state["step"].copy_(_states(self, "step")[0]["step"])
            return answer

    return Shared


@asgd.planted("eta of the first parameter used for all", "subject", "70231", where="-late-")
def _(base):
    class Shared(base):
        def step(self, closure=None):
            answer = super().step(closure)
            for state in _states(self, "eta")[1:]:
                state["eta"].copy_(_states(self, "eta")[0]["eta"])
            return answer

    return Shared


asgd.equivalent("mu == 1 → mu == 1.001", why="ax + 1 (p - ax) is p; the other branch only spares it the rounding.")
