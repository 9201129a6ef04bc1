"""Layouts: the same numbers in memory in another order, with gaps, repeated, or off the alignment of vector registers.

Every tensor that is not contiguous is a view of a larger one, whose other elements are a sentinel: NaN, which shows in every
result that it gets into, or for integers other numbers of the same tensor, which are valid wherever these are. The sentinels
are compared after the call, so that a write outside of the tensor is seen, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

CONTIGUOUS = "contiguous"
OFFSET = "offset"  # contiguous, but begins in the middle of a larger tensor, off every vector boundary
STRIDED = "strided"  # every second element along the last axis
SLICED = "sliced"  # rows of a wider matrix
TRANSPOSED = "transposed"  # the axes in reversed order
PERMUTED = "permuted"  # the first axis innermost
EXPANDED = "expanded"  # one row, with stride 0 along the first axis
REPEATED = "repeated"  # one column, with stride 0 along the last axis
CHANNELS_LAST = "channels_last"  # torch's memory format for four axes

LAYOUTS = (OFFSET, STRIDED, SLICED, TRANSPOSED, PERMUTED, EXPANDED, REPEATED, CHANNELS_LAST)
MARGIN = 5  # sentinels on either side; no multiple of a vector register holds so many


@dataclass(frozen=True)
class Placement:
    """Where the elements of a tensor lie in its storage of ``length`` elements."""

    length: int
    strides: tuple[int, ...]
    offset: int

    def positions(self, shape: tuple[int, ...]) -> NDArray[np.int64]:
        """The place of every element in the storage; several may share one."""
        places = np.full(shape, self.offset, dtype=np.int64)
        for axis, (size, stride) in enumerate(zip(shape, self.strides, strict=True)):
            places += np.arange(size).reshape((-1,) + (1,) * (len(shape) - axis - 1)) * stride
        return places


def nearest(layout: str, rank: int) -> str:
    """The layout itself, or the nearest one that a tensor of this rank can have."""
    if rank == 0:
        return CONTIGUOUS if layout == CONTIGUOUS else OFFSET
    if rank == 1:
        return {TRANSPOSED: STRIDED, PERMUTED: STRIDED, SLICED: OFFSET, CHANNELS_LAST: OFFSET, REPEATED: EXPANDED}.get(
            layout, layout
        )
    if rank == 2:
        return {PERMUTED: TRANSPOSED, CHANNELS_LAST: TRANSPOSED}.get(layout, layout)
    return PERMUTED if layout == CHANNELS_LAST and rank != 4 else layout


def constant_axis(layout: str, rank: int) -> int | None:
    """The axis along which all entries must be equal for a tensor to have this layout."""
    return {EXPANDED: 0, REPEATED: -1}.get(nearest(layout, rank))


def repeat(array: Array, layout: str) -> Array:
    """The array with its first entry along the axis of stride 0 in the place of all others; as it is for other layouts."""
    axis = constant_axis(layout, array.ndim)
    if axis is None or not array.size:
        return array
    return np.ascontiguousarray(np.broadcast_to(np.take(array, [0], axis=axis), array.shape))


def place(shape: tuple[int, ...], layout: str) -> Placement:
    """Where the elements of a tensor of this shape lie in the nearest layout that it can have."""
    rank = len(shape)
    found = nearest(layout, rank)
    if found == CONTIGUOUS:
        return Placement(int(np.prod(shape)), _packed(shape, range(rank)), 0)
    pitch = list(shape)
    if found == STRIDED:
        pitch[-1] *= 2
    if found == SLICED:
        pitch[-1] += 3
    order = {
        TRANSPOSED: tuple(reversed(range(rank))),
        PERMUTED: (*range(1, rank), 0),
        CHANNELS_LAST: (0, 2, 3, 1),
    }.get(found, tuple(range(rank)))
    if (axis := constant_axis(layout, rank)) is not None:
        pitch[axis] = min(pitch[axis], 1)
    strides = list(_packed(tuple(pitch), order))
    if found == STRIDED:
        strides[-1] *= 2
    if axis is not None:
        strides[axis] = 0
    return Placement(int(np.prod(pitch)) + 2 * MARGIN, tuple(strides), MARGIN)


def _packed(shape: tuple[int, ...], order: Any) -> tuple[int, ...]:
    """The strides of a gapless tensor whose axes lie in memory in this order, the last one innermost."""
    strides, step = [0] * len(shape), 1
    for axis in reversed(tuple(order)):
        strides[axis] = step
        step *= max(shape[axis], 1)
    return tuple(strides)


def _surroundings(values: Any, length: int) -> Any:
    """A storage full of sentinels: NaN, or other numbers of the same tensor."""
    import torch

    if values.dtype.is_floating_point or not len(values):
        return torch.full((length,), float("nan") if values.dtype.is_floating_point else 0, dtype=values.dtype)
    return values.roll(1).repeat(-(-length // len(values)))[:length]


class Laid:
    """A tensor in a layout, what lies around it, and a copy of both."""

    def __init__(self, array: Array, dtype: Any, device: str, layout: str = CONTIGUOUS) -> None:
        import torch

        values = torch.from_numpy(np.array(array, copy=True).reshape(-1)).to(dtype)
        if layout == CONTIGUOUS:
            self.base = values.to(device)
            self.tensor = self.base.reshape(array.shape)
        else:
            where = place(array.shape, layout)
            base = _surroundings(values, where.length)
            base[torch.from_numpy(where.positions(array.shape).reshape(-1))] = values
            self.base = base.to(device)
            self.tensor = self.base.as_strided(array.shape, where.strides, where.offset)
        self._kept = self.base.clone()

    def damage(self) -> str:
        """What has happened to the memory since: nothing (""), or the tensor or what surrounds it has changed."""
        import torch

        now, then = self.base.view(torch.uint8), self._kept.view(torch.uint8)
        if torch.equal(now, then):
            return ""
        changed = (now != then).reshape(len(self.base), -1).any(1)
        inside = changed.as_strided(self.tensor.shape, self.tensor.stride(), self.tensor.storage_offset()).any()
        return "the input was changed in place" if inside else "memory outside of the tensor was written to"
