"""Losses made ready to time: the module of torch with inputs from the declared domains, at any size, on any device.

The unreduced loss (``reduction="none"``) is timed, because it is what the declared traffic counts. The inputs are created
beforehand, so that a run is the loss alone; where a loss takes the output of log_softmax, that too is computed beforehand.

Bytes, a lower bound for an implementation that keeps nothing but its inputs: forward is the declared ``bytes_per_element``;
the backward pass reads every floating-point input and the incoming gradient again and writes one gradient for each input
that training differentiates by, which is every differentiable input but the one named ``target``.
"""

from __future__ import annotations

import functools
import math
import pkgutil
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from benchkit.domains import Domain, Draw, draw_case
from benchkit.grid import generator
from benchkit.precision import PRECISIONS
from benchkit.spec import LOSSES, Loss
from benchkit.timing import Kernel
from lossbench.subject import answered, arguments_of, fill, native

OPERATIONS = ("forward", "forward+backward")
DRAWN = 10**6  # elements that are drawn; larger inputs repeat them, because drawing would take longer than measuring
ROW_SIZES = {1: (10,), 2: (50, 20)}  # ten classes or features; 50 frames of 20 classes


def shape_of(item: Loss, size: int) -> tuple[int, ...]:
    """The input shape of about ``size`` elements: axes of a row keep a natural length, the first of the others grows."""
    shape = list(item.shapes[0])
    axes = item.row_axes(np.zeros(shape)) if callable(item.row_axes) else item.row_axes
    axes = (axes,) if isinstance(axes, int) else tuple(axes)
    rows = sorted(axis % len(shape) for axis in axes)
    for axis, length in zip(rows, ROW_SIZES.get(len(rows), (10,) * len(rows))):
        shape[axis] = length
    growing = next((axis for axis in range(len(shape)) if axis not in rows), None)
    if growing is None:  # every axis belongs to the row: a loss of one row, which grows itself
        growing = 0
    others = math.prod(length for axis, length in enumerate(shape) if axis != growing)
    shape[growing] = max(1, round(size / others))
    return tuple(shape)


@functools.lru_cache(maxsize=1)
def draw(name: str, size: int, dtype: str, seed: int) -> tuple[Draw, dict[str, int]]:
    """Options and inputs of the first variant at about ``size`` elements, and the axis along which each input can be repeated.

    Kept, because operations and devices share them. An input that does not grow with the number of rows has no axis.
    """
    item = LOSSES[name]

    def drawn(shape: tuple[int, ...]) -> Draw:
        rng = generator(item.slug, "time", dtype, shape, seed)
        return draw_case(next(iter(item.variants.values())), item.defaults, Draw(rng, "ordinary", shape, PRECISIONS[dtype]))

    one, two = (drawn(shape_of(item, few)).inputs for few in (2 * DRAWN // 1000, 4 * DRAWN // 1000))
    axes = {key: [a != b for a, b in zip(np.shape(one[key]), np.shape(two[key]))] for key in one}
    return drawn(shape_of(item, size)), {key: changed.index(True) for key, changed in axes.items() if True in changed}


def build(item: Loss, operation: str, device: str, dtype: str, size: int, seed: int = 0) -> Kernel:
    """The kernel of one operation; RuntimeError where torch refuses the dtype or the device is out of memory."""
    times = -(-size // DRAWN)
    case, axes = draw(item.name, size // times, dtype, seed)
    domains: dict[str, Domain] = dict(next(iter(item.variants.values())))
    inputs = {name: _input(domain, case.inputs[name], device, dtype, axes.get(name), times) for name, domain in domains.items()}
    subject = _module(item, domains, case, inputs, device, dtype)
    passed = [value for name, value in inputs.items() if not domains[name].parameter]

    def forward() -> Any:
        return answered(item, "none", subject(*passed))

    floating = [value for value in inputs.values() if value.is_floating_point()]
    itemsize = floating[0].element_size()
    elements = floating[0].numel()
    forward_bytes = item.bytes_per_element * elements * itemsize
    if operation == "forward":
        for value in inputs.values():  # the parameters of a module want gradients unasked
            value.requires_grad_(False)
        return Kernel(forward, elements, round(forward_bytes))

    leaves = [inputs[name] for name, domain in domains.items() if domain.differentiable and name != "target"]
    for leaf in leaves:
        leaf.requires_grad_()
    incoming = torch.ones_like(forward())

    def forward_and_backward() -> Any:
        return torch.autograd.grad(forward(), leaves, incoming, allow_unused=True)

    numbers = sum(value.numel() for value in [*floating, *leaves]) + incoming.numel()
    return Kernel(forward_and_backward, elements, round(forward_bytes + numbers * itemsize) if forward_bytes else 0)


def _module(
    item: Loss, domains: Mapping[str, Domain], case: Draw, inputs: dict[str, torch.Tensor], device: str, dtype: str
) -> Any:
    """The module of torch with the drawn options; its parameters take the drawn values, and stand for them in ``inputs``."""
    options = {name: native(_tensor(value, device, dtype)) for name, value in case.options.items() if value is not None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a deprecated name, or a cluster too small to have features: asked for on purpose
        subject = pkgutil.resolve_name(item.path)(**options, **arguments_of(item, "none")).to(device)
    parameters = {name: domain.parameter for name, domain in domains.items() if domain.parameter}
    if parameters:
        subject.to(getattr(torch, dtype))
        inputs |= fill(subject, {of_module: inputs[name] for name, of_module in parameters.items()}, parameters)
    return subject


def _input(domain: Domain, array: Any, device: str, dtype: str, axis: int | None, times: int) -> torch.Tensor:
    value = torch.as_tensor(array, dtype=getattr(torch, dtype) if domain.floating else None, device=device)
    if domain.through == "log_softmax":
        value = torch.log_softmax(value, dim=-1)
    return value if axis is None else torch.cat([value] * times, dim=axis)


def _tensor(value: Any, device: str, dtype: str) -> Any:
    """Options that are arrays (weights) become tensors; all others stay as they are."""
    return torch.as_tensor(value, dtype=getattr(torch, dtype), device=device) if isinstance(value, np.ndarray) else value
