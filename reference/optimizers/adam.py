import numpy as np

from benchkit.contract import FUSED_ALONE, NO_SPARSE_GRADIENTS, WAYS, Acceptance, Refusal, Text, at_least, decay_rates
from benchkit.spec import optimizer


@optimizer(
    "torch.optim.Adam",
    options={
        "lr": [1e-3, 0.1],
        "betas": [(0.9, 0.999), (0.5, 0.75)],
        "eps": [1e-8, 1e-2],
        "weight_decay": [0.0, 0.1],
        "amsgrad": [False, True],
        "maximize": [False, True],
        "decoupled_weight_decay": [False, True],
    },
    edge_options={"lr": [0.0], "weight_decay": [10.0], "betas": [(0.0, 0.0), (0.0, 0.999), (0.99, 0.9999)], "eps": [0.0, 1.0]},
    together=[
        {"weight_decay": 0.1, "amsgrad": True, "maximize": True},
        {"weight_decay": 0.1, "decoupled_weight_decay": True, "amsgrad": True, "maximize": True},
    ],
    tags={"elementwise"},
    paths=("forloop", "foreach", "fused"),
    bytes_per_element=7,
    operations_per_element=12,
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
    source="Kingma and Ba, Adam, ICLR 2015, algorithm 1; Reddi et al., On the convergence of Adam and beyond, ICLR 2018",
)
def adam(p, g, state, *, lr, betas, eps, weight_decay, amsgrad, maximize, decoupled_weight_decay):
    """Step by the bias-corrected mean of the gradient over the root of its bias-corrected mean square.

    Formula: m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g**2, p = p - lr (m / (1 - b1**t)) / (sqrt(v / (1 - b2**t)) + eps);
        amsgrad replaces v by its running maximum (before the bias correction); maximize negates the gradient; then
        weight decay adds weight_decay p to g, or, decoupled, first shrinks p to p - lr weight_decay p.
    State: step (t), exp_avg (m), exp_avg_sq (v), max_exp_avg_sq (the running maximum, with amsgrad only); all start at 0.
    Domain: real p and g of one shape; lr, eps, weight_decay >= 0; 0 <= b1, b2 < 1. With eps = 0 an element whose gradients
        were all 0 becomes 0 / 0 = NaN.
    Where torch differs: the paper takes the maximum of amsgrad without any bias correction; torch's documentation corrects it.
    Source: Kingma and Ba, ICLR 2015, algorithm 1; Reddi, Kale and Kumar, ICLR 2018; torch.optim.Adam documentation.
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
    v_max = np.maximum(state["max_exp_avg_sq"], v) if amsgrad else v
    m_hat = m / (1 - beta1**t)
    v_hat = v_max / (1 - beta2**t)
    state = {"step": t, "exp_avg": m, "exp_avg_sq": v} | ({"max_exp_avg_sq": v_max} if amsgrad else {})
    return p - lr * m_hat / (np.sqrt(v_hat) + eps), state


@adam.initial
def _(p, *, amsgrad, **_options):
    zeros = np.zeros_like(p)
    return {"step": 0, "exp_avg": zeros, "exp_avg_sq": zeros} | ({"max_exp_avg_sq": zeros} if amsgrad else {})


adam.wrong("eps inside the root", "np.sqrt(v_hat) + eps", "np.sqrt(v_hat + eps)")
adam.wrong(
    "eps scaled by the bias correction",
    "(np.sqrt(v_hat) + eps)",
    "(np.sqrt(v_hat) + eps / np.sqrt(1 - beta2**t))",
    thread="22628",
)
adam.wrong("no bias correction of the first moment", "m / (1 - beta1**t)", "m")
adam.wrong("no bias correction of the second moment", "v_max / (1 - beta2**t)", "v_max")
adam.wrong("bias correction one step late", '"step"] + 1', '"step"] + 2')
adam.wrong("amsgrad does not keep the maximum", '{"max_exp_avg_sq": v_max}', '{"max_exp_avg_sq": v}', thread="78807")
adam.wrong("decay adds the wrong variable", "g + weight_decay * p", "g + weight_decay * g", thread="mlverse 821")
adam.wrong(
    "decoupled rule used for coupled decay",
    "weight_decay and decoupled_weight_decay",
    "weight_decay",
    thread="FlagGems 4988",
)
adam.wrong("decoupled decay not scaled by the learning rate", "p - lr * weight_decay * p", "p - weight_decay * p")
adam.wrong("maximize ignored", "-g if maximize", "g if maximize")
adam.wrong("second moment mixes with the weight of the first", "(1 - beta2) * g * g", "(1 - beta1) * g * g")
adam.wrong("beta2 off by 1e-4", "beta2 * state", "(beta2 - 1e-4) * state")
adam.wrong("first moment starts at one", '"exp_avg": zeros', '"exp_avg": zeros + 1', part="initial")


@adam.planted("bias correction left out of the first step", thread="optax")
def _(p, g, state, *, betas, **options):
    first = state["step"] == 0
    scale = (1 - betas[0]) / np.sqrt(1 - betas[1]) if first else 1.0
    after, new = adam.function(p, g, state, betas=betas, **options)
    return p + scale * (after - p), new


@adam.planted("weight decay added into p.grad", thread="12107")
def _(p, g, state, **options):
    found = adam.function(p, g.copy(), state, **options)
    g += options["weight_decay"] * p
    return found


@adam.planted("the gradient negated in place by maximize", thread="92706")
def _(p, g, state, **options):
    found = adam.function(p, g.copy(), state, **options)
    if options["maximize"]:
        np.negative(g, out=g)
    return found


def _every(optimizer):
    """All parameters."""
    return [p for group in optimizer.param_groups for p in group["params"]]


@adam.planted("second moment of a complex parameter from g * g", "subject", "59998, 65711", where="complex_parameters")
def _(base):
    class Mixing(base):
        def step(self, closure=None):
            before = {p: p.detach().clone() for p in _every(self) if p.is_complex() and p.grad is not None}
            answer = super().step(closure)
            for group in self.param_groups:
                for p in (p for p in group["params"] if p in before):
                    state, t = self.state[p], int(self.state[p]["step"])
                    beta1, beta2 = group["betas"]
                    old = state.get("mixed", 0.0 * p.grad)
                    state["mixed"] = beta2 * old + (1 - beta2) * p.grad * p.grad
                    root = (state["mixed"] / (1 - beta2**t)).sqrt() + group["eps"]
                    p.data.copy_(before[p] - group["lr"] * state["exp_avg"] / (1 - beta1**t) / root)
                    del state["mixed"]
            return answer

    return Mixing


@adam.planted("strides ignored where the step is added", "subject", "118115", where="-transposed")
def _(base):
    class Raw(base):
        def step(self, closure=None):
            before = {p: p.detach().clone() for p in _every(self) if not p.is_contiguous()}
            answer = super().step(closure)
            for p, old in before.items():
                moved = (p.detach() - old).reshape(-1)
                p.data.copy_(old + moved.reshape(p.shape[::-1]).permute(*range(p.dim())[::-1]))
            return answer

    return Raw


@adam.planted("an empty tensor stops the update of those after it", "subject", "100701")
def _(base):
    class Stopping(base):
        def step(self, closure=None):
            every = _every(self)
            empty = [number for number, p in enumerate(every) if not p.numel()]
            kept = [(p, p.detach().clone()) for p in every[empty[0] :]] if empty else []
            answer = super().step(closure)
            for p, before in kept:
                p.data.copy_(before)
            return answer

    return Stopping


@adam.planted("the overflow flag of the gradient scaler is not heeded", "subject", "95781", where="scaled_steps")
def _(base):
    class Heedless(base):
        def step(self, closure=None):
            if getattr(self, "found_inf", None) is not None:
                self.found_inf.zero_()
            return super().step(closure)

    return Heedless


@adam.planted("load_state_dict casts the step counter to the parameter's format", "subject", "74424", where="into_other_format")
def _(base):
    class Casting(base):
        def load_state_dict(self, state_dict):
            super().load_state_dict(state_dict)
            for p, state in self.state.items():
                state["step"] = state["step"].to(p.dtype)

    return Casting


@adam.planted("the step counter is held in the parameter's format", "subject", "ao 4915", where="bfloat16")
def _(base):
    class Narrow(base):
        def step(self, closure=None):
            answer = super().step(closure)
            for p, state in self.state.items():
                state["step"] = state["step"].to(p.dtype)
            return answer

    return Narrow


adam.equivalent(
    "weight_decay and decoupled_weight_decay → decoupled_weight_decay",
    why="A decoupled decay by 0 leaves the parameter as it is.",
)
