import numpy as np

from benchkit.contract import NO_COMPLEX, NO_SPARSE_GRADIENTS, WAYS, Refusal, at_least
from benchkit.spec import computed_in, optimizer


@computed_in("bfloat16")
def newton_schulz(m, coefficients, steps, eps):
    """Push the singular values of a matrix towards 1: the quintic iteration of the post, on the shorter side."""
    a, b, c = coefficients
    x = m / (np.sqrt(np.sum(m * m, axis=(-2, -1), keepdims=True)) + eps)
    tall = m.shape[-2] > m.shape[-1]
    x = np.swapaxes(x, -1, -2) if tall else x
    for _ in range(steps):
        gram = x @ np.swapaxes(x, -1, -2)
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return np.swapaxes(x, -1, -2) if tall else x


EXACT = {"lr": 0.5, "momentum": 0.0, "weight_decay": 0.0, "eps": 0.0, "ns_coefficients": (1.875, -1.25, 0.375)}
MATRICES = "Muon is an optimizer for 2D parameters of neural network hidden layers"
SHAPES = (("no axes", "q.detach().sum()"), ("one axis", "q.detach().flatten()"), ("three axes", "q.detach()[None]"))


@optimizer(
    "torch.optim.Muon",
    options={
        "lr": [1e-3, 0.1],
        "weight_decay": [0.1, 0.0],
        "momentum": [0.95, 0.5],
        "nesterov": [True, False],
        # The second triple is that of a quintic which converges to 1.
        "ns_coefficients": [(3.4445, -4.775, 2.0315), (1.875, -1.25, 0.375)],
        "eps": [1e-7],
        "ns_steps": [5, 1],
        "adjust_lr_fn": [None, "original", "match_rms_adamw"],
    },
    edge_options={
        "lr": [0.0],
        "weight_decay": [10.0],
        "momentum": [0.0, 1.0],
        "eps": [1.0],
        "ns_steps": [0, 7],
        "ns_coefficients": [(1.0, 0.0, 0.0)],
    },
    together=[{"lr": 0.1, "momentum": 0.5, "nesterov": False, "adjust_lr_fn": "match_rms_adamw"}],
    shapes=(
        (((3, 4), (4, 2)), ((2, 2),)),
        (((1, 3), (5, 1)), ((1, 1),)),
        (((6, 3),), ((2, 5), (1, 2))),
        (((2, 8), (3, 1)), ((3, 3),)),
        (((1, 17),), ((9, 2), (2, 1))),
    ),
    # A matrix of one entry is its own singular value, 1 once it is normalised, where the second iteration stays: exactly.
    exact_options=[
        EXACT | {"adjust_lr_fn": "match_rms_adamw"},
        EXACT | {"adjust_lr_fn": "original", "weight_decay": 0.25},
        EXACT | {"eps": 1.0, "ns_steps": 0},
    ],
    tags={"whole", "matrices"},
    companion="AdamW",  # the documentation names it for biases and embeddings
    paths=("forloop",),
    contract=[
        *at_least("lr"),
        *at_least("weight_decay"),
        *at_least("momentum"),
        *(
            Refusal(f"a parameter of {axes}", MATRICES, lines=f"answer = step(make([p, torch.nn.Parameter({text})]))")
            for axes, text in SHAPES
        ),
        *(
            Refusal(
                f"an added parameter of {axes}",
                MATRICES,
                lines=f"""\
answer = make([p])
answer.add_param_group({{"params": [torch.nn.Parameter({text})]}})
answer = step(answer)""",
            )
            for axes, text in SHAPES
        ),
        Refusal(
            "an unknown adjust_lr_fn", 'One of "original" and "match_rms_adamw"', options={"adjust_lr_fn": "median"}, ways=WAYS
        ),
        *(
            Refusal(f"{words} ns_coefficients", "ns_coefficients (tuple of three floats)", options={"ns_coefficients": value})
            for words, value in (("two", (1.5, -0.5)), ("four", (1.5, -0.5, 0.0, 0.0)))
        ),
        *NO_COMPLEX,
        *NO_SPARSE_GRADIENTS,
    ],
    # The momentum is held as the documented sum, or as a running average, 1 - momentum times as large: torch, and the
    # author's code of today. The direction of the step does not know the difference.
    multiples={"momentum_buffer": lambda options: 1 - options["momentum"]},
    bytes_per_element=5,
    source="Jordan et al., Muon: an optimizer for hidden layers in neural networks, 2024; torch.optim.Muon documentation",
)
def muon(p, g, state, *, dims=2, lr, weight_decay, momentum, nesterov, ns_coefficients, eps, ns_steps, adjust_lr_fn):
    """Step by the momentum of the gradient with all its singular values brought near to 1.

    Formula: B = momentum B + g; the direction D is g + momentum B with nesterov, else B; p = p - lr weight_decay p, then
        p = p - lr s NS(D). NS begins with X = D / (sqrt(sum of D**2) + eps) and takes ns_steps times
        X = a X + (b A + c A A) X with A = X X' and (a, b, c) the ns_coefficients, X lying on its longer side. For a p of n rows
        and m columns s = sqrt(max(1, n / m)) (adjust_lr_fn "original", the default) or 0.2 sqrt(max(n, m))
        ("match_rms_adamw", Liu et al.).
    Shapes: p and g are matrices; axes before the last two stack matrices with a step each.
    State: momentum_buffer (B), which starts at 0.
    Domain: real p and g; lr, weight_decay, momentum, eps >= 0; ns_steps a whole number of at most 99.
    Where torch differs: its momentum_buffer is a running average, momentum B + (1 - momentum) g, where its documentation and
        the post write the sum; the direction is the same for a momentum below 1, but with momentum = 1 nothing ever moves. It
        divides by the larger of the norm and eps, where both add them. It divides by the number of columns of an empty
        parameter, which raises ZeroDivisionError. In bfloat16 without nesterov it normalises the momentum_buffer itself, since
        the conversion to bfloat16 makes no copy there. In float64 what overflows bfloat16 gives NaN.
    Accuracy: NS is defined in bfloat16 for parameters of every format, as in the post to which torch's documentation refers
        (the documentation itself does not name the format): about two digits. The bound is what random roundings to bfloat16
        make of the result (benchkit.stochastic).
    Source: Jordan et al., kellerjordan.github.io/posts/muon, 2024; Liu et al., Muon is scalable for LLM training,
        arXiv:2502.16982; torch.optim.Muon documentation.
    """
    n, m = p.shape[-dims:]
    buffer = momentum * state["momentum_buffer"] + g
    direction = g + momentum * buffer if nesterov else buffer
    scale = 0.2 * np.sqrt(max(n, m)) if adjust_lr_fn == "match_rms_adamw" else np.sqrt(max(1.0, n / max(m, 1)))
    p = p - lr * weight_decay * p
    p = p - lr * scale * newton_schulz(direction, ns_coefficients, ns_steps, eps)
    return p, {"momentum_buffer": buffer}


