"""Losses made ready to time: the module of torch with inputs from the declared domains, at any size, on any device.

The unreduced loss (``reduction="none"``) is timed, because it is what the declared traffic counts. The inputs are created
beforehand, so that a run is the loss alone; where a loss takes the output of log_softmax, that too is computed beforehand.

Bytes, the compulsory traffic: forward reads each input once, of a gathered one a cache line for each row, and writes each loss
once; the backward pass reads every floating-point input and the incoming gradient again and writes one gradient for each input
that training differentiates by, which is every differentiable input but the one named ``target``. What is read again is in
memory once.
"""

from __future__ import annotations

import functools
import math
import pkgutil
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from benchkit import compiling, devices
from benchkit.domains import Domain, Draw, draw_case
from benchkit.grid import generator
from benchkit.points import NUMPY, Kernel
from benchkit.precision import PRECISIONS
from benchkit.spec import LOSSES, Loss
from lossbench.examples import example
from lossbench.subject import answered, arguments_of, fill, native

OPERATIONS = ("forward", "forward+backward")
DRAWN = 10**6  # elements that are drawn; larger inputs repeat them, because drawing would take longer than measuring
CACHE_LINE = 64  # bytes
DOCUMENT = "document"  # the workload of that name
OWN = "native"  # the path of torch's own kernel, on inputs that a library would take


def row_lengths(item: Loss) -> list[Mapping[str, int]]:
    """The declared lengths of a row, what is usual first; one without lengths where no axis belongs to a row."""
    return [*item.row_lengths] or [{}]


def label(lengths: Mapping[str, int]) -> str:
    """The name of a workload: ``T=50,C=20``."""
    return ",".join(f"{axis}={length}" for axis, length in lengths.items())


def shape_of(item: Loss, size: int, lengths: Mapping[str, int], rows: int | None = None) -> tuple[int, ...]:
    """The input shape of about ``size`` elements (or of so many ``rows``): axes of a row have the lengths, the first of the
    others grows."""
    shape = list(item.shapes[0])
    axes = item.row_axes(np.zeros(shape)) if callable(item.row_axes) else item.row_axes
    axes = (axes,) if isinstance(axes, int) else tuple(axes)
    of_row = sorted(axis % len(shape) for axis in axes)
    for axis, length in zip(of_row, lengths.values(), strict=True):
        shape[axis] = length
    growing = next(axis for axis in range(len(shape)) if axis not in of_row)
    others = math.prod(length for axis, length in enumerate(shape) if axis != growing)
    shape[growing] = rows or max(1, round(size / others))
    return tuple(shape)


def least_size(item: Loss, lengths: Mapping[str, int]) -> int:
    """The elements of a single row."""
    return math.prod(shape_of(item, 1, lengths))


@functools.lru_cache(maxsize=2)
def draw(name: str, size: int, workload: str, dtype: str, seed: int) -> tuple[Draw, dict[str, int]]:
    """Options and inputs of the first variant at about ``size`` elements, and the axis along which each input can be repeated.

    Kept, because operations and devices share them. An input that does not grow with the number of rows has no axis.
    """
    item = LOSSES[name]
    domains = next(iter(item.variants.values()))

    def drawn(shape: tuple[int, ...]) -> Draw:
        rng = generator(item.slug, "time", dtype, shape, seed)
        return draw_case(domains, item.defaults, Draw(rng, "ordinary", shape, PRECISIONS[dtype]))

    if workload == DOCUMENT:
        inputs = {key: argument.numpy() for key, argument in zip(domains, example(name).arguments, strict=True)}
        found = drawn(np.shape(next(iter(inputs.values()))))
        found.inputs = inputs
        return found, {}
    lengths = next(one for one in row_lengths(item) if label(one) == workload)
    one, two = (drawn(shape_of(item, 0, lengths, rows)).inputs for rows in (2, 4))
    axes = {key: [a != b for a, b in zip(np.shape(one[key]), np.shape(two[key]))] for key in one}
    shape = shape_of(item, size, lengths)
    return drawn(shape), {key: changed.index(True) for key, changed in axes.items() if True in changed}


