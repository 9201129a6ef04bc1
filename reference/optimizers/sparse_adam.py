import numpy as np

from benchkit.contract import NO_COMPLEX, Refusal, decay_rates, negative
from benchkit.spec import optimizer

LAYOUTS = "parameters of a dense layout with gradients of a sparse layout"


@optimizer(
    "torch.optim.SparseAdam",
    options={
        "lr": [1e-3, 0.1],
        "betas": [(0.9, 0.999), (0.5, 0.75)],
        "eps": [1e-8, 1e-2],
        "maximize": [False, True],
    },
    edge_options={"lr": [10.0], "betas": [(0.0, 0.0), (0.0, 0.999), (0.99, 0.9999)], "eps": [1.0]},
    together=[{"betas": (0.5, 0.75), "eps": 1e-2, "maximize": True}],
    # The gradient arrives as its dense value and the mask of what the sparse tensor stores (keyword ``touched``).
    tags={"elementwise", "sparse"},
    masks="Adam",
    paths=("forloop",),
    # For each touched element: the stored gradient, p, m and v are read, p, m and v are written.
    bytes_per_element=7,
    operations_per_element=12,
    document="3.6",
    contract=[
        negative("lr"),
        negative("eps"),
        *decay_rates(),
        Refusal("a dense gradient", LAYOUTS, lines="answer = step(make([p]), dense)"),
        Refusal("a sparse parameter", LAYOUTS, lines="answer = step(make([torch.nn.Parameter(dense(p).to_sparse(1))]))"),
        Refusal(
            "a sparse parameter added",
            LAYOUTS,
            lines="""\
optimizer = make([p])
optimizer.add_param_group({"params": [torch.nn.Parameter(dense(q).to_sparse(1))]})
answer = step(optimizer)""",
        ),
        *NO_COMPLEX,
    ],
    source="Kingma and Ba, Adam, ICLR 2015, section 2, last paragraph; torch.optim.SparseAdam documentation (the mask)",
)
def sparse_adam(p, g, state, *, touched, lr, betas, eps, maximize):
    """Adam on the elements that the sparse gradient stores; nothing else moves, neither parameter nor moments.

    Formula: where touched: m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g**2,
        p = p - lr sqrt(1 - b2**t) / (1 - b1**t) m / (sqrt(v) + eps). maximize negates the gradient before that.
    State: step (t), exp_avg (m), exp_avg_sq (v); all start at 0. t counts the steps of the whole parameter, also those that
        touch nothing; an untouched element keeps its moments without forgetting.
    Domain: g is the dense value of the coalesced sparse gradient (duplicate indices added up); touched is True where the
        sparse tensor stores a number, be it 0, and broadcasts to p. lr, eps > 0; 0 <= b1, b2 < 1.
    Where torch differs: from torch.optim.Adam, which adds eps to the bias-corrected root (algorithm 1); SparseAdam has the
        order of the last paragraph of section 2, as if Adam had eps / sqrt(1 - b2**t) at step t (issue 22628 changed Adam
        only), so that the two differ for a gradient that touches everything. It updates an average as old + (1 - b) (new -
        old), whose rounding error is relative to the old value: a far smaller new one is lost, with b = 0 too.
    Source: Kingma and Ba, ICLR 2015, section 2; torch.optim.SparseAdam documentation.
    """
    beta1, beta2 = betas
    g = -g if maximize else g
    t = state["step"] + 1
    m = np.where(touched, beta1 * state["exp_avg"] + (1 - beta1) * g, state["exp_avg"])
    v = np.where(touched, beta2 * state["exp_avg_sq"] + (1 - beta2) * g * g, state["exp_avg_sq"])
    rate = lr * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    # An element that was never touched has m = v = 0; its quotient is discarded.
    stepped = p - rate * m / (np.sqrt(v) + eps)
    return np.where(touched, stepped, p), {"step": t, "exp_avg": m, "exp_avg_sq": v}


@sparse_adam.initial
def _(p, **_options):
    zeros = np.zeros_like(p)
    return {"step": 0, "exp_avg": zeros, "exp_avg_sq": zeros}


sparse_adam.wrong("untouched parameters move", "np.where(touched, stepped, p)", "stepped")
sparse_adam.wrong("untouched moments are forgotten", 'g, state["exp_avg"])', 'g, beta1 * state["exp_avg"])')
sparse_adam.wrong("second moment of untouched elements lost", 'g * g, state["exp_avg_sq"])', "g * g, 0.0)")
sparse_adam.wrong("second moment not written back", '"exp_avg_sq": v}', '"exp_avg_sq": state["exp_avg_sq"]}', thread="4034")
sparse_adam.wrong("eps added after the bias correction", "(np.sqrt(v) + eps)", "(np.sqrt(v) + eps * np.sqrt(1 - beta2**t))")
sparse_adam.wrong("eps inside the root", "np.sqrt(v) + eps", "np.sqrt(v + eps)")
sparse_adam.wrong("no bias correction of the second moment", "lr * np.sqrt(1 - beta2**t)", "lr")
sparse_adam.wrong("maximize ignored", "-g if maximize", "g if maximize")
sparse_adam.wrong("step counter off by one", '"step"] + 1', '"step"] + 2')
sparse_adam.wrong("beta1 off by 1e-4", "touched, beta1 * state", "touched, (beta1 - 1e-4) * state")
sparse_adam.wrong("second moment starts at one", '"exp_avg_sq": zeros', '"exp_avg_sq": zeros + 1', part="initial")


@sparse_adam.planted("a sparse gradient without rows crashes", "subject", "82486", where="sparse_gradients")
def _(base):
    class Crashing(base):
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None and not p.grad.coalesce().indices().numel():
                        raise RuntimeError("cannot reshape tensor of 0 elements into shape [0, -1]")
            return super().step(closure)

    return Crashing
