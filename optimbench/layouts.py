"""Layouts in memory: the same numbers transposed, with gaps, off the alignment, expanded, each inside a larger buffer.

What lies around a tensor in its buffer is known, so that a step that reads outside it reads the same numbers every time, and
one that writes there is found out.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

# Name of a layout: arrangement of the parameters, arrangement of the gradients; empty for memory of its own.
LAYOUTS = {
    "": ("", ""),
    "transposed": ("transposed", "transposed"),
    "strided": ("strided", "strided"),
    "offset": ("offset", "offset"),
    "transposed_gradient": ("", "transposed"),
    "strided_parameter": ("strided", ""),
    "expanded_gradient": ("offset", "expanded"),
    "channels_last": ("channels_last", "channels_last"),
    "strided_gradient": ("offset", "strided"),
    "transposed_parameter": ("transposed", "offset"),
    "channels_last_parameter": ("channels_last", ""),
}
EXPANDED = frozenset(name for name, (_, gradient) in LAYOUTS.items() if gradient == "expanded")


def place(tensor, arrangement):  # type: ignore[no-untyped-def]  # its source goes into reproducers
    """The numbers of a tensor arranged in the middle of a buffer of sevens; what is expanded repeats its first row."""
    import torch

    shape, size = tensor.shape, tensor.numel()
    order = list(range(len(shape)))  # the dimensions, the one that varies fastest last
    if arrangement == "transposed":
        order.reverse()
    if arrangement == "channels_last" and len(shape) > 2:
        order = [0, *order[2:], 1]
    strides, step = [0] * len(shape), 2 if arrangement == "strided" else 1
    for d in reversed(order):
        strides[d], step = step, step * max(shape[d], 1)
    if arrangement == "expanded" and len(shape):
        strides[0] = 0
    buffer = torch.full((2 * size + step + 129,), 7.0, dtype=tensor.dtype, device=tensor.device)
    start = 65 if arrangement == "offset" else 64
    if arrangement == "expanded" and len(shape) and size:
        buffer.as_strided(shape[1:], strides[1:], start).copy_(tensor[0])
    elif size:
        buffer.as_strided(shape, strides, start).copy_(tensor)
    return buffer.as_strided(shape, strides, start)


SOURCE = inspect.getsource(place).replace("  # type: ignore[no-untyped-def]  # its source goes into reproducers", "")


MARGIN = 129  # no buffer is smaller, and no tensor of a case with memory of its own is as large


def placed(tensor: Any, arrangement: str) -> Any:
    """The tensor itself where no arrangement is asked for, else ``place``."""
    return place(tensor, arrangement) if arrangement else tensor


def spilled(tensors: Sequence[Any]) -> tuple[int, list[int]]:
    """How many numbers lie around the tensors that were placed in a buffer, and which tensors have others around them now."""
    import torch

    around, damaged = 0, []
    with torch.no_grad():
        for number, tensor in enumerate(tensors):
            length = 0 if tensor is None or tensor.is_sparse else tensor.untyped_storage().nbytes() // tensor.element_size()
            if length < MARGIN:
                continue
            outside = torch.ones(length, dtype=torch.bool, device=tensor.device)
            outside.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset()).fill_(False)
            count = int(outside.sum())
            around += count
            if int((tensor.as_strided((length,), (1,), 0)[outside] == 7.0).sum()) != count:
                damaged.append(number)
    return around, damaged
