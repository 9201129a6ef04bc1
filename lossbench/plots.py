"""``plot``: the document's SmoothL1-against-L1 figure, and a card for every loss from the figure that it declares."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from itertools import cycle
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from rich.console import Console
from torch import nn

from benchkit import figures, time_figures
from benchkit.attribute import lacking, torch_class
from benchkit.domains import Domain
from benchkit.request import RIGHT, Request, UsageError
from benchkit.results import Run
from benchkit.spec import Figure as View
from benchkit.spec import Loss
from lossbench.formula_subject import FormulaSubject
from lossbench.subject import Answer, Call, ModuleSubject, Subject, arguments_of
from reference import LOSSES

Array = NDArray[np.float64]
CURVE = 1001  # points of the reference's curve
MARKERS = 25  # points at which torch is asked
DTYPE = "float32"
MARKER: dict[str, Any] = {"linestyle": "none", "markerfacecolor": "white", "markeredgewidth": 1.1}


SUBJECT = time_figures.Subject(
    "lossbench",
    "losses",
    {family: [n for n, item in LOSSES.items() if item.family == family] for family in (i.family for i in LOSSES.values())},
)


def plot(request: Request) -> int:
    """Draw the document's comparison and the cards of the items (all by default)."""
    names = request.items or tuple(name for name, item in LOSSES.items() if torch_class(item.path))
    with Run.open(request) as run:
        if not request.items:
            _tell(figures.save(comparison(), request.reports, run=run, **COMPARISON_TEXTS))
        for name in names:
            figure, texts = card(LOSSES[name])
            _tell(figures.save(figure, request.reports, run=run, **texts))
        for record in time_figures.plot(request, SUBJECT, run) if not request.items else ():
            _tell(record)
        run.end()
    return RIGHT


def _tell(record: Mapping[str, Any]) -> None:
    Console().print(f"{record['file']}: {record['title']}", soft_wrap=True)


COMPARISON_TEXTS: dict[str, Any] = {
    "stem": "smooth-l1-against-l1",
    "group": "The document",
    "title": "SmoothL1 against L1",
    "caption": (
        "The figure of section 3.5.5 with its own grid, linspace(-10, 10, 5000) against zeros, and its labels; both losses are "
        "computed by torch with reduction none. On the right their gradients, computed by autograd: SmoothL1 replaces the "
        "jump of the sign function at 0 by a slope between -1 and 1."
    ),
    "alt": (
        "Left: loss against difference; two V-shaped lines, SmoothL1 rounded at 0 and half a unit below L1 elsewhere. Right: "
        "their gradients; L1 jumps from -1 to 1 at 0, SmoothL1 rises linearly between -1 and 1."
    ),
}


def comparison() -> Figure:
    """The document's comparison plot (left panel: its data, labels, legend and grid) and the gradients beside it."""
    x = torch.linspace(-10.0, 10.0, 5000).requires_grad_()
    y = torch.zeros(5000)
    figure, (values, slopes) = figures.panels(1, 2, size=(11.0, 4.2))
    losses = {"SmoothL1 (beta = 1)": nn.SmoothL1Loss(beta=1.0, reduction="none"), "L1": nn.L1Loss(reduction="none")}
    for label, loss in losses.items():
        found = loss(x, y)
        (slope,) = torch.autograd.grad(found.sum(), x)
        values.plot(x.detach().numpy(), found.detach().numpy(), label=label)
        slopes.plot(x.detach().numpy(), slope.numpy(), label=label)
    values.set(title="Loss", xlabel="x_i - y_i", ylabel="loss value")
    slopes.set(title="Gradient", xlabel="x_i - y_i", ylabel="derivative of the loss by x_i")
    for axes in (values, slopes):
        axes.legend()
    return figure


