"""What the document says of gradients, evaluation and data parallel training, as far as it concerns losses."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from benchkit.document import Statement, outcome, quietly
from lossbench.examples import EXAMPLES, Example, example

SHARDS = 4
ROUNDING = 64 * torch.finfo(torch.float64).eps  # the mean of the shards' means adds in another order


def training() -> Iterator[Statement]:
    """Accumulated gradients, the vector of a backward pass, evaluation, data parallel."""
    yield Statement("autograd", "gradients of three backward calls, then zeroed", "g, 2 g, 3 g, 0", accumulated)
    yield Statement(
        "autograd",
        "backward of a non-scalar without a vector",
        "raises RuntimeError: grad can be implicitly created only for scalar outputs",
        lambda: outcome(lambda: (torch.ones(3, requires_grad=True) * 2.0).backward()),
    )
    yield Statement("autograd", "backward with v = [0.1, 1.0, 0.0001]", "v times the Jacobian", vector_jacobian)
    yield Statement("training", "eval mode against training mode", "dropout acts in training only", dropout)
    yield Statement("training", "evaluation without gradients", "no graph under no_grad", no_graph)
    count = len(EXAMPLES)
    yield Statement(
        "data parallel",
        f"mean of the losses of {SHARDS} equal shards against the loss of the batch, reduction mean",
        f"equal for {count} of {count} losses",
        quietly(shards_of_all),
    )
    yield Statement(
        "data parallel", "the same with ignored targets (CrossEntropyLoss)", "different", ignored, item="CrossEntropyLoss"
    )
    yield Statement(
        "data parallel", "the same with weighted targets (CrossEntropyLoss)", "different", weighted, item="CrossEntropyLoss"
    )


def accumulated() -> str:
    x, y = example("MSELoss").arguments
    weight = torch.ones(5, dtype=torch.float64, requires_grad=True)
    (once,) = torch.autograd.grad(nn.MSELoss()(x * weight, y), weight)
    found = []
    for times in (1, 2, 3):
        nn.MSELoss()(x * weight, y).backward()
        assert weight.grad is not None
        same = torch.allclose(weight.grad, times * once, rtol=1e-14, atol=0.0)
        found.append(("g" if times == 1 else f"{times} g") if same else "something else")
    assert weight.grad is not None
    weight.grad.zero_()
    return ", ".join([*found, "0" if not weight.grad.any() else "not 0"])


def vector_jacobian() -> str:
    """The document's example: y is x doubled until its norm reaches 1000."""
    v = torch.tensor([0.1, 1.0, 0.0001])

    def doubled(x: Tensor) -> Tensor:
        y = x * 2
        while y.detach().norm() < 1000:
            y = y * 2
        return y

    x = torch.tensor([0.5, -1.25, 2.0], requires_grad=True)
    doubled(x).backward(v)
    jacobian = torch.autograd.functional.jacobian(doubled, x.detach())
    assert x.grad is not None
    return "v times the Jacobian" if torch.equal(x.grad, v @ jacobian) and x.grad.any() else f"{x.grad.tolist()}"


def dropout() -> str:
    layer, ones = nn.Dropout(0.5), torch.ones(1000)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        acts = {mode: not torch.equal(layer.train(mode == "training")(ones), ones) for mode in ("training", "evaluation")}
    return f"dropout acts in {' and '.join(mode for mode, acting in acts.items() if acting)} only"


def no_graph() -> str:
    x, y = example("MSELoss").arguments
    weight = torch.ones(5, dtype=torch.float64, requires_grad=True)
    with torch.no_grad():
        loss = nn.MSELoss()(x * weight, y)
    return "a graph under no_grad" if loss.requires_grad or loss.grad_fn else "no graph under no_grad"


def shards_agree(loss: nn.Module, given: Example) -> bool:
    """Whether the mean of the shards' losses is the loss of the whole batch, up to rounding."""
    whole = loss(*given.arguments)
    parts = zip(*(a.chunk(SHARDS, axis) for a, axis in zip(given.arguments, given.batch_axes)))
    mean = torch.stack([loss(*arguments) for arguments in parts]).mean()
    return bool((mean - whole).abs() <= ROUNDING * whole.abs())


def shards_of_all() -> str:
    agree = [name for name in EXAMPLES if shards_agree(getattr(nn, name)(), example(name, 4 * SHARDS))]
    rest = [name for name in EXAMPLES if name not in agree]
    return f"equal for {len(agree)} of {len(EXAMPLES)} losses" + (f", not for {', '.join(rest)}" if rest else "")


def ignored() -> str:
    """Half of the first shard's targets are ignored, so that its mean is over fewer rows."""
    given = example("CrossEntropyLoss", 4 * SHARDS)
    x, y = given.arguments
    y = torch.where(torch.arange(len(y)) < 2, -100, y)
    return "equal" if shards_agree(nn.CrossEntropyLoss(), given._replace(arguments=(x, y))) else "different"


def weighted() -> str:
    weight = torch.tensor([0.5, 1.0, 2.0, 4.0, 8.0], dtype=torch.float64)
    given = example("CrossEntropyLoss", 4 * SHARDS)
    return "equal" if shards_agree(nn.CrossEntropyLoss(weight=weight), given) else "different"
