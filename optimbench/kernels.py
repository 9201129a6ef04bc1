"""Optimizers made ready to time: one step of ten parameters, on any path and device.

The parameters are ten tensors of equal size, because the multi-tensor paths are about several tensors. Gradients are set
once and stay, the state grows old as the step is repeated. An optimizer tagged ``sparse`` gets the gradient of an
embedding that met a tenth of its rows. Those tagged ``whole`` get square matrices, and what is cheap or dear about them shows
there. One tagged ``closure`` steps from the same starting point and an empty state every
time, on a quadratic whose evaluations are part of the measured time.

Bytes: the declared ``bytes_per_element`` times the elements that the step touches, times the evaluations of the closure.
"""

from __future__ import annotations

import functools
import inspect
import pkgutil
from typing import Any

import numpy as np
import torch

from benchkit.grid import generator
from benchkit.spec import Optimizer
from benchkit.timing import Kernel

TENSORS = 10
SPARSE_COLUMNS = 10
SPARSE_SHARE = 10  # one row in ten has a gradient


@functools.lru_cache(maxsize=1)
def _numbers(count: int, seed: int) -> Any:
    """Normal numbers for parameters and gradients, one row each; kept, because every path and device starts from them."""
    return generator("optimizers", "time", count, seed).standard_normal((2, count), dtype=np.float32)


def build(item: Optimizer, path: str, device: str, dtype: str, size: int, seed: int = 0) -> Kernel:
    """The kernel of one step; RuntimeError where torch refuses the path, the dtype or the device."""
    side = max(1, round((size / TENSORS) ** 0.5))
    columns = SPARSE_COLUMNS if "sparse" in item.tags else side if "whole" in item.tags else 1
    rows = max(1, round(size / columns / TENSORS))
    shape = (rows, columns) if columns > 1 or "matrices" in item.tags else (rows,)
    per_tensor = rows * columns
    start, slopes = (
        torch.as_tensor(_numbers(per_tensor * TENSORS, seed)).to(device, getattr(torch, dtype)).reshape(2, TENSORS, *shape)
    )
    parameters = [torch.nn.Parameter(one.clone()) for one in start]
    touched = sum(_set_gradient(p, slope, "sparse" in item.tags) for p, slope in zip(parameters, slopes))
    optimizer = construct(item, parameters, path)
    least = item.bytes_per_element * touched * parameters[0].element_size()
    elements = per_tensor * TENSORS
    if "closure" not in item.tags:
        return Kernel(optimizer.step, elements, round(least), parameters)
    run, evaluations = _with_closure(optimizer, parameters, start, slopes)
    return Kernel(run, elements, round(least * evaluations), parameters)


def construct(item: Optimizer, parameters: list[torch.nn.Parameter], path: str) -> torch.optim.Optimizer:
    """torch's optimizer with the first value of every declared option, told to take ``path`` where it has several."""
    optimizer_class: type[torch.optim.Optimizer] = pkgutil.resolve_name(item.path)
    accepted = inspect.signature(optimizer_class).parameters
    paths: dict[str, Any] = {name: path == name for name in ("foreach", "fused") if name in accepted}
    return optimizer_class(parameters, **item.defaults, **paths)


def _set_gradient(parameter: torch.nn.Parameter, slope: torch.Tensor, sparse: bool) -> int:
    """Give the parameter its gradient; returns how many elements it has."""
    if not sparse:
        parameter.grad = slope.clone()
        return slope.numel()
    index = torch.arange(0, slope.shape[0], SPARSE_SHARE, device=slope.device)
    parameter.grad = torch.sparse_coo_tensor(index[None], slope[index], slope.shape, is_coalesced=True, check_invariants=False)
    return slope[index].numel()


def _with_closure(
    optimizer: torch.optim.Optimizer, parameters: list[torch.nn.Parameter], start: torch.Tensor, slopes: torch.Tensor
) -> tuple[Any, int]:
    """A step on sum(a p**2) / 2 with a between 0.1 and 10, and how often it evaluates that sum.

    Starting anew makes every repetition do the same work; without it the optimizer arrives and its steps cost nothing.
    """
    curvature = [10.0 ** torch.tanh(slope) for slope in slopes]
    evaluations = 0

    def closure() -> torch.Tensor:
        nonlocal evaluations
        evaluations += 1
        total = torch.zeros((), device=start.device, dtype=start.dtype)
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