def card(item: Loss) -> tuple[Figure, dict[str, Any]]:
    """Value and gradient of a loss over its natural input: the reference as lines, torch as markers; one line per option.

    UsageError names an item that declares no figure.
    """
    view = item.figure
    if view is None:
        raise UsageError(f"{item.name} declares no figure; give its declaration figure=Figure(xlabel, span, inputs, ...)")
    if reason := lacking(item, "to draw"):
        raise UsageError(f"{reason}; leave {item.name} out")
    constructor = torch_class(item.path)
    figure, (values, slopes) = figures.panels(1, 2, size=(11.0, 4.4))
    low, high = view.span
    line, points = np.linspace(low, high, CURVE), low + (high - low) * (np.arange(MARKERS) + 0.3) / MARKERS
    legend: list[tuple[Line2D, str]] = []
    for chosen, look, marker in zip(view.options, cycle(figures.looks()), cycle("osD^vP")):
        expected = evaluate(FormulaSubject(item), item, view, chosen, line, "float64")
        got = evaluate(ModuleSubject(item, "cpu", constructor), item, view, chosen, points, DTYPE)
        for axes, curve, dots in zip((values, slopes), expected, got):
            (drawn,) = axes.plot(line, curve, **look)
            axes.plot(points, dots, marker=marker, color=look["color"], **MARKER)
        legend += [(drawn, label)] if (label := _label(view, chosen)) else []
    legend += [
        (Line2D([], [], color="0.4"), "lines: reference"),
        (Line2D([], [], marker="o", color="0.4", **MARKER), "markers: torch"),
    ]
    in_one_row = sum(len(word) + 8 for _, word in legend) < 120
    columns = len(legend) if in_one_row else -(-len(legend) // 2)
    figure.legend(*zip(*legend), loc="outside upper center", ncols=columns)
    unit = "nats" if "nats" in item.tags else "dimensionless"
    xlabel = textwrap.fill(view.xlabel, 66)
    values.set(title=f"{item.name}: value", xlabel=xlabel, ylabel=f"loss value ({unit})", xlim=view.span)
    slopes.set(title=f"{item.name}: gradient", xlabel=xlabel, ylabel=f"derivative of the loss ({unit})", xlim=view.span)
    for axes in (values, slopes):
        _open_up(axes)
    return figure, {
        "stem": f"card-{item.slug}",
        "group": "Losses",
        "title": item.name,
        "caption": f"{item.doc.splitlines()[0]} Lines: the reference in float64; markers: torch in {DTYPE}, its gradient by "
        "autograd. The gradient is that of one loss by the quantity on the horizontal axis.",
        "alt": f"Two panels, value and gradient of {item.name} against: {view.xlabel}."
        + (f" {len(view.options)} curves for its options." if len(view.options) > 1 else ""),
    }


def evaluate(subject: Subject, item: Loss, view: View, chosen: Mapping[str, Any], x: Array, dtype: str) -> tuple[Array, Array]:
    """The unreduced losses of a subject over ``x`` and the declared derivative of them, both of the shape of ``x``."""
    arrays = [np.asarray(array) for array in view.inputs(x)]
    domains = _domains(item, arrays)
    options = {**item.defaults, **chosen}
    _check_shape(item, "losses", item(*arrays, **options), x)
    call = Call(
        domains=domains,
        inputs=dict(zip(domains, arrays, strict=True)),
        options=options,
        arguments=arguments_of(item, "none"),
        reduction="none",
        dtype=dtype,
        requires=[name for name, domain in domains.items() if domain.differentiable],
        upstreams=[np.ones(len(x))],
    )
    answer: Answer = subject(call)
    derivatives = tuple(answer.gradients[0])
    slope = np.asarray(view.gradient(derivatives) if view.gradient else derivatives[0])
    _check_shape(item, "derivatives", slope, x)
    return answer.value, slope


def _check_shape(item: Loss, what: str, found: Array, x: Array) -> None:
    if found.shape != x.shape:
        raise UsageError(f"the figure of {item.name} gives {what} of shape {found.shape}, but should give one for each x")


def _domains(item: Loss, arrays: list[NDArray[Any]]) -> Mapping[str, Domain]:
    """The variant of the inputs that the arrays of a figure belong to: as many, floating where these are."""
    for domains in item.variants.values():
        kinds = [domain.floating for domain in domains.values()]
        if kinds == [array.dtype.kind == "f" for array in arrays]:
            return domains
    raise UsageError(f"the figure of {item.name} gives inputs that fit none of its variants")


def _label(view: View, chosen: Mapping[str, Any]) -> str:
    """The options in which the curves of a figure differ, with the values of one of them."""
    differ = [name for name, value in chosen.items() if any(other.get(name) != value for other in view.options)]
    return ", ".join(
        f"{name} {chosen[name]:g}" if isinstance(chosen[name], float) else f"{name} {chosen[name]}" for name in differ
    )


def _open_up(axes: Axes) -> None:
    """Room above and below a constant, whose automatic axis would magnify nothing."""
    low, high = axes.dataLim.intervaly
    if high - low < 1e-6:
        axes.set_ylim(low - 0.5, high + 0.5)
