import numpy as np

from benchkit.contract import NO_SPARSE_GRADIENTS, at_least, decay_rates
from benchkit.spec import optimizer


@optimizer(
    "torch.optim.Adamax",
    options={
        "lr": [2e-3, 0.1],
        "betas": [(0.9, 0.999), (0.5, 0.75)],
        "eps": [1e-8, 1e-2],
        "weight_decay": [0.0, 0.1],
        "maximize": [False, True],
    },
    edge_options={"lr": [0.0], "weight_decay": [10.0], "betas": [(0.0, 0.0), (0.0, 0.999), (0.99, 0.9999)], "eps": [0.0, 1.0]},
    together=[{"betas": (0.5, 0.75), "weight_decay": 0.1, "maximize": True}],
    tags={"elementwise"},
    paths=("forloop", "foreach"),
    bytes_per_element=7,
    operations_per_element=8,
    document="3.6",
    contract=[*at_least("lr"), *decay_rates(), *at_least("eps"), *at_least("weight_decay"), *NO_SPARSE_GRADIENTS],
    source="Kingma and Ba, Adam, ICLR 2015, algorithm 2",
)
def adamax(p, g, state, *, lr, betas, eps, weight_decay, maximize):
    """Step by the bias-corrected mean of the gradient over its exponentially forgotten largest magnitude.

    Formula: m = b1 m + (1 - b1) g, u = max(b2 u, abs(g) + eps), p = p - lr / (1 - b1**t) m / u. Before that maximize negates
        the gradient and weight decay adds weight_decay p to it.
    State: step (t), exp_avg (m), exp_inf (u); all start at 0.
    Domain: real p and g of one shape; lr, eps, weight_decay >= 0; 0 <= b1, b2 < 1. With eps = 0 an element whose gradients
        were all 0 becomes 0 / 0 = NaN.
    Ties: both arguments of the maximum give the same u.
    Where torch differs: the paper has no eps; torch's documentation adds it to abs(g), inside the maximum.
    Source: Kingma and Ba, ICLR 2015, algorithm 2; torch.optim.Adamax documentation.
    """
    beta1, beta2 = betas
    g = -g if maximize else g
    g = g + weight_decay * p if weight_decay else g
    t = state["step"] + 1
    m = beta1 * state["exp_avg"] + (1 - beta1) * g
    u = np.maximum(beta2 * state["exp_inf"], np.abs(g) + eps)
    return p - lr / (1 - beta1**t) * m / u, {"step": t, "exp_avg": m, "exp_inf": u}


@adamax.initial
def _(p, **_options):
    zeros = np.zeros_like(p)
    return {"step": 0, "exp_avg": zeros, "exp_inf": zeros}


adamax.wrong("eps added after the maximum", "np.abs(g) + eps)", "np.abs(g)) + eps")
adamax.wrong("eps ignored", "np.abs(g) + eps)", "np.abs(g))")
adamax.wrong("largest magnitude not forgotten", 'beta2 * state["exp_inf"]', 'state["exp_inf"]')
adamax.wrong("largest mean instead of largest gradient", "np.abs(g) + eps", "np.abs(m) + eps")
adamax.wrong("no bias correction", "lr / (1 - beta1**t)", "lr")
adamax.wrong("bias correction of the second moment", "lr / (1 - beta1**t)", "lr / (1 - beta2**t)")
adamax.wrong("decay adds the wrong variable", "g + weight_decay * p", "g + weight_decay * g", thread="mlverse 821")
adamax.wrong("beta1 off by 1e-4", 'beta1 * state["exp_avg"]', '(beta1 - 1e-4) * state["exp_avg"]')
adamax.wrong("largest magnitude starts at one", '"exp_inf": zeros', '"exp_inf": zeros + 1', part="initial")


@adamax.planted("gradient and parameter must have the same strides", "subject", "45469", where="channels_last_parameter")
def _(base):
    class Narrow(base):
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None and p.grad.stride() != p.stride():
                        raise RuntimeError("view size is not compatible with input tensor's size and stride")
            return super().step(closure)

    return Narrow
