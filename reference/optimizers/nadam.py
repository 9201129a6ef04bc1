import numpy as np

from benchkit.contract import NO_SPARSE_GRADIENTS, at_least, decay_rates
from benchkit.spec import optimizer


@optimizer(
    "torch.optim.NAdam",
    options={
        "lr": [2e-3, 0.1],
        "betas": [(0.9, 0.999), (0.5, 0.75)],
        "eps": [1e-8, 1e-2],
        "weight_decay": [0.0, 0.1],
        "momentum_decay": [4e-3, 0.5],
        "decoupled_weight_decay": [False, True],
        "maximize": [False, True],
    },
    edge_options={
        "lr": [0.0],
        "weight_decay": [10.0],
        "betas": [(0.0, 0.0), (0.0, 0.999), (0.99, 0.9999)],
        "eps": [0.0, 1.0],
        "momentum_decay": [0.0, 100.0],
    },
    together=[
        {"weight_decay": 0.1, "momentum_decay": 0.5, "maximize": True},
        {"weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True},
    ],
    tags={"elementwise"},
    running=("mu_product",),
    paths=("forloop", "foreach"),
    bytes_per_element=7,
    operations_per_element=14,
    contract=[
        *at_least("lr"),
        *decay_rates(),
        *at_least("eps"),
        *at_least("weight_decay"),
        *at_least("momentum_decay"),
        *NO_SPARSE_GRADIENTS,
    ],
    source="Dozat, Incorporating Nesterov momentum into Adam, ICLR 2016 workshop, algorithm 2; torch.optim.NAdam documentation",
)
def nadam(p, g, state, *, lr, betas, eps, weight_decay, momentum_decay, decoupled_weight_decay, maximize):
    """Adam that looks ahead: the mean of the gradient is the one of the next step, with this step's gradient in it twice.

    Formula: with mu(t) = b1 (1 - 0.96**(t psi) / 2), psi the momentum_decay, and M(t) = mu(1) mu(2) ... mu(t):
        m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g**2, m_hat = mu(t + 1) m / (1 - M(t + 1)) + (1 - mu(t)) g / (1 - M(t)),
        p = p - lr m_hat / (sqrt(v / (1 - b2**t)) + eps). Before that maximize negates the gradient; then weight decay adds
        weight_decay p to g, or, decoupled, first shrinks p to p - lr weight_decay p.
    State: step (t), mu_product (M, at first 1), exp_avg (m), exp_avg_sq (v); m and v start at 0.
    Domain: real p and g of one shape; lr, eps, weight_decay, psi >= 0; 0 <= b1, b2 < 1. With eps = 0 an element whose gradients
        were all 0 becomes 0 / 0 = NaN.
    Where torch differs: it holds M in float32 whatever the parameter's dtype, so that a float64 step has a bias correction
        of 24 bits. The paper leaves the schedule of mu open and suggests this one; it averages m with mu(t) in place of b1.
    Source: Dozat, ICLR 2016 workshop, algorithm 2 and section 2; torch.optim.NAdam documentation.
    """
    beta1, beta2 = betas
    g = -g if maximize else g
    if weight_decay and decoupled_weight_decay:
        p = p - lr * weight_decay * p
    elif weight_decay:
        g = g + weight_decay * p
    t = state["step"] + 1
    mu = beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
    mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))
    product = state["mu_product"] * mu
    m = beta1 * state["exp_avg"] + (1 - beta1) * g
    v = beta2 * state["exp_avg_sq"] + (1 - beta2) * g * g
    m_hat = mu_next / (1 - product * mu_next) * m + (1 - mu) / (1 - product) * g
    p = p - lr * m_hat / (np.sqrt(v / (1 - beta2**t)) + eps)
    return p, {"step": t, "mu_product": product, "exp_avg": m, "exp_avg_sq": v}


@nadam.initial
def _(p, **_options):
    zeros = np.zeros_like(p)
    return {"step": 0, "mu_product": 1.0, "exp_avg": zeros, "exp_avg_sq": zeros}


nadam.wrong("mu product multiplied by mu twice", '"mu_product": product', '"mu_product": product * mu', thread="92699")
nadam.wrong("mu product of the next step for the gradient", "(1 - mu) / (1 - product)", "(1 - mu) / (1 - product * mu_next)")
nadam.wrong("mean not looked ahead", "mu_next / (1 - product * mu_next) * m", "mu / (1 - product) * m")
nadam.wrong("momentum does not decay", "0.96 ** ((t + 1) * momentum_decay)", "0.96 ** (0 * momentum_decay)")
nadam.wrong("schedule one step late", "(t * momentum_decay)", "((t - 1) * momentum_decay)")
nadam.wrong("base of the schedule off by 1e-4", "0.96 ** (t *", "0.9601 ** (t *")
nadam.wrong("gradient of this step left out", "(1 - mu) / (1 - product) * g", "0 * g")
nadam.wrong("eps inside the root", "np.sqrt(v / (1 - beta2**t)) + eps", "np.sqrt(v / (1 - beta2**t) + eps)")
nadam.wrong(
    "eps scaled by the bias correction",
    "(np.sqrt(v / (1 - beta2**t)) + eps)",
    "(np.sqrt(v / (1 - beta2**t)) + eps / np.sqrt(1 - beta2**t))",
    thread="22628",
)
nadam.wrong("no bias correction of the second moment", "v / (1 - beta2**t)", "v")
nadam.wrong(
    "decoupled rule used for coupled decay", "weight_decay and decoupled_weight_decay", "weight_decay", thread="FlagGems 4988"
)
nadam.wrong("decoupled decay not scaled by the learning rate", "p - lr * weight_decay * p", "p - weight_decay * p")
nadam.wrong("decay adds the wrong variable", "g + weight_decay * p", "g + weight_decay * g", thread="mlverse 821")
nadam.wrong("maximize ignored", "-g if maximize", "g if maximize")
nadam.wrong("mu product starts at zero", '"mu_product": 1.0', '"mu_product": 0.0', part="initial")

nadam.equivalent(
    "weight_decay and decoupled_weight_decay → decoupled_weight_decay",
    why="A decoupled decay by 0 leaves the parameter as it is.",
)