@muon.initial
def _(p, **_options):
    return {"momentum_buffer": np.zeros_like(p)}


muon.wrong(
    "momentum without the gradient of this step", "g + momentum * buffer if", 'g + momentum * state["momentum_buffer"] if'
)
muon.wrong("nesterov ignored", "g + momentum * buffer if nesterov else buffer", "buffer")
muon.wrong("nesterov always", "g + momentum * buffer if nesterov else buffer", "g + momentum * buffer")
muon.wrong("gradient damped in a buffer that is not", "g + momentum * buffer if", "(1 - momentum) * g + momentum * buffer if")
muon.wrong("decay scaled by the adjusted rate", "p - lr * weight_decay * p", "p - lr * scale * weight_decay * p")
muon.wrong("decay not scaled by the learning rate", "p - lr * weight_decay * p", "p - weight_decay * p")
muon.wrong("decay enters the gradient", "g + momentum * buffer if", "g + weight_decay * p + momentum * buffer if")
muon.wrong("rate adjusted by columns over rows", "max(1.0, n / max(m, 1))", "max(1.0, m / n)")
muon.wrong("rate adjusted without its root", "np.sqrt(max(1.0, n / max(m, 1)))", "max(1.0, n / max(m, 1))")
muon.wrong("rate of AdamW's RMS by the shorter side", "np.sqrt(max(n, m))", "np.sqrt(min(n, m))")
muon.wrong("buffer starts at one", "np.zeros_like(p)", "np.zeros_like(p) + 1", part="initial")
muon.wrong("one iteration too few", "range(steps)", "range(steps - 1)", helper=newton_schulz)
muon.wrong("one iteration too many", "range(steps)", "range(steps + 1)", helper=newton_schulz)
muon.wrong("cubic instead of quintic", "c * (gram @ gram)", "0 * gram", helper=newton_schulz)
muon.wrong("third power in place of the fifth", "c * (gram @ gram)", "c * gram", helper=newton_schulz)
muon.wrong(
    "divided by the spectral norm",
    "np.sqrt(np.sum(m * m, axis=(-2, -1), keepdims=True))",
    "np.linalg.norm(m, 2)",
    helper=newton_schulz,
)
muon.wrong(
    "divided by the sum of the magnitudes",
    "np.sqrt(np.sum(m * m, axis=(-2, -1), keepdims=True))",
    "np.sum(np.abs(m))",
    helper=newton_schulz,
)
muon.wrong("eps ignored", ") + eps)", "))", helper=newton_schulz)
muon.wrong(
    "tall matrices come back in the wrong order",
    "return np.swapaxes(x, -1, -2) if tall else x",
    "return x.reshape(m.shape)",
    helper=newton_schulz,
)

muon.equivalent(
    "m.shape[-2] > m.shape[-1] → m.shape[-2] >= m.shape[-1]",
    "m.shape[-2] > m.shape[-1] → m.shape[-2] < m.shape[-1]",
    why="f(M) of the transposed matrix is the transposed f(M): the shorter side is only the cheaper one.",
)
