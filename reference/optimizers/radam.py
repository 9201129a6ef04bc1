import numpy as np

from benchkit.contract import NO_SPARSE_GRADIENTS, at_least, decay_rates
from benchkit.spec import optimizer

RECTIFIABLE = 5  # the variance is rectified where the length of the average passes this


@optimizer(
    "torch.optim.RAdam",
    # The rectification begins at step 6 with the first pair of betas and at step 8 with the second.
    options={
        "lr": [1e-3, 0.1],
        "betas": [(0.9, 0.999), (0.5, 0.75)],
        "eps": [1e-8, 1e-2],
        "weight_decay": [0.0, 0.1],
        "decoupled_weight_decay": [False, True],
        "maximize": [False, True],
    },
    # With b2 = 0.5 the length of the average never passes 3, so that no step is rectified.
    edge_options={
        "lr": [0.0],
        "weight_decay": [10.0],
        "betas": [(0.0, 0.0), (0.0, 0.999), (0.9, 0.5), (0.99, 0.9999)],
        "eps": [0.0, 1.0],
    },
    together=[
        {"weight_decay": 0.1, "eps": 1e-2, "maximize": True},
        {"weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True},
    ],
    tags={"elementwise"},
    paths=("forloop", "foreach"),
    bytes_per_element=7,
    operations_per_element=13,
    contract=[
        *at_least("lr"),
        *decay_rates(),
        *at_least("eps"),
        *at_least("weight_decay"),
        *NO_SPARSE_GRADIENTS,
    ],
    source="Liu et al., On the variance of the adaptive learning rate and beyond, ICLR 2020, algorithm 2",
)
def radam(p, g, state, *, lr, betas, eps, weight_decay, decoupled_weight_decay, maximize):
    """Adam that steps by the mean of the gradient alone until the variance of its denominator can be rectified.

    Formula: m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g**2, m_hat = m / (1 - b1**t); rho_inf = 2 / (1 - b2) - 1 and
        rho = rho_inf - 2 t b2**t / (1 - b2**t). Where rho > 5: l = sqrt(1 - b2**t) / (sqrt(v) + eps),
        r = sqrt((rho - 4) (rho - 2) rho_inf / ((rho_inf - 4) (rho_inf - 2) rho)), p = p - lr m_hat r l; else p = p - lr m_hat.
        Before that maximize negates the gradient; then weight decay adds weight_decay p to g, or, decoupled, first shrinks
        p to p - lr weight_decay p.
    State: step (t), exp_avg (m), exp_avg_sq (v); m and v start at 0.
    Domain: real p and g of one shape; lr, eps, weight_decay >= 0; 0 <= b1, b2 < 1. With eps = 0 an element whose gradients
        were all 0 becomes 0 / 0 = NaN once it is rectified, and not before.
    Ties: rho = 5 is not rectified.
    Where torch differs: the paper has no eps, and rectifies where rho > 4; its authors' code, and torch's documentation, where
        rho > 5. eps is added to the root that is not corrected yet, unlike in torch.optim.Adam. The foreach path divides by the
        root where no step is rectified, too: 0 / 0 there.
    Source: Liu et al., arXiv:1908.03265, algorithm 2; torch.optim.RAdam documentation.
    """
    beta1, beta2 = betas
    g = -g if maximize else g
    if weight_decay and decoupled_weight_decay:
        p = p - lr * weight_decay * p
    elif weight_decay:
        g = g + weight_decay * p
    t = state["step"] + 1
    m = beta1 * state["exp_avg"] + (1 - beta1) * g
    v = beta2 * state["exp_avg_sq"] + (1 - beta2) * g * g
    m_hat = m / (1 - beta1**t)
    rho_inf = 2 / (1 - beta2) - 1
    rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
    rectified = rho > RECTIFIABLE
    # Where nothing is rectified any other length does; its own may have no root.
    rho, rho_inf = np.where(rectified, rho, 6.0), np.where(rectified, rho_inf, 6.0)
    r = np.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
    adaptive = np.sqrt(1 - beta2**t) / (np.sqrt(v) + eps)
    p = p - lr * np.where(rectified, m_hat * r * adaptive, m_hat)
    return p, {"step": t, "exp_avg": m, "exp_avg_sq": v}


@radam.initial
def _(p, **_options):
    zeros = np.zeros_like(p)
    return {"step": 0, "exp_avg": zeros, "exp_avg_sq": zeros}


radam.wrong("eps ignored", "(np.sqrt(v) + eps)", "np.sqrt(v)", thread="92551")
radam.wrong("eps inside the root", "(np.sqrt(v) + eps)", "np.sqrt(v + eps)")
radam.wrong(
    "eps added to the corrected root",
    "np.sqrt(1 - beta2**t) / (np.sqrt(v) + eps)",
    "1 / (np.sqrt(v / (1 - beta2**t)) + eps)",
)
radam.wrong("rectified from length 4 on", "rho > RECTIFIABLE", "rho > 4")
radam.wrong("never rectified", "rho > RECTIFIABLE", "rho > RECTIFIABLE + 1e9")
radam.wrong("rectification left out", "m_hat * r * adaptive", "m_hat * adaptive")
radam.wrong("rectification without its root", "r = np.sqrt((rho - 4)", "r = ((rho - 4)")
radam.wrong("length one step ahead", "2 * t * beta2**t", "2 * (t + 1) * beta2**t")
radam.wrong("longest length off by one", "2 / (1 - beta2) - 1", "2 / (1 - beta2)")
radam.wrong("no bias correction of the first moment", "m / (1 - beta1**t)", "m")
radam.wrong("no bias correction of the second moment", "np.sqrt(1 - beta2**t) / (np", "1 / (np")
radam.wrong(
    "decoupled rule used for coupled decay", "weight_decay and decoupled_weight_decay", "weight_decay", thread="FlagGems 4988"
)
radam.wrong("decoupled decay not scaled by the learning rate", "p - lr * weight_decay * p", "p - weight_decay * p")
radam.wrong("decay adds the wrong variable", "g + weight_decay * p", "g + weight_decay * g", thread="mlverse 821")
radam.wrong("maximize ignored", "-g if maximize", "g if maximize")
radam.wrong("beta2 off by 1e-4", "beta2 * state", "(beta2 - 1e-4) * state")
radam.wrong("second moment starts at one", '"exp_avg_sq": zeros', '"exp_avg_sq": zeros + 1', part="initial")

radam.equivalent(
    "weight_decay and decoupled_weight_decay → decoupled_weight_decay",
    why="A decoupled decay by 0 leaves the parameter as it is.",
)
radam.equivalent(
    "np.where(rectified, rho, 6.0) → np.where(rectified, rho, 6.006)",
    "np.where(rectified, rho_inf, 6.0) → np.where(rectified, rho_inf, 6.006)",
    why="The number stands in for one that is not used where nothing is rectified.",
)
radam.equivalent(
    "rho > RECTIFIABLE → rho >= RECTIFIABLE",
    why="rho is 5 where (t - 3) b**t = b + b**2 + ... + b**(t-1) - 2. The numerator of a root that is a binary fraction "
    "divides 2: it is 1/2 or less, and the right side less than -1. So no beta2 makes rho 5, and near 5 rounding decides.",
)
