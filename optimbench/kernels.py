"""Optimizers made ready to time: one step of a set of parameters, on any path and device.

Gradients are set once and stay, the state grows old as the step is repeated. An optimizer tagged ``sparse`` gets the gradient
of an embedding that met a tenth of its rows. One tagged ``closure`` steps from the same starting point and an empty state every
time, on a quadratic whose evaluations are part of the measured time.

Bytes: the declared ``bytes_per_element`` times the elements that the step touches, times the evaluations of the closure. All
but the gradient is read and written where it lies, so that half of the bytes and half a gradient are the memory of a step.
"""

from __future__ import annotations

import functools
import inspect
import pkgutil
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from benchkit import compiling, devices
from benchkit.grid import generator
from benchkit.points import Kernel
from benchkit.spec import Optimizer
from optimbench.parameters import EQUAL, Shape, shapes, size_of

SPARSE_SHARE = 10  # one row in ten has a gradient
DRAWN = 10**7  # numbers that are drawn; larger sets repeat them


@functools.lru_cache(maxsize=1)
def _numbers(count: int, seed: int) -> Any:
    """Normal numbers for parameters and gradients, one row each; kept, because every path and device starts from them."""
    drawn = generator("optimizers", "time", count, seed).standard_normal((2, min(count, DRAWN)), dtype=np.float32)
    return np.resize(drawn[0], count), np.resize(drawn[1], count)


def _tensors(numbers: Any, shapes: Sequence[Shape], device: str, dtype: str) -> list[torch.Tensor]:
    flat = torch.as_tensor(numbers).to(device, getattr(torch, dtype), copy=True)
    parts = flat.split([size_of([shape]) for shape in shapes])
    return [part.reshape(shape).clone() for part, shape in zip(parts, shapes, strict=True)]


def build(
    item: Optimizer,
    path: str,
    device: str,
    dtype: str,
    size: int,
    *,
    workload: str = EQUAL,
    constructor: Callable[..., Any] | None = None,
    seed: int = 0,
) -> Kernel:
    """The kernel of one step by one path, of torch's class or of another one; RuntimeError where torch refuses the path, the
    dtype or the device."""
    made = shapes(item, workload, size)
    elements = size_of(made)
    start, slopes = (_tensors(numbers, made, devices.place(device), dtype) for numbers in _numbers(elements, seed))
    parameters = [torch.nn.Parameter(one.clone()) for one in start]
    touched = sum(_set_gradient(p, slope, "sparse" in item.tags) for p, slope in zip(parameters, slopes, strict=True))
    optimizer = constructor(parameters) if constructor else construct(item, parameters, path)
    gradient_bytes = touched * parameters[0].element_size()
    least = item.bytes_per_element * gradient_bytes
    operations = item.operations_per_element * touched
    if "closure" in item.tags:
        run, evaluations = _with_closure(optimizer, parameters, start, slopes)
        return Kernel(run, elements, round(least * evaluations), parameters)
    run, compile_s = optimizer.step, None
    if path == "compiled":
        run, compile_s = compiling.compiled(run, lambda step: step())
    elif path == "graph":
        run = compiling.graph(run, device)
    # What a step gets from elsewhere is the gradients.
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    load = devices.loading(gradients, device) if "sparse" not in item.tags else None
    held = round(least + (1.0 - item.read_again) * gradient_bytes) // 2
    return Kernel(run, elements, round(least), parameters, operations, load, compile_s, held)


def construct(item: Optimizer, parameters: list[torch.nn.Parameter], path: str) -> torch.optim.Optimizer:
    """torch's optimizer with the first value of every declared option, told to take ``path`` where it has several.

    What is compiled or captured is the multi-tensor path where there is one; a step can be captured that is capturable.
    """
    optimizer_class: type[torch.optim.Optimizer] = pkgutil.resolve_name(item.path)
    accepted = inspect.signature(optimizer_class).parameters
    switched = path if path in item.paths else "foreach"
    switches: dict[str, Any] = {name: switched == name for name in ("foreach", "fused") if name in accepted}
    if path == "graph" and "capturable" in accepted:
        switches["capturable"] = True
    return optimizer_class(parameters, **item.defaults, **switches)


def _set_gradient(parameter: torch.nn.Parameter, slope: torch.Tensor, sparse: bool) -> int:
    """Give the parameter its gradient; returns how many elements it has."""
    if not sparse:
        parameter.grad = slope.clone()
        return slope.numel()
    index = torch.arange(0, slope.shape[0], SPARSE_SHARE, device=slope.device)
    parameter.grad = torch.sparse_coo_tensor(index[None], slope[index], slope.shape, is_coalesced=True, check_invariants=False)
    return slope[index].numel()


def _with_closure(
    optimizer: torch.optim.Optimizer,
    parameters: list[torch.nn.Parameter],
    start: Sequence[torch.Tensor],
    slopes: Sequence[torch.Tensor],
) -> tuple[Any, int]:
    """A step on sum(a p**2) / 2 with a between 0.1 and 10, and how often it evaluates that sum.

    Starting anew makes every repetition do the same work; without it the optimizer arrives and its steps cost nothing.
    """
    curvature = [10.0 ** torch.tanh(slope) for slope in slopes]
    evaluations = 0

    def closure() -> torch.Tensor:
        nonlocal evaluations
        evaluations += 1
        total = torch.zeros((), device=start[0].device, dtype=start[0].dtype)
        for parameter, a in zip(parameters, curvature):
            parameter.grad = a * parameter.detach()
            total += 0.5 * torch.sum(parameter.grad * parameter.detach())
        return total

    def run() -> None:
        with torch.no_grad():
            for parameter, first in zip(parameters, start):
                parameter.copy_(first)
        optimizer.state.clear()
        optimizer.step(closure)  # type: ignore[arg-type]  # torch types the closure as returning float and documents a tensor

    run()
    return run, evaluations