def build(
    item: Loss,
    operation: str,
    device: str,
    dtype: str,
    size: int,
    *,
    path: str = "eager",
    workload: str | None = None,
    constructor: Callable[..., Any] | None = None,
    seed: int = 0,
) -> Kernel:
    """The kernel of one operation by one path, of torch's class or of another one that takes its arguments.

    ``workload`` is the label of lengths of a row (default: the usual ones). RuntimeError where torch refuses the dtype or
    the path, or the device is out of memory.
    """
    workload = label(row_lengths(item)[0]) if workload is None else workload
    place = devices.place(device)
    times = -(-size // max(DRAWN, size if workload == DOCUMENT else 0))
    case, axes = draw(item.name, size // times, workload, dtype, seed)
    domains: dict[str, Domain] = dict(next(iter(item.variants.values())))
    if path == NUMPY:
        return _reference(item, domains, case, axes, dtype, times)
    library = item.library if item.library and path in (item.library[0], OWN) else None
    drawn = library[1](case.inputs) if library else case.inputs
    inputs = {
        name: _input(domain, drawn[name], place if domain.floating or not library else "cpu", dtype, axes.get(name), times)
        for name, domain in domains.items()
    }
    subject = _module(item, domains, case, inputs, place, dtype, constructor)
    passed = [value for name, value in inputs.items() if not domains[name].parameter]

    def losses(*given: Any) -> Any:
        if library:
            with torch.backends.cudnn.flags(enabled=path == library[0]):
                return answered(item, "none", subject(*given))
        return answered(item, "none", subject(*given))

    with torch.no_grad():
        found = losses(*passed)
    floating = [value for value in inputs.values() if value.is_floating_point()]
    itemsize, elements = floating[0].element_size(), floating[0].numel()
    least = sum(_read(value, found.numel(), name in item.gathered) for name, value in inputs.items())
    least += found.numel() * itemsize
    operations = item.operations_per_element * elements
    there = [value.detach() for value in inputs.values() if value.device.type == torch.device(place).type]
    load = devices.loading(there, device)
    if operation == "forward":
        for value in inputs.values():  # the parameters of a module want gradients unasked
            value.requires_grad_(False)
        function, compile_s = _by(path, losses, lambda some: some(*passed))
        run = _captured(path, lambda: function(*passed), device)
        return Kernel(run, elements, least, operations=operations, load=load, compile_s=compile_s)

    leaves = [inputs[name] for name, domain in domains.items() if domain.differentiable and name != "target"]
    for leaf in leaves:
        leaf.requires_grad_()
    incoming = torch.ones_like(found)

    def gradients(some: Callable[..., Any]) -> Any:
        return torch.autograd.grad(some(*passed), leaves, incoming, allow_unused=True)

    function, compile_s = _by(path, losses, gradients)
    held = least + sum(value.numel() for value in [*leaves, incoming]) * itemsize
    again = sum(value.numel() for value in floating) * itemsize
    run = _captured(path, lambda: gradients(function), device)
    return Kernel(run, elements, held + again, load=load, compile_s=compile_s, held=held)


def _by(path: str, losses: Callable[..., Any], call: Callable[[Callable[..., Any]], Any]) -> tuple[Any, float | None]:
    return compiling.compiled(losses, call) if path == "compiled" else (losses, None)


def _captured(path: str, run: Callable[[], Any], device: str) -> Callable[[], Any]:
    return compiling.graph(run, device) if path == "graph" else run


def _reference(
    item: Loss, domains: Mapping[str, Domain], case: Draw, axes: Mapping[str, int], dtype: str, times: int
) -> Kernel:
    """The reference's formula on numpy arrays of the same numbers; what it returns is what it computes in."""
    inputs = [
        value.numpy() if isinstance(value, torch.Tensor) else value
        for value in (
            _input(domain, case.inputs[name], "cpu", dtype, axes.get(name), times) for name, domain in domains.items()
        )
    ]

    def run() -> Any:
        with np.errstate(all="ignore"):
            return item(*inputs, **case.options)

    least = sum(value.nbytes for value in inputs) + np.asarray(run()).size * inputs[0].itemsize
    return Kernel(run, inputs[0].size, least)


def _read(value: torch.Tensor, rows: int, gathered: bool) -> int:
    """The bytes of an input that must be read."""
    whole = value.numel() * value.element_size()
    return min(whole, rows * CACHE_LINE) if gathered else whole


def _module(
    item: Loss,
    domains: Mapping[str, Domain],
    case: Draw,
    inputs: dict[str, torch.Tensor],
    device: str,
    dtype: str,
    constructor: Callable[..., Any] | None,
) -> Any:
    """The module with the drawn options; its parameters take the drawn values, and stand for them in ``inputs``.

    Another class than torch's gets what is required alone: its own defaults count.
    """
    options = {name: native(_tensor(value, device, dtype)) for name, value in case.options.items() if value is not None}
    if constructor:
        options = {name: value for name, value in options.items() if name in item.required}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a deprecated name, or a cluster too small to have features: asked for on purpose
        subject = (constructor or pkgutil.resolve_name(item.path))(**options, **arguments_of(item, "none"))
    subject = subject.to(device) if hasattr(subject, "to") else subject
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
