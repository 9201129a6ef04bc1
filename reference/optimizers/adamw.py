import numpy as np

from benchkit.contract import FUSED_ALONE, NO_SPARSE_GRADIENTS, WAYS, Acceptance, Refusal, Text, at_least, decay_rates
from benchkit.spec import optimizer


@optimizer(
    "torch.optim.AdamW",
    options={
        "lr": [1e-3, 0.1],
        "betas": [(0.9, 0.999), (0.5, 0.75)],
        "eps": [1e-8, 1e-2],
        "weight_decay": [1e-2, 0.0, 0.5],
        "amsgrad": [False, True],
        "maximize": [False, True],
    },
    edge_options={"lr": [0.0], "weight_decay": [10.0], "betas": [(0.0, 0.0), (0.0, 0.999), (0.99, 0.9999)], "eps": [0.0, 1.0]},
    together=[{"weight_decay": 0.5, "amsgrad": True, "maximize": True}],
    tags={"elementwise"},
    paths=("forloop", "foreach", "fused"),
    bytes_per_element=7,
    operations_per_element=14,
    document="3.6",
    contract=[
        *at_least("lr"),
        *decay_rates(),
        *at_least("eps"),
        *at_least("weight_decay"),
        Refusal(
            "lr in a tensor",
            "A tensor LR is not yet supported for all our implementations",
            options={"lr": Text("torch.tensor(0.125)")},
            ways=WAYS,
            paths=("foreach",),
        ),
        *(
            Acceptance(
                words,
                "betas (tuple[float | Tensor, float | Tensor], optional)",
                lines=f"answer = step(make([p, q], betas={text}))",
                sound="answer = step(make([p, q], betas=(0.5, 0.875)))",
                paths=("forloop", "fused"),
            )
            for words, text in (
                ("betas in tensors", "(torch.tensor(0.5, dtype=torch.float64), torch.tensor(0.875, dtype=torch.float64))"),
                ("one of the betas in a tensor", "(0.5, torch.tensor(0.875, dtype=torch.float64))"),
            )
        ),
        Refusal(
            "betas in tensors of two",
            "If a tensor is provided, must be 1-element",
            options={"betas": Text("(torch.tensor([0.5, 0.5]), torch.tensor([0.875, 0.875]))")},
            ways=WAYS,
        ),
        *FUSED_ALONE,
        *NO_SPARSE_GRADIENTS,
    ],
    source="Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019, algorithm 2; Reddi et al., ICLR 2018",
)
def adamw(p, g, state, *, lr, betas, eps, weight_decay, amsgrad, maximize):
    """Adam, with a weight decay that shrinks the parameter itself and stays out of both moments.

    Formula: p = p - lr weight_decay p, then as Adam: m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g**2,
        p = p - lr (m / (1 - b1**t)) / (sqrt(v / (1 - b2**t)) + eps); amsgrad replaces v by its running maximum; maximize
        negates the gradient and leaves the decay as it is.
    State: step (t), exp_avg (m), exp_avg_sq (v), max_exp_avg_sq (the running maximum, with amsgrad only); all start at 0.
    Domain: real p and g of one shape; lr, eps, weight_decay >= 0; 0 <= b1, b2 < 1. With eps = 0 an element whose gradients
        were all 0 becomes 0 / 0 = NaN.
    Where torch differs: the paper scales decay and step by a schedule multiplier, and the decay not by lr; torch's
        documentation multiplies the decay by lr.
    Source: Loshchilov and Hutter, ICLR 2019, algorithm 2; Reddi et al., ICLR 2018; torch.optim.AdamW documentation.
    """
    beta1, beta2 = betas
    g = -g if maximize else g
    p = p - lr * weight_decay * p if weight_decay else p
    t = state["step"] + 1
    m = beta1 * state["exp_avg"] + (1 - beta1) * g
    v = beta2 * state["exp_avg_sq"] + (1 - beta2) * g * g
    v_max = np.maximum(state["max_exp_avg_sq"], v) if amsgrad else v
    m_hat = m / (1 - beta1**t)
    v_hat = v_max / (1 - beta2**t)
    state = {"step": t, "exp_avg": m, "exp_avg_sq": v} | ({"max_exp_avg_sq": v_max} if amsgrad else {})
    return p - lr * m_hat / (np.sqrt(v_hat) + eps), state


@adamw.initial
def _(p, *, amsgrad, **_options):
    zeros = np.zeros_like(p)
    return {"step": 0, "exp_avg": zeros, "exp_avg_sq": zeros} | ({"max_exp_avg_sq": zeros} if amsgrad else {})


adamw.wrong("coupled rule: the decay enters the gradient", "p = p - lr * weight_decay * p", "g = g + weight_decay * p")
adamw.wrong("decay not scaled by the learning rate", "p - lr * weight_decay * p", "p - weight_decay * p")
adamw.wrong(
    "decay turned into growth by maximize", "p - lr * weight_decay * p", "p + (lr if maximize else -lr) * weight_decay * p"
)
adamw.wrong(
    "eps scaled by the bias correction",
    "(np.sqrt(v_hat) + eps)",
    "(np.sqrt(v_hat) + eps / np.sqrt(1 - beta2**t))",
    thread="22628",
)
adamw.wrong("eps inside the root", "np.sqrt(v_hat) + eps", "np.sqrt(v_hat + eps)")
adamw.wrong("no bias correction of the second moment", "v_max / (1 - beta2**t)", "v_max")
adamw.wrong("amsgrad does not keep the maximum", '{"max_exp_avg_sq": v_max}', '{"max_exp_avg_sq": v}', thread="78807")
adamw.wrong("decay off by 1e-4", "p - lr * weight_decay * p", "p - lr * (weight_decay + 1e-4) * p")
adamw.wrong("second moment starts at one", '"exp_avg_sq": zeros', '"exp_avg_sq": zeros + 1', part="initial")
