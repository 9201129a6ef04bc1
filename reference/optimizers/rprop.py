import numpy as np

from benchkit.contract import NO_SPARSE_GRADIENTS, WAYS, Refusal, at_least, between
from benchkit.spec import optimizer


@optimizer(
    "torch.optim.Rprop",
    # The second pair of step sizes is narrow enough for both clamps to act within a few steps.
    options={
        "lr": [1e-2, 0.1],
        "etas": [(0.5, 1.2), (0.25, 2.0)],
        "step_sizes": [(1e-6, 50.0), (5e-3, 0.15)],
        "maximize": [False, True],
    },
    exact_options=[{"lr": 0.25, "etas": (0.5, 2.0), "step_sizes": (0.125, 1.0)}],
    edge_options={"lr": [100.0], "etas": [(0.01, 100.0)], "step_sizes": [(1e-2, 1e-2)]},
    together=[{"etas": (0.25, 2.0), "step_sizes": (5e-3, 0.15), "maximize": True}],
    tags={"elementwise"},
    paths=("forloop", "foreach"),
    bytes_per_element=7,
    operations_per_element=5,
    document="3.6",
    contract=[
        *at_least("lr"),
        *between("etas", 0.0, 1.0, ends=[], ways=WAYS, make=lambda x: (x, 1.25)),
        *between("etas", 1.0, None, ends=[], ways=WAYS, make=lambda x: (0.5, x)),
        Refusal(
            "step_sizes in reverse", "a pair of minimal and maximal allowed step sizes", options={"step_sizes": (1.0, 0.5)}
        ),
        *NO_SPARSE_GRADIENTS,
    ],
    source="Riedmiller and Braun, A direct adaptive method for faster backpropagation learning: the RPROP algorithm, 1993",
)
def rprop(p, g, state, *, lr, etas, step_sizes, maximize):
    """Step by the sign of the gradient, with a step size that grows while the sign stays and shrinks when it flips.

    Formula: with prev the gradient of the step before, elementwise: prev g > 0: size = min(size etaplus, largest);
        prev g < 0: size = max(size etaminus, smallest) and g = 0; else size stays. p = p - size sign(g), prev = g.
        maximize negates the gradient before that.
    State: step, prev (at first 0), step_size (at first lr).
    Domain: real p and g of one shape; 0 < etaminus < 1 < etaplus; lr > 0, also outside the step sizes: it is kept until the
        sign of the gradient first stays or flips.
    Ties: prev g = 0 leaves the step size; sign(0) = 0, so an element rests in the step in which its sign flips.
    Where torch differs: it clamps the step size at every step, so that an lr outside step_sizes is moved to their nearer end
        at once, where its documentation keeps lr; and it takes the sign of a NaN gradient as 0. It multiplies the gradients to
        compare their signs: where the product underflows (gradients below 2e-4 in float16, 3e-23 in float32) the step size
        never changes.
    Accuracy: the signs are compared one by one, which needs no product.
    Source: Riedmiller and Braun, IEEE ICNN 1993; torch.optim.Rprop documentation.
    """
    etaminus, etaplus = etas
    smallest, largest = step_sizes
    g = -g if maximize else g
    size, prev = state["step_size"], state["prev"]
    same = (prev > 0) & (g > 0) | (prev < 0) & (g < 0)
    flipped = (prev > 0) & (g < 0) | (prev < 0) & (g > 0)
    kept = np.where(flipped, np.maximum(size * etaminus, smallest), size)
    size = np.where(same, np.minimum(size * etaplus, largest), kept)
    g = np.where(flipped, 0.0, g)
    return p - size * np.sign(g), {"step": state["step"] + 1, "prev": g, "step_size": size}


@rprop.initial
def _(p, *, lr, **_options):
    return {"step": 0, "prev": np.zeros_like(p), "step_size": np.zeros_like(p) + lr}


rprop.wrong("gradient not zeroed after a sign flip", "np.where(flipped, 0.0, g)", "g", thread="70418")
rprop.wrong("step size grows without limit", "np.minimum(size * etaplus, largest)", "size * etaplus")
rprop.wrong("step size shrinks without limit", "np.maximum(size * etaminus, smallest)", "size * etaminus")
rprop.wrong(
    "previous step's update returned",
    "p - size * np.sign(g)",
    'p - state["step_size"] * np.sign(state["prev"])',
    thread="optax 1725",
)
rprop.wrong("step scaled by the gradient", "size * np.sign(g)", "size * g")
rprop.wrong("growth and shrinking exchanged", "etaminus, etaplus = etas", "etaplus, etaminus = etas")
rprop.wrong("grows from the first step on", "same = (prev > 0) & (g > 0)", "same = (prev >= 0) & (g > 0)")
rprop.wrong("maximize ignored", "-g if maximize", "g if maximize")
rprop.wrong("etaplus off by 1e-4", "size * etaplus", "size * (etaplus + 1e-4)")
rprop.wrong("first step size off by 1e-4", " + lr", " + lr * (1 + 1e-4)", part="initial")


@rprop.planted("parameters that are not contiguous are never updated", "subject", "118117", where="-transposed")
def _(base):
    class Stuck(base):
        def step(self, closure=None):
            every = [p for group in self.param_groups for p in group["params"]]
            kept = [(p, p.detach().clone()) for p in every if not p.is_contiguous()]
            answer = super().step(closure)
            for p, before in kept:
                p.data.copy_(before)
            return answer

    return Stuck


rprop.equivalent("np.zeros_like(p) + lr → lr", why="A number stands for a tensor of equal numbers.")
