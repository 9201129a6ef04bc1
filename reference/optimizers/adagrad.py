import numpy as np

from benchkit.contract import FUSED_ALONE, at_least, no_sparse_gradients, sparse_gradients
from benchkit.spec import optimizer


@optimizer(
    "torch.optim.Adagrad",
    options={
        "lr": [1e-2, 0.1],
        "lr_decay": [0.0, 0.1],
        "weight_decay": [0.0, 0.1],
        "initial_accumulator_value": [0.0, 0.5],
        "eps": [1e-10, 1e-2],
        "maximize": [False, True],
    },
    edge_options={
        "lr": [0.0],
        "weight_decay": [10.0],
        "lr_decay": [10.0],
        "initial_accumulator_value": [100.0],
        "eps": [0.0, 1.0],
    },
    together=[{"lr_decay": 0.1, "initial_accumulator_value": 0.5, "weight_decay": 0.1, "maximize": True}],
    tags={"elementwise", "sparse_gradients"},
    paths=("forloop", "foreach", "fused"),
    bytes_per_element=5,
    operations_per_element=5,
    document="3.6",
    contract=[
        *at_least("lr"),
        *at_least("lr_decay"),
        *at_least("weight_decay"),
        *at_least("initial_accumulator_value"),
        *at_least("eps"),
        sparse_gradients("forloop", "foreach"),
        *no_sparse_gradients("fused", stated="fused: ... does not support sparse or complex gradients"),
        *FUSED_ALONE,
    ],
    source="Duchi, Hazan and Singer, Adaptive subgradient methods for online learning and stochastic optimization, JMLR 2011",
)
def adagrad(p, g, state, *, lr, lr_decay, weight_decay, initial_accumulator_value, eps, maximize):
    """Step by the gradient over the root of the sum of its squares so far.

    Formula: s = s + g**2, p = p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps). Before that maximize negates the gradient
        and weight decay adds weight_decay p to it.
    State: step (t), sum (s, at first initial_accumulator_value).
    Domain: real p and g of one shape; every hyperparameter >= 0. With eps = 0 and no accumulator an element whose gradients
        were all 0 becomes 0 / 0 = NaN.
    Where torch differs: the paper adds its small constant to the root too, and has neither lr_decay nor weight decay.
    Source: Duchi, Hazan and Singer, JMLR 12, 2011, figure 1 (diagonal version); torch.optim.Adagrad documentation.
    """
    g = -g if maximize else g
    g = g + weight_decay * p if weight_decay else g
    t = state["step"] + 1
    s = state["sum"] + g * g
    rate = lr / (1 + (t - 1) * lr_decay)
    return p - rate * g / (np.sqrt(s) + eps), {"step": t, "sum": s}


@adagrad.initial
def _(p, *, initial_accumulator_value, **_options):
    return {"step": 0, "sum": np.zeros_like(p) + initial_accumulator_value}


adagrad.wrong("eps inside the root", "np.sqrt(s) + eps", "np.sqrt(s + eps)")
adagrad.wrong("rate decays from the first step on", "(t - 1) * lr_decay", "t * lr_decay")
adagrad.wrong("rate does not decay", "lr / (1 + (t - 1) * lr_decay)", "lr")
adagrad.wrong("divided by the sum without its root", "np.sqrt(s)", "s")
adagrad.wrong("sum lacks the gradient of this step", "np.sqrt(s)", 'np.sqrt(state["sum"] + 1e-3)')
adagrad.wrong("decay adds the wrong variable", "g + weight_decay * p", "g + weight_decay * g", thread="mlverse 821")
adagrad.wrong("maximize ignored", "-g if maximize", "g if maximize")
adagrad.wrong("learning rate off by 1e-4", "rate = lr", "rate = (1 + 1e-4) * lr")
adagrad.wrong("initial accumulator ignored", " + initial_accumulator_value", "", part="initial")


@adagrad.planted("groups after one with a sparse gradient are not updated", "subject", "110444", where="sparse_gradients")
def _(base):
    class Returning(base):
        def step(self, closure=None):
            groups = self.param_groups
            sparse = [any(p.grad is not None and p.grad.is_sparse for p in group["params"]) for group in groups]
            self.param_groups = groups[: sparse.index(True) + 1] if True in sparse else groups
            answer = super().step(closure)
            self.param_groups = groups
            return answer

    return Returning


@adagrad.planted("the decay of the learning rate counts from the second step", thread="optax")
def _(p, g, state, **options):
    return adagrad.function(p, g, state, **options | ({"lr_decay": 0.0} if state["step"] == 1 else {}))


adagrad.equivalent(
    "np.zeros_like(p) + initial_accumulator_value → initial_accumulator_value",
    why="A number stands for a tensor of equal numbers.",
)
