"""``document``: what section 3.5 of the source document says of the losses, and what this torch says today."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from benchkit.document import Statement, check, outcome, quietly, stream
from benchkit.request import Request
from lossbench import plots
from lossbench.document_training import training
from lossbench.examples import Example, example, unpadded_ctc
from lossbench.oracle import reduce_by_formula
from reference import LOSSES

SECTIONS: dict[str, tuple[str, str]] = {  # class: section, own arguments with their defaults
    "BCELoss": ("3.5.1", "weight=None"),
    "CrossEntropyLoss": ("3.5.2", "weight=None, ignore_index=-100"),
    "L1Loss": ("3.5.3", "none"),
    "MSELoss": ("3.5.4", "none"),
    "SmoothL1Loss": ("3.5.5", "beta=1.0"),
    "PoissonNLLLoss": ("3.5.6", "log_input=True, full=False, eps=1e-08"),
    "KLDivLoss": ("3.5.7", "log_target=False"),
    "MarginRankingLoss": ("3.5.8", "margin=0.0"),
    "MultiLabelMarginLoss": ("3.5.9", "none"),
    "SoftMarginLoss": ("3.5.10", "none"),
    "MultiMarginLoss": ("3.5.11", "p=1, margin=1.0, weight=None"),
    "TripletMarginLoss": ("3.5.12", "margin=1.0, p=2.0, eps=1e-06, swap=False"),
    "HingeEmbeddingLoss": ("3.5.13", "margin=1.0"),
    "CosineEmbeddingLoss": ("3.5.14", "margin=0.0"),
    "CTCLoss": ("3.5.15", "blank=0, zero_infinity=False"),
}
LEGACY = ("size_average", "reduce")

DRIFTS = {
    "CrossEntropyLoss: own arguments": "torch has added label_smoothing",
    "CTCLoss: legacy arguments": (
        "CTCLoss has no size_average and reduce: it is younger than their deprecation, and the general sentence of the "
        "document does not hold for it"
    ),
    "CosineEmbeddingLoss: the example's 2-D target": (
        "torch now wants one label for each row, a 0-D or 1-D target; another row has the example with one"
    ),
    "KLDivLoss: warnings of the example": (
        "torch now warns that mean divides by the number of elements and is not the divergence; batchmean is"
    ),
}

COSINE_INPUTS = [[[0.3, 0.5, 0.7]] * 2, [[0.1, 0.3, 0.5]] * 2]
VALUES: tuple[tuple[str, list[Any], str], ...] = (  # class, arguments, printed
    ("KLDivLoss", [[[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]], [[0.9, 0.05, 0.05], [0.1, 0.7, 0.2]]], "-0.3335"),
    ("MultiLabelMarginLoss", [[[0.9, 0.2, 0.4, 0.8]], [[3, 0, -1, 1]]], "0.4500"),
    ("SoftMarginLoss", [[[0.3, 0.7], [0.5, 0.5]], [[-1.0, 1.0], [1.0, -1.0]]], "0.6764"),
    ("MultiMarginLoss", [[[0.3, 0.7], [0.5, 0.5]], [0, 1]], "0.6000"),
    ("HingeEmbeddingLoss", [[[1.0, 0.8, 0.5]], [[1.0, 1.0, -1.0]]], "0.7667"),
    ("CosineEmbeddingLoss", [*COSINE_INPUTS, [1.0, -1.0]], "0.5000"),
)


def document(request: Request) -> int:
    """Check every statement on the losses; DISCREPANCY where one drifted unexpectedly or a declared drift is gone."""
    return check(request, statements())


def statements() -> Iterator[Statement]:
    """Everything that the document says of losses and that a program can check."""
    for name, (section, own) in SECTIONS.items():
        yield from constructor(name, section, own)
    yield from printed_values()
    yield from random_examples()
    yield from comparison_plot()
    yield from training()


def say(section: str, item: str, about: str, printed: str, program: Any) -> Statement:
    """A statement about a class, with its declared drift."""
    what = f"{item}: {about}"
    return Statement(section, what, printed, quietly(program), DRIFTS.get(what, ""), item)


def constructor(name: str, section: str, own: str) -> Iterator[Statement]:
    """Own arguments and defaults, reductions, and the deprecated pair."""
    constructor = getattr(nn, name)

    def parameters() -> dict[str, Any]:
        return {p.name: p.default for p in inspect.signature(constructor).parameters.values()}

    def own_arguments() -> str:
        shared = {"reduction", *LEGACY}
        return ", ".join(f"{n}={default!r}" for n, default in parameters().items() if n not in shared) or "none"

    def reductions() -> str:
        shapes = {r: constructor(reduction=r)(*example(name).arguments).shape for r in ("none", "mean", "sum")}
        accepted = [r for r, shape in shapes.items() if (r == "none") == (len(shape) > 0)]
        return f"{' | '.join(accepted)}, default {parameters()['reduction']}"

    def legacy() -> str:
        absent = [argument for argument in LEGACY if argument not in parameters()]
        if absent:
            return f"no {' and '.join(absent)}"
        summed, unreduced = constructor(size_average=False), constructor(reduce=False)
        return f"size_average=False is {summed.reduction}, reduce=False is {unreduced.reduction}"

    yield say(section, name, "own arguments", own, own_arguments)
    yield say(section, name, "reductions", "none | mean | sum, default mean", reductions)
    yield say(section, name, "legacy arguments", "size_average=False is sum, reduce=False is none", legacy)


def printed_values() -> Iterator[Statement]:
    """The examples with fixed inputs, by torch in float32 and by the reference in float64, to the four printed digits."""
    for name, arguments, printed in VALUES:
        section = SECTIONS[name][0]
        about = "the example with a 1-D target" if name == "CosineEmbeddingLoss" else "the example's value"

        def by_torch(name: str = name, arguments: Sequence[Any] = arguments) -> str:
            return f"{getattr(nn, name)()(*map(torch.tensor, arguments)).item():.4f}"

        def by_reference(name: str = name, arguments: Sequence[Any] = arguments) -> str:
            item = LOSSES[name]
            return f"{float(reduce_by_formula(item, 'mean', [np.array(a) for a in arguments], item.defaults).value):.4f}"

        yield say(section, name, about, printed, by_torch)
        yield say(section, name, f"{about}, by the reference", printed, by_reference)

    def two_dimensional() -> str:
        target = torch.tensor([[1, -1]])
        return f"{nn.CosineEmbeddingLoss()(*map(torch.tensor, COSINE_INPUTS), target).item():.4f}"

    def margin_range() -> str:
        text = re.sub(r":math:|`", "", nn.CosineEmbeddingLoss.__doc__ or "")
        found = re.search(r"from (\S+) to ([^\s,]+),\s*(\S+) to (\S+) is suggested", text)
        return "{} to {}, {} to {} advised".format(*found.groups()) if found else "torch's documentation names no range"

    yield say("3.5.14", "CosineEmbeddingLoss", "the example's 2-D target", "0.5000", two_dimensional)
    yield say("3.5.14", "CosineEmbeddingLoss", "range of the margin", "-1 to 1, 0 to 0.5 advised", margin_range)

    kl_arguments = [torch.tensor(a) for a in VALUES[0][1]]
    warned = "KLDivLoss: warnings of the example"
    yield Statement(
        "3.5.7", warned, "accepts", lambda: outcome(lambda: nn.KLDivLoss()(*kl_arguments)), DRIFTS[warned], "KLDivLoss"
    )

    def batchmean() -> str:
        found = nn.KLDivLoss(reduction="batchmean")(*kl_arguments)
        item = LOSSES["KLDivLoss"]
        expected = reduce_by_formula(item, "batchmean", [a.double().numpy() for a in kl_arguments], item.defaults).value
        return "also batchmean" if abs(found.item() - float(expected)) < 1e-6 else f"batchmean gives {found.item()}"

    yield say("3.5.7", "KLDivLoss", "reduction", "also batchmean", batchmean)


def describe(name: str, given: Example, **options: Any) -> str:
    """Shapes of the arguments, of the loss and of the gradient, and whether the numbers are finite, as the table shows them."""
    x, *others = given.arguments
    x = x.float().requires_grad_()
    others = [a.float() if a.is_floating_point() else a for a in others]
    loss = getattr(nn, name)(**options)(x, *others)
    loss.backward()
    assert x.grad is not None
    finite = bool(loss.isfinite() and x.grad.isfinite().all())
    shapes = ", ".join(str(tuple(a.shape)) for a in (x, *others))
    return f"{shapes} -> loss {tuple(loss.shape)}, gradient {tuple(x.grad.shape)}, {'finite' if finite else 'not finite'}"


EXAMPLE_SHAPES = {  # class: shapes of the arguments, options
    "BCELoss": ("(3,), (3,)", {}),
    "CrossEntropyLoss": ("(3, 5), (3,)", {}),
    "L1Loss": ("(3, 5), (3, 5)", {}),
    "MSELoss": ("(3, 5), (3, 5)", {}),
    "SmoothL1Loss": ("(3, 5), (3, 5)", {}),
    "PoissonNLLLoss": ("(5, 2), (5, 2)", {}),
    "MarginRankingLoss": ("(3,), (3,), (3,)", {}),
    "TripletMarginLoss": ("(100, 128), (100, 128), (100, 128)", {"margin": 1.0, "p": 2}),
    "CTCLoss": ("(50, 16, 20), (16, 30), (16,), (16,)", {}),
}


def random_examples() -> Iterator[Statement]:
    """The examples whose numbers are random: shapes of what goes in and comes out, and that the numbers are finite."""
    for name, (shapes, options) in EXAMPLE_SHAPES.items():
        gradient = shapes[: shapes.index(")") + 1]
        about = "the padded example" if name == "CTCLoss" else "the example's shapes"
        printed = f"{shapes} -> loss (), gradient {gradient}, finite"
        yield say(
            SECTIONS[name][0],
            name,
            about,
            printed,
            partial(describe, name, example(name), **options),
        )

    fits = "loss (), infinite for the targets that with their repeats do not fit into 50 frames, finite for the others"

    def unpadded() -> str:
        for draw in range(8):
            given = unpadded_ctc(torch.Generator().manual_seed(stream(f"unpadded {draw}")))
            _, labels, _, lengths = given.arguments
            needed = [len(row) + int((row[1:] == row[:-1]).sum()) for row in labels.split(lengths.tolist())]
            losses = nn.CTCLoss(reduction="none")(*given.arguments)
            if losses.isfinite().tolist() != [frames <= 50 for frames in needed]:
                return f"losses {losses.tolist()} for targets that need {needed} frames"
            if nn.CTCLoss()(*given.arguments).shape != ():
                return "not a scalar"
        return fits

    yield say("3.5.15", "CTCLoss", "the un-padded example", fits, unpadded)


def comparison_plot() -> Iterator[Statement]:
    """The figure of section 3.5.5: what is plotted, and how it is labelled."""

    def data() -> str:
        lines = plots.comparison().axes[0].lines
        x = np.asarray(lines[0].get_xdata())
        for line, (name, options) in zip(lines, (("SmoothL1Loss", {"beta": 1.0}), ("L1Loss", {})), strict=True):
            expected = LOSSES[name](x.astype(float), np.zeros(len(x)), **options)
            if not np.allclose(line.get_ydata(), expected, rtol=1e-6, atol=1e-12):
                return f"the line of {name} is not that loss against zeros"
        even = np.allclose(np.diff(x), 20.0 / 4999.0, atol=1e-5)
        return f"{'linspace' if even else 'unevenly'}({x[0]:g}, {x[-1]:g}, {len(x)}) against zeros, beta 1, reduction none"

    def labels() -> str:
        axes = plots.comparison().axes[0]
        grid = all(line.get_visible() for line in axes.get_xgridlines())
        parts = [
            axes.get_xlabel(),
            axes.get_ylabel(),
            "legend" if axes.get_legend() else "no legend",
            "grid" if grid else "no grid",
        ]
        return ", ".join(parts)

    yield say(
        "3.5.5",
        "SmoothL1Loss",
        "data of the comparison plot",
        "linspace(-10, 10, 5000) against zeros, beta 1, reduction none",
        data,
    )
    yield say("3.5.5", "SmoothL1Loss", "labels of the comparison plot", "x_i - y_i, loss value, legend, grid", labels)
