from benchkit.contract import FUSED_ALONE, WAYS, Refusal, at_least, no_sparse_gradients, sparse_gradients
from benchkit.spec import optimizer


def accepted(options):
    """Nesterov momentum is defined for a momentum without dampening."""
    return not options["nesterov"] or (options["momentum"] > 0 and options["dampening"] == 0)


@optimizer(
    "torch.optim.SGD",
    options={
        "lr": [1e-3, 0.1],
        "momentum": [0.0, 0.9, 0.5],
        "dampening": [0.0, 0.5],
        "weight_decay": [0.0, 0.1],
        "nesterov": [False, True],
        "maximize": [False, True],
    },
    edge_options={"lr": [0.0], "weight_decay": [10.0], "momentum": [1.0], "dampening": [1.0]},
    together=[
        {"momentum": 0.9, "dampening": 1.0},
        {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1, "maximize": True},
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "maximize": True},
    ],
    exact_options=[{"lr": 0.25, "momentum": 0.5, "dampening": 0.5, "weight_decay": 0.25}],
    valid=accepted,
    tags={"elementwise", "sparse_gradients"},
    curves=({"momentum": 0.9},),
    learning_rates=(1e-5, 10.0, 13),
    paths=("forloop", "foreach", "fused"),
    bytes_per_element=3,
    operations_per_element=2,
    document="3.6",
    contract=[
        *at_least("lr"),
        *at_least("momentum"),
        *at_least("weight_decay"),
        *(
            Refusal(words, "nesterov: Only applicable when momentum is non-zero", options=options, ways=WAYS)
            for words, options in (
                ("nesterov without momentum", {"nesterov": True}),
                ("nesterov with dampening", {"nesterov": True, "momentum": 0.5, "dampening": 0.25}),
            )
        ),
        sparse_gradients("forloop", "foreach"),
        *no_sparse_gradients("fused"),
        *FUSED_ALONE,
    ],
    source="Sutskever et al., On the importance of initialization and momentum in deep learning, ICML 2013; torch.optim.SGD",
)
def sgd(p, g, state, *, lr, momentum, dampening, weight_decay, nesterov, maximize):
    """Step against the gradient, or against its running sum when there is momentum.

    Formula: maximize negates the gradient, weight decay adds weight_decay p to it; b = g at the first step and
        b = momentum b + (1 - dampening) g later; the direction is b, or g + momentum b with nesterov; p = p - lr direction.
    State: momentum_buffer (b), with momentum only; None before the first step. The first b is the undamped gradient.
    Domain: real p and g of one shape; lr, weight_decay, momentum >= 0; nesterov needs momentum > 0 and dampening = 0.
    Where torch differs: Sutskever et al. put lr inside the buffer (b = momentum b + lr g, p = p - b) and start it at 0:
        the same as here for a constant lr, another step when lr changes. On the CPU the fused path leaves every full SIMD
        block of a half-precision parameter as it was (issue 191763), and raises TypeError when a parameter's first gradient
        comes later than that of others of its group; foreach with nesterov adds the momentum to p.grad itself.
    Source: torch.optim.SGD documentation; Sutskever, Martens, Dahl and Hinton, ICML 2013.
    """
    g = -g if maximize else g
    g = g + weight_decay * p if weight_decay else g
    if not momentum:
        return p - lr * g, {}
    b = state["momentum_buffer"]
    b = g if b is None else momentum * b + (1 - dampening) * g
    direction = g + momentum * b if nesterov else b
    return p - lr * direction, {"momentum_buffer": b}


@sgd.initial
def _(p, *, momentum, **_options):
    return {"momentum_buffer": None} if momentum else {}


sgd.wrong("first momentum buffer damped", "b = g if b is None", "b = (1 - dampening) * g if b is None", thread="91108")
sgd.wrong("dampening ignored", "(1 - dampening) * g", "g")
sgd.wrong("nesterov looks ahead by the gradient", "g + momentum * b if", "g + momentum * g if")
sgd.wrong("nesterov ignored", "g + momentum * b if nesterov else b", "b")
sgd.wrong("decay adds the wrong variable", "g + weight_decay * p", "g + weight_decay * g", thread="mlverse 821")
sgd.wrong("maximize ignored", "-g if maximize", "g if maximize")
sgd.wrong("maximize negates the decay too", "g + weight_decay * p", "g + (-weight_decay if maximize else weight_decay) * p")
sgd.wrong("learning rate inside the buffer", '{"momentum_buffer": b}', '{"momentum_buffer": lr * b}')
sgd.wrong("momentum off by 1e-4", "else momentum * b", "else (momentum + 1e-4) * b")


@sgd.planted("a checkpoint of an older version does not load", "subject", "68733", where="loaded_from_older_version")
def _(base):
    class Forgetful(base):
        def load_state_dict(self, state_dict):
            for group in state_dict["param_groups"]:
                group["maximize"], group["foreach"]  # the keys that came later
            return super().load_state_dict(state_dict)

    return Forgetful


@sgd.planted("nesterov accepted with dampening", "subject", "887", where="-refuses-")
def _(base):
    class Lenient(base):
        def __init__(self, params, lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False, **options):
            dampening = 0 if nesterov else dampening
            super().__init__(params, lr, momentum, dampening, weight_decay, nesterov, **options)

    return Lenient
